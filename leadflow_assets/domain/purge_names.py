"""Finding a person's or a firm's name in a text, and taking it out, without knowing the name.

Whoever looks has only a test (``is_named``) that says whether one form of a name is the one that is looked
for: the name itself is kept nowhere. So every pair of words that could be a given name and a surname is
tried, in either order, with up to two middle names between; and every run of as many words as a firm's name
has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from leadflow_assets.domain.linkage.captions import read_case_party
from leadflow_assets.domain.linkage.names import PARTICLES, given_form, surname_forms
from leadflow_assets.domain.owners import Party, search_words
from leadflow_assets.domain.owners.owner import FORMS
from leadflow_assets.domain.owners.text import fold

IsNamed = Callable[[str], bool]
_MOST_BETWEEN = 2
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019\u02bc`\u00b4][^\W_]+)*|[&+]")
_HARD_BREAK = re.compile(r"[;|{}\[\]\"<>=\n\r\t]|\b(?:v|vs|versus)\b", re.IGNORECASE)
_VERSUS = frozenset({"V", "VS", "VERSUS"})
_JOINS = frozenset({"AND", "&", "+"})
_BEHIND_A_NAME = frozenset({"JR", "SR", "II", "III", "IV", "ESQ"})
_UNSAID = frozenset({"AND", "THE"})
_LOOSE_ENDS = re.compile(
    r"^\s*(?:(?:and\b|[&+,;])\s*)+|(?:\s*(?:\band|[&+,;]))+\s*$|(?:\s*(?:\band\b|[&+,;]))+(?=\s*(?:\band\b|[&+;]))",
    re.IGNORECASE,
)
_NOTHING_LEFT = re.compile(
    r"(?:\b(?:in re|matter of|estate of|debtors?|and|et|al|aka|fka|dba|jr|sr|ii|iii|iv|esq|mr|mrs|ms|dr)\b"
    r"|[\W_])*",
    re.IGNORECASE,
)
REMOVED = "[removed]"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, folded, and where it stands.

    ``run`` counts the parts that hard breaks make; ``comma``: one stands before it.
    """

    word: str
    start: int
    end: int
    run: int
    comma: bool = False

    @property
    def joins(self) -> bool:
        """Is it an "and"?"""
        return self.word in _JOINS


def name_forms_of(text: str | None) -> frozenset[str]:
    """Every form under which whoever a text names is found again; empty where it names nobody in full.

    A person is the given name with the surname, whatever the order; of compound names each part counts, so
    that a source that drops one still names the same person. Middle names and suffixes do not count. An alias
    is a name too. A firm is all of its words.
    """
    return frozenset().union(*forms_by_member(text))


def forms_by_member(text: str | None) -> list[frozenset[str]]:
    """The same for each person or firm that the text names."""
    forms: dict[int, set[str]] = {}
    for name in read_case_party(text).names:
        mine = _person_forms(name.party) if name.party.is_person else _firm_forms(name.party.name)
        forms.setdefault(name.member, set()).update(mine)
    return [frozenset(found) for found in forms.values()]


def _person_forms(party: Party) -> set[str]:
    whole, parts = surname_forms(party.last)
    given = {given_form(party.first), search_words(party.first).partition(" ")[0]} - {""}
    return {_pair(first, last) for first in given for last in {whole, *parts} - {""}}


def _firm_forms(name: str) -> set[str]:
    words = [FORMS.get(word, word) for word in search_words(name).split() if word not in _UNSAID]
    return {_firm(words)} if len(words) > 1 else set()


def firm_length(form: str) -> int:
    """How many words the form of a firm's name has; 0 for a person's."""
    return len(form.removeprefix("firm ").split()) if form.startswith("firm ") else 0


def words_of_form(form: str) -> list[str]:
    """The words of a form."""
    return form.split()[1:]


def _pair(one: str, other: str) -> str:
    return "person " + " ".join(sorted((one, other)))


def _firm(words: Sequence[str]) -> str:
    return "firm " + " ".join(words)


@lru_cache(maxsize=65_536)
def _folded(token: str) -> str:
    return fold(token)


