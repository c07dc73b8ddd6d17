"""Requests and answers of a batch as they are stored; what every transport reads and writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import cast

from leadflow_assets.enrich.batches.job import BatchJob, BatchRequest, Match, Outcomes, RequestAnswer
from leadflow_assets.enrich.batches.outcome import RETRIED, overall
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.endpoints import PropertyQuery
from leadflow_assets.state import batch_jobs, batch_requests, database
from leadflow_assets.state.batch_requests import Ended, StoredRequest

PAGE = 500


def pages(settings: Settings, job_id: str, *, size: int = PAGE) -> Iterator[list[BatchRequest]]:
    """All requests of a batch by number, some at a time."""
    after = 0
    while True:
        with database.session(settings) as session:
            stored = batch_requests.requests(session, job_id, after=after, most=size)
        if not stored:
            return
        after = stored[-1].request_number
        yield [request_of(job_id, request) for request in stored]


def unfinished_pages(
    settings: Settings, job_id: str, *, size: int = PAGE
) -> Iterator[list[tuple[BatchRequest, dict[str, RequestAnswer]]]]:
    """Requests that are pending or have an answer to be asked again, with their answers by endpoint."""
    after = 0
    while True:
        with database.session(settings) as session:
            stored = batch_requests.unfinished(session, job_id, RETRIED, after=after, most=size)
            if not stored:
                return
            last = stored[-1].request_number
            answers = batch_requests.answers(session, job_id, after=after, upto=last)
        after = last
        yield [
            (
                request_of(job_id, request),
                {answer.endpoint: answer for answer in answers.get(request.request_number, ())},
            )
            for request in stored
        ]


def answers_of(
    settings: Settings, job_id: str, *, after: int = 0, upto: int | None = None
) -> dict[int, list[RequestAnswer]]:
    """Answers by request number, of the requests ``after`` < number <= ``upto``."""
    with database.session(settings) as session:
        return batch_requests.answers(session, job_id, after=after, upto=upto)


def save(
    settings: Settings,
    job: BatchJob,
    answered: Sequence[tuple[BatchRequest, Sequence[RequestAnswer]]],
    *,
    now: datetime | None = None,
) -> Outcomes:
    """Write answers of some requests in one transaction, each with all that is known of it, and count anew.

    ``answered`` has each request with its answers of now and before: from them follows how it stands.
    """
    ended = []
    for request, answers in answered:
        outcome, reason = overall(job.endpoints, answers)
        found = next((a.attom_id for a in answers if a.attom_id is not None), request.attom_id)
        ended.append(Ended(request.request_number, outcome, reason, found))
    made = [answer for _, answers in answered for answer in answers]
    with database.session(settings) as session:
        batch_requests.save_answers(session, job.job_id, made, ended)
        counts = Outcomes(**batch_requests.outcome_counts(session, job.job_id))
        batch_jobs.change(
            session, job.job_id, now=now or datetime.now(UTC), completed_records=counts.answered
        )
        session.commit()
    return counts


def stored_request(request: BatchRequest) -> StoredRequest:
    """A request as the state database keeps it."""
    names = {name: value for name, value in asdict(request.query).items() if value is not None}
    return StoredRequest(
        request.request_number,
        request.property_id,
        request.source_rows,
        request.match,
        json.dumps(names, sort_keys=True),
        request.attom_id,
        request.outcome,
        request.reason,
    )


def request_of(job_id: str, stored: StoredRequest) -> BatchRequest:
    """A request from the state database."""
    return BatchRequest(
        job_id,
        stored.request_number,
        stored.property_id,
        stored.source_rows,
        cast(Match, stored.match_kind),
        PropertyQuery(**json.loads(stored.query_json)),
        stored.attom_id,
        stored.outcome,
        stored.reason,
    )
