"""The ledger never passes a cap: alone, by eight processes at once, and when they are killed in mid-step."""

from __future__ import annotations

import os
import random
import signal
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import update

from leadflow_assets.errors import BudgetReachedError
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets.sources.attom.limiter import GUARD, MinuteLimiter
from leadflow_assets.state import database
from leadflow_assets.state.charges import (
    ChargeInFlightError,
    ChargeStateError,
    ChargeUnknownError,
    micros,
)
from leadflow_assets.state.ledger import LEASE, Ledger
from leadflow_assets.state.models_spend import ChargeRow
from leadflow_assets.state.processes import is_gone, this_process
from leadflow_assets.state.rate_windows import RateWindow
from leadflow_assets.state.spend import first_day, spend_by_day
from leadflow_assets_tests.conftest import process_context
from leadflow_assets_tests.integration.test_state import postgres_url as postgres_url
from leadflow_assets_tests.integration.test_state import settings as databases

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEN = Decimal(10)
both_databases = databases


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(both_databases: Settings, clock: Clock) -> Ledger:
    return Ledger(both_databases, "attom", daily_cap_cents=100, now=clock)


def reserve(ledger: Ledger, question: str, units: int = 1, price: Decimal = TEN) -> str:
    return ledger.reserve("avm", question, units=units, price_cents=price, batch_id="b1")


def leave_to_a_dead_process(settings: Settings, charge_id: str) -> None:
    """As if the process that held the charge had been killed: no live one started at tick 1."""
    with database.session(settings) as session:
        host, pid, _ = this_process().rsplit("/", 2)
        session.execute(
            update(ChargeRow).where(ChargeRow.charge_id == charge_id).values(owner=f"{host}/{pid}/1")
        )
        session.commit()


def test_a_charge_goes_from_reserved_to_settled_at_what_was_billed(
    ledger: Ledger, both_databases: Settings
) -> None:
    charge = reserve(ledger, "q1", units=3)
    assert ledger.budget().counted_cents == 30
    ledger.mark_sent(charge)
    ledger.settle(charge, 1, "one came back")
    assert ledger.budget().counted_cents == 10
    (day,) = spend_by_day(both_databases)
    assert (day.vendor, day.day, day.settled_cents, day.units, day.calls) == ("attom", DAY, 10, 1, 1)
    assert (day.reserved_cents, day.unknown_cents, day.counted_cents) == (0, 0, 10)
    assert spend_by_day(both_databases, since=DAY + timedelta(days=1)) == []
    assert spend_by_day(both_databases, batch_id="b2") == []
    assert first_day(DAY, 7) == date(2026, 11, 16)


def test_a_released_charge_counts_nothing(ledger: Ledger) -> None:
    never_sent, turned_away = reserve(ledger, "q1"), reserve(ledger, "q2")
    ledger.release(never_sent)
    ledger.mark_sent(turned_away)
    ledger.mark_unsent(turned_away)
    ledger.mark_sent(turned_away)
    ledger.release(turned_away, "429")
    assert ledger.budget().counted_cents == 0
    assert reserve(ledger, "q1")


def test_the_cap_counts_what_is_reserved_unknown_and_settled(ledger: Ledger, clock: Clock) -> None:
    reserve(ledger, "reserved", units=3)
    lost = reserve(ledger, "lost", units=3)
    ledger.mark_sent(lost)
    ledger.mark_unknown(lost, "broke off")
    done = reserve(ledger, "done", units=4)
    assert ledger.budget().left_cents == 0
    with pytest.raises(BudgetReachedError, match=r"\$1\.00 of \$1\.00") as caught:
        reserve(ledger, "one too many")
    assert caught.value.exit_code == 4
    assert "DAILY_CAP_ATTOM_CENTS" in caught.value.hint and "00:00 UTC" in caught.value.hint
    ledger.mark_sent(done)
    ledger.settle(done, 2)
    assert reserve(ledger, "now it fits", units=2)
    clock.now += timedelta(days=1)
    assert ledger.budget().counted_cents == 0
    assert reserve(ledger, "tomorrow", units=10)


