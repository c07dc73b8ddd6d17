"""What was spent: the ledger per vendor and day, for `leadflow spend` and Dagster's metadata."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from leadflow_assets.settings import Settings
from leadflow_assets.state import database
from leadflow_assets.state.charges import MICROS_PER_CENT, Alert
from leadflow_assets.state.models_spend import ChargeRow, SpendAlertRow


@dataclass(frozen=True)
class SpendDay:
    """One vendor's day (UTC), cents. ``reserved`` is set aside or under way; all three count to the cap.

    ``units`` is what was billed, in the vendor's unit; ``calls`` how many calls were settled.
    """

    vendor: str
    day: date
    reserved_cents: float
    settled_cents: float
    unknown_cents: float
    unknown_charges: int
    units: int
    calls: int

    @property
    def counted_cents(self) -> float:
        """What counts against the day's cap."""
        return self.reserved_cents + self.settled_cents + self.unknown_cents


def spend_by_day(
    settings: Settings, *, since: date | None = None, batch_id: str | None = None
) -> list[SpendDay]:
    """Spending per vendor and day, newest first; ``since`` is the first day, ``batch_id`` one batch alone."""
    query = select(
        ChargeRow.vendor,
        ChargeRow.day,
        ChargeRow.state,
        func.sum(ChargeRow.counted_micros),
        func.coalesce(func.sum(ChargeRow.settled_units), 0),
        func.count(),
    ).group_by(ChargeRow.vendor, ChargeRow.day, ChargeRow.state)
    if since is not None:
        query = query.where(ChargeRow.day >= since)
    if batch_id is not None:
        query = query.where(ChargeRow.batch_id == batch_id)
    with database.session(settings) as session:
        rows = session.execute(query).all()
    found: dict[tuple[str, date], dict[str, tuple[float, int, int]]] = {}
    for vendor, day, state, counted, units, charges in rows:
        found.setdefault((vendor, day), {})[state] = (int(counted) / MICROS_PER_CENT, int(units), charges)
    return [
        _day(vendor, day, states)
        for (vendor, day), states in sorted(
            found.items(), key=lambda item: (-item[0][1].toordinal(), item[0])
        )
    ]


def spend_alerts(settings: Settings, since: date) -> list[Alert]:
    """Shares of a day's cap that were reached since a day, newest first; told or not."""
    query = (
        select(SpendAlertRow)
        .where(SpendAlertRow.day >= since)
        .order_by(SpendAlertRow.reached_at.desc(), SpendAlertRow.percent.desc())
    )
    with database.session(settings) as session:
        return [Alert(row.vendor, row.day, row.percent, row.reached_at) for row in session.scalars(query)]


def first_day(today: date, days: int) -> date:
    """The first of ``days`` days that end today."""
    return today - timedelta(days=max(days, 1) - 1)


def _day(vendor: str, day: date, states: dict[str, tuple[float, int, int]]) -> SpendDay:
    nothing = (0.0, 0, 0)
    settled = states.get("settled", nothing)
    unknown = states.get("unknown", nothing)
    under_way = states.get("reserved", nothing)[0] + states.get("sent", nothing)[0]
    return SpendDay(vendor, day, under_way, settled[0], unknown[0], unknown[2], settled[1], settled[2])
