"""What an empty answer about court cases means: looked and found nothing, too long ago, or never could.

Massachusetts keeps evictions, civil suits and land records where no open feed reaches (facts/courtlistener
§9): "0 found" without its coverage would read as "no case".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from leadflow_assets.domain.courts.imported import IMPORT_KINDS
from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.courts.model import COURTLISTENER, is_bankruptcy_court

State = Literal["covered", "stale", "not_available", "not_configured", "not_fetched"]
STALE_DAYS = 7
_BANKRUPTCY = ("bankruptcy_petition", "adversary_proceeding")
_FEDERAL = (
    "foreclosure_suit",
    "rent_lease_ejectment",
    "torts_to_land",
    "other_real_property",
    "tax_lien_suit",
    "other_civil",
    "federal_criminal",
)
# An import of kind `other` can hold these; the other kinds have one type each.
_OTHER = ("civil_judgment", "state_civil", "recorded_lien", "other")


@dataclass(frozen=True)
class SourceFacts:
    """What is known of one source: CourtListener at one court, or the imports of one kind.

    ``source`` is ``courtlistener`` or the kind. ``since`` is the first day from which on nothing is missing,
    ``last`` when it was last asked to the end, or last imported. ``partial`` says in words what is missing
    all the same, and is repeated with every result.
    """

    source: str
    court: str | None = None
    configured: bool = True
    since: date | None = None
    last: datetime | None = None
    partial: str | None = None


@dataclass(frozen=True)
class Coverage:
    """One case type at one source. ``words`` is a whole sentence for people."""

    case_type: str
    source: str
    court: str | None
    state: State
    since: date | None
    last: date | None
    words: str


def coverage(facts: Iterable[SourceFacts], today: date) -> tuple[Coverage, ...]:
    """Every case type with every source that is known or could have it, in a fixed order.

    Types that CourtListener cannot have are listed as not available from it, whatever was imported.
    """
    known = list(facts)
    listener = [fact for fact in known if fact.source == COURTLISTENER]
    imports = {fact.source: fact for fact in known if fact.source in IMPORT_KINDS}
    rows: list[Coverage] = []
    for case_type in CASE_TYPES:
        if case_type in (*_BANKRUPTCY, *_FEDERAL):
            rows += _at_courtlistener(case_type, listener, today)
        else:
            rows.append(_not_at_courtlistener(case_type))
        rows += [
            _imported(case_type, imports.get(name) or SourceFacts(name), today)
            for name in _kinds_with(case_type)
            if name in imports or case_type not in (*_BANKRUPTCY, *_FEDERAL)
        ]
    return tuple(rows)


def statement(case_type: str, found: int, rows: Sequence[Coverage]) -> str:
    """The sentence that stands with a result: how many, and what that number can and cannot mean.

    Raises:
        KeyError: there is no such case type.
    """
    words = CASE_TYPES[case_type].words
    mine = [row for row in rows if row.case_type == case_type]
    sources = " ".join(row.words for row in mine) or "No source is known for them."
    if found:
        return f"Found {found:,} {words if found > 1 else CASE_TYPES[case_type].word}. {sources}"
    if any(row.state in ("covered", "stale") for row in mine):
        return f"No {words} found where it was looked for. {sources}"
    return f"Whether there are {words} is not known. {sources}"


def _at_courtlistener(case_type: str, facts: Sequence[SourceFacts], today: date) -> list[Coverage]:
    right = [fact for fact in facts if is_bankruptcy_court(fact.court or "") == (case_type in _BANKRUPTCY)]
    if not right:
        return [
            Coverage(
                case_type,
                COURTLISTENER,
                None,
                "not_fetched",
                None,
                None,
                "CourtListener has them and no such court is among LEADFLOW_COURTS.",
            )
        ]
    return [_state(case_type, fact, f"CourtListener ({fact.court})", STALE_DAYS, today) for fact in right]


def _not_at_courtlistener(case_type: str) -> Coverage:
    words = "Not available from CourtListener, which has no dockets of Massachusetts courts and registries."
    return Coverage(case_type, COURTLISTENER, None, "not_available", None, None, words)


def _imported(case_type: str, fact: SourceFacts, today: date) -> Coverage:
    kind = IMPORT_KINDS[fact.source]
    if fact.last is None:
        words = f"None imported (leadflow cases import FILE --source {kind.name})."
        return Coverage(case_type, fact.source, kind.court, "not_available", None, None, words)
    return _state(case_type, fact, f"Imported {kind.words}", kind.stale_days, today)


def _state(case_type: str, fact: SourceFacts, name: str, stale_days: int, today: date) -> Coverage:
    last = fact.last.date() if fact.last else None
    state: State
    if not fact.configured:
        state, words = "not_configured", f"{name} is not configured: set COURTLISTENER_API_KEY."
    elif last is None:
        state, words = "not_fetched", f"{name} was not asked yet."
    else:
        since = f"from {fact.since} on" if fact.since else "from no stated day on"
        state = "stale" if today - last > timedelta(days=stale_days) else "covered"
        until = f"last brought up to date on {last}"
        words = f"{name}: {since}, {until}{', which is too long ago' if state == 'stale' else ''}."
    if fact.partial and last is not None:
        words = f"{words[:-1]}; {fact.partial}."
    return Coverage(case_type, fact.source, fact.court, state, fact.since, last, words)


def _kinds_with(case_type: str) -> list[str]:
    named = [kind.name for kind in IMPORT_KINDS.values() if kind.case_type == case_type]
    return [*named, *(["other"] if case_type in _OTHER and "other" not in named else [])]


def by_type(rows: Iterable[Coverage]) -> Mapping[str, tuple[Coverage, ...]]:
    """The rows under their case types, in the order of the types."""
    found: dict[str, list[Coverage]] = {}
    for row in rows:
        found.setdefault(row.case_type, []).append(row)
    return {case_type: tuple(found[case_type]) for case_type in CASE_TYPES if case_type in found}