def test_a_free_report_needs_no_budget_and_fractions_of_a_cent_are_exact(both_databases: Settings) -> None:
    ledger = Ledger(both_databases, "attom", daily_cap_cents=0)
    assert reserve(ledger, "free", price=Decimal(0))
    with pytest.raises(BudgetReachedError):
        reserve(ledger, "not free", price=Decimal("0.0001"))
    small = Ledger(both_databases, "small", daily_cap_cents=5)
    for n in range(2):
        reserve(small, f"q{n}", price=Decimal("2.5"))
    assert small.budget().counted_cents == 5 and micros("2.5") == 25_000
    with pytest.raises(BudgetReachedError):
        reserve(small, "q2", price=Decimal("2.5"))


def test_the_monthly_cap_spans_days(both_databases: Settings, clock: Clock) -> None:
    ledger = Ledger(both_databases, "attom", daily_cap_cents=100, monthly_cap_cents=150, now=clock)
    charge = reserve(ledger, "q1", units=10)
    ledger.mark_sent(charge)
    ledger.settle(charge, 10)
    clock.now += timedelta(days=1)
    assert ledger.budget().left_cents == 50
    with pytest.raises(BudgetReachedError, match="monthly cap"):
        reserve(ledger, "q2", units=6)
    clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    assert reserve(ledger, "q2", units=6)


def test_vendors_do_not_share_a_cap(ledger: Ledger, both_databases: Settings) -> None:
    reserve(ledger, "q", units=10)
    other = Ledger(both_databases, "batchdata", daily_cap_cents=100)
    charge = reserve(other, "q", units=10)
    with pytest.raises(ChargeStateError, match="missing"):
        ledger.release(charge)


def test_the_same_question_is_not_asked_twice_at_once(ledger: Ledger) -> None:
    charge = reserve(ledger, "q")
    with pytest.raises(ChargeInFlightError) as caught:
        reserve(ledger, "q")
    assert caught.value.retryable
    ledger.mark_sent(charge)
    with pytest.raises(ChargeInFlightError):
        reserve(ledger, "q")
    ledger.settle(charge, 1)
    assert reserve(ledger, "q")


def test_a_process_killed_before_sending_gives_its_reservation_back(
    ledger: Ledger, both_databases: Settings
) -> None:
    charge = reserve(ledger, "q", units=10)
    leave_to_a_dead_process(both_databases, charge)
    again = reserve(ledger, "q", units=10)
    with pytest.raises(ChargeStateError, match="released, not reserved"):
        ledger.mark_sent(charge)
    assert [c.charge_id for c in ledger.open_charges()] == [again]


def test_a_process_killed_after_sending_leaves_an_unknown_charge(
    ledger: Ledger, both_databases: Settings, clock: Clock
) -> None:
    charge = reserve(ledger, "q", units=4)
    ledger.mark_sent(charge)
    leave_to_a_dead_process(both_databases, charge)
    with pytest.raises(ChargeUnknownError, match=charge) as caught:
        reserve(ledger, "q", units=4)
    assert not caught.value.retryable
    (unknown,) = ledger.unknown()
    assert (unknown.charge_id, unknown.cents, unknown.state) == (charge, 40, "unknown")
    clock.now += timedelta(days=3)
    with pytest.raises(ChargeUnknownError):
        reserve(ledger, "q", units=4)
    ledger.resolve(charge, 0, "not on the bill")
    assert ledger.unknown() == [] and reserve(ledger, "q", units=4)
    assert spend_by_day(both_databases)[-1].counted_cents == 0


def test_an_answer_that_comes_late_still_settles_an_unknown_charge(ledger: Ledger, clock: Clock) -> None:
    charge = reserve(ledger, "q", units=4)
    ledger.mark_sent(charge)
    clock.now += LEASE + timedelta(seconds=1)
    assert [c.state for c in ledger.open_charges()] == ["unknown"]
    ledger.settle(charge, 1)
    assert ledger.open_charges() == []


