"""What a batch is: the job, its requests, each endpoint's answer, and how they end.

A *batch* is a partition ``batch_id``; its row in the state database is a *batch job* with the same id. A
*request* is one unique property asked about; an *answer* is one endpoint's answer to a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.sources.attom.answers import Outcome
from leadflow_assets.sources.attom.endpoints import PropertyQuery
from leadflow_assets.state.batch_jobs import BatchJob
from leadflow_assets.state.batch_requests import RequestAnswer
from leadflow_assets.state.models_batches import BATCH_STATUSES
from leadflow_assets.state.saved_lists import ImportRow

__all__ = [
    "STATES",
    "BatchBusyError",
    "BatchFailedError",
    "BatchJob",
    "BatchPreview",
    "BatchRequest",
    "BatchStateError",
    "Landed",
    "Match",
    "Outcome",
    "Outcomes",
    "RequestAnswer",
]

STATES = BATCH_STATUSES
Match = Literal["exact", "probable", "none", "property"]


class BatchBusyError(LeadflowError):
    """Another living process works on the batch at this moment."""

    retryable = True


class BatchFailedError(LeadflowError):
    """The batch cannot come to an end: the other side gave it up, or its files are of no use."""


class BatchStateError(UsageError):
    """The batch is not in a state that the command fits; says which states do, and what to do."""


@dataclass(frozen=True)
class BatchRequest:
    """One unique property of a batch. ``request_number`` counts from 1.

    ``source_rows`` are the rows of the user's file that name it (from 1; empty where there is no file).
    ``match``: how it was found among our parcels; ``property`` where it was given by its id.
    """

    job_id: str
    request_number: int
    property_id: str | None
    source_rows: tuple[int, ...]
    match: Match
    query: PropertyQuery
    attom_id: int | None = None
    outcome: Outcome = "pending"
    reason: str | None = None


@dataclass(frozen=True)
class Outcomes:
    """How many requests ended how; the sum is the batch."""

    returned: int = 0
    no_match: int = 0
    ambiguous: int = 0
    error: int = 0
    pending: int = 0

    @property
    def total(self) -> int:
        """Every request of the batch."""
        return self.returned + self.no_match + self.ambiguous + self.error + self.pending

    @property
    def answered(self) -> int:
        """Those that are not pending."""
        return self.total - self.pending

    @classmethod
    def of(cls, found: Iterable[Outcome]) -> Outcomes:
        """Count outcomes."""
        counts: dict[str, int] = {}
        for outcome in found:
            counts[outcome] = counts.get(outcome, 0) + 1
        return cls(**counts)


@dataclass(frozen=True)
class BatchPreview:
    """What a batch would be, before a cent is spent.

    ``to_ask`` and ``fresh`` count pairs of request and endpoint; ``most_cents`` is what ``to_ask`` costs if
    everything is found, ``saved_cents`` what the kept answers would cost. ``matches`` counts rows of the
    file by result: exact, probable, none, duplicate, unnameable; ``report`` tells it row by row.
    """

    rows_given: int
    matches: Mapping[str, int]
    requests: int
    endpoints: tuple[str, ...]
    to_ask: int
    fresh: int
    most_cents: Decimal
    saved_cents: Decimal
    left_today_cents: float
    report: tuple[ImportRow, ...] = ()


@dataclass(frozen=True)
class Landed:
    """What a transport has written: files of raw/attom_results and, where there are any, of
    core/attom_properties. ``rows`` are those of ``results``; ``facts`` are JSON and never personal data.

    ``inputs`` names what the files were made from by its hashes; empty: the files' own.
    """

    results: Path
    properties: Path | None
    outcomes: Outcomes
    rows: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
