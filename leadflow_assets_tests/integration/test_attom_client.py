"""The client against a vendor that answers, refuses, throttles, hangs and bills like the real one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from leadflow_assets.enrich.attom_cache import AttomCache, archive_key, recover
from leadflow_assets.errors import BudgetReachedError, NotConfiguredError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.client import AttomClient
from leadflow_assets.sources.attom.endpoints import (
    ATTOM_AVM,
    ENDPOINTS,
    EXPANDED_PROFILE,
    HOME_EQUITY,
    PREFORECLOSURE,
    PropertyQuery,
)
from leadflow_assets.sources.attom.errors import (
    AttomKeyError,
    AttomPlanError,
    AttomQuotaError,
    AttomThrottledError,
    AttomUnavailableError,
    AttomUnsettledError,
)
from leadflow_assets.sources.attom.limiter import MinuteLimiter
from leadflow_assets.sources.attom.parse import parse_answer
from leadflow_assets.sources.attom.prices import Prices
from leadflow_assets.sources.http import make_client
from leadflow_assets.state.charges import ChargeUnknownError
from leadflow_assets.state.ledger import Ledger
from leadflow_assets.state.rate_windows import RateWindow
from leadflow_assets.state.spend import spend_by_day
from leadflow_assets.state.vendor_answers import VendorAnswers
from leadflow_assets_tests.vendors import attom as vendor
from leadflow_assets_tests.vendors.attom import KEY, AttomServer, Fault
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty

EXPANDED, DETAIL, ASSESSMENT = list(vendor.PATHS)[:3]
BY_ADDRESS = PropertyQuery(address1="12 Sample St", address2="Sampleton, MA 01999")
NOON = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)


class Clock:
    """A clock that only sleeping moves; asleep, it is where the sleeper wants to be."""

    def __init__(self) -> None:
        self.now = NOON
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
            self.now += timedelta(seconds=seconds)


class Desk:
    """Everything a batch has on its desk: client, ledger, cache, clock, over one state database and lake."""

    def __init__(
        self, settings: Settings, base: str, *, key: str | None = KEY, cap: int = 10_000, limit: int = 200
    ) -> None:
        self.clock = Clock()
        self.ledger = Ledger(settings, "attom", daily_cap_cents=cap, now=self.clock)
        self.cache = AttomCache(
            VendorAnswers(settings, "attom"), Lake(settings).store, max_age_days=60, negative_max_age_days=30
        )
        self.settings = settings
        self.http = make_client(timeout=5.0)
        limiter = MinuteLimiter(RateWindow(settings, "attom"), limit, now=self.clock, sleep=self.clock.sleep)
        self.client = AttomClient(
            key,
            charges=self.ledger,
            answers=self.cache,
            limiter=limiter,
            prices=Prices(),
            http=self.http,
            base_url=base,
            sleep=self.clock.sleep,
        )

    def settled_cents(self) -> float:
        return sum(day.settled_cents for day in spend_by_day(self.settings))

    def states(self) -> dict[str, float]:
        """Cents per state of all days; nothing that is zero."""
        (day,) = spend_by_day(self.settings)
        found = {
            "reserved": day.reserved_cents,
            "settled": day.settled_cents,
            "unknown": day.unknown_cents,
        }
        return {state: cents for state, cents in found.items() if cents}


@pytest.fixture
def server() -> Iterator[AttomServer]:
    with AttomServer() as running:
        yield running


@pytest.fixture
def desk(settings: Settings, server: AttomServer) -> Iterator[Desk]:
    made = Desk(settings, server.base)
    yield made
    made.http.close()


def test_a_property_is_found_paid_once_and_kept(desk: Desk, server: AttomServer) -> None:
    answer = desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert (answer.outcome, answer.attom_id, answer.reports) == ("returned", 1001, 1)
    assert answer.transaction_id == "0123456789abcdef0123456789abcdef"
    again = desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    by_id = desk.client.ask(EXPANDED_PROFILE, PropertyQuery(attom_id=1001))
    assert again.from_cache and by_id.from_cache and again.body == answer.body
    assert len(server.calls) == server.reports == 1
    assert desk.states() == {"settled": 10.0}
    (record,) = parse_answer(answer, property_id="999-1")
    assert (record.attom_id, record.property_id, record.mortgage_amount) == (1001, "999-1", 300_000)


def test_the_key_goes_in_a_header_and_nowhere_else(
    desk: Desk, server: AttomServer, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    (call,) = server.calls
    assert call.headers["apikey"] == KEY and call.headers["accept"] == "application/json"
    assert KEY not in json.dumps(call.parameters)
    ours = [record.getMessage() for record in caplog.records if record.name.split(".")[0] != "httpcore"]
    assert not any(KEY in line or "Sample St" in line for line in ours)
    written = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert written and all(KEY.encode() not in path.read_bytes() for path in written)


@pytest.mark.parametrize("status", [200, 400])
def test_no_match_is_an_answer_whatever_its_status(desk: Desk, server: AttomServer, status: int) -> None:
    server.no_result_status = status
    nowhere = PropertyQuery(address1="99 Nowhere Rd", address2="Sampleton, MA 01999")
    for _ in range(2):
        answer = desk.client.ask(EXPANDED_PROFILE, nowhere)
        assert (answer.outcome, answer.reports) == ("no_match", 0)
    assert server.statuses() == [status] and desk.states() == {}


def test_the_next_name_is_tried_when_one_is_unknown(desk: Desk, server: AttomServer) -> None:
    query = PropertyQuery(
        address1="99 Nowhere Rd", address2="Sampleton, MA 01999", fips="25099", apn="12-34-0"
    )
    assert desk.client.ask(EXPANDED_PROFILE, query).attom_id == 1001
    assert [sorted(call.parameters) for call in server.calls] == [
        ["address1", "address2", "page", "pagesize"],
        ["apn", "fips", "page", "pagesize"],
    ]
    assert desk.client.ask(EXPANDED_PROFILE, query).from_cache
    assert desk.states() == {"settled": 10.0}


def test_an_attom_id_goes_before_an_address(desk: Desk, server: AttomServer) -> None:
    desk.client.ask(ATTOM_AVM, PropertyQuery(attom_id=1001, address1="12 Sample St", address2="X, MA 01999"))
    assert [call.parameters["attomid"] for call in server.calls] == ["1001"]


def test_preforeclosure_is_asked_its_own_way(desk: Desk, server: AttomServer) -> None:
    answer = desk.client.ask(PREFORECLOSURE, BY_ADDRESS)
    assert server.calls[0].parameters == {"combinedaddress": "12 Sample St, Sampleton, MA 01999"}
    (record,) = parse_answer(answer)
    assert record.foreclosure_stage == "lis_pendens"
    with pytest.raises(UsageError, match="cannot be named"):
        desk.client.ask(PREFORECLOSURE, PropertyQuery(fips="25099", apn="12-34-0"))


def test_several_units_at_an_address_are_ambiguous_and_cost_one_report(settings: Settings) -> None:
    units = [SampleProperty(2000 + n, unit=str(n), apn=f"1-{n}") for n in range(1, 4)]
    with AttomServer(units) as server:
        desk = Desk(settings, server.base)
        answer = desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
        assert (answer.outcome, answer.reason) == ("ambiguous", "several_properties")
        one = PropertyQuery(address1="12 Sample St Unit 2", address2="Sampleton, MA 01999")
        assert desk.client.ask(EXPANDED_PROFILE, one).attom_id == 2002
        assert server.reports == 2 and desk.states() == {"settled": 20.0}
        desk.http.close()


@pytest.mark.parametrize(
    ("sample", "outcome"),
    [
        (SampleProperty(1001, match_code="PartStr"), ("ambiguous", "weak_match")),
        (SampleProperty(1001, match_code=None), ("returned", None)),
        (SampleProperty(1001, unit="5"), ("ambiguous", "another_unit")),
    ],
)
def test_a_doubtful_match_is_queued(
    settings: Settings, sample: SampleProperty, outcome: tuple[str, str | None]
) -> None:
    with AttomServer([sample]) as server:
        desk = Desk(settings, server.base)
        answer = desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
        assert (answer.outcome, answer.reason) == outcome
        desk.http.close()


def test_an_answer_for_another_property_is_paid_and_refused(desk: Desk, server: AttomServer) -> None:
    server.fault(Fault(rewrite=lambda body: body.replace(b"12 SAMPLE ST", b"77 OTHER ST")))
    answer = desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert (answer.outcome, answer.reason) == ("error", "another_property")
    server.fault(Fault(rewrite=lambda body: body.replace(b"1001", b"1002")))
    answer = desk.client.ask(HOME_EQUITY, PropertyQuery(attom_id=1001))
    assert (answer.outcome, answer.attom_id) == ("error", None)
    assert desk.states() == {"settled": 20.0} and parse_answer(answer) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(rewrite=lambda body: body[: len(body) // 2]),
        Fault(status=200, body=b"<html><body>Sign in</body></html>", headers={"Content-Type": "text/html"}),
        Fault(status=200, body=vendor.XML, headers={"Content-Type": "application/xml"}),
        Fault(status=200, body=b"[]"),
        Fault(status=200, body=b"\xff\xfe\x00garbage"),
        Fault(status=200, body=b'{"property": []}'),
    ],
)
def test_an_unreadable_200_counts_in_full_is_kept_and_not_bought_again(
    desk: Desk, server: AttomServer, fault: Fault, settings: Settings
) -> None:
    server.fault(fault)
    answer = desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert (answer.outcome, answer.reason, answer.reports) == ("error", "malformed", 1)
    assert desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS).from_cache
    assert len(server.calls) == 1 and desk.states() == {"settled": 10.0}
    assert Lake(settings).store.exists(archive_key(answer.request_id))


def test_a_wrong_key_is_said_and_costs_nothing(settings: Settings, server: AttomServer) -> None:
    desk = Desk(settings, server.base, key="sample-wrong-key")
    with pytest.raises(AttomKeyError, match="401") as caught:
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert caught.value.exit_code == 3 and "ATTOM_API_KEY" in caught.value.hint
    assert "sample-wrong-key" not in str(caught.value)
    assert server.statuses() == [401] and desk.states() == {}
    desk.http.close()


@pytest.mark.parametrize("key", [None, "", "  "])
def test_without_a_key_kept_answers_still_work(desk: Desk, server: AttomServer, key: str | None) -> None:
    desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    keyless = Desk(desk.settings, server.base, key=key)
    assert keyless.client.ask(EXPANDED_PROFILE, BY_ADDRESS).from_cache
    with pytest.raises(NotConfiguredError) as caught:
        keyless.client.ask(HOME_EQUITY, BY_ADDRESS)
    assert (caught.value.exit_code, caught.value.hint) == (3, "Set ATTOM_API_KEY.")
    assert len(server.calls) == 1 and desk.ledger.open_charges() == []
    keyless.http.close()


@pytest.mark.parametrize("key", ["schlüssel-1", "two words", "line\nbreak"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(settings: Settings, key: str) -> None:
    desk = Desk(settings, "http://127.0.0.1:1", key=key)
    with pytest.raises(AttomKeyError) as caught:
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert key not in str(caught.value) and caught.value.__cause__ is None
    desk.http.close()


def test_a_profile_falls_back_where_the_contract_has_no_expandedprofile(
    desk: Desk, server: AttomServer
) -> None:
    server.outside_plan = {EXPANDED}
    answers = desk.client.profile(BY_ADDRESS)
    assert [answer.endpoint for answer in answers] == ["detail", "assessmentdetail"]
    assert [call.path for call in server.calls] == [EXPANDED, DETAIL, ASSESSMENT]
    assert server.calls[2].parameters["attomid"] == "1001"
    desk.client.profile(PropertyQuery(attom_id=1001))
    assert len(server.calls) == 3, "the refusal is remembered and the answers are kept"
    assert desk.states() == {"settled": 20.0} and server.reports == 2
    server.outside_plan = {EXPANDED, DETAIL, ASSESSMENT}
    with pytest.raises(AttomPlanError, match="not part of the contract"):
        desk.client.profile(PropertyQuery(attom_id=5))


@pytest.mark.parametrize(
    ("status", "body"), [(403, b"Monthly quota exceeded"), (429, b'{"msg": "plan limit reached"}')]
)
def test_a_used_up_contract_ends_the_work_as_a_budget_does(
    desk: Desk, server: AttomServer, status: int, body: bytes
) -> None:
    server.fault(Fault(status=status, body=body))
    with pytest.raises(AttomQuotaError) as caught:
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert caught.value.exit_code == 4 and desk.states() == {} and len(server.calls) == 1


@pytest.mark.parametrize(("headers", "wait"), [({}, 30.25), ({"Retry-After": "45"}, 45.25)])
def test_throttled_it_waits_for_the_next_minute_or_for_what_is_asked(
    desk: Desk, server: AttomServer, headers: dict[str, str], wait: float
) -> None:
    server.fault(Fault(status=429, headers=headers))
    assert desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS).outcome == "returned"
    assert sum(desk.clock.slept) == pytest.approx(wait)
    assert server.statuses() == [429, 200] and desk.states() == {"settled": 10.0}


def test_throttled_again_it_backs_off_and_at_last_says_so(desk: Desk, server: AttomServer) -> None:
    server.fault(*[Fault(status=429)] * 4)
    with pytest.raises(AttomThrottledError, match="429") as caught:
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert caught.value.retryable and desk.states() == {} and server.reports == 0
    # Three waits for :00, the second and third call one and two seconds later than that.
    assert sum(desk.clock.slept) == pytest.approx(30 + 60 + 60 + 0.25 + 2)


def test_a_wait_beyond_patience_is_not_slept_through(desk: Desk, server: AttomServer) -> None:
    server.fault(Fault(status=429, headers={"Retry-After": "86400"}))
    with pytest.raises(AttomThrottledError):
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert desk.clock.slept == [] and len(server.calls) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_a_passing_fault_is_tried_again_on_the_same_charge(
    desk: Desk, server: AttomServer, status: int
) -> None:
    server.fault(Fault(status=status), Fault(status=status))
    assert desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS).outcome == "returned"
    assert desk.states() == {"settled": 10.0} and len(server.calls) == 3
    server.fault(*[Fault(status=status)] * 4)
    with pytest.raises(AttomUnavailableError, match=str(status)):
        desk.client.ask(HOME_EQUITY, BY_ADDRESS)
    assert desk.states() == {"settled": 10.0} and len(server.calls) == 7


def test_a_refused_request_is_not_repeated_nor_billed(desk: Desk, server: AttomServer) -> None:
    server.fault(Fault(status=400, body=b'{"status": {"msg": "Invalid Parameter in Request"}}'))
    answer = desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert (answer.outcome, answer.reason, answer.reports) == ("error", "refused", 0)
    assert desk.states() == {} and len(server.calls) == 1


def test_a_redirect_is_not_followed_with_the_key(desk: Desk, server: AttomServer) -> None:
    server.fault(Fault(status=302, headers={"Location": server.base + EXPANDED}))
    assert desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS).reason == "refused"
    assert len(server.calls) == 1


def test_nobody_listening_costs_nothing(settings: Settings) -> None:
    desk = Desk(settings, "http://127.0.0.1:1")
    with pytest.raises(AttomUnavailableError, match="cannot be reached") as caught:
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert "Sample" not in str(caught.value) and desk.states() == {}
    assert len(desk.clock.slept) == 3
    desk.http.close()


@pytest.mark.parametrize("fault", [Fault(cut_after=40), Fault(hang_before=True)])
def test_a_call_that_breaks_off_is_unknown_and_not_sent_again(
    settings: Settings, server: AttomServer, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadflow_assets.sources.attom.client.TIMEOUT_SECONDS", 0.3)
    desk = Desk(settings, server.base)
    server.fault(fault)
    with pytest.raises(AttomUnsettledError, match="may have been billed") as caught:
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert not caught.value.retryable and "Sample" not in str(caught.value)
    assert desk.states() == {"unknown": 10.0}
    with pytest.raises(ChargeUnknownError, match="its charge is unknown"):
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert len(server.calls) == server.reports == 1
    (charge,) = desk.ledger.unknown()
    desk.ledger.resolve(charge.charge_id, 1, "on the vendor's bill")
    assert desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS).outcome == "returned"
    assert desk.states() == {"settled": 20.0} and server.reports == 2
    desk.http.close()


def test_the_cap_stops_before_the_call(settings: Settings, server: AttomServer) -> None:
    server.properties = [SampleProperty(n) for n in (1, 2, 3)]
    desk = Desk(settings, server.base, cap=25)
    for n in (1, 2):
        desk.client.ask(EXPANDED_PROFILE, PropertyQuery(attom_id=n))
    with pytest.raises(BudgetReachedError) as caught:
        desk.client.ask(EXPANDED_PROFILE, PropertyQuery(attom_id=3))
    assert caught.value.exit_code == 4 and "DAILY_CAP_ATTOM_CENTS" in caught.value.hint
    assert server.reports == 2
    desk.clock.now += timedelta(days=1)
    assert desk.client.ask(EXPANDED_PROFILE, PropertyQuery(attom_id=3)).outcome == "returned"
    desk.http.close()


def test_an_interruption_before_sending_gives_the_money_back(desk: Desk, server: AttomServer) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    desk.clock.now = NOON.replace(second=0)  # inside the gap: the limiter sleeps
    desk.clock.sleep = interrupted  # type: ignore[method-assign]
    limiter = desk.client._limiter
    limiter._sleep = interrupted
    with pytest.raises(KeyboardInterrupt):
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert desk.ledger.open_charges() == [] and server.calls == []


def test_an_archive_that_cannot_be_written_leaves_the_charge_unknown(
    desk: Desk, server: AttomServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(desk.cache, "archive", full)
    with pytest.raises(OSError, match="No space"):
        desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert desk.states() == {"unknown": 10.0}


def test_an_answer_archived_before_a_crash_settles_its_charge(
    desk: Desk, server: AttomServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(desk.cache, "keep", dies)
        with pytest.raises(SystemExit):
            desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS)
    assert desk.states() == {"unknown": 10.0}
    assert len(recover(desk.ledger, desk.cache)) == 1
    assert desk.states() == {"settled": 10.0}
    assert desk.client.ask(EXPANDED_PROFILE, BY_ADDRESS).from_cache and server.reports == 1


def test_ten_workers_buy_each_property_once(settings: Settings) -> None:
    samples = [SampleProperty(n) for n in range(1, 41)]
    with AttomServer(samples) as server:
        desk = Desk(settings, server.base)
        with ThreadPoolExecutor(10) as pool:
            asked = [PropertyQuery(attom_id=sample.attom_id) for sample in samples]
            answers = list(pool.map(lambda query: desk.client.ask(EXPANDED_PROFILE, query), asked))
        assert {answer.outcome for answer in answers} == {"returned"}
        assert set(server.billed.values()) == {1} and server.reports == 40
        assert desk.states() == {"settled": 400.0}
        desk.http.close()


@pytest.mark.parametrize("name", list(ENDPOINTS))
def test_every_endpoint_has_a_price_of_its_own(name: str) -> None:
    prices = Prices(Decimal(10), {name: Decimal("2.5")})
    assert [prices.cents(other) for other in ENDPOINTS] == [
        Decimal("2.5") if other == name else Decimal(10) for other in ENDPOINTS
    ]


def test_a_price_for_no_endpoint_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown endpoints: expandedprofil"):
        Prices(Decimal(10), {"expandedprofil": Decimal(1)})
    with pytest.raises(UsageError, match="negative"):
        Prices(Decimal(-1))
