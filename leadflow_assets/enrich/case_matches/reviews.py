"""Matches that wait for a person, and what the person says. Decisions are kept, all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from leadflow_assets.domain.linkage.posterior import POSSIBLE_FROM
from leadflow_assets.domain.linkage.words import explain
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.case_matches import queue
from leadflow_assets.enrich.case_matches.inputs import Inputs, open_database, read_inputs
from leadflow_assets.enrich.case_matches.publishing import Keep
from leadflow_assets.enrich.case_matches.queue import FOLDED
from leadflow_assets.enrich.case_matches.service import lay_over
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.state import case_reviews, database
from leadflow_assets.state.case_reviews import CaseReview

_SHOWN: Final = """
SELECT m.*, p.site_address, p.owner_name, p.total_value
FROM published AS m JOIN properties AS p USING (property_id)
WHERE match_id IN (SELECT unnest($match_ids::VARCHAR[]))
"""
_ALIKE: Final = f"""
SELECT m.* FROM published AS m JOIN (FROM published WHERE match_id = $match_id) AS n
    ON m.case_id = n.case_id AND m.property_id = n.property_id
    AND {FOLDED.format("m")} = {FOLDED.format("n")}
ORDER BY m.match_id = $match_id DESC, m.source
"""
DEFAULT_LIMIT: Final = 50


@dataclass(frozen=True)
class WaitingMatch:
    """A match without a decision. ``evidence`` in sentences; dollars; ``probability`` 0 to 1."""

    match_id: str
    town_id: int
    town: str
    property_id: str
    loc_id: str | None
    site_address: str | None
    owner_name: str | None
    total_value: int | None
    case_id: str
    case_type: str
    court: str
    docket_number: str | None
    date_filed: date | None
    source: str
    party_name: str
    party_role: str
    method: str
    title: str
    tier: str
    probability: float
    rivals: int | None
    url: str | None
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class ReviewedMatch:
    """One match as it stands, and everything that was ever decided about it, the oldest first.

    ``match`` is None where nothing is published of it any more.
    """

    match: WaitingMatch | None
    history: tuple[CaseReview, ...]


@dataclass(frozen=True)
class Decided:
    """What a decision did: the matches it covers (one for each source that tells it), the towns changed."""

    match_ids: tuple[str, ...]
    towns_changed: tuple[int, ...]


@dataclass(frozen=True)
class WaitingPage:
    """Some of what waits, in its order; ``by_town`` counts all that waits, whichever towns were asked for."""

    items: tuple[WaitingMatch, ...]
    by_town: Mapping[int, int]


def waiting(
    settings: Settings,
    *,
    towns: Collection[int] | None = None,
    limit: int | None = DEFAULT_LIMIT,
    least: float = POSSIBLE_FROM,
) -> list[WaitingMatch]:
    """Matches that a person should decide, the most valuable first: open cases, then value times probability.

    ``least`` is the smallest probability: 0 shows the unconfirmed ones too. What the model confirms does not
    wait, but may be decided like all.
    """
    return list(waiting_page(settings, towns=towns, limit=limit, least=least).items)


def waiting_page(
    settings: Settings,
    *,
    towns: Collection[int] | None = None,
    limit: int | None = DEFAULT_LIMIT,
    offset: int = 0,
    least: float = POSSIBLE_FROM,
) -> WaitingPage:
    """A page of :func:`waiting`, and how much waits; ``limit`` 0 counts only, None is without an end."""
    inputs = _published_towns(settings)
    every = queue.ranked(inputs, least=least)
    asked = every if towns is None else every.of(towns)
    shown = slice(offset, None if limit is None else offset + limit)
    ids = asked.match_ids[shown].to_pylist()
    if not ids:
        return WaitingPage((), every.by_town())
    here = queue.of_towns(inputs, set(asked.towns[shown].to_pylist()))
    rows = {row["match_id"]: row for row in _rows(here, _SHOWN, {"match_ids": ids})}
    return WaitingPage(tuple(_waiting(rows[one]) for one in ids if one in rows), every.by_town())


def look_at(settings: Settings, match_id: str) -> ReviewedMatch:
    """One match, decided or not, with its history.

    Raises:
        UsageError: there is no such match, and never was one that was decided.
    """
    with database.session(settings) as session:
        history = tuple(case_reviews.history(session, match_id))
    inputs = _town_of(_published_towns(settings), match_id)
    rows = _rows(inputs, _SHOWN, {"match_ids": [match_id]}) if inputs.published else []
    if not rows and not history:
        raise _unknown(match_id)
    return ReviewedMatch(_waiting(rows[0]) if rows else None, history)


def decide(
    settings: Settings, match_id: str, decision: str, *, by: str, reason: str = "", keep: Keep | None = None
) -> Decided:
    """Say for good whether a party is the owner of a property; it counts at once and outranks the model.

    The same case told by other sources is decided with it. ``decision`` is confirmed or rejected; a later
    one replaces it and both are kept. ``keep`` as for ``match_cases``.

    Raises:
        UsageError: nobody decides, or there is no such match.
    """
    if not by.strip():
        raise UsageError("A decision needs the name of who decided.", "Give --by NAME.")
    inputs = _town_of(_published_towns(settings), match_id)
    rows = _rows(inputs, _ALIKE, {"match_id": match_id}) if inputs.published else []
    said: dict[str, Any] = {
        "decision": decision,
        "decided_by": by.strip(),
        "decided_at": datetime.now(UTC),
        "reason": reason.strip(),
    }
    with database.session(settings) as session:
        # What is not published any more can still be decided anew by whoever knows its id.
        made = [_review(row, said) for row in rows] or [
            replace(old, **said) for old in case_reviews.history(session, match_id)[-1:]
        ]
        if not made:
            raise _unknown(match_id)
        case_reviews.record(session, made)
        session.commit()
    changed = lay_over(settings, {review.town_id for review in made}, keep=keep)
    return Decided(tuple(review.match_id for review in made), changed)


def _unknown(match_id: str) -> UsageError:
    return UsageError(
        f"There is no match {match_id}.", "`leadflow review list` and `leadflow cases find` show their ids."
    )


def _published_towns(settings: Settings) -> Inputs:
    """The inputs, with the properties of towns that have matches only."""
    inputs = read_inputs(Lake(settings))
    here = {town: entry for town, entry in inputs.properties.items() if town in inputs.published}
    return replace(inputs, properties=here)


def _town_of(inputs: Inputs, match_id: str) -> Inputs:
    """The inputs with the match's town alone, where all that is told of its property stands; maybe none."""
    sql = "SELECT town_id FROM published WHERE match_id = $match_id"
    rows = _rows(replace(inputs, properties={}), sql, {"match_id": match_id}) if inputs.published else []
    return queue.of_towns(inputs, {row["town_id"] for row in rows})


def _rows(inputs: Inputs, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with closing(open_database(inputs, datetime.now(UTC).date())) as connection:
        found = connection.execute(query, values)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


_PLAIN: Final[Sequence[str]] = tuple(
    name for name in WaitingMatch.__dataclass_fields__ if name not in ("town", "evidence")
)


def _waiting(row: dict[str, Any]) -> WaitingMatch:
    return WaitingMatch(
        **{name: row[name] for name in _PLAIN},
        town=town_by_id(row["town_id"]).name,
        evidence=tuple(explain(row["evidence"] or ())),
    )


def _review(row: dict[str, Any], said: dict[str, Any]) -> CaseReview:
    told = ("match_id", "case_id", "source", "party_id", "property_id", "town_id", "party_name", "party_role")
    return CaseReview(
        **{name: row[name] for name in told},
        method=row["method"],
        **said,
        probability=row["model_probability"],
        evidence_version=row["evidence_version"],
    )