def words_in(text: str) -> list[Word]:
    """The words of a text in order."""
    found: list[Word] = []
    run, end = 0, 0
    for token in _TOKEN.finditer(text):
        word = _folded(token.group())
        if word in _VERSUS or _HARD_BREAK.search(text, end, token.start()):
            run += 1
        comma = "," in text[end : token.start()]
        end = token.end()
        if word in _VERSUS:
            run += 1
        elif word:
            found.append(Word(word, token.start(), token.end(), run, comma))
    return found


def find_name(
    words: Sequence[Word], is_named: IsNamed, firm_lengths: Collection[int]
) -> Iterator[tuple[int, int]]:
    """Where a name stands: the indexes of its first and last word."""
    for first in range(len(words)):
        if words[first].joins:
            continue
        yield from _person_at(words, first, is_named)
        for length in firm_lengths:
            last = _firm_end(words, first, length)
            if last is not None and is_named(
                _firm([FORMS.get(w.word, w.word) for w in words[first : last + 1] if w.word not in _UNSAID])
            ):
                yield first, last


def _person_at(words: Sequence[Word], first: int, is_named: IsNamed) -> Iterator[tuple[int, int]]:
    for one, last_of_one in _units(words, first):
        between, joined, apart = 0, -1, False
        for second in range(last_of_one + 1, len(words)):
            if words[second].run != words[first].run or between > _MOST_BETWEEN:
                break
            is_small = len(words[second].word) == 1 or words[second].word in _BEHIND_A_NAME | _JOINS
            if apart and joined < 0 and not is_small:
                break
            if words[second].word in _BEHIND_A_NAME:
                continue
            if words[second].comma:
                # SMITH, JOHN is a name; what is behind the comma of JOHN JONES, MARY SMITH is another.
                if between or joined >= 0:
                    break
                apart = True
            if words[second].joins:
                if joined >= 0:
                    break
                joined = second
                continue
            for other, last in _units(words, second):
                if (joined < 0 or _share(words, first, joined, second)) and is_named(_pair(one, other)):
                    yield first, last
            between += len(words[second].word) > 1


def _share(words: Sequence[Word], first: int, joined: int, second: int) -> bool:
    """May two words on both sides of an "and" be one name: JOHN and MARY SMITH, or SMITH, JOHN & MARY?"""
    return _segment(words, joined - 1, -1) == [first] or _segment(words, joined + 1, 1) == [second]


def _units(words: Sequence[Word], at: int) -> Iterator[tuple[str, int]]:
    """The word there, and it with the next one in one (MC DONALD)."""
    yield words[at].word, at
    after = at + 1
    if after < len(words) and words[after].run == words[at].run and not words[after].joins:
        yield words[at].word + words[after].word, after


def _firm_end(words: Sequence[Word], first: int, length: int) -> int | None:
    """The index of the last of ``length`` words of one run that count."""
    counted = 0
    for index in range(first, len(words)):
        if words[index].run != words[first].run:
            return None
        if not words[index].joins and words[index].word not in _UNSAID:
            counted += 1
        if counted == length:
            return index
    return None


def mentions(text: str | None, is_named: IsNamed, firm_lengths: Collection[int] = ()) -> bool:
    """Does the text name them?"""
    return bool(text) and any(True for _ in find_name(words_in(str(text)), is_named, firm_lengths))


def without_name(text: str, is_named: IsNamed, firm_lengths: Collection[int] = ()) -> str:
    """The text without the name; other people in it keep theirs. Empty where nothing else is left.

    A side of a ``v.`` that would be empty is marked :data:`REMOVED`. Of a web address the whole part goes.
    """
    words = words_in(text)
    places = list(find_name(words, is_named, firm_lengths))
    plain = [place for place in places if not _has_comma(words, *place)]
    # JOHN SMITH, MARY SMITH: what the comma seems to turn around is two names.
    places = [p for p in places if p in plain or not any(p[0] <= q[1] and q[0] <= p[1] for q in plain)]
    cuts = sorted({_cut(words, *place) for place in places})
    if not cuts:
        return text
    if "/" in text and not re.search(r"\s", text.strip()):
        return _without_parts(text, cuts)
    sides = re.split(r"(\s+v(?:s|ersus)?\.?\s+)", _without_spans(text, cuts), maxsplit=1, flags=re.IGNORECASE)
    tidy = [_tidy(side) for side in sides[::2]]
    if len(tidy) == 2:
        return f"{tidy[0] or REMOVED}{sides[1]}{tidy[1] or REMOVED}" if any(tidy) else ""
    return tidy[0]