def test_only_unknown_charges_are_resolved(ledger: Ledger) -> None:
    charge = reserve(ledger, "q")
    for wrong in (lambda: ledger.resolve(charge, 1), lambda: ledger.settle(charge, 1)):
        with pytest.raises(ChargeStateError, match="reserved, not"):
            wrong()
    with pytest.raises(ChargeStateError, match="missing"):
        ledger.mark_sent("no such charge")


def test_more_than_was_reserved_is_recorded_and_stops_the_day(ledger: Ledger) -> None:
    charge = reserve(ledger, "q", units=1)
    ledger.mark_sent(charge)
    ledger.settle(charge, 12, "the vendor sent twelve")
    assert ledger.budget().counted_cents == 120 and ledger.budget().left_cents == 0
    with pytest.raises(BudgetReachedError):
        reserve(ledger, "next")


def test_alerts_at_80_and_100_percent_are_told_once_a_day(ledger: Ledger, clock: Clock) -> None:
    reserve(ledger, "q1", units=7)
    assert ledger.take_alerts() == []
    reserve(ledger, "q2", units=1)
    assert [(a.percent, a.day) for a in ledger.take_alerts()] == [(80, DAY)]
    with pytest.raises(BudgetReachedError):
        reserve(ledger, "q3", units=3)
    assert [a.percent for a in ledger.take_alerts()] == [100], "a refusal means that the cap is reached"
    with pytest.raises(BudgetReachedError):
        reserve(ledger, "q3", units=3)
    assert ledger.take_alerts() == []
    clock.now += timedelta(days=1)
    reserve(ledger, "q3", units=10)
    assert [a.percent for a in ledger.take_alerts()] == [80, 100]


def test_negative_amounts_are_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="not negative"):
        reserve(ledger, "q", units=-1)
    with pytest.raises(ValueError, match="not negative"):
        reserve(ledger, "q", price=Decimal(-1))


def test_a_process_is_known_by_more_than_its_pid() -> None:
    host, pid, started = this_process().rsplit("/", 2)
    assert not is_gone(f"{host}/{pid}/{started}")
    assert is_gone(f"{host}/{pid}/1"), "the pid was given to another process"
    assert is_gone(f"{host}/{2**22 + 1}/1")
    assert not is_gone(f"elsewhere/{pid}/1"), "nobody here can tell"


# --- Any order of steps


