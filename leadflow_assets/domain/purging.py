"""What must not come back: purged cases and people, known by salted hashes only.

A case is known by its id and by its dockets. A person's name alone would reach namesakes, so a person is
known by the name *in a place*: an address, a property, an ATTOM id, a case or a docket. From the hashes
nobody can read who was purged; whoever has a text can ask whether it names one of them there.

While a purge is under way its names and numbers alone are known too (as hashes): what users wrote by hand
(notes, criteria of searches, files they gave) tells no place. They are forgotten when it is finished.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Final

from leadflow_assets.domain.courts.model import docket_number_key
from leadflow_assets.domain.purge_names import (
    REMOVED,
    find_name,
    firm_length,
    forms_by_member,
    mentions,
    without_name,
    words_in,
    words_of_form,
)

# What may be purged, why.
KINDS: Final = ("case", "person")
REASONS: Final = ("sealed", "expunged", "opt_out", "error", "other")
# Kinds of hashes. The last three only live as long as their purge is not finished.
CASE, DOCKET, PLACE, PERSON, FIRM_LENGTH = "case", "docket", "place", "person", "firm_length"
PARTY: Final = "party"
NAME, WORD, NUMBER = "name", "word", "number"
LASTING: Final = (CASE, DOCKET, PARTY, PLACE, PERSON, FIRM_LENGTH)
PASSING: Final = (NAME, WORD, NUMBER)
# How a withheld owner is shown, and the number of the rule that says so.
WITHHELD: Final = "withheld at the owner's request"
WITHHELD_RULE: Final = 15
_NUMBER_TOKEN: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z:-]*")
# A number in a text begins with a part that has a digit; its parts stand one blank apart.
_NUMBER_GIVEN: Final = re.compile(r"[A-Za-z:-]{0,4}\d[0-9A-Za-z:-]*(?: [0-9A-Za-z:-]+)*")
_LONGEST_NUMBER: Final = 4
_PLAIN_WORD: Final = re.compile(r"[A-Z0-9]+")


def case_place(case_id: str) -> str:
    """The place that a case is."""
    return f"case:{case_id}"


def docket_place(court: str, docket_id: int) -> str:
    """The place that a docket of CourtListener is."""
    return f"docket:{court}:{docket_id}"


def property_place(property_id: str) -> str:
    """The place that a property of ours is."""
    return f"property:{property_id}"


def address_place(key: str) -> str:
    """The place that an address is: ``address_key`` behind a town id, or ``mailing_key`` behind a ZIP."""
    return f"address:{key}"


def attom_place(attom_id: int) -> str:
    """The place that a property of ATTOM is."""
    return f"attom:{attom_id}"


@dataclass(frozen=True, order=True)
class Key:
    """One hash. ``town_id`` is set for a person at a property of that town."""

    kind: str
    value: str
    town_id: int = 0


@dataclass(frozen=True)
class Purged:
    """Everything that was purged, and the questions that may be asked of it.

    ``keys`` are the hashes by kind, ``towns`` those of people at properties, by town id.
    """

    salt: bytes
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    towns: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.keys.values())

    def hashed(self, kind: str, *parts: str) -> str:
        """The hash of something of a kind."""
        text = "\x1f".join((kind, *parts)).encode("utf-8", errors="replace")
        return hashlib.blake2b(text, key=self.salt, digest_size=16).hexdigest()

    def of_kind(self, kind: str) -> frozenset[str]:
        """The hashes of a kind."""
        return self.keys.get(kind, frozenset())

    def with_keys(self, keys: Iterable[Key]) -> Purged:
        """The same with more hashes."""
        kinds = {kind: set(values) for kind, values in self.keys.items()}
        towns = {town: set(values) for town, values in self.towns.items()}
        for key in keys:
            kinds.setdefault(key.kind, set()).add(key.value)
            if key.town_id:
                towns.setdefault(key.town_id, set()).add(key.value)
        return replace(
            self,
            keys={kind: frozenset(values) for kind, values in kinds.items()},
            towns={town: frozenset(values) for town, values in towns.items()},
        )

    # Cases

    def case_key(self, case_id: str) -> Key:
        """The hash that keeps a case out."""
        return Key(CASE, self.hashed(CASE, case_id))

    def docket_key(self, court: str, docket_id: int) -> Key:
        """The hash that keeps a docket out."""
        return Key(DOCKET, self.hashed(DOCKET, court, str(docket_id)))

    def has_case(self, case_id: str | None) -> bool:
        """Was the case purged?"""
        known = self.of_kind(CASE)
        return bool(known) and case_id is not None and self.hashed(CASE, case_id) in known

    def has_docket(self, court: str, docket_id: int | None) -> bool:
        """Was the docket purged?"""
        known = self.of_kind(DOCKET)
        return bool(known) and docket_id is not None and self.hashed(DOCKET, court, str(docket_id)) in known

    def party_key(self, case_id: str, party_id: str) -> Key:
        """The hash of a party of a case who was purged."""
        return Key(PARTY, self.hashed(PARTY, case_id, party_id))

    def has_party(self, case_id: str | None, party_id: str | None) -> bool:
        """Was that party of the case purged?"""
        known = self.of_kind(PARTY)
        return (
            bool(known and case_id and party_id) and self.hashed(PARTY, str(case_id), str(party_id)) in known
        )

    def without_numbers(self, text: str, court: str | None = None) -> str:
        """The text without the numbers of purged cases of ``court``; without one, of those under way."""
        known = self.of_kind(NUMBER if court is None else CASE)
        if not known or not any(sign.isdigit() for sign in text):
            return text
        spans = [(m.start(), m.end()) for m in _NUMBER_TOKEN.finditer(text)]
        cuts: list[tuple[int, int]] = []
        for first in range(len(spans)):
            for last in range(first, min(first + _LONGEST_NUMBER, len(spans))):
                given = text[spans[first][0] : spans[last][1]]
                if not _NUMBER_GIVEN.fullmatch(given):
                    break
                if self._is_number(given, court):
                    cuts.append((spans[first][0], spans[last][1]))
        for start, end in sorted(cuts, reverse=True):
            text = text[:start] + REMOVED + text[end:]
        return text

    def _is_number(self, given: str, court: str | None) -> bool:
        # What has no digits, or few signs, is no number of a case.
        if len(given) < 5 or not any(sign.isdigit() for sign in given):
            return False
        key = docket_number_key(court or "", given)
        if key is None:
            return False
        if court is None:
            return self.hashed(NUMBER, key) in self.of_kind(NUMBER)
        return self.has_case(f"{court}:{key}")

    # People

    def keys_of(self, forms: Iterable[str], places: Iterable[str], town_id: int = 0) -> set[Key]:
        """The hashes that keep whoever has these forms of a name out of these places."""
        forms, keys = list(forms), set()
        for place in places:
            keys.add(Key(PLACE, self.hashed(PLACE, place)))
            keys |= {Key(PERSON, self.hashed(PERSON, form, place), town_id) for form in forms}
        lengths = {firm_length(form) for form in forms} - {0}
        return keys | {Key(FIRM_LENGTH, str(length)) for length in lengths}

    def passing_keys(self, forms: Iterable[str] = (), numbers: Iterable[str] = ()) -> set[Key]:
        """The hashes of names and numbers alone, for as long as a purge is under way."""
        keys = {Key(NUMBER, self.hashed(NUMBER, number)) for number in numbers}
        for form in forms:
            keys.add(Key(NAME, self.hashed(NAME, form)))
            keys |= {Key(WORD, self.hashed(WORD, word)) for word in words_of_form(form)}
        return keys

    @cached_property
    def firm_lengths(self) -> frozenset[int]:
        """How many words the firms' names have."""
        return frozenset(int(length) for length in self.of_kind(FIRM_LENGTH))

    def places(self, candidates: Iterable[str | None]) -> tuple[str, ...]:
        """Those of the places where somebody was purged."""
        known = self.of_kind(PLACE)
        if not known:
            return ()
        return tuple(place for place in candidates if place and self.hashed(PLACE, place) in known)

    def test(self, places: Iterable[str]) -> Callable[[str], bool]:
        """Is a form of a name one that was purged in one of these places?"""
        known, wanted = self.of_kind(PERSON), tuple(places)
        remembered: dict[str, bool] = {}

        def is_named(form: str) -> bool:
            found = remembered.get(form)
            if found is None:
                found = any(self.hashed(PERSON, form, place) in known for place in wanted)
                remembered[form] = found
            return found

        return is_named

    def mentions(self, text: str | None, places: Iterable[str]) -> bool:
        """Does the text name somebody who was purged in one of these places?"""
        wanted = self.places(places)
        return bool(wanted) and mentions(text, self.test(wanted), self.firm_lengths)

    def without_people(self, text: str, places: Iterable[str]) -> str:
        """The text without the names of those who were purged in one of these places."""
        wanted = self.places(places)
        return without_name(text, self.test(wanted), self.firm_lengths) if wanted else text

    def forms_in(self, text: str | None, places: Iterable[str]) -> frozenset[str]:
        """The forms of names in a text that were purged in one of these places.

        With them come the other forms of the same party (aliases).
        """
        if not text or not self.mentions(text, places):
            return frozenset()
        is_named, found = self.test(self.places(places)), set()

        def noted(form: str) -> bool:
            if is_named(form):
                found.add(form)
            return False

        for _ in find_name(words_in(text), noted, self.firm_lengths):
            continue
        same = (forms for forms in forms_by_member(text) if forms & found)
        return frozenset(found).union(*same)

    # Names alone, while a purge is under way

    def mentions_name(self, text: str | None) -> bool:
        """Does the text name somebody whose purge is under way, wherever that may be?"""
        return bool(text) and self._may_name(str(text)) and mentions(text, self._is_name, self.firm_lengths)

    def without_names(self, text: str) -> str:
        """The text without the names of those whose purge is under way."""
        return without_name(text, self._is_name, self.firm_lengths) if self._may_name(text) else text

    def is_part_of_name(self, text: str) -> bool:
        """Are there nothing but words of such a name, initials and signs in the text?"""
        words = [word.word for word in words_in(text) if len(word.word) > 1]
        return bool(words) and all(self._is_word(word) for word in words)

    def _is_name(self, form: str) -> bool:
        return self.hashed(NAME, form) in self.of_kind(NAME)

    def _may_name(self, text: str) -> bool:
        """A quick look that spares most texts the pairs: two of the names' words."""
        if not self.of_kind(NAME):
            return False
        return len({word for word in self._words(text) if self._is_word(word)}) > 1

    def _words(self, text: str) -> Iterator[str]:
        # Most texts are plain, and there are very many of them.
        plain = text.isascii() and "'" not in text and "`" not in text
        words = _PLAIN_WORD.findall(text.upper()) if plain else [word.word for word in words_in(text)]
        yield from words
        yield from map("".join, pairwise(words))

    def _is_word(self, word: str) -> bool:
        known = self._known_words.get(word)
        if known is None:
            if len(self._known_words) > 200_000:
                self._known_words.clear()
            known = self._known_words[word] = self.hashed(WORD, word) in self.of_kind(WORD)
        return known

    @cached_property
    def _known_words(self) -> dict[str, bool]:
        return {}

    # Owners

    def town_mark(self, town_id: int) -> str:
        """Names who is withheld at the properties of a town; empty for nobody: equal marks, equal tables."""
        people = self.towns.get(town_id)
        return hashlib.sha256("\n".join(sorted(people)).encode()).hexdigest()[:16] if people else ""
