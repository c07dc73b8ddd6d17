"""A batch's properties as a page shows them: how each ended, why, and the first things that were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadflow_assets.enrich.batches import records, words
from leadflow_assets.enrich.batches.export import published_facts
from leadflow_assets.enrich.batches.job import BatchJob, RequestAnswer
from leadflow_assets.lake.lake import Lake
from leadflow_assets.search.engine import Searcher
from leadflow_assets.settings import Settings
from leadflow_assets.state import batch_requests, database


@dataclass(frozen=True)
class ResultRow:
    """One property. ``town_id`` and ``loc_id`` where it is ours; ``facts`` of core/attom_properties, empty
    until the batch is processed; ``answers``: each endpoint with how it ended, in words.
    """

    number: int
    source_rows: tuple[int, ...]
    asked: str
    property_id: str | None
    town_id: int | None
    loc_id: str | None
    outcome: str
    why: str
    facts: Mapping[str, Any]
    answers: tuple[tuple[str, str, str], ...]


def result_rows(
    settings: Settings,
    lake: Lake,
    searcher: Searcher | None,
    job: BatchJob,
    *,
    outcome: str | None,
    skip: int,
    most: int,
) -> list[ResultRow]:
    """Some properties of a batch, of one outcome or of all, by number.

    Without a ``searcher`` none is a parcel of ours.
    """
    with database.session(settings) as session:
        stored = batch_requests.page(session, job.job_id, outcome=outcome, skip=skip, most=most)
        if not stored:
            return []
        first, last = stored[0].request_number, stored[-1].request_number
        answers = batch_requests.answers(session, job.job_id, after=first - 1, upto=last)
    requests = [records.request_of(job.job_id, one) for one in stored]
    facts = published_facts(lake, job)
    ids = [request.property_id for request in requests if request.property_id]
    columns = ("property_id", "town_id", "loc_id")
    here = searcher.properties(ids, columns).to_pylist() if searcher and ids else []
    ours = {row["property_id"]: row for row in here}
    rows = []
    for request in requests:
        place = ours.get(request.property_id or "", {})
        query = request.query
        address = ", ".join(filter(None, (query.address1, query.address2)))
        rows.append(
            ResultRow(
                request.request_number,
                request.source_rows,
                address or query.apn or request.property_id or "",
                request.property_id,
                place.get("town_id"),
                place.get("loc_id"),
                request.outcome,
                words.reason(request.reason),
                facts.get(request.attom_id, {}) if request.attom_id is not None else {},
                tuple(_told(answer) for answer in answers.get(request.request_number, ())),
            )
        )
    return rows


def _told(answer: RequestAnswer) -> tuple[str, str, str]:
    why = words.reason(answer.reason) or ("kept from before" if answer.from_cache else "")
    return answer.endpoint, words.OUTCOMES[answer.outcome], why