def _has_comma(words: Sequence[Word], first: int, last: int) -> bool:
    return any(word.comma for word in words[first + 1 : last + 1])


def _cut(words: Sequence[Word], first: int, last: int) -> tuple[int, int]:
    """Where the text is cut, so that who shares the surname keeps it."""
    joined = next((k for k in range(first + 1, last) if words[k].joins), None)
    if joined is not None:
        return _cut_across(words, first, joined, last)
    start, end = _beside(words, first, -1), _beside(words, last, 1)
    if _joins(words, start - 1, start) and len(_segment(words, start - 2, -1)) == 1:
        return words[start - 1].start, words[last].start  # JOHN and MARY SMITH: he keeps SMITH
    if _joins(words, end + 1, end) and len(_segment(words, end + 2, 1)) == 1:
        return words[first].end, words[end + 1].end  # SMITH, JOHN & MARY: she keeps SMITH
    return words[start].start, words[end].end


def _joins(words: Sequence[Word], at: int, beside: int) -> bool:
    return 0 <= at < len(words) and words[at].joins and words[at].run == words[beside].run


def _cut_across(words: Sequence[Word], first: int, joined: int, last: int) -> tuple[int, int]:
    behind = [k for k in _segment(words, joined + 1, 1) if words[k].word not in _BEHIND_A_NAME]
    if len(behind) > 1 and behind[-1] == last:
        return words[first].start, words[joined].end  # JOHN and MARY SMITH
    return words[joined].start, words[_beside(words, last, 1)].end  # SMITH, JOHN & MARY


def _segment(words: Sequence[Word], at: int, step: int) -> list[int]:
    """Indexes of the full words from ``at`` on up to the next "and" or break, in the order of the text."""
    found: list[int] = []
    run = words[at].run if 0 <= at < len(words) else -1
    while 0 <= at < len(words) and words[at].run == run and not words[at].joins:
        if len(words[at].word) > 1:
            found.append(at)
        at += step
    return sorted(found)


def _beside(words: Sequence[Word], at: int, step: int) -> int:
    """The index up to which initials, particles and suffixes beside a name belong to it."""
    while 0 <= at + step < len(words):
        beside = words[at + step]
        belongs = (len(beside.word) == 1 and beside.word.isalpha()) or beside.word in PARTICLES
        belongs = belongs or (step > 0 and beside.word in _BEHIND_A_NAME)
        if not belongs or beside.run != words[at].run or beside.joins:
            return at
        at += step
    return at


def _without_spans(text: str, cuts: Sequence[tuple[int, int]]) -> str:
    kept, at = [], 0
    for start, end in cuts:
        if start >= at:
            kept.append(text[at:start])
        at = max(at, end)
    return "".join([*kept, text[at:]])


def _without_parts(text: str, cuts: Sequence[tuple[int, int]]) -> str:
    """A web address with each of its parts that a cut touches replaced."""
    parts, at = [], 0
    for part in text.split("/"):
        touched = any(start < at + len(part) and end > at for start, end in cuts)
        parts.append("removed" if touched else part)
        at += len(part) + 1
    return "/".join(parts)


def _tidy(text: str) -> str:
    """Without what a name leaves behind: a comma, an "and", brackets of nothing."""
    text = re.sub(r"\(\s*\)|\[\s*\]", " ", text)
    text = _LOOSE_ENDS.sub(" ", re.sub(r"(?<=:)\s*(?:(?:and\b|[&+,;])\s*)+", " ", text, flags=re.IGNORECASE))
    text = re.sub(r"[ \t]{2,}", " ", text).strip(" ,;\t")
    return "" if _NOTHING_LEFT.fullmatch(text) else text