class AnyOrder(RuleBasedStateMachine):
    """Steps of several holders in any order, some of them killed, over midnight; a model keeps count."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        number = len(list(self.folder.iterdir()))
        self.settings = load_settings(leadflow_data_dir=self.folder / str(number), database_url=None)
        self.clock = Clock()
        self.ledger = Ledger(self.settings, "attom", daily_cap_cents=100, now=self.clock)
        self.open: dict[str, tuple[str, int, date]] = {}
        self.closed: list[tuple[int, date]] = []
        self.questions = 0

    def counted(self, day: date) -> int:
        held = sum(units for _, units, when in self.open.values() if when == day)
        return held + sum(units for units, when in self.closed if when == day)

    def pick(self, data: st.DataObject, state: str) -> str:
        return data.draw(st.sampled_from(sorted(c for c, (s, *_) in self.open.items() if s == state)))

    def has(self, state: str) -> bool:
        return any(s == state for s, *_ in self.open.values())

    @rule(units=st.integers(0, 6))
    def reserve(self, units: int) -> None:
        self.questions += 1
        today = self.clock.now.date()
        fits = self.counted(today) + units <= 10
        try:
            charge = reserve(self.ledger, f"q{self.questions}", units)
        except BudgetReachedError:
            assert not fits
        else:
            assert fits
            self.open[charge] = ("reserved", units, today)

    @precondition(lambda self: self.has("reserved"))
    @rule(data=st.data(), sent=st.booleans())
    def send_or_release(self, data: st.DataObject, sent: bool) -> None:
        charge = self.pick(data, "reserved")
        _, units, day = self.open.pop(charge)
        if sent:
            self.ledger.mark_sent(charge)
            self.open[charge] = ("sent", units, day)
        else:
            self.ledger.release(charge)

    @precondition(lambda self: self.has("sent"))
    @rule(data=st.data(), share=st.integers(0, 6))
    def settle(self, data: st.DataObject, share: int) -> None:
        charge = self.pick(data, "sent")
        _, units, day = self.open.pop(charge)
        self.ledger.settle(charge, min(share, units))
        self.closed.append((min(share, units), day))

    @precondition(lambda self: bool(self.open))
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        charge = data.draw(st.sampled_from(sorted(self.open)))
        state, units, day = self.open.pop(charge)
        leave_to_a_dead_process(self.settings, charge)
        listed = {c.charge_id: c.state for c in self.ledger.open_charges()}
        assert listed.get(charge) == (None if state == "reserved" else "unknown")
        if state != "reserved":
            self.open[charge] = ("unknown", units, day)

    @precondition(lambda self: self.has("unknown"))
    @rule(data=st.data(), share=st.integers(0, 6))
    def resolve(self, data: st.DataObject, share: int) -> None:
        charge = self.pick(data, "unknown")
        _, units, day = self.open.pop(charge)
        self.ledger.resolve(charge, min(share, units))
        self.closed.append((min(share, units), day))

    @rule()
    def midnight(self) -> None:
        # Hours, not a day at once: leases do not run out here, deaths are seen by the pid.
        self.clock.now += timedelta(days=1)
        with database.session(self.settings) as session:
            session.execute(update(ChargeRow).values(expires_at=self.clock.now + LEASE))
            session.commit()

    @invariant()
    def the_ledger_agrees_and_no_day_is_over_its_cap(self) -> None:
        found = {day.day: round(day.counted_cents / 10) for day in spend_by_day(self.settings)}
        days = {day for _, _, day in self.open.values()} | {day for _, day in self.closed}
        assert all(found.get(day, 0) == self.counted(day) <= 10 for day in days | set(found))


def test_no_order_of_steps_passes_the_cap(tmp_path: Path, clean_environment: None) -> None:
    AnyOrder.folder = tmp_path
    run_state_machine_as_test(
        AnyOrder,
        settings=hypothesis_settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


# --- Real processes, killed for real

CAP_UNITS = 60


def _buy_until_killed(settings: Settings, bill: Path, seed: int) -> None:
    """Buys and dies: each step may be its last. ``bill`` is what the vendor would charge."""
    chance = random.Random(seed)
    ledger = Ledger(settings, "attom", daily_cap_cents=CAP_UNITS * 10, now=Clock())

    def maybe_die(likelihood: float) -> None:
        if chance.random() < likelihood:
            os.kill(os.getpid(), signal.SIGKILL)

    for turn in range(12):
        units = chance.randint(1, 4)
        try:
            charge = reserve(ledger, f"{seed}-{turn}", units)
        except BudgetReachedError:
            continue
        maybe_die(0.05)
        ledger.mark_sent(charge)
        billed = chance.randint(0, units)
        with bill.open("a", encoding="utf-8") as file:
            file.write(f"{charge} {billed}\n")
        maybe_die(0.05)
        with suppress(ChargeStateError):
            if chance.random() < 0.1:
                ledger.mark_unknown(charge, "broke off")
            else:
                ledger.settle(charge, billed)
        maybe_die(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_processes_never_pass_the_cap_nor_lose_a_bill(settings: Settings, seed: int) -> None:
    context = process_context()
    bill = settings.data_dir / "bill.txt"
    bill.parent.mkdir(parents=True)
    bill.touch()
    watcher = Ledger(settings, "attom", daily_cap_cents=CAP_UNITS * 10, now=Clock())
    workers = [
        context.Process(target=_buy_until_killed, args=(settings, bill, 100 * seed + n)) for n in range(6)
    ]
    for worker in workers:
        worker.start()
    most = 0.0
    while any(worker.is_alive() for worker in workers):
        most = max(most, watcher.budget().counted_cents)
        workers[0].join(0.02)  # looking takes the lock too
    for worker in workers:
        worker.join(60)
    assert most <= CAP_UNITS * 10
    codes = [worker.exitcode for worker in workers]
    assert set(codes) <= {0, -signal.SIGKILL} and -signal.SIGKILL in codes
    assert all(charge.state == "unknown" for charge in watcher.open_charges())
    billed = {line.split()[0]: int(line.split()[1]) for line in bill.read_text().splitlines()}
    assert sum(billed.values()) * 10 <= watcher.budget().counted_cents <= CAP_UNITS * 10
    with database.session(settings) as session:
        counted = {row.charge_id: row for row in session.query(ChargeRow)}
    for charge, units in billed.items():
        assert counted[charge].state in ("settled", "unknown")
        assert counted[charge].counted_micros >= units * micros(TEN)


# --- The rate limit


def _take_many(settings: Settings, minute: datetime, tries: int, results: Path, number: int) -> None:
    window = RateWindow(settings, "attom")
    given = sum(window.take(50, minute) is None for _ in range(tries))
    (results / str(number)).write_text(str(given))


@pytest.mark.slow
def test_processes_share_the_calls_of_a_minute(settings: Settings, tmp_path: Path) -> None:
    context = process_context()
    results = tmp_path / "results"
    results.mkdir()
    workers = [context.Process(target=_take_many, args=(settings, NOON, 20, results, n)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(int(path.read_text()) for path in results.iterdir()) == 50


def test_a_restart_in_mid_minute_remembers_the_calls(both_databases: Settings) -> None:
    for _ in range(3):
        assert RateWindow(both_databases, "attom").take(3, NOON) is None
    late = NOON + timedelta(seconds=59)
    assert RateWindow(both_databases, "attom").take(3, late) == NOON + timedelta(minutes=1)
    assert RateWindow(both_databases, "attom").take(3, NOON + timedelta(minutes=1)) is None


def test_a_clock_that_was_put_right_does_not_stop_the_work(both_databases: Settings) -> None:
    window = RateWindow(both_databases, "attom")
    ahead = NOON + timedelta(minutes=1)
    assert window.take(2, ahead) is None
    assert window.take(2, NOON) is None, "another host is still in the minute before"
    assert window.take(2, NOON) == ahead + timedelta(minutes=1)
    assert window.take(2, NOON + timedelta(days=30)) is None
    assert window.take(2, NOON) is None, "a minute of next month was a wrong clock"


def test_a_block_holds_for_everybody(both_databases: Settings) -> None:
    window = RateWindow(both_databases, "attom")
    assert window.take(9, NOON) is None
    until = NOON + timedelta(seconds=90)
    window.block(until)
    window.block(NOON + timedelta(seconds=30))
    other = RateWindow(both_databases, "attom")
    assert other.take(9, NOON + timedelta(seconds=89)) == until
    assert other.take(9, until) is None


@pytest.mark.parametrize("start_second", [0, 17, 59])
def test_the_limiter_uses_every_call_of_every_minute_and_never_one_more(
    settings: Settings, start_second: int
) -> None:
    clock = Clock(NOON.replace(second=start_second))
    given: list[datetime] = []

    def sleep(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds)

    limiter = MinuteLimiter(RateWindow(settings, "attom"), 20, now=clock, sleep=sleep)
    while clock.now < NOON + timedelta(minutes=4):
        limiter.acquire()
        given.append(clock.now)
        clock.now += timedelta(milliseconds=500)  # a call takes its time
    minutes = [moment.replace(second=0, microsecond=0) for moment in given]
    whole = [NOON + timedelta(minutes=n) for n in range(1, 4)]
    assert [minutes.count(minute) for minute in whole] == [20, 20, 20]
    assert all(moment - minute >= GUARD for moment, minute in zip(given, minutes, strict=True))
    assert all(timedelta(minutes=1) - GUARD > moment - m for moment, m in zip(given, minutes, strict=True))
