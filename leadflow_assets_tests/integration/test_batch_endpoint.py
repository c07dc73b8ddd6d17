"""The address-batch service: submitted once, fetched whole, every address accounted for, every cent too."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.enrich.batches.batch_endpoint import EndpointTransport
from leadflow_assets.enrich.batches.batch_rows import Asked, assign
from leadflow_assets.enrich.batches.job import BatchFailedError, BatchJob, BatchRequest
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import (
    BudgetReachedError,
    LeadflowError,
    NotConfiguredError,
    SourceAnswerError,
    SourceUnavailableError,
    StoreError,
    UsageError,
)
from leadflow_assets.lake.audit import audit_file
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.batch_result import AddressKey, ResultRow, read_result
from leadflow_assets.sources.attom.endpoints import PropertyQuery
from leadflow_assets.sources.attom.errors import (
    AttomKeyError,
    AttomMalformedError,
    AttomPlanError,
    AttomRequestError,
    AttomThrottledError,
    AttomUnavailableError,
    AttomUnsettledError,
)
from leadflow_assets.state.charges import ChargeUnknownError
from leadflow_assets_tests.vendors.attom_batch import KEY, BatchFault, BatchServer, Row, found, table

FETCHED = datetime(2026, 10, 1, 12, tzinfo=UTC)
STREETS = ("SAMPLE ST", "EXAMPLE AVE", "TEST RD", "MODEL LN")


def answers(rows: list[Row]) -> list[Row]:
    """The first two are known, the third is not, the fourth is left out; order is turned round."""
    some = [found(rows[0], 5001), found(rows[1], 5002), found(rows[2], "")]
    return some[::-1]


@pytest.fixture
def server() -> Any:
    with BatchServer(answers) as running:
        yield running


@pytest.fixture
def on(settings: Settings, server: BatchServer) -> Settings:
    """Settings with the service switched on."""
    return settings.model_copy(
        update={
            "leadflow_attom_batch_url": server.url,
            "attom_api_key": type(settings).model_validate({"attom_api_key": KEY}).attom_api_key,
            "leadflow_attom_price_cents": Decimal(7),
        }
    )


def made(settings: Settings, folder: Path, count: int = 4) -> tuple[Batches, BatchJob]:
    """A batch of addresses of no town that is here."""
    path = folder / "addresses.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Address", "City", "State", "Zip"])
        writer.writerows([[f"{n + 1} {STREETS[n % 4]}", "Sampleton", "MA", f"0199{n}"] for n in range(count)])
    batches = Batches(
        settings, {"endpoint": EndpointTransport(settings, Lake(settings), sleep=lambda _: None)}
    )
    return batches, batches.create(path, name="by service", transport="endpoint")


def results(settings: Settings, job: BatchJob) -> list[dict[str, Any]]:
    entry = Lake(settings).snapshot(ATTOM_RESULTS).partitions[f"batch_id={job.job_id}"]
    found = pq.read_table(Lake(settings).store.location(entry.data.path), partitioning=None)
    return list(found.to_pylist())


def archived(settings: Settings, job: BatchJob) -> list[str]:
    folder = f"_batches/results/{job.job_id}/"
    return [key.removeprefix(folder) for key in Lake(settings).store.list(folder)]


# Switched off.


def test_it_is_off_and_says_that_nobody_documents_one(settings: Settings, tmp_path: Path) -> None:
    batches, job = made(settings, tmp_path)
    with pytest.raises(NotConfiguredError, match="ATTOM documents none") as caught:
        batches.submit(job.job_id)
    assert "LEADFLOW_ATTOM_BATCH_URL" in caught.value.hint and batches.job(job.job_id).status == "created"


def test_without_a_key_nothing_is_sent(on: Settings, server: BatchServer, tmp_path: Path) -> None:
    batches, job = made(on.model_copy(update={"attom_api_key": None}), tmp_path)
    with pytest.raises(NotConfiguredError, match="ATTOM is not configured"):
        batches.submit(job.job_id)
    assert server.requests == [] and open_ledger(on).open_charges() == []


# From addresses to properties.


def test_a_batch_goes_from_addresses_to_properties_and_is_paid_by_what_came(
    on: Settings, server: BatchServer, tmp_path: Path
) -> None:
    server.polls = 2
    batches, job = made(on, tmp_path)
    submitted = batches.submit(job.job_id)
    assert (submitted.status, submitted.external_job_id) == ("submitted", "job 1/a")
    (upload,) = server.jobs
    assert list(upload.rows[0].items()) == [
        ("Address", "1 SAMPLE ST"),
        ("City", "Sampleton"),
        ("State", "MA"),
        ("Zip", "01990"),
    ]
    assert upload.report_format == "CSV" and upload.headers["apikey"] == KEY
    (charge,) = open_ledger(on).open_charges()
    assert (charge.state, charge.units, charge.cents, charge.endpoint) == ("unknown", 4, 28.0, "batch")
    assert charge.note and "job 1/a" in charge.note

    assert batches.run(job.job_id).status == "in_progress", "asked once, not ready yet"
    assert batches.run(job.job_id).status == "ready"
    assert open_ledger(on).open_charges() == [] and open_ledger(on).budget().counted_cents == 14.0
    done = batches.advance(job.job_id)
    assert (done.status, done.processed_records) == ("processed", 2)
    counts = batches.outcomes(job.job_id)
    assert (counts.returned, counts.no_match, counts.error, counts.total) == (2, 1, 1, 4)

    rows = results(on, job)
    assert [(row["outcome"], row["reason"], row["attom_id"], row["reports"]) for row in rows] == [
        ("returned", None, 5001, 1),
        ("returned", None, 5002, 1),
        ("no_match", None, None, 0),
        ("error", "missing_in_result", None, 0),
    ]
    assert {row["request_id"] for row in rows} == {charge.charge_id}
    assert json.loads(rows[0]["body"])["TaxAssessedValueTotal"] == "$400,000"
    entry = Lake(on).snapshot(ATTOM_PROPERTIES).partitions[f"batch_id={job.job_id}"]
    path = Path(Lake(on).store.location(entry.data.path))
    first, second = pq.read_table(path, partitioning=None).to_pylist()
    assert (first["attom_id"], first["assessed_total"], first["owner_1"]) == (5001, 400_000, "EXAMPLE PAT")
    assert (first["mortgage_amount"], first["longitude"]) == (300_000, -71.25)
    assert (first["tax_source"], first["tax_source_date"], first["avm_source"]) == ("batch", None, None)
    assert first["tax_fetched_at"] == second["tax_fetched_at"] == rows[0]["fetched_at"]
    assert json.loads(first["other_columns"]) == {"New Column": "something", "MortgageInterestRate": "3.125"}
    assert audit_file(path, ATTOM_PROPERTIES).problems == ()
    sent = f"sent-{charge.request_hash}.csv"
    assert sorted(archived(on, job)) == ["received.json", "result.csv", sent, "submitted.json"]


def test_the_result_is_archived_byte_for_byte_and_landing_needs_no_service(
    on: Settings, server: BatchServer, tmp_path: Path
) -> None:
    batches, job = made(on, tmp_path)
    batches.submit(job.job_id)
    batches.run(job.job_id)
    kept = Lake(on).store.read(f"_batches/results/{job.job_id}/result.csv")
    assert kept == table(answers(server.jobs[0].rows))
    calls = len(server.requests)
    transport = EndpointTransport(on, Lake(on))
    once, again = (transport.land(batches.job(job.job_id), tmp_path / name) for name in ("one", "two"))
    assert once.results.read_bytes() == again.results.read_bytes()
    assert once.properties is not None and again.properties is not None
    assert once.properties.read_bytes() == again.properties.read_bytes()
    assert len(server.requests) == calls
    assert (once.facts, once.rows) == ({"result_rows": 3, "unused_rows": 0}, 4)


# Submitted once.


def test_submitting_again_after_a_crash_of_ours_tells_the_first_job(
    on: Settings, server: BatchServer, tmp_path: Path
) -> None:
    batches, job = made(on, tmp_path)
    transport = EndpointTransport(on, Lake(on))
    assert [transport.submit(job) for _ in range(3)] == ["job 1/a"] * 3
    assert len(server.jobs) == 1
    assert batches.submit(job.job_id).external_job_id == "job 1/a" and len(server.jobs) == 1


def test_an_upload_that_may_have_been_taken_is_never_sent_again_by_itself(
    on: Settings, server: BatchServer, tmp_path: Path
) -> None:
    batches, job = made(on, tmp_path)
    for fault, expected in (
        (BatchFault(cut_after=3), AttomUnsettledError),
        (BatchFault(status=500), AttomUnsettledError),
        (BatchFault(status=200, body=b"<html>taken</html>"), AttomMalformedError),
        (BatchFault(status=200, body=b'{"status": "ok"}'), AttomMalformedError),
    ):
        server.fault("submit", fault)
        with pytest.raises(expected):
            batches.submit(job.job_id)
        (charge,) = open_ledger(on).unknown()
        assert (charge.units, charge.batch_id) == (4, job.job_id)
        calls = server.asked("POST", "batch")
        for _ in range(2):
            with pytest.raises(ChargeUnknownError, match="was sent on"):
                batches.submit(job.job_id)
        assert server.asked("POST", "batch") == calls
        open_ledger(on).resolve(charge.charge_id, 0)
    assert batches.submit(job.job_id).status == "submitted"


def test_an_upload_that_was_refused_costs_nothing_and_may_be_sent_again(
    on: Settings, server: BatchServer, tmp_path: Path
) -> None:
    batches, job = made(on, tmp_path)
    refusals = {401: AttomKeyError, 403: AttomPlanError, 404: AttomRequestError, 429: AttomThrottledError}
    for status, expected in refusals.items():
        server.fault("submit", BatchFault(status=status))
        with pytest.raises(expected) as caught:
            batches.submit(job.job_id)
        assert KEY not in str(caught.value) and "SAMPLE" not in str(caught.value)
        assert open_ledger(on).open_charges() == [] and open_ledger(on).budget().counted_cents == 0
    assert batches.submit(job.job_id).status == "submitted"


def test_a_service_that_is_not_there_costs_nothing(on: Settings, tmp_path: Path) -> None:
    nobody = on.model_copy(update={"leadflow_attom_batch_url": "http://127.0.0.1:9/batch"})
    batches, job = made(nobody, tmp_path)
    with pytest.raises(AttomUnavailableError, match="cannot be reached") as caught:
        batches.submit(job.job_id)
    assert caught.value.retryable and open_ledger(on).open_charges() == []


def test_the_key_does_not_follow_a_redirect(on: Settings, server: BatchServer, tmp_path: Path) -> None:
    server.fault("submit", BatchFault(status=307))
    batches, job = made(on, tmp_path)
    with pytest.raises(AttomUnsettledError, match="307"):
        batches.submit(job.job_id)
    assert server.asked("POST", "") == 1


def test_the_cap_is_kept_before_anything_is_sent(on: Settings, server: BatchServer, tmp_path: Path) -> None:
    poor = on.model_copy(update={"daily_cap_attom_cents": 27})
    batches, job = made(poor, tmp_path)
    with pytest.raises(BudgetReachedError):
        batches.submit(job.job_id)
    assert server.requests == [] and batches.job(job.job_id).status == "created"


def test_a_lake_that_fails_before_sending_gives_the_money_back(
    on: Settings, server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, job = made(on, tmp_path)
    lake = Lake(on)
    failing = EndpointTransport(on, lake)

    def full(key: str, source: object) -> bool:
        raise StoreError("No space left to write in the lake.")

    with monkeypatch.context() as patch:
        patch.setattr(type(lake.store), "put_new", lambda self, key, source: full(key, source))
        with pytest.raises(StoreError, match="No space"):
            failing.submit(job)
    assert server.requests == [] and open_ledger(on).open_charges() == []
    assert batches.submit(job.job_id).status == "submitted"


# Fetched whole.


def test_a_download_that_breaks_off_is_repeated_and_nothing_half_is_kept(
    on: Settings, server: BatchServer, tmp_path: Path
) -> None:
    batches, job = made(on, tmp_path)
    batches.submit(job.job_id)
    server.fault("result", *[BatchFault(cut_after=40)] * 4)
    with pytest.raises(SourceUnavailableError):
        batches.run(job.job_id)
    assert "result.csv" not in archived(on, job) and open_ledger(on).unknown() != []
    server.fault("result", BatchFault(cut_after=40), BatchFault(status=503))
    assert batches.run(job.job_id).status == "ready"
    assert Lake(on).store.read(f"_batches/results/{job.job_id}/result.csv") == table(
        answers(server.jobs[0].rows)
    )
    assert len(server.jobs) == 1


@pytest.mark.parametrize(
    ("body", "is_kept"),
    [(b"<!DOCTYPE html><p>down</p>", False), (b'{"error": "later"}', False), (b"Address,City\n1,2\n", True)],
)
def test_something_else_than_a_result_is_told_and_settles_nothing(
    on: Settings, server: BatchServer, tmp_path: Path, body: bytes, is_kept: bool
) -> None:
    batches, job = made(on, tmp_path)
    batches.submit(job.job_id)
    server.fault("result", BatchFault(status=200, body=body))
    with pytest.raises(SourceAnswerError):
        batches.run(job.job_id)
    assert ("result.csv" in archived(on, job)) == is_kept
    assert batches.job(job.job_id).status == "in_progress"
    (charge,) = open_ledger(on).unknown()
    assert charge.units == 4


def test_a_job_that_the_service_gave_up_has_failed_and_its_charge_stays(
    on: Settings, server: BatchServer, tmp_path: Path
) -> None:
    server.ready_word = "FAILED"
    batches, job = made(on, tmp_path)
    batches.submit(job.job_id)
    with pytest.raises(BatchFailedError, match="FAILED"):
        batches.run(job.job_id)
    assert batches.job(job.job_id).status == "failed" and len(open_ledger(on).unknown()) == 1


def test_a_charge_that_a_person_resolved_stays_resolved(
    on: Settings, server: BatchServer, tmp_path: Path
) -> None:
    batches, job = made(on, tmp_path)
    batches.submit(job.job_id)
    (charge,) = open_ledger(on).unknown()
    open_ledger(on).resolve(charge.charge_id, 3)
    assert batches.advance(job.job_id).status == "processed"
    assert open_ledger(on).budget().counted_cents == 21.0


def test_two_submit_at_once_and_one_upload_is_made(on: Settings, server: BatchServer, tmp_path: Path) -> None:
    batches, job = made(on, tmp_path)
    ended: list[str] = []

    def submit() -> None:
        try:
            batches.submit(job.job_id)
            ended.append("ok")
        except LeadflowError as error:
            ended.append("busy" if error.retryable else str(error))

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(ended) <= {"ok", "busy"} and len(server.jobs) == 1


# Which row is whose.


def ask(number: int, line: str, rest: str) -> Asked:
    query = PropertyQuery(address1=line, address2=rest)
    return Asked.of(BatchRequest("b", number, f"p{number}", (number,), "none", query), "MA")


@pytest.mark.parametrize(
    ("rest", "parts"),
    [
        ("SAMPLETON, MA 01999", ("SAMPLETON", "MA", "01999")),
        ("North Sampleton MA 01999-1234", ("North Sampleton", "MA", "01999-1234")),
        ("SAMPLETON", ("SAMPLETON", "MA", "")),
        ("LYNN, RI", ("LYNN", "RI", "")),
        ("01999", ("", "MA", "01999")),
    ],
)
def test_an_address_is_split_into_the_columns_of_the_upload(rest: str, parts: tuple[str, str, str]) -> None:
    assert ask(1, " 12  SAMPLE ST", rest).lines == ("12 SAMPLE ST", *parts)


def row(attom_id: int | None, *address: str) -> ResultRow:
    return ResultRow(AddressKey.of(*address) if address else None, attom_id, None, "{}")


ASKED = [
    ask(1, "1 Sample St", "Sampleton, MA 01999"),
    ask(2, "2 Sample St", "Sampleton, MA 01999"),
    ask(3, "1 Sample St", "Exampleton, MA 01998"),
]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(1), row(2), row(3)], ["returned", "returned", "returned"]),
        ([row(1), row(2)], ["missing_in_result"] * 3),
        ([row(1, "1 SAMPLE ST.", "Village", "1999")], ["returned", "missing_in_result", "missing_in_result"]),
        (
            [row(1, "1 SAMPLE ST", "EXAMPLETON", ""), row(None, "2 sample st", "sampleton", "")],
            ["missing_in_result", "no_match", "returned"],
        ),
        (
            [row(1, "1 sample st", "Sampleton", "01999"), row(9, "1 sample st", "Sampleton", "01999")],
            ["several_properties", "missing_in_result", "missing_in_result"],
        ),
        ([row(1, "9 Other St", "Sampleton", "01999"), row(2), row(3)], ["missing_in_result"] * 3),
    ],
)
def test_rows_are_joined_by_address_else_by_order_and_never_by_guess(
    rows: list[ResultRow], expected: list[str]
) -> None:
    found = assign(ASKED, rows)
    assert [one.ended.reason or one.ended.outcome for one in found] == expected


def test_a_request_without_an_address_is_unnameable_and_moves_nobody() -> None:
    nameless = Asked.of(BatchRequest("b", 4, None, (), "none", PropertyQuery(fips="25", apn="1")), "MA")
    found = assign([nameless, *ASKED[:2]], [row(1), row(2)])
    assert [(one.request.request_number, one.ended.outcome, one.ended.attom_id) for one in found] == [
        (4, "error", None),
        (1, "returned", 1),
        (2, "returned", 2),
    ]


def test_a_batch_without_any_address_is_refused(on: Settings, server: BatchServer, tmp_path: Path) -> None:
    _, job = made(on, tmp_path)
    transport = EndpointTransport(on, Lake(on))
    transport._asked = lambda job: [Asked(ASKED[0].request, None)]  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="has an address"):
        transport.submit(job)
    assert server.requests == []


# Reading a result.


@pytest.mark.parametrize("name", ["[ATTOM ID]", "attomid", "ATTOM_ID", "AttomPropertyId"])
@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_a_result_is_read_in_any_spelling(name: str, delimiter: str, encoding: str) -> None:
    columns = {
        name: "7",
        "OWNER 1": "EXAMPLE RENÉE",
        "tax assessed value total": "$5",
        "Valuation Date": "9/20/26",
    }
    text = delimiter.join(columns) + "\r\n" + delimiter.join(columns.values()) + "\r\n"
    (found_row,) = read_result(text.encode(encoding), FETCHED)
    record = found_row.record
    assert record is not None and found_row.address is None
    assert (record.attom_id, record.owner_1, record.assessed_total) == (7, "EXAMPLE RENÉE", 5)
    assert (record.avm_date, record.avm_source_date, record.other_columns) == (
        date(2026, 9, 20),
        date(2026, 9, 20),
        None,
    )


def test_a_row_with_too_few_cells_is_broken_and_keeps_its_place() -> None:
    first, second, third = read_result(b"ATTOMID,A,B\n1,x,y\n2,x\n,x,y\n", FETCHED)
    assert (first.attom_id, second.is_broken, third.attom_id) == (1, True, None)
    assert json.loads(second.body) == {"ATTOMID": "2", "A": "x"}
    found = assign(ASKED, [first, second, third])
    assert [one.ended.reason or one.ended.outcome for one in found] == ["returned", "broken_line", "no_match"]


@hypothesis.settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    read: Callable[[bytes], object] = lambda data: read_result(data, FETCHED)  # noqa: E731
    for data in (content, b"ATTOMID,Year Built,Last Sale Date\n" + content):
        try:
            read(data)
        except SourceAnswerError:
            continue
