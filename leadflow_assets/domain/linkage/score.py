"""The whole weight of one pair, term by term: one party against one owner, as the state is linked in SQL."""

from __future__ import annotations

from dataclasses import dataclass

from leadflow_assets.domain.linkage import weights as w
from leadflow_assets.domain.linkage.names import NameForms


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a pair beside the two names.

    Shares are of the party's and the owner's name (of the common part of a compound surname for both), the
    larger of statewide and local. ``bearers`` of ``persons`` owners have the owner's full name, whose two
    shares in ``full_name_shares`` are statewide. ``place`` and ``address`` are outcomes; ``place_share`` of
    all owners live in the place, ``owners_there`` at the address. ``co_owner_bits`` is the weight of another
    owner of the property who is a party to the same case.
    """

    surname_shares: tuple[float, float]
    given_shares: tuple[float, float]
    full_name_shares: tuple[float, float] = (1.0, 1.0)
    bearers: int = 1
    persons: int = 0
    place: str = w.MISSING
    place_share: float = 1.0
    address: str = w.MISSING
    owners_there: int = 1
    co_owner_bits: float = 0.0


@dataclass(frozen=True, slots=True)
class Term:
    """One summand: what was compared, how it came out, and its weight in bits."""

    name: str
    outcome: str
    bits: float


def score(ours: NameForms, theirs: NameForms, known: Circumstances) -> tuple[Term, ...] | None:
    """The terms of a pair; None where the two cannot be one person (:func:`weights.may_match`)."""
    surname, given = w.surname_outcome(ours, theirs), w.given_outcome(ours.first, theirs.first)
    if not w.may_match(surname, given, known.address == w.EQUAL):
        return None
    middle, suffix = (
        w.middle_outcome(ours.middle, theirs.middle),
        w.suffix_outcome(ours.suffix, theirs.suffix),
    )
    whole = surname == given == w.EQUAL and len(ours.first) > 1
    surname_bits, location_bits = w.with_address(
        w.name_bits(surname, *known.surname_shares),
        w.place_bits(known.place, known.place_share),
        known.address,
        w.address_bits(known.address, known.owners_there),
    )
    return (
        Term("surname", surname, surname_bits),
        Term("given_name", given, w.name_bits(given, *known.given_shares)),
        Term("middle_name", middle, w.middle_bits(middle)),
        Term("suffix", suffix, w.suffix_bits(suffix)),
        Term(
            "full_name",
            w.EQUAL if whole else w.MISSING,
            w.full_name_bits(*known.full_name_shares, known.bearers, known.persons) if whole else 0.0,
        ),
        Term("location", known.address if known.address == w.EQUAL else known.place, location_bits),
        Term("co_owner", w.AGREE if known.co_owner_bits > 0 else w.MISSING, max(known.co_owner_bits, 0.0)),
    )


def weight(terms: tuple[Term, ...]) -> float:
    """The sum of a pair's terms, bits."""
    return sum(term.bits for term in terms)
