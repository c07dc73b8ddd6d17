"""A vendor that does everything wrong at once: a batch survives it, every property and cent accounted for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadflow_assets.enrich.batches import asking
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import BudgetReachedError, LeadflowError, StoreError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.store import LocalStore
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.errors import (
    AttomKeyError,
    AttomQuotaError,
    AttomThrottledError,
    AttomUnavailableError,
)
from leadflow_assets_tests.integration.batches_helpers import (
    Clock,
    assert_accounted,
    batch_settings,
    cents_by_state,
    rows_of,
    sample_street,
    street_list,
    with_clock,
    write_list,
)
from leadflow_assets_tests.vendors.attom import AttomServer, Fault
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty

HTML = b"<!DOCTYPE html><html><body>maintenance</body></html>"
TWO_UNITS = [SampleProperty(2000 + n, unit=str(n), line1="50 UNIT ST", apn=f"5-{n}") for n in (1, 2)]


@pytest.fixture
def server() -> Iterator[AttomServer]:
    with AttomServer([*sample_street(14), *TWO_UNITS]) as running:
        yield running


@pytest.fixture
def settings(clean_environment: None, tmp_path: Path, server: AttomServer) -> Settings:
    return batch_settings(tmp_path, server)


def another_house(body: bytes) -> bytes:
    """The answer is well formed, and of the house next door."""
    moved = re.sub(rb'"line1": "\d+ ', b'"line1": "777 ', body)
    return re.sub(rb'("(?:Id|attomId)": )\d+', rb"\g<1>999999", moved)


def test_a_mix_of_all_faults_leaves_nothing_open(
    settings: Settings, server: AttomServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadflow_assets.sources.attom.client.TIMEOUT_SECONDS", 4.0)
    clock = Clock()
    batches = with_clock(settings, clock)
    file = write_list(tmp_path / "l.csv", [*(f"{n} Sample St" for n in range(1, 15)), "50 Unit St"])
    job = batches.submit(batches.create(file, name="Mix").job_id)
    # Ten workers begin at once: each of these is the answer to the first question about a property.
    server.fault(
        Fault(status=500),
        Fault(status=503, headers={"Retry-After": "7"}),
        Fault(status=429),
        Fault(status=429, headers={"Retry-After": "90"}),
        Fault(status=404, body=b"{}"),
        Fault(status=200, body=HTML, headers={"Content-Type": "text/html"}),
        Fault(rewrite=lambda body: body[:-40]),
        Fault(rewrite=another_house),
        Fault(cut_after=30),
        Fault(hang_before=True),
    )
    job = batches.advance(job.job_id)
    assert job.status == "processed" and batches.outcomes(job.job_id).total == 15
    reasons = Counter(answer.reason for answer in batches.answers(job.job_id))
    assert (reasons["unsettled"], reasons["malformed"], reasons["refused"]) == (2, 2, 1)
    assert (reasons["another_property"], reasons["several_properties"]) == (1, 1)
    # Two calls broke off: they may be on the bill.
    assert cents_by_state(settings)["unknown"] == 20
    outcomes = batches.outcomes(job.job_id)
    assert (outcomes.ambiguous, outcomes.pending, outcomes.total) == (1, 0, 15)
    # The three that are errors in any case, and unreadable answers where they were a property's only ones.
    assert 3 <= outcomes.error <= 5
    assert {row["outcome"] for row in rows_of(settings, ATTOM_RESULTS, job)} == {
        "returned",
        "ambiguous",
        "error",
    }
    calls = len(server.calls)
    assert batches.run(job.job_id).status == "processed", "what is unknown is not sent again by itself"
    assert len(server.calls) == calls
    # Somebody looks at the vendor's bill: both calls were billed, or not; then they are asked again.
    ledger = open_ledger(settings, now=clock)
    billed_before = server.reports
    for charge in ledger.unknown():
        ledger.resolve(charge.charge_id, 1, "on the bill")
    done = batches.advance(job.job_id)
    assert done.status == "processed" and "unknown" not in cents_by_state(settings)
    assert {answer.reason for answer in batches.answers(job.job_id)} & {"unsettled"} == set()
    assert server.reports == billed_before + 2
    html = 10  # a 200 that cannot be read counts as billed, though this vendor did not bill it
    assert cents_by_state(settings)["settled"] == server.reports * 10 + html
    # Two faults may meet the same property; whatever was returned is there.
    returned = batches.outcomes(job.job_id).returned
    assert 11 <= returned <= 13 and len(rows_of(settings, ATTOM_PROPERTIES, done)) == returned


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault(status=401), AttomKeyError, "ATTOM_API_KEY"),
        (Fault(status=403, body=b"monthly quota exceeded"), AttomQuotaError, "calendar month"),
        (Fault(status=429), AttomThrottledError, "CALLS_PER_MINUTE"),
        (Fault(status=429, headers={"Retry-After": "600"}), AttomThrottledError, "CALLS_PER_MINUTE"),
        (Fault(status=503), AttomUnavailableError, "try again later"),
    ],
)
def test_what_is_about_all_of_them_stops_the_batch_and_it_goes_on_later(
    settings: Settings,
    server: AttomServer,
    tmp_path: Path,
    fault: Fault,
    error: type[LeadflowError],
    words: str,
) -> None:
    batches = with_clock(settings, Clock())
    file = street_list(tmp_path / "l.csv", 14)
    job = batches.submit(batches.create(file, name="Ill", endpoints=["expandedprofile"]).job_id)
    # Three properties are answered before the vendor falls ill.
    server.fault(*[Fault()] * 3, *[fault] * 200)
    with pytest.raises(error):
        batches.run(job.job_id)
    held = batches.job(job.job_id)
    assert held.status == "in_progress" and words in str(held.error_message)
    assert "Sample" not in str(held.error_message)
    assert batches.outcomes(job.job_id).answered == 3
    assert_accounted(settings, server, held)
    server._faults.clear()
    done = with_clock(settings, Clock()).advance(job.job_id)
    assert (done.status, done.error_message, server.reports) == ("processed", None, 14)
    assert_accounted(settings, server, done)


def test_a_vendor_whose_calls_all_break_off_is_left_alone(
    settings: Settings, server: AttomServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_LOST_IN_A_ROW", 3)
    batches = Batches(settings)
    job = batches.submit(batches.create(street_list(tmp_path / "l.csv", 14), name="Broken").job_id)
    server.fault(*[Fault(cut_after=10)] * 200)
    with pytest.raises(asking.AttomCallsLostError, match="3 calls of ATTOM in a row") as caught:
        batches.run(job.job_id)
    assert not caught.value.retryable
    held = batches.job(job.job_id)
    assert held.status == "in_progress" and "leadflow spend" in str(held.error_message)
    lost = len(server.calls)
    assert 3 <= lost <= 3 + 10, "the calls under way, and no more"
    assert cents_by_state(settings) == {"unknown": 10 * lost}
    assert_accounted(settings, server, held, unknown=lost)


def test_the_cap_is_used_to_the_last_cent_that_fits(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    """Ten workers set money aside at once; what most of them get back at the end is spent all the same."""
    capped = settings.model_copy(
        update={"daily_cap_attom_cents": 40, "leadflow_attom_endpoints": "expandedprofile"}
    )
    lines = [*(f"{n} Nowhere Rd" for n in range(1, 9)), *(f"{n} Sample St" for n in range(1, 8))]
    batches = Batches(capped)
    job = batches.submit(batches.create(write_list(tmp_path / "l.csv", lines), name="Cap").job_id)
    with pytest.raises(BudgetReachedError):
        batches.run(job.job_id)
    assert (server.reports, cents_by_state(settings)) == (4, {"settled": 40})
    assert_accounted(settings, server, batches.job(job.job_id))


def test_a_disk_that_is_full_stops_the_batch_and_what_was_paid_is_known(
    settings: Settings, server: AttomServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches(settings)
    job = batches.submit(batches.create(street_list(tmp_path / "l.csv", 14), name="Full").job_id)
    put_new = LocalStore.put_new

    def full(self: LocalStore, key: str, source: Path | bytes) -> bool:
        if key.startswith("_answers/") and len(server.calls) > 4:
            raise StoreError("No space left to write.", "Free some space.")
        return put_new(self, key, source)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "put_new", full)
        with pytest.raises(StoreError, match="No space"):
            batches.run(job.job_id)
    held = batches.job(job.job_id)
    assert held.status == "in_progress"
    unknown = int(cents_by_state(settings)["unknown"] / 10)
    assert_accounted(settings, server, held, unknown=unknown)
    done = batches.advance(job.job_id)
    assert done.status == "processed"
    ended = Counter(request.reason for request in batches.requests(job.job_id))
    assert ended["unsettled"] == unknown, "their answers were never kept: nobody can tell"
    assert_accounted(settings, server, done, unknown=unknown)


def test_a_failed_audit_publishes_nothing_and_the_batch_can_be_landed_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches(settings)
    job = batches.submit(batches.create(street_list(tmp_path / "l.csv", 2), name="Audit").job_id)
    batches.run(job.job_id)
    with monkeypatch.context() as patch:
        patch.setattr(
            "leadflow_assets.enrich.batches.landing._silent", lambda *_: pytest.fail("nothing is silent here")
        )
        patch.setattr("leadflow_assets.enrich.batches.landing.parse_answer", _with_a_bad_longitude)
        with pytest.raises(LeadflowError, match="broke its contract"):
            batches.download(job.job_id)
    assert batches.job(job.job_id).status == "ready"
    assert Lake(settings).snapshot(ATTOM_RESULTS).number == 0
    assert batches.advance(job.job_id).status == "processed"


def _with_a_bad_longitude(*args: object, **options: object) -> list[object]:
    from dataclasses import replace

    from leadflow_assets.sources.attom.parse import parse_answer

    return [replace(record, longitude=400.0) for record in parse_answer(*args, **options)]  # type: ignore[arg-type]
