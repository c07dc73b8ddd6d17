"""Names of persons in the form in which they are compared: capital letters, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from leadflow_assets.domain.owners import Party, search_words

# Words that belong to the surname behind them and are none by themselves.
PARTICLES = frozenset(
    [
        "DE",
        "LA",
        "LE",
        "DEL",
        "DELA",
        "DI",
        "DA",
        "DO",
        "DOS",
        "DAS",
        "DER",
        "DEN",
        "LOS",
        "LAS",
        "VAN",
        "VON",
        "ST",
        "SAN",
        "MC",
        "MAC",
        "AL",
        "EL",
        "BEN",
        "BIN",
        "TER",
        "TEN",
        "THE",
    ]
)
SHORTEST_PART = 3
# Generations; titles are none.
SUFFIXES = {
    "JR": "JR",
    "SR": "SR",
    "II": "II",
    "2ND": "II",
    "III": "III",
    "3RD": "III",
    "IV": "IV",
    "4TH": "IV",
}


@dataclass(frozen=True, slots=True)
class NameForms:
    """A person's name for comparison.

    ``last`` and ``first`` have no blanks or hyphens; ``parts`` are the surnames of a compound one (Smith and
    Jones of Smith-Jones), none of a simple one. ``middle`` is the first middle name or its initial,
    ``suffix`` one of the values of :data:`SUFFIXES`. Each is empty where it is not given.
    """

    last: str
    parts: tuple[str, ...]
    first: str
    middle: str
    suffix: str


def name_forms(party: Party) -> NameForms:
    """The forms of a person's name."""
    last, parts = surname_forms(party.last)
    return NameForms(
        last, parts, given_form(party.first), middle_form(party.middle), suffix_form(party.suffix)
    )


def surname_forms(text: str) -> tuple[str, tuple[str, ...]]:
    """(the whole surname in one word, the surnames of which a compound one consists)."""
    words = search_words(text).split()
    if len(words) < 2:
        return "".join(words), ()
    parts = tuple(word for word in words if len(word) >= SHORTEST_PART and word not in PARTICLES)
    return "".join(words), parts


def given_form(text: str) -> str:
    """The given name in one word (``MARYANN`` of Mary-Ann)."""
    return search_words(text).replace(" ", "")


def middle_form(text: str) -> str:
    """The first of the middle names."""
    return search_words(text).partition(" ")[0]


def suffix_form(text: str) -> str:
    """The generation among the suffixes, if there is one."""
    return next((SUFFIXES[word] for word in search_words(text).split() if word in SUFFIXES), "")
