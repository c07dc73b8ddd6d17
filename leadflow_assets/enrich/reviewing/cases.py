"""Case matches: decided once, and what was decided lately."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Final

from leadflow_assets.enrich.case_matches.inputs import open_database, read_inputs
from leadflow_assets.enrich.case_matches.queue import of_towns
from leadflow_assets.enrich.case_matches.reviews import decide, look_at
from leadflow_assets.enrich.case_matches.service import lay_over
from leadflow_assets.enrich.reviewing.outcome import Outcome, Result
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.state import case_reviews, database
from leadflow_assets.state.case_reviews import CaseReview

_ADDRESSES: Final = """
SELECT m.match_id, any_value(coalesce(p.address, concat_ws(' ', p.city, p.state, p.zip))) AS lives,
    any_value(p.care_of)
FROM published AS m JOIN parties AS p USING (case_id, party_id)
WHERE m.match_id IN (SELECT unnest(?))
GROUP BY m.match_id HAVING lives <> ''
"""


def decide_case(
    settings: Settings, match_id: str, decision: str, *, by: str, reason: str = "", seen: str = ""
) -> Result:
    """Decide a match unless that is done already, or somebody decided otherwise than the person had ``seen``.

    ``seen`` is the decision that stood when the person looked; empty: none. A decision whose effect was cut
    short is brought to its end.

    Raises:
        UsageError: there is no such match, or nobody decides.
    """
    history = look_at(settings, match_id).history
    last = history[-1] if history else None
    if last is not None and last.decision == decision:
        lay_over(settings, {last.town_id})
        return Result(Outcome.ALREADY, last.decision, last.decided_by, last.decided_at)
    if last is not None and last.decision != seen:
        return Result(Outcome.OTHERWISE, last.decision, last.decided_by, last.decided_at)
    decide(settings, match_id, decision, by=by, reason=reason)
    return Result(Outcome.DONE, decision, by, datetime.now(UTC))


def party_addresses(
    settings: Settings, match_ids: Sequence[str], *, towns: Collection[int]
) -> dict[str, str]:
    """Where the parties of these matches live as the source tells it, with whom their mail goes through.

    ``towns`` are those of the matches.
    """
    if not match_ids:
        return {}
    inputs = of_towns(read_inputs(Lake(settings)), towns)
    with closing(open_database(inputs, datetime.now(UTC).date())) as connection:
        rows = connection.execute(_ADDRESSES, [list(match_ids)]).fetchall()
    return {
        match_id: f"{address}, care of {other}" if other else address for match_id, address, other in rows
    }


def decided_lately(settings: Settings, limit: int) -> list[CaseReview]:
    """The decisions that count, the newest first; what several sources tell stands once."""
    with database.session(settings) as session:
        reviews = case_reviews.newest(session, limit * 4)
    once = {(one.case_id, one.property_id, one.party_name, one.decided_at): one for one in reversed(reviews)}
    return sorted(once.values(), key=lambda review: review.decided_at, reverse=True)[:limit]
