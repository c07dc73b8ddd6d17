"""Kept rows: one docket as one source told it once, from which cases and parties can be read at any time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from leadflow_assets.domain.courts.identifiers import strip_value
from leadflow_assets.domain.courts.model import CourtCase, CourtParty, month_of

SEARCH, DOCKETS, PARTIES = "search", "dockets", "parties"
BANKRUPTCY_INFORMATION, DOCKET_FILE, IMPORT = "bankruptcy-information", "docket-file", "import"
ENDPOINTS = (SEARCH, DOCKETS, PARTIES, BANKRUPTCY_INFORMATION, DOCKET_FILE, IMPORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDocket:
    """One docket as one answer, docket file or imported row tells it; ``body`` is JSON, stripped.

    ``record_id`` is equal for the same telling of the same docket, so that a later one replaces it.
    ``endpoint`` is one of :data:`ENDPOINTS`, the rest as in :class:`CourtCase`.
    """

    record_id: str
    court: str
    endpoint: str
    source: str
    fetched_at: datetime
    body: str
    date_filed: date | None = None
    docket_id: int | None = None
    request_hash: str | None = None
    http_status: int | None = None
    stated_source: str | None = None
    source_file: str | None = None
    source_sha256: str | None = None
    row_number: int | None = None
    expires_on: date | None = None

    @property
    def filed_month(self) -> str:
        """The month it is kept under."""
        return month_of(self.date_filed)

    @property
    def document(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Problem:
    """A row, or a part of one, that could not be used. ``reason`` holds no name and no address."""

    record_id: str
    reason: str


@dataclass(frozen=True)
class Parsed:
    """What rows tell. Several cases of one id are several tellings: see :func:`combine.combine`."""

    cases: tuple[CourtCase, ...] = ()
    parties: tuple[CourtParty, ...] = ()
    problems: tuple[Problem, ...] = ()


def to_body(item: Any) -> str:
    """A JSON value as it is kept: stripped once more, in one spelling."""
    return json.dumps(strip_value(item), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def settle(rows: Iterable[RawDocket]) -> list[RawDocket]:
    """The newest telling of each kind, each in its docket's month, in a fixed order.

    A docket that was first seen without a date moves to its month as soon as any telling has one, with all
    that is kept of it.
    """
    newest: dict[tuple[str, str], RawDocket] = {}
    for row in sorted(rows, key=lambda one: (one.fetched_at, one.body)):
        newest[row.court, row.record_id] = row
    filed = {
        (row.court, row.docket_id): row.date_filed
        for row in sorted(newest.values(), key=lambda one: one.fetched_at)
        if row.docket_id is not None and row.date_filed is not None
    }
    settled = [
        replace(row, date_filed=filed.get((row.court, row.docket_id), row.date_filed))
        if row.docket_id is not None
        else row
        for row in newest.values()
    ]
    return sorted(settled, key=lambda row: (row.court, row.filed_month, row.docket_id or 0, row.record_id))
