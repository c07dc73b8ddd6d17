"""What a charge, a budget and an alert are, and the ways a charge can be refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from leadflow_assets.errors import LeadflowError
from leadflow_assets.state.models_spend import ChargeRow

MICROS_PER_CENT = 10_000


class ChargeInFlightError(LeadflowError):
    """Another process is asking the same question at this moment."""

    retryable = True


class ChargeUnknownError(LeadflowError):
    """The same question was sent before, and nobody knows whether it was billed."""


class ChargeStateError(LeadflowError):
    """A charge is not in the state that a step needs, for example a reservation that was given up."""


@dataclass(frozen=True)
class Charge:
    """One charge as it stands. ``cents`` is what it counts for."""

    charge_id: str
    vendor: str
    endpoint: str
    request_hash: str
    batch_id: str | None
    day: date
    state: str
    units: int
    cents: float
    reserved_at: datetime
    note: str | None


@dataclass(frozen=True)
class Alert:
    """A share of the daily cap was reached; told once per day and share."""

    vendor: str
    day: date
    percent: int
    reached_at: datetime


@dataclass(frozen=True)
class Budget:
    """Today's cap of a vendor and what counts against it, cents."""

    vendor: str
    day: date
    counted_cents: float
    cap_cents: int
    month_counted_cents: float
    month_cap_cents: int | None

    @property
    def left_cents(self) -> float:
        """What may still be reserved today."""
        left = self.cap_cents - self.counted_cents
        if self.month_cap_cents is not None:
            left = min(left, self.month_cap_cents - self.month_counted_cents)
        return max(0.0, left)


def micros(cents: Decimal | int | str) -> int:
    """Cents as millionths of a dollar; a fraction below that is rounded up."""
    return math.ceil(Decimal(cents) * MICROS_PER_CENT)


def charge_of(row: ChargeRow) -> Charge:
    """A charge as a row of the ledger tells it."""
    return Charge(
        row.charge_id,
        row.vendor,
        row.endpoint,
        row.request_hash,
        row.batch_id,
        row.day,
        row.state,
        row.reserved_units if row.settled_units is None else row.settled_units,
        row.counted_micros / MICROS_PER_CENT,
        row.reserved_at,
        row.note,
    )
