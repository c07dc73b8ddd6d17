"""The ledger: reserve, send, settle. Nothing is bought that the day's cap does not cover.

A charge is *reserved* before a call, *sent* just before its first byte, then *settled* at what was billed
or *released* where nothing was. A process that dies while *sent* leaves an *unknown* charge: it counts
against the cap and blocks the same question until a person (or the archived answer) says what became of it.
All days are UTC, like the vendors' own counters.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from leadflow_assets.errors import BudgetReachedError, UsageError
from leadflow_assets.settings import Settings
from leadflow_assets.state import database
from leadflow_assets.state.charges import (
    MICROS_PER_CENT,
    Alert,
    Budget,
    Charge,
    ChargeInFlightError,
    ChargeStateError,
    ChargeUnknownError,
    charge_of,
    micros,
)
from leadflow_assets.state.models_spend import OPEN_STATES, ChargeRow, SpendAlertRow, SpendVendorRow
from leadflow_assets.state.processes import is_gone, this_process

ALERT_PERCENTS = (80, 100)
# Longer than any wait for the rate limit or an answer; only hosts that cannot see each other need it.
LEASE = timedelta(minutes=30)


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The ledger of one vendor. Safe to share between threads; processes meet in the database."""

    def __init__(
        self,
        settings: Settings,
        vendor: str,
        *,
        daily_cap_cents: int,
        monthly_cap_cents: int | None = None,
        unit: str = "report",
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.vendor = vendor
        self.unit = unit
        self.daily_cap_cents = daily_cap_cents
        self.monthly_cap_cents = monthly_cap_cents
        self._settings = settings
        self._now = now

    def reserve(
        self,
        endpoint: str,
        request_hash: str,
        *,
        units: int,
        price_cents: Decimal,
        batch_id: str | None = None,
    ) -> str:
        """Set aside ``units`` at ``price_cents`` each for one question; returns the charge's id.

        Raises:
            BudgetReachedError: a cap would be passed; nothing was set aside.
            ChargeInFlightError: somebody else has reserved or sent the same question.
            ChargeUnknownError: it was sent before and its charge is unknown: see :meth:`resolve`.
        """
        if units < 0 or price_cents < 0:
            raise ValueError("units and prices are not negative")
        cost = micros(price_cents) * units
        with self._locked() as session:
            moment = self._now()
            _require_closed(self._sweep(session, moment), request_hash)
            counted = self._counted(session, moment.date(), moment.date())
            refusal = self._refusal(session, moment.date(), counted, cost)
            if refusal:
                self._note_alerts(session, moment, counted=counted, at_least=100)
                session.commit()
                raise refusal
            charge = ChargeRow(
                charge_id=uuid.uuid4().hex,
                vendor=self.vendor,
                endpoint=endpoint,
                unit=self.unit,
                request_hash=request_hash,
                batch_id=batch_id,
                day=moment.date(),
                state="reserved",
                price_micros=micros(price_cents),
                reserved_units=units,
                counted_micros=cost,
                owner=this_process(),
                reserved_at=moment,
                expires_at=moment + LEASE,
            )
            session.add(charge)
            self._note_alerts(session, moment, counted=counted + cost)
            session.commit()
            return charge.charge_id

    def mark_sent(self, charge_id: str) -> None:
        """Record, before the first byte leaves, that the call may be billed from now on.

        Raises:
            ChargeStateError: the reservation was given up meanwhile; do not send.
        """
        with self._charge(charge_id, "reserved") as charge:
            charge.state = "sent"
            charge.sent_at = self._now()
            charge.expires_at = self._now() + LEASE

    def mark_unsent(self, charge_id: str) -> None:
        """Back to reserved: the call did not reach the vendor, or was turned away without being billed."""
        with self._charge(charge_id, "sent") as charge:
            charge.state = "reserved"
            charge.expires_at = self._now() + LEASE

    def settle(self, charge_id: str, units: int, note: str | None = None) -> None:
        """Record what was billed. More than was reserved is recorded too: it is the truth."""
        with self._charge(charge_id, "sent", "unknown") as charge:
            self._close(charge, "settled", units, note)

    def release(self, charge_id: str, note: str | None = None) -> None:
        """Give a charge back: nothing was sent, or the vendor turned the call away without billing it."""
        with self._charge(charge_id, "reserved", "sent") as charge:
            self._close(charge, "released", 0, note)

    def mark_unknown(self, charge_id: str, note: str | None = None) -> None:
        """The call was sent and broke off: it goes on counting until somebody resolves it."""
        with self._charge(charge_id, "sent") as charge:
            charge.state = "unknown"
            charge.note = note

    def resolve(self, charge_id: str, units: int, note: str = "resolved by hand") -> None:
        """A person's word on an unknown charge: ``units`` were billed. The question may then be sent again.

        Raises:
            ChargeStateError: there is no such unknown charge.
        """
        with self._charge(charge_id, "unknown") as charge:
            self._close(charge, "settled", units, note)

    def open_charges(self) -> list[Charge]:
        """What is reserved, sent or unknown now, oldest first; gives up what dead processes held."""
        with self._locked() as session:
            self._sweep(session, self._now())
            session.commit()
            return [charge_of(row) for row in self._open(session)]

    def unknown(self) -> list[Charge]:
        """Charges that somebody must resolve, oldest first."""
        return [charge for charge in self.open_charges() if charge.state == "unknown"]

    def budget(self) -> Budget:
        """Today's cap and what counts against it."""
        today = self._now().date()
        with database.session(self._settings) as session:
            counted = self._counted(session, today, today)
            month = self._counted(session, today.replace(day=1), today)
        return Budget(
            self.vendor,
            today,
            counted / MICROS_PER_CENT,
            self.daily_cap_cents,
            month / MICROS_PER_CENT,
            self.monthly_cap_cents,
        )

    def take_alerts(self) -> list[Alert]:
        """Shares of a day's cap that were reached and not told yet; each is handed out once."""
        with self._locked() as session:
            rows = session.scalars(
                select(SpendAlertRow)
                .where(SpendAlertRow.vendor == self.vendor, SpendAlertRow.reported_at.is_(None))
                .order_by(SpendAlertRow.day, SpendAlertRow.percent)
            ).all()
            alerts = [Alert(row.vendor, row.day, row.percent, row.reached_at) for row in rows]
            for row in rows:
                row.reported_at = self._now()
            session.commit()
        return alerts

    @contextmanager
    def _locked(self) -> Iterator[Session]:
        """A session that holds the vendor's lock; SQLite's begins with the lock on the whole file."""
        with database.session(self._settings) as session:
            if session.get_bind().dialect.name == "postgresql":
                row = postgresql.insert(SpendVendorRow).values(vendor=self.vendor)
                session.execute(row.on_conflict_do_nothing())
                mine = select(SpendVendorRow).where(SpendVendorRow.vendor == self.vendor)
                session.execute(mine.with_for_update())
            yield session

    @contextmanager
    def _charge(self, charge_id: str, *states: str) -> Iterator[ChargeRow]:
        """Change one charge that must be in one of ``states``."""
        with self._locked() as session:
            row = session.get(ChargeRow, charge_id)
            if row is None or row.vendor != self.vendor or row.state not in states:
                found = "missing" if row is None or row.vendor != self.vendor else row.state
                raise ChargeStateError(
                    f"Charge {charge_id} is {found}, not {' or '.join(states)}.", "See `leadflow spend`."
                )
            before = row.counted_micros
            yield row
            more = row.counted_micros > before
            session.flush()
            # Only what counts for more than was set aside can reach a share of the cap.
            if more:
                today = self._now()
                self._note_alerts(session, today, counted=self._counted(session, today.date(), today.date()))
            session.commit()

    def _close(self, charge: ChargeRow, state: str, units: int, note: str | None) -> None:
        if units < 0:
            raise UsageError("A charge cannot be settled at less than nothing.", "Give 0 or more.")
        charge.state = state
        charge.settled_units = units
        charge.counted_micros = charge.price_micros * units
        charge.closed_at = self._now()
        charge.note = note or charge.note

    def _open(self, session: Session) -> list[ChargeRow]:
        query = select(ChargeRow).where(ChargeRow.vendor == self.vendor, ChargeRow.state.in_(OPEN_STATES))
        return list(session.scalars(query.order_by(ChargeRow.reserved_at, ChargeRow.charge_id)))

    def _sweep(self, session: Session, moment: datetime) -> list[ChargeRow]:
        """What dead processes reserved was never sent; what they sent is unknown. Returns what stays open."""
        charges = self._open(session)
        for charge in charges:
            if charge.state == "unknown" or not (charge.expires_at < moment or is_gone(charge.owner)):
                continue
            if charge.state == "reserved":
                self._close(charge, "released", 0, "its process ended before it was sent")
            else:
                charge.state = "unknown"
                charge.note = "its process ended before it was settled"
        session.flush()
        return [charge for charge in charges if charge.state in OPEN_STATES]

    def _refusal(self, session: Session, today: date, counted: int, cost: int) -> BudgetReachedError | None:
        name = f"DAILY_CAP_{self.vendor.upper()}_CENTS"
        if counted + cost > self.daily_cap_cents * MICROS_PER_CENT:
            return BudgetReachedError(
                f"The daily cap at {self.vendor} is reached: {_dollars(counted)} of "
                f"{_dollars(self.daily_cap_cents * MICROS_PER_CENT)} are spent or set aside today, and the "
                f"next call may cost {_dollars(cost)}. Nothing was sent.",
                f"A new day begins at 00:00 UTC; {name} sets the cap.",
            )
        if self.monthly_cap_cents is None:
            return None
        month = self._counted(session, today.replace(day=1), today)
        if month + cost > self.monthly_cap_cents * MICROS_PER_CENT:
            return BudgetReachedError(
                f"The monthly cap at {self.vendor} is reached: {_dollars(month)} of "
                f"{_dollars(self.monthly_cap_cents * MICROS_PER_CENT)}. Nothing was sent.",
                "A new month begins on the 1st at 00:00 UTC; raise the monthly cap to go on.",
            )
        return None

    def _counted(self, session: Session, first: date, last: date) -> int:
        query = select(func.coalesce(func.sum(ChargeRow.counted_micros), 0)).where(
            ChargeRow.vendor == self.vendor, ChargeRow.day >= first, ChargeRow.day <= last
        )
        return int(session.scalar(query) or 0)

    def _note_alerts(self, session: Session, moment: datetime, *, counted: int, at_least: int = 0) -> None:
        """Write down which shares of today's cap are reached; a refusal means that all of it is."""
        today, cap = moment.date(), self.daily_cap_cents * MICROS_PER_CENT
        percent = counted * 100 // cap if cap else 0
        for threshold in ALERT_PERCENTS:
            if max(percent, at_least) < threshold:
                continue
            if session.get(SpendAlertRow, (self.vendor, today, threshold)) is None:
                session.add(
                    SpendAlertRow(vendor=self.vendor, day=today, percent=threshold, reached_at=moment)
                )


def _require_closed(charges: list[ChargeRow], request_hash: str) -> None:
    """Refuse a question whose charge is still open."""
    found = next((charge for charge in charges if charge.request_hash == request_hash), None)
    if found is None:
        return
    if found.state == "unknown":
        raise ChargeUnknownError(
            f"The same {found.endpoint} call was sent on {found.day} and its charge is unknown "
            f"({found.charge_id}).",
            "`leadflow spend` lists it; resolve it before it is sent again.",
        )
    raise ChargeInFlightError(f"The same {found.endpoint} call is under way.", "Let it end.")


def _dollars(amount: int) -> str:
    return f"${amount / 1_000_000:,.2f}"
