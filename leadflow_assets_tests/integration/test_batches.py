"""A batch from a file to published tables: every property accounted for, every cent too."""

from __future__ import annotations

import csv
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from leadflow_assets.enrich.batches import code, publishing
from leadflow_assets.enrich.batches.job import BatchStateError, Outcomes
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.errors import BudgetReachedError, NotConfiguredError, StoreError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS
from leadflow_assets.settings import Settings
from leadflow_assets.state.spend import spend_by_day
from leadflow_assets_tests.conftest import CREDENTIALS, lake_overrides
from leadflow_assets_tests.integration.batches_helpers import (
    ALL_ENDPOINTS,
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
from leadflow_assets_tests.vendors import attom as vendor
from leadflow_assets_tests.vendors.attom import AttomServer
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty

EXPANDED, DETAIL, ASSESSMENT, _, EQUITY = list(vendor.PATHS)[:5]


@pytest.fixture
def server() -> Iterator[AttomServer]:
    with AttomServer(sample_street(6)) as running:
        yield running


@pytest.fixture
def settings(clean_environment: None, tmp_path: Path, server: AttomServer) -> Settings:
    return batch_settings(tmp_path, server)


def test_a_file_becomes_tables_in_which_every_row_is_accounted_for(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    file = write_list(
        tmp_path / "list.csv",
        ["1 Sample Street", "2 SAMPLE ST", "77 Nowhere Rd", "1 sample st.", "Sample St", "3 Sample St"],
    )
    batches = Batches(settings)
    seen: list[Outcomes] = []
    job = batches.advance(batches.create(file, name="Spring list").job_id, progress=seen.append)
    assert (job.status, job.progress, job.error_message) == ("processed", 100, None)
    assert (job.rows_given, job.total_records, job.duplicates, job.processed_records) == (6, 5, 1, 3)
    outcomes = Outcomes(returned=3, no_match=1, error=1)
    assert batches.outcomes(job.job_id) == outcomes == seen[-1]
    assert all(before.answered <= after.answered for before, after in itertools.pairwise(seen))
    assert [(r.source_rows, r.outcome, r.reason) for r in batches.requests(job.job_id)] == [
        ((1, 4), "returned", None),
        ((2,), "returned", None),
        ((3,), "no_match", None),
        ((5,), "error", "unnameable"),
        ((6,), "returned", None),
    ]
    assert_accounted(settings, server, job)
    assert len(server.calls) == 3 * 2 + 1, "the unknown one cost one call, and nothing"
    assert batches.spent_cents(job.job_id) == 60 and cents_by_state(settings) == {"settled": 60}


def test_the_tables_hold_what_was_sent_and_what_it_says(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    batches = Batches(settings, run_id="run-7")
    file = street_list(tmp_path / "l.csv", 2)
    job = batches.advance(batches.create(file, name="Two", endpoints=ALL_ENDPOINTS).job_id)
    results = rows_of(settings, ATTOM_RESULTS, job)
    assert [(row["request_number"], row["endpoint"]) for row in results] == [
        (number, endpoint) for number in (1, 2) for endpoint in ALL_ENDPOINTS
    ]
    first = results[0]
    assert (first["outcome"], first["http_status"], first["reports"], first["from_cache"]) == (
        "returned",
        200,
        1,
        False,
    )
    assert json.loads(first["body"])["property"][0]["identifier"]["attomId"] == 1001
    properties = rows_of(settings, ATTOM_PROPERTIES, job)
    assert [(row["attom_id"], row["batch_id"]) for row in properties] == [
        (1001, job.job_id),
        (1002, job.job_id),
    ]
    assert properties[0]["mortgage_amount"] == 300_000 and properties[0]["avm_value"] == 520_000
    assert properties[0]["foreclosure_stage"] == "lis_pendens"
    for table in (ATTOM_RESULTS, ATTOM_PROPERTIES):
        entry = Lake(settings).snapshot(table).partitions[f"batch_id={job.job_id}"]
        assert entry.run_id == "run-7" and entry.facts["outcomes"]["returned"] == 2
        assert (entry.facts["spent_cents"], entry.facts["reports"]) == (100, 10)
        assert entry.facts["endpoints"]["attomavm"] == {"returned": 2}
        file = Path(settings.lake_uri, entry.data.path)
        marks = pq.read_schema(file).metadata
        assert marks[b"leadflow.table"] == table.name.encode()
        assert json.loads(marks[b"leadflow.inputs"]) == dict(entry.inputs)
        assert "SAMPLE" not in json.dumps(dict(entry.facts)).upper().replace("SAMPLETON", "")


def test_a_second_batch_asks_only_what_is_new(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    batches = Batches(settings)
    batches.advance(batches.create(street_list(tmp_path / "a.csv", 3), name="First").job_id)
    file = street_list(tmp_path / "b.csv", 4)
    preview = batches.preview(file)
    assert (preview.to_ask, preview.fresh) == (2, 6)
    assert (preview.most_cents, preview.saved_cents) == (Decimal(20), Decimal(60))
    made = batches.create(file, name="Second")
    assert (made.expected_cents, made.saved_cents) == (Decimal(20), Decimal(60))
    job = batches.advance(made.job_id)
    assert len(server.calls) == 8 and job.saved_cents == Decimal(60)
    assert batches.spent_cents(job.job_id) == 20
    results = rows_of(settings, ATTOM_RESULTS, job)
    assert Counter(row["from_cache"] for row in results) == {True: 6, False: 2}
    assert len(rows_of(settings, ATTOM_PROPERTIES, job)) == 4
    assert_accounted(settings, server, job)


def test_what_is_kept_needs_neither_key_nor_budget(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    batches = Batches(settings)
    batches.advance(batches.create(street_list(tmp_path / "a.csv", 2), name="First").job_id)
    poor = settings.model_copy(update={"attom_api_key": None, "daily_cap_attom_cents": 0})
    again = Batches(poor)
    job = again.advance(again.create(street_list(tmp_path / "b.csv", 2), name="Second").job_id)
    assert (job.status, again.spent_cents(job.job_id), len(server.calls)) == ("processed", 0, 4)


def test_a_preview_sends_and_stores_nothing(settings: Settings, server: AttomServer, tmp_path: Path) -> None:
    batches = Batches(settings.model_copy(update={"attom_api_key": None}))
    file = write_list(
        tmp_path / "l.csv", ["1 Sample St", "9 Elm St,Keene,NH,03431", "PO Box 3", "1 SAMPLE ST"]
    )
    preview = batches.preview(file, endpoints=["expandedprofile", "homeequity"])
    assert dict(preview.matches) == {
        "exact": 0,
        "probable": 0,
        "none": 2,
        "duplicate": 1,
        "unnameable": 1,
    }
    assert (preview.rows_given, preview.requests, preview.to_ask) == (4, 3, 4)
    assert preview.most_cents == 40 and preview.left_today_cents == 1_000_000
    assert [row.result for row in preview.report] == ["none", "none", "unnameable", "duplicate"]
    assert all("no town's parcels are here" in row.why for row in preview.report if row.result != "duplicate")
    assert server.calls == [] and batches.jobs() == []
    assert not list(Path(settings.lake_uri).rglob("*.csv"))


def test_prices_of_endpoints_are_counted(settings: Settings, tmp_path: Path) -> None:
    priced = settings.model_copy(update={"leadflow_attom_prices": {"homeequity": Decimal("2.5")}})
    preview = Batches(priced).preview(
        street_list(tmp_path / "l.csv", 2), endpoints=["expandedprofile", "homeequity"]
    )
    assert preview.most_cents == Decimal(25)


def test_the_users_file_is_kept_byte_for_byte_and_comes_back_with_what_was_found(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "my list (spring).csv"
    lines = ['"a;b";1 Sample Street;Sampleton;01999;mine', "", "café;77 Nowhere Rd;Sampleton;01999;"]
    content = "\r\n".join(["Note;Property Street;Town;Zip;outcome", *lines, ""])
    file.write_bytes(content.encode("cp1252"))
    batches = Batches(settings)
    job = batches.create(file, name="Mine")
    assert job.upload_key is not None and job.upload_key.startswith(f"_batches/uploads/{job.job_id}/")
    assert Lake(settings).store.read(job.upload_key) == file.read_bytes()
    file.unlink()
    batches.advance(job.job_id)
    assert batches.export(job.job_id, tmp_path / "out" / "found.csv") == 2
    rows = list(csv.DictReader((tmp_path / "out" / "found.csv").open(encoding="utf-8-sig", newline="")))
    assert [row["Note"] for row in rows] == ["a;b", "café"]
    assert [row["outcome (given)"] for row in rows] == ["mine", ""]
    assert [row["outcome"] for row in rows] == ["returned", "no_match"]
    assert rows[0]["mortgage_amount"] == "300000" and rows[1]["attom_id"] == ""


def test_the_same_file_and_name_are_one_batch_until_it_is_done(settings: Settings, tmp_path: Path) -> None:
    batches = Batches(settings)
    file = street_list(tmp_path / "l.csv", 2)
    first = batches.create(file, name="Büro / Herbst 2026")
    assert first.job_id.startswith(f"{first.created_at:%Y%m%d}-buro-herbst-2026-")
    assert batches.create(file, name="Büro / Herbst 2026") == first
    other = batches.create(file, name="Büro / Herbst 2026", endpoints=["homeequity"])
    assert other.job_id != first.job_id
    batches.advance(first.job_id)
    again = batches.create(file, name="Büro / Herbst 2026")
    assert again.job_id == f"{first.job_id}-2" and again.status == "created"
    assert [job.job_id for job in batches.jobs()] == [again.job_id, other.job_id, first.job_id]
    assert [job.job_id for job in batches.jobs("processed")] == [first.job_id]


def test_a_batch_is_found_by_what_a_person_calls_it(settings: Settings, tmp_path: Path) -> None:
    batches = Batches(settings)
    spring = batches.create(street_list(tmp_path / "l.csv", 1), name="Spring list")
    summer = batches.create(street_list(tmp_path / "l.csv", 1), name="Summer")
    assert batches.job(spring.job_id) == batches.job("spring LIST") == batches.job("spr") == spring
    assert batches.job(summer.job_id[:12]) == summer
    with pytest.raises(UsageError, match="2 batches are called 's'"):
        batches.job("s")
    with pytest.raises(UsageError, match="no batch 'winter'"):
        batches.job("winter")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"name": " "}, "cannot be the name"),
        ({"name": "x" * 81}, "cannot be the name"),
        ({"name": "a\x00b"}, "cannot be the name"),
        ({"name": "ok", "endpoints": ["expandedprofil"]}, "no ATTOM endpoint"),
        ({"name": "ok", "endpoints": []}, "No endpoint"),
        ({"name": "ok", "transport": "fax"}, "no transport"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(
    settings: Settings, tmp_path: Path, options: dict[str, object], problem: str
) -> None:
    batches = Batches(settings)
    with pytest.raises(UsageError, match=problem):
        batches.create(street_list(tmp_path / "l.csv", 1), **options)  # type: ignore[arg-type]
    assert batches.jobs() == []


def test_without_a_key_the_batch_waits(settings: Settings, server: AttomServer, tmp_path: Path) -> None:
    keyless = Batches(settings.model_copy(update={"attom_api_key": None}))
    job = keyless.submit(keyless.create(street_list(tmp_path / "l.csv", 2), name="Later").job_id)
    with pytest.raises(NotConfiguredError) as caught:
        keyless.run(job.job_id)
    assert caught.value.exit_code == 3
    waiting = keyless.job(job.job_id)
    assert (waiting.status, waiting.submitted_at, waiting.started_at) == ("submitted", job.submitted_at, None)
    assert "ATTOM_API_KEY" in str(waiting.error_message) and "2 of 2 properties are pending" in str(
        waiting.error_message
    )
    assert server.calls == [] and cents_by_state(settings) == {}
    done = Batches(settings).advance(job.job_id)
    assert (done.status, done.error_message) == ("processed", None)


def test_the_cap_stops_the_batch_and_tomorrow_it_goes_on(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    capped = settings.model_copy(update={"daily_cap_attom_cents": 50})
    clock = Clock()
    batches = with_clock(capped, clock)
    job = batches.submit(batches.create(street_list(tmp_path / "l.csv", 6), name="Capped").job_id)
    with pytest.raises(BudgetReachedError) as caught:
        batches.run(job.job_id)
    assert caught.value.exit_code == 4
    held = batches.job(job.job_id)
    outcomes = batches.outcomes(job.job_id)
    assert held.status == "in_progress" and 0 < outcomes.pending == 6 - held.completed_records
    assert "DAILY_CAP_ATTOM_CENTS" in str(held.error_message)
    assert f"{outcomes.pending} of 6 properties are pending" in str(held.error_message)
    assert server.reports == 5 and cents_by_state(settings) == {"settled": 50}
    assert_accounted(settings, server, held)
    clock.now += timedelta(days=1)
    with pytest.raises(BudgetReachedError):
        batches.advance(job.job_id)
    clock.now += timedelta(days=1)
    done = batches.advance(job.job_id)
    assert (done.status, done.completed_records, server.reports) == ("processed", 6, 12)
    assert [day.settled_cents for day in spend_by_day(settings)] == [20, 50, 50]
    assert_accounted(settings, server, done)


def test_a_batch_that_is_told_to_stop_goes_on_where_it_stopped(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    server.properties = sample_street(12)
    batches = Batches(settings)
    job = batches.submit(batches.create(street_list(tmp_path / "l.csv", 12), name="Stopped").job_id)
    held = batches.run(job.job_id, stop=lambda: len(server.calls) >= 3)
    assert held.status == "in_progress" and held.error_message is None
    before = len(server.calls)
    assert 3 <= before < 24, "calls under way end, no more are made"
    assert_accounted(settings, server, held)
    answered = len(batches.answers(job.job_id))
    assert answered == before
    done = batches.advance(job.job_id)
    assert done.status == "processed" and len(server.calls) == 24
    assert_accounted(settings, server, done)


def test_the_profile_decides_for_the_others(settings: Settings, tmp_path: Path) -> None:
    units = [SampleProperty(2000 + n, unit=str(n), line1="5 UNIT ST", apn=f"5-{n}") for n in (1, 2)]
    with AttomServer([*sample_street(1), *units]) as server:
        own = settings.model_copy(update={"leadflow_attom_url": server.base})
        file = write_list(tmp_path / "l.csv", ["1 Sample St", "5 Unit St", "9 Nowhere Rd", "5 Unit St #2"])
        batches = Batches(own)
        job = batches.advance(batches.create(file, name="Units").job_id)
        ended = {
            (answer.request_number, answer.endpoint): (answer.outcome, answer.reason)
            for answer in batches.answers(job.job_id)
        }
        assert ended[2, "expandedprofile"] == ("ambiguous", "several_properties")
        assert ended[2, "homeequity"] == ("ambiguous", "unresolved_profile")
        assert ended[3, "expandedprofile"] == ("no_match", None)
        assert ended[3, "homeequity"] == ("no_match", "unknown_to_profile")
        assert [(r.outcome, r.attom_id) for r in batches.requests(job.job_id)] == [
            ("returned", 1001),
            ("ambiguous", None),
            ("no_match", None),
            ("returned", 2002),
        ]
        assert len(server.calls) == 2 + 1 + 1 + 2
        others = [call for call in server.calls if not call.path.endswith("expandedprofile")]
        assert all("attomid" in call.parameters for call in others), "resolved once, then by the id"
        assert {row["attom_id"] for row in rows_of(own, ATTOM_PROPERTIES, job)} == {1001, 2002}
        body = rows_of(own, ATTOM_RESULTS, job)[2]["body"]
        assert "5 UNIT ST" in body, "an ambiguous answer is kept as it was sent"


def test_an_endpoint_outside_the_contract_is_asked_for_no_more(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    server.properties = sample_street(15)
    server.outside_plan = {EQUITY, EXPANDED}
    batches = Batches(settings)
    job = batches.advance(batches.create(street_list(tmp_path / "l.csv", 15), name="Plan").job_id)
    assert batches.outcomes(job.job_id).returned == 15
    calls = Counter(call.path for call in server.calls)
    assert 0 < calls[EXPANDED] <= 10 and 0 < calls[EQUITY] <= 10
    assert calls[DETAIL] == calls[ASSESSMENT] == 15
    reasons = Counter(
        (answer.endpoint, answer.reason) for answer in batches.answers(job.job_id) if answer.reason
    )
    assert reasons == {("homeequity", "not_in_plan"): 15, ("expandedprofile", "not_in_plan"): 15}
    assert_accounted(settings, server, job)
    assert len(rows_of(settings, ATTOM_RESULTS, job)) == 15 * 4


def test_without_the_profile_the_first_that_finds_it_names_it(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    batches = Batches(settings)
    made = batches.create(
        street_list(tmp_path / "l.csv", 1), name="No profile", endpoints=["homeequity", "attomavm"]
    )
    batches.advance(made.job_id)
    assert [sorted(set(call.parameters) & {"address1", "attomid"}) for call in server.calls] == [
        ["address1"],
        ["attomid"],
    ]


def test_two_requests_that_are_one_property_make_one_row(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    server.properties = [replace(server.properties[0], line1="1 SAMPLE ST", unit=None)]
    file = write_list(
        tmp_path / "l.csv", ["1 Sample St,Sampleton,MA,01999", "1 Sample St,Sampleton Falls,MA,01999"]
    )
    server.properties.append(replace(server.properties[0], city="SAMPLETON FALLS"))
    batches = Batches(settings)
    job = batches.advance(batches.create(file, name="Twice").job_id)
    assert [r.attom_id for r in batches.requests(job.job_id)] == [1001, 1001]
    assert [row["attom_id"] for row in rows_of(settings, ATTOM_PROPERTIES, job)] == [1001]
    results = rows_of(settings, ATTOM_RESULTS, job)
    assert sum(row["reports"] for row in results if not row["from_cache"]) * 10 == batches.spent_cents(
        job.job_id
    )


def test_the_steps_in_their_order_and_each_again(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    batches = Batches(settings)
    job = batches.create(street_list(tmp_path / "l.csv", 1), name="Steps")
    for step in (batches.run, batches.download, batches.process):
        with pytest.raises(BatchStateError, match="is created") as caught:
            step(job.job_id)
        assert "leadflow batch process" in caught.value.hint
    assert batches.submit(job.job_id) == batches.submit(job.job_id)
    assert batches.run(job.job_id) == batches.run(job.job_id)
    assert batches.job(job.job_id).status == "ready"
    with pytest.raises(BatchStateError, match="can be processed when it is downloaded or processed"):
        batches.process(job.job_id)
    downloaded = batches.download(job.job_id)
    assert downloaded.status == "downloaded" and batches.download(job.job_id).downloaded_at is not None
    assert rows_of(settings, ATTOM_PROPERTIES, job) == []
    batches.process(job.job_id)
    numbers = [Lake(settings).snapshot(table).number for table in (ATTOM_RESULTS, ATTOM_PROPERTIES)]
    for step in (batches.submit, batches.run, batches.download, batches.process, batches.advance):
        assert step(job.job_id).status == "processed"
    assert [Lake(settings).snapshot(table).number for table in (ATTOM_RESULTS, ATTOM_PROPERTIES)] == numbers
    assert len(server.calls) == 2
    done = batches.job(job.job_id)
    times = [done.created_at, done.submitted_at, done.started_at, done.ready_at, done.downloaded_at]
    assert all(moment is not None for moment in times)
    assert times == sorted(times)  # type: ignore[type-var]


def test_new_code_makes_the_tables_anew(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches(settings)
    job = batches.advance(batches.create(street_list(tmp_path / "l.csv", 1), name="Code").job_id)
    before = Lake(settings).snapshot(ATTOM_PROPERTIES).partitions[f"batch_id={job.job_id}"]
    for module in (code, publishing):
        monkeypatch.setattr(module, "attom_code_version", lambda: "0123456789ab")
    batches.process(job.job_id)
    after = Lake(settings).snapshot(ATTOM_PROPERTIES).partitions[f"batch_id={job.job_id}"]
    assert after.code_version == "0123456789ab" != before.code_version
    results = Lake(settings).snapshot(ATTOM_RESULTS).partitions[f"batch_id={job.job_id}"]
    assert results.code_version == "0123456789ab"


def test_answers_that_were_taken_away_do_not_empty_what_is_published(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches(settings)
    job = batches.advance(batches.create(street_list(tmp_path / "l.csv", 1), name="Gone").job_id)
    store = Lake(settings).store
    for key in list(store.list("_answers/attom/")):
        store.delete(key)
    monkeypatch.setattr(publishing, "attom_code_version", lambda: "0123456789ab")
    with pytest.raises(StoreError, match="2 archived answers of the batch are gone"):
        batches.process(job.job_id)
    assert len(rows_of(settings, ATTOM_PROPERTIES, job)) == 1


def test_a_cancelled_batch_stays_so_and_what_was_paid_is_kept(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    batches = Batches(settings)
    job = batches.submit(batches.create(street_list(tmp_path / "l.csv", 6), name="Cancelled").job_id)
    batches.run(job.job_id, stop=lambda: len(server.calls) >= 3)
    assert batches.cancel(job.job_id) == batches.cancel(job.job_id)
    assert batches.job(job.job_id).status == "cancelled"
    for step in (batches.run, batches.download, batches.advance, batches.submit):
        with pytest.raises(BatchStateError, match="is cancelled"):
            step(job.job_id)
    spent = server.reports
    again = batches.advance(batches.create(street_list(tmp_path / "l.csv", 6), name="Cancelled").job_id)
    assert again.job_id != job.job_id and again.saved_cents == 10 * spent
    assert_accounted(settings, server, again)
    with pytest.raises(BatchStateError, match="is processed"):
        batches.cancel(again.job_id)


def test_a_running_batch_can_be_cancelled(
    settings: Settings, server: AttomServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadflow_assets.enrich.batches.steps._LOOK_SECONDS", 0.0)
    batches = Batches(settings)
    job = batches.submit(batches.create(street_list(tmp_path / "l.csv", 6), name="Running").job_id)

    def cancel(_: Outcomes) -> None:
        batches.cancel(job.job_id)

    held = batches.run(job.job_id, progress=cancel)
    assert held.status == "cancelled"
    assert_accounted(settings, server, held)


def test_delivered_files_make_a_batch_that_waits_to_be_landed(settings: Settings) -> None:
    batches = Batches(settings)
    facts = {"dataset": "AVM", "sha256": "ab"}
    made = [
        batches.adopt(
            "file-0123456789abcdef",
            name="AVM delivery",
            transport="files",
            source_file="avm_0001.txt",
            results_key="_batches/results/file-0123456789abcdef",
            total_records=7,
            facts=facts,
        )
        for _ in range(2)
    ]
    assert made[0] == made[1] == batches.job("AVM delivery")
    assert (made[0].status, made[0].facts, made[0].progress) == ("ready", facts, 100)
    assert batches.outcomes("file-0123456789abcdef") == Outcomes(pending=7)


@pytest.mark.slow
def test_a_batch_works_on_s3(
    clean_environment: None, s3_server: str, server: AttomServer, tmp_path: Path
) -> None:
    settings = batch_settings(tmp_path, server, **lake_overrides("s3", s3_server))
    assert settings.aws_access_key_id == CREDENTIALS["aws_access_key_id"]
    batches = Batches(settings)
    job = batches.advance(batches.create(street_list(tmp_path / "l.csv", 2), name="In a bucket").job_id)
    assert (job.status, job.processed_records) == ("processed", 2)
    assert batches.export(job.job_id, tmp_path / "found.csv") == 2
    assert Batches(settings).process(job.job_id).status == "processed"
    assert {place: count for place, count in server.billed.items() if count > 1} == {}
