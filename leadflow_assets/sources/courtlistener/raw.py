"""From an answer to rows that are kept: each is of one docket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from leadflow_assets.domain.courts.model import COURTLISTENER, is_court_id, short_hash
from leadflow_assets.domain.courts.rows import DOCKETS, PARTIES, SEARCH, RawDocket, to_body
from leadflow_assets.sources.courtlistener.answers import Answer
from leadflow_assets.sources.courtlistener.paging import document_of
from leadflow_assets.sources.courtlistener.values import as_date, as_int, as_items, as_text


def raw_dockets(answer: Answer) -> list[RawDocket]:
    """The rows of an answer: one per search hit or listed docket, one per page of parties.

    A refusal that was kept (404) has none, nor has a hit without docket id or court.

    Raises:
        CourtListenerAnswerError: the answer is no object.
    """
    document = document_of(answer)
    if answer.http_status != 200:
        return []
    if answer.endpoint == SEARCH:
        return list(_each(answer, as_items(document.get("results")), "court_id", "docket_id", "dateFiled"))
    if answer.endpoint == DOCKETS:
        listed = as_items(document["results"]) if "results" in document else [document]
        return list(_each(answer, listed, "court_id", "id", "date_filed"))
    if answer.about is None:
        return []
    return [_row(answer, document, answer.about.court, answer.about.docket_id, answer.about.date_filed)]


def _each(
    answer: Answer, items: Iterable[dict[str, Any]], court: str, docket_id: str, filed: str
) -> Iterator[RawDocket]:
    for item in items:
        found = as_int(item.get(docket_id))
        where = as_text(item.get(court)) or (answer.about.court if answer.about else None)
        if found is not None and where is not None and is_court_id(where):
            yield _row(answer, item, where, found, as_date(item.get(filed)))


def _row(answer: Answer, item: Any, court: str, docket_id: int, filed: date | None) -> RawDocket:
    # Pages of parties differ by what was asked; a docket has one search hit, whatever search found it.
    part = answer.request_hash if answer.endpoint == PARTIES else ""
    return RawDocket(
        record_id=short_hash(answer.endpoint, str(docket_id), part),
        court=court,
        endpoint=answer.endpoint,
        source=COURTLISTENER,
        fetched_at=answer.fetched_at,
        body=to_body(item),
        date_filed=filed,
        docket_id=docket_id,
        request_hash=answer.request_hash,
        http_status=answer.http_status,
    )
