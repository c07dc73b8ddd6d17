"""Delivered files: found when complete, taken once whatever they are called, every row accounted for."""

from __future__ import annotations

import io
import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadflow_assets.enrich.batches import inbox
from leadflow_assets.enrich.batches.batch_rows import BATCH
from leadflow_assets.enrich.batches.delivered import DELETIONS, FilesTransport, deletions
from leadflow_assets.enrich.batches.delivery_archive import read_receipt
from leadflow_assets.enrich.batches.inbox_places import InboxChangedError
from leadflow_assets.enrich.batches.job import BatchJob, Landed
from leadflow_assets.enrich.batches.publishing import publish, stage
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.errors import (
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
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets_tests.conftest import CREDENTIALS, KINDS, admin_client, lake_overrides

HEADER = "[ATTOM ID]\tPropertyAddressFull\tTaxAssessedValueTotal\n"
LONG_AGO = 1_700_000_000
OWNER = "EXAMPLE PAT"


def tax(*rows: tuple[object, object]) -> str:
    """A tax file with ids and values."""
    return HEADER + "".join(f"{attom_id}\t12 SAMPLE ST\t{value}\n" for attom_id, value in rows)


@dataclass
class Inbox:
    """The place of deliveries of one test, in a folder or in a bucket, and what works on it."""

    settings: Settings
    put: Callable[[str, str | bytes], None]
    listing: Callable[[], dict[str, bytes]]
    batches: Batches

    @property
    def lake(self) -> Lake:
        return Lake(self.settings)

    def scan(self) -> list[inbox.Delivery]:
        return inbox.scan(self.settings, now=datetime.now(UTC) + timedelta(hours=1))

    def take(self, delivery: inbox.Delivery) -> BatchJob:
        return inbox.take(self.settings, self.batches, delivery)

    def take_all(self) -> list[BatchJob]:
        return [self.take(delivery) for delivery in self.scan()]

    def land(self, job: BatchJob, folder: Path) -> Landed:
        return FilesTransport(self.settings, self.lake).land(job, folder)


@pytest.fixture(params=KINDS)
def box(request: pytest.FixtureRequest, clean_environment: None, tmp_path: Path) -> Inbox:
    """An empty inbox and an empty lake, both in folders, then both in buckets."""
    if request.param == "local":
        return folder_inbox(tmp_path)
    endpoint = request.getfixturevalue("s3_server")
    overrides = lake_overrides("s3", endpoint)
    bucket = overrides["leadflow_lake"].split("/")[2]
    settings = load_settings(
        leadflow_data_dir=tmp_path / "data", leadflow_attom_deliveries=f"s3://{bucket}/arriving/", **overrides
    )
    client = admin_client(endpoint)

    def put(name: str, content: str | bytes) -> None:
        body = content.encode() if isinstance(content, str) else content
        client.put_object(Bucket=bucket, Key=f"arriving/{name}", Body=body)

    def listing() -> dict[str, bytes]:
        found = client.list_objects_v2(Bucket=bucket, Prefix="arriving/").get("Contents", [])
        return {
            item["Key"]: client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in found
        }

    return Inbox(settings, put, listing, Batches(settings))


@pytest.fixture
def folder(clean_environment: None, tmp_path: Path) -> Inbox:
    """The same in folders only."""
    return folder_inbox(tmp_path)


def folder_inbox(tmp_path: Path) -> Inbox:
    root = tmp_path / "arriving"
    root.mkdir()
    settings = load_settings(leadflow_data_dir=tmp_path / "data", leadflow_attom_deliveries=str(root))

    def put(name: str, content: str | bytes) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (LONG_AGO, LONG_AGO))

    def listing() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}

    return Inbox(settings, put, listing, Batches(settings))


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.txt", content)
    return buffer.getvalue()


def names(delivery: inbox.Delivery) -> list[str]:
    return [file.name for file in delivery.files]


def rows_of(landed: Landed) -> list[dict[str, Any]]:
    return list(pq.read_table(landed.results).to_pylist())


def publish_core(box: Inbox, job: BatchJob, folder: Path) -> Landed:
    """Land and publish both tables, as the service does before it merges."""
    landed = box.land(job, folder)
    staged = stage(box.lake, job, landed, landed.facts)
    publish(box.lake, "test", ATTOM_RESULTS, job.job_id, staged.results)
    publish(box.lake, "test", ATTOM_PROPERTIES, job.job_id, staged.properties)
    return landed


# Finding.


def test_files_of_one_kind_are_one_delivery_in_natural_order(box: Inbox) -> None:
    for name in ("TAXASSESSOR_0010.txt", "TAXASSESSOR_0002.txt", "TAXASSESSOR_0001.txt"):
        box.put(name, tax((name[12:16], 1)))
    box.put("TAXASSESSOR_DELETES.txt", "ATTOMID\n1\n")
    box.put("older/taxassessor_0003.txt", tax((3, 1)))
    box.put("avm_0002.csv", "[ATTOM ID],EstimatedValue,ConfidenceScore\n1,500000,80\n")
    found = box.scan()
    assert [(delivery.dataset, names(delivery)) for delivery in found] == [
        ("AVM", ["avm_0002.csv"]),
        ("TAX_ASSESSOR", ["older/taxassessor_0003.txt"]),
        (
            "TAX_ASSESSOR",
            [
                "TAXASSESSOR_0001.txt",
                "TAXASSESSOR_0002.txt",
                "TAXASSESSOR_0010.txt",
                "TAXASSESSOR_DELETES.txt",
            ],
        ),
    ]


def test_dates_in_all_names_come_before_the_names(folder: Inbox) -> None:
    for name in ("TAXASSESSOR_0001_20261001.txt", "TAXASSESSOR_0001_20260901.txt"):
        folder.put(name, tax((1, name[-6:-4])))
    folder.put("TAXASSESSOR_DELETES_20260901.txt", "ATTOMID\n1\n")
    (delivery,) = folder.scan()
    assert names(delivery) == [
        "TAXASSESSOR_0001_20260901.txt",
        "TAXASSESSOR_DELETES_20260901.txt",
        "TAXASSESSOR_0001_20261001.txt",
    ]


def test_a_list_of_deletions_that_says_nothing_goes_with_the_only_file_beside_it(folder: Inbox) -> None:
    folder.put("a.txt", tax((1, 1)))
    folder.put("deletes.txt", "ATTOMID\n1\n")
    (delivery,) = folder.scan()
    assert (delivery.dataset, names(delivery)) == ("TAX_ASSESSOR", ["a.txt", "deletes.txt"])


def test_a_file_is_left_alone_until_it_has_rested_for_a_minute(box: Inbox) -> None:
    box.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    (file,) = (f for delivery in box.scan() for f in delivery.files)
    for seconds, complete in ((0, False), (59, False), (60, True)):
        moment = file.modified + timedelta(seconds=seconds)
        assert bool(inbox.scan(box.settings, now=moment)) == complete, seconds


def test_a_delivery_waits_for_its_last_part_and_others_do_not(folder: Inbox) -> None:
    folder.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    folder.put("avm_0001.csv", "[ATTOM ID],EstimatedValue,ConfidenceScore\n1,500000,80\n")
    folder.put("TAXASSESSOR_0002.txt", HEADER)
    growing = Path(folder.settings.leadflow_attom_deliveries) / "TAXASSESSOR_0002.txt"
    os.utime(growing)
    now = datetime.now(UTC)
    assert [delivery.dataset for delivery in inbox.scan(folder.settings, now=now)] == ["AVM"]
    # A clock that runs ahead elsewhere does not keep a file for ever: when it was written here counts.
    os.utime(growing, (now.timestamp() + 10**8,) * 2)
    assert [delivery.dataset for delivery in inbox.scan(folder.settings, now=now)] == ["AVM"]
    assert len(folder.scan()) == 2


@pytest.mark.parametrize(
    "name", [".TAXASSESSOR_0001.txt.Xy12", "TAXASSESSOR_0001.txt.part", "~lock", "t.tmp"]
)
def test_files_on_their_way_are_not_looked_at(folder: Inbox, name: str) -> None:
    folder.put(name, tax((1, 1)))
    assert folder.scan() == []


BAD: dict[str, str | bytes] = {
    "notes.txt": "hello\n",
    "unknown.txt": "ATTOMID\tSomething\n1\t2\n",
    "broken.zip": zipped(TAXASSESSOR_1=tax((1, 1)))[:-30] + b"\x00" * 10,
    "empty.zip": zipped(),
    "image.pdf": b"%PDF-1.7 \x00\x01",
    "deletes.txt": "ATTOMID\n5\n",
    "nothing.txt": b"",
}


def test_bad_files_are_told_once_and_hold_up_no_other(box: Inbox) -> None:
    for name, content in BAD.items():
        box.put(name, content)
    box.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    box.put("avm.csv", "[ATTOM ID],EstimatedValue,ConfidenceScore\n1,500000,80\n")
    told, taken = {}, []
    for delivery in box.scan():
        try:
            taken.append(box.take(delivery).facts["dataset"])
        except SourceAnswerError as error:
            told[delivery.files[0].name] = error
    assert sorted(taken) == ["AVM", "TAX_ASSESSOR"]
    assert set(told) == set(BAD)
    assert all(name in error.message and error.hint for name, error in told.items())
    assert "does not say of which dataset" in told["deletes.txt"].message
    assert box.scan() == [], "told once"
    box.put("notes.txt", tax((2, 2)))
    assert [names(delivery) for delivery in box.scan()] == [["notes.txt"]], "another file under the same name"


def test_a_zip_that_breaks_only_when_it_is_unpacked_is_told_once_and_the_rest_goes_on(folder: Inbox) -> None:
    content = bytearray(zipped(TAXASSESSOR_2=tax(*((n, n * 7919 % 1000) for n in range(60_000)))))
    content[len(content) // 2] ^= 0xFF
    folder.put("TAXASSESSOR_0002.zip", bytes(content))
    folder.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    (delivery,) = folder.scan()
    with pytest.raises(SourceAnswerError, match=r"TAXASSESSOR_0002\.zip is a broken zip"):
        folder.take(delivery)
    assert [names(delivery) for delivery in folder.scan()] == [["TAXASSESSOR_0001.txt"]]
    assert len(folder.take_all()) == 1 and folder.scan() == []


def test_a_file_that_may_not_be_read_is_told_until_it_may(
    folder: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    real = Path.open

    def refused(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == "TAXASSESSOR_0001.txt" and "arriving" in path.parts:
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refused)
        for _ in range(2):
            (delivery,) = folder.scan()
            with pytest.raises(StoreError, match="cannot be read"):
                folder.take(delivery)
    assert len(folder.take_all()) == 1


def test_without_an_inbox_or_its_folder_it_says_what_to_set(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotConfiguredError, match="LEADFLOW_ATTOM_DELIVERIES"):
        inbox.scan(settings)
    missing = settings.model_copy(update={"leadflow_attom_deliveries": str(tmp_path / "nowhere")})
    with pytest.raises(UsageError, match="is not a folder"):
        inbox.scan(missing)


def test_a_bucket_that_is_not_there_or_cannot_be_reached_is_named(
    clean_environment: None, s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)  # between attempts to connect

    def settings_at(endpoint: str) -> Settings:
        return load_settings(
            leadflow_data_dir=tmp_path / "data",
            leadflow_lake=str(tmp_path / "lake"),
            leadflow_attom_deliveries="s3://no-such-bucket/arriving",
            aws_endpoint_url=endpoint,
            **CREDENTIALS,
        )

    with pytest.raises(StoreError, match="bucket of s3://no-such-bucket/arriving does not exist"):
        inbox.scan(settings_at(s3_server))
    with pytest.raises(SourceUnavailableError, match="cannot be reached") as caught:
        inbox.scan(settings_at("http://127.0.0.1:9"))
    assert caught.value.retryable and "LEADFLOW_ATTOM_DELIVERIES" in caught.value.hint
    assert not (tmp_path / "lake").exists()


# Taking.


def test_files_are_archived_byte_for_byte_with_a_receipt_and_stay_as_they_were(box: Inbox) -> None:
    box.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    box.put("TAXASSESSOR_0002.zip", zipped(T2=tax((2, 2), (3, 3))))
    before = box.listing()
    (job,) = box.take_all()
    assert box.listing() == before
    assert (job.status, job.transport, job.total_records) == ("ready", "files", 3)
    assert job.results_key is not None
    receipt = read_receipt(box.lake.store, job.results_key)
    assert [file.name for file in receipt.files] == ["TAXASSESSOR_0001.txt", "TAXASSESSOR_0002.zip"]
    for file, content in zip(receipt.files, (before[name] for name in sorted(before)), strict=True):
        assert box.lake.store.read(file.key) == content and file.size == len(content)
        assert file.key.startswith(f"_batches/results/{job.job_id}/")
    assert box.scan() == []


def test_the_same_bytes_are_the_same_batch_under_any_name_on_any_day(box: Inbox, tmp_path: Path) -> None:
    box.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    (first,) = box.take_all()
    box.put("again/TAXASSESSOR_0001 (1).txt", tax((1, 1)))
    (again,) = box.take_all()
    assert again == first and box.scan() == []
    copy = tmp_path / "copy.txt"
    copy.write_text(tax((1, 1)))
    assert inbox.take_paths(box.settings, box.batches, [copy, copy]) == [first]
    assert [job.job_id for job in box.batches.jobs()] == [first.job_id]


def test_a_new_part_beside_known_ones_is_a_batch_of_itself(folder: Inbox) -> None:
    folder.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    (first,) = folder.take_all()
    folder.put("TAXASSESSOR_0001.txt", tax((1, 1)) + " ")
    folder.put("copy/TAXASSESSOR_0001.txt", tax((1, 1)))
    folder.put("copy/TAXASSESSOR_0002.txt", tax((2, 2)))
    second, third = folder.take_all()
    assert len({first.job_id, second.job_id, third.job_id}) == 3
    assert second.facts["files"] == ["TAXASSESSOR_0002.txt"], "its first part is in the first batch"


def test_what_was_withdrawn_comes_back_only_when_all_of_it_is_delivered_again(folder: Inbox) -> None:
    folder.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    folder.put("TAXASSESSOR_0002.txt", tax((2, 2)))
    (wrong,) = folder.take_all()
    folder.batches.withdraw(wrong.job_id)
    assert folder.scan() == [], "it is not taken again by itself"
    folder.put("again/TAXASSESSOR_0001.txt", tax((1, 1)))
    folder.put("again/TAXASSESSOR_0002.txt", tax((2, 3)))
    (right,) = folder.take_all()
    assert right.job_id != wrong.job_id and right.total_records == 2
    assert [job.job_id for job in folder.batches.jobs()] == [right.job_id]
    folder.put("later/TAXASSESSOR_0001.txt", tax((1, 1)))
    assert [job.job_id for job in folder.take_all()] == [right.job_id]
    for number in (1, 2):
        folder.put(f"back/TAXASSESSOR_000{number}.txt", tax((number, number)))
    folder.batches.withdraw(right.job_id)
    assert [job.job_id for job in folder.take_all()] == [wrong.job_id]


def test_a_zip_of_two_datasets_becomes_two_batches_and_is_then_done(box: Inbox, tmp_path: Path) -> None:
    avm = "[ATTOM ID]\tEstimatedValue\tConfidenceScore\n1\t500000\t80\n"
    box.put("delivery.zip", zipped(TAXASSESSOR_0001=tax((1, 1), (2, 2)), avm_0001=avm))
    deliveries = box.scan()
    assert [delivery.dataset for delivery in deliveries] == ["AVM", "TAX_ASSESSOR"]
    first = box.take(deliveries[0])
    assert [delivery.dataset for delivery in box.scan()] == ["TAX_ASSESSOR"], "one half is taken"
    second = box.take(deliveries[1])
    assert box.scan() == [] and first.job_id != second.job_id
    landed = box.land(first, tmp_path / "landed")
    assert [row["endpoint"] for row in rows_of(landed)] == ["AVM"]


def test_a_file_that_changes_while_it_is_taken_leaves_nothing(
    folder: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put("TAXASSESSOR_0001.txt", tax((1, 1)))
    (delivery,) = folder.scan()
    real = shutil.copyfileobj

    def written_to_meanwhile(source: Any, target: Any, length: int = 0) -> None:
        real(source, target, length)
        folder.put("TAXASSESSOR_0001.txt", tax((1, 1), (2, 2)))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", written_to_meanwhile)
        with pytest.raises(InboxChangedError, match="changed while it was taken") as caught:
            folder.take(delivery)
    assert caught.value.retryable
    assert list(folder.lake.store.list("_batches/")) == [] and folder.batches.jobs() == []
    with pytest.raises(InboxChangedError):
        folder.take(delivery)
    (job,) = folder.take_all()
    assert job.total_records == 2


def test_named_files_need_not_rest_and_all_must_be_fit(folder: Inbox, tmp_path: Path) -> None:
    good, bad = tmp_path / "one.txt", tmp_path / "two.txt"
    good.write_text(tax((1, 1)))
    bad.write_text("nothing")
    with pytest.raises(SourceAnswerError, match=r"two\.txt"):
        inbox.take_paths(folder.settings, folder.batches, [good, bad])
    with pytest.raises(UsageError, match="is not a file"):
        inbox.take_paths(folder.settings, folder.batches, [good, tmp_path / "three.txt"])
    assert folder.batches.jobs() == []
    (job,) = inbox.take_paths(folder.settings, folder.batches, [good])
    assert job.status == "ready"


# Landing.


def test_every_row_is_accounted_for_with_a_broken_line_in_the_middle(box: Inbox, tmp_path: Path) -> None:
    lines = ["1\tA\t5", "2\tB\t6", "x\tC\t7", f"broken {OWNER}", "3\tD\t8", "\tE\t9", "1\tF\t10"]
    box.put("TAXASSESSOR_0001.txt", HEADER + "\n".join(lines) + "\n")
    box.put("TAXASSESSOR_DELETES.txt", "ATTOMID\n2\n77\n\t\n")
    (job,) = box.take_all()
    landed = box.land(job, tmp_path / "landed")
    told = [
        (row["endpoint"], row["attom_id"], row["outcome"], row["reason"], row["message"], row["body"])
        for row in rows_of(landed)
    ]
    first, deletes = "TAX_ASSESSOR", "TAX_ASSESSOR_deletes"
    assert told[:7] == [
        (first, 1, "returned", "replaced", None, None),
        (first, 2, "returned", "deleted", None, None),
        (first, None, "error", "without_id", "TAXASSESSOR_0001.txt, line 4", None),
        (first, 3, "returned", None, None, None),
        (first, None, "error", "without_id", "TAXASSESSOR_0001.txt, line 7", None),
        (first, 1, "returned", None, None, None),
        (
            first,
            None,
            "error",
            "broken_line",
            "TAXASSESSOR_0001.txt, line 5: missing columns",
            f"broken {OWNER}",
        ),
    ]
    assert [row[:4] for row in told[7:9]] == [(deletes, n, "returned", "deleted") for n in (2, 77)]
    assert [row["request_number"] for row in rows_of(landed)] == list(range(1, len(told) + 1))
    assert landed.outcomes.total == landed.rows == len(told)
    assert landed.properties is not None
    kept = pq.read_table(landed.properties, columns=["attom_id", "assessed_total"]).to_pylist()
    assert kept == [{"attom_id": 1, "assessed_total": 10}, {"attom_id": 3, "assessed_total": 8}]
    assert OWNER not in json.dumps(dict(landed.facts))
    assert (landed.facts["broken_lines"], landed.facts["without_id"], landed.facts["replaced"]) == (1, 2, 1)


def test_both_files_keep_their_contracts_and_carry_the_marks_of_the_lake(
    folder: Inbox, tmp_path: Path
) -> None:
    folder.put("TAXASSESSOR_0001.txt", tax(*((n, n) for n in range(1, 200))))
    (job,) = folder.take_all()
    landed = folder.land(job, tmp_path / "landed")
    assert landed.properties is not None
    for path, table, rows in (
        (landed.results, ATTOM_RESULTS, 199),
        (landed.properties, ATTOM_PROPERTIES, 199),
    ):
        assert audit_file(path, table, expected_rows=rows).problems == ()
        marks = pq.ParquetFile(path).schema_arrow.metadata
        assert marks[b"leadflow.table"] == table.name.encode()
        assert json.loads(marks[b"leadflow.inputs"]) == landed.inputs
        assert {b"leadflow.code_version", b"leadflow.schema_version"} <= set(marks)
    again = folder.land(job, tmp_path / "again")
    assert again.properties is not None and again.inputs == landed.inputs
    assert pq.read_table(again.results) == pq.read_table(landed.results)
    ordered = [pq.read_table(path).sort_by("attom_id") for path in (again.properties, landed.properties)]
    assert ordered[0] == ordered[1]
    assert [path.name for path in (tmp_path / "landed").iterdir()] != [], "both files"
    assert {path.suffix for path in (tmp_path / "landed").iterdir()} == {".parquet"}, "and nothing else"


def test_a_service_lands_and_processes_a_delivery(folder: Inbox) -> None:
    folder.put("TAXASSESSOR_0001.txt", tax((1, 5), (2, 6), ("x", 7)))
    (job,) = folder.take_all()
    done = folder.batches.advance(job.job_id)
    assert (done.status, done.total_records, done.processed_records) == ("processed", 3, 2)
    counts = folder.batches.outcomes(job.job_id)
    assert (counts.returned, counts.error, counts.total) == (2, 1, 3)
    again = folder.batches.advance(job.job_id)
    assert again.status == "processed" and folder.lake.snapshot(ATTOM_PROPERTIES).number == 1


def test_deletions_delivered_alone_speak_of_earlier_deliveries(box: Inbox, tmp_path: Path) -> None:
    box.put("TAXASSESSOR_0001.txt", tax((1, 5), (2, 6)))
    (job,) = box.take_all()
    first = publish_core(box, job, tmp_path / "first")
    assert deletions(box.lake) == DELETIONS.empty_table(), "nothing was deleted"
    box.put("RECORDER_DELETES.csv", "TransactionID,ATTOMID\n77,1\n77,1\n")
    box.put("TAXASSESSOR_DELETES.txt", "ATTOMID\n2\n")
    for job in box.take_all():
        landed = publish_core(box, job, tmp_path / job.job_id)
        assert landed.properties is None and landed.outcomes.returned == landed.rows
    found = deletions(box.lake).to_pylist()
    assert [(d["dataset"], d["attom_id"], d["transaction_id"]) for d in found] == [
        ("RECORDER", 1, "77"),
        ("TAX_ASSESSOR", 2, None),
    ]
    assert first.properties is not None
    fetched = pq.read_table(first.properties, columns=["tax_fetched_at"])["tax_fetched_at"][0].as_py()
    assert all(fetched < deletion["deleted_at"] for deletion in found)


def test_a_deletion_within_a_delivery_is_as_old_as_what_it_leaves_standing(
    folder: Inbox, tmp_path: Path
) -> None:
    folder.put("TAXASSESSOR_1.txt", tax((1, 5)))
    folder.put("TAXASSESSOR_2_DELETES.txt", "ATTOMID\n1\n")
    folder.put("TAXASSESSOR_3.txt", tax((1, 6)))
    (job,) = folder.take_all()
    landed = publish_core(folder, job, tmp_path / "landed")
    assert landed.properties is not None
    (kept,) = pq.read_table(landed.properties).to_pylist()
    (said,) = deletions(folder.lake).to_pylist()
    assert kept["assessed_total"] == 6 and not kept["tax_fetched_at"] < said["deleted_at"]


LIENS = "[ATTOM ID],LienType,LienAmount,LienRecordingDate,LienHolderName\n"


def test_liens_without_ids_of_their_own_are_all_kept(folder: Inbox, tmp_path: Path) -> None:
    rows = ["7,Mechanic,$1200,2/3/2024,SAMPLE BUILDERS", "7,HOA,300,,", "7,HOA,300,,", "8,,,,"]
    folder.put("LIENS_0001.csv", LIENS + "\n".join(rows) + "\n")
    (job,) = folder.take_all()
    landed = folder.land(job, tmp_path / "landed")
    assert landed.properties is not None
    assert [row["reason"] for row in rows_of(landed)].count("replaced") == 1, "the same words, the same lien"
    first, second = pq.read_table(landed.properties).sort_by("attom_id").to_pylist()
    assert [lien["kind"] for lien in first["lien_records"]] == ["Mechanic", "HOA"]
    assert (first["liens_source"], second["attom_id"]) == ("LIENS", 8)
    assert audit_file(landed.properties, ATTOM_PROPERTIES).problems == ()


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("[ATTOM ID]|PropensityToDefaultScore|PropensityToDefaultGroup", "1|93|High", (93.0, "High")),
        ("ATTOM_ID\tPropensity_Score", "1\t0", (0.0, None)),
        ("AttomId,Propensity To Default,Propensity Category", "1,,", (None, None)),
        ("ATTOMID,PropensityToDefaultScore12Months,PropensityToDefaultDecile", "1,55.5,3", (55.5, "3")),
    ],
)
def test_propensity_is_read_under_any_sensible_header(
    folder: Inbox, tmp_path: Path, header: str, row: str, expected: tuple[object, object]
) -> None:
    folder.put("propensity_0001.txt", f"{header}\n{row}\n")
    (job,) = folder.take_all()
    landed = folder.land(job, tmp_path / "landed")
    assert landed.properties is not None
    (found,) = pq.read_table(landed.properties).to_pylist()
    assert (found["propensity_score"], found["propensity_group"]) == expected
    assert found["propensity_source"] == (None if expected == (None, None) else "PROPENSITY")
    assert found["assessed_total"] is found["mortgage_amount"] is None


def test_coordinates_that_are_none_do_not_hold_up_a_delivery(folder: Inbox, tmp_path: Path) -> None:
    header = "[ATTOM ID]\tTaxAssessedValueTotal\tPropertyLatitude\tPropertyLongitude\n"
    folder.put("TAXASSESSOR_0001.txt", header + "1\t5\t4234567\t-71.5\n2\t6\t42.3\t-7123\n")
    (job,) = folder.take_all()
    landed = folder.land(job, tmp_path / "landed")
    assert landed.properties is not None
    found = pq.read_table(landed.properties).sort_by("attom_id")
    assert (found["latitude"].to_pylist(), found["longitude"].to_pylist()) == ([None, 42.3], [-71.5, None])
    assert audit_file(landed.properties, ATTOM_PROPERTIES).problems == ()


def test_a_header_without_rows_is_an_empty_batch(folder: Inbox, tmp_path: Path) -> None:
    folder.put("TAXASSESSOR_0001.txt", HEADER)
    (job,) = folder.take_all()
    landed = publish_core(folder, job, tmp_path / "landed")
    assert (job.total_records, landed.rows, landed.properties) == (0, 0, None)


@pytest.mark.parametrize("damage", [b"", b"[ATTOM ID]\tTaxAssessedValueTotal\n1\t9\n", None])
def test_an_archive_that_was_damaged_is_told_and_lands_nothing(
    folder: Inbox, tmp_path: Path, damage: bytes | None
) -> None:
    folder.put("TAXASSESSOR_0001.txt", tax((1, 5)))
    (job,) = folder.take_all()
    archived = Path(folder.lake.store.location(f"_batches/results/{job.job_id}/001/TAXASSESSOR_0001.txt"))
    archived.unlink()
    if damage is not None:
        archived.write_bytes(damage)
    with pytest.raises(StoreError, match="is not what was taken"):
        folder.land(job, tmp_path / "landed")
    assert list((tmp_path / "landed").iterdir()) == []


def test_what_asked_results_say_is_no_deletion(folder: Inbox, tmp_path: Path) -> None:
    """A vendor's answer may carry the word for its own reasons; only delivered files delete."""
    folder.put("TAXASSESSOR_0001.txt", tax((1, 5)))
    (job,) = folder.take_all()
    landed = folder.land(job, tmp_path / "landed")
    rows = pq.read_table(landed.results)
    changed = {"reason": ["deleted"], "endpoint": [BATCH]}
    for name, values in changed.items():
        index = rows.schema.get_field_index(name)
        rows = rows.set_column(index, rows.schema.field(index), pa.array(values, pa.string()))
    pq.write_table(rows, landed.results)
    staged = stage(folder.lake, job, Landed(landed.results, None, landed.outcomes, 1), {})
    publish(folder.lake, "test", ATTOM_RESULTS, job.job_id, staged.results)
    assert deletions(folder.lake).num_rows == 0


def test_errors_name_no_owner(folder: Inbox) -> None:
    folder.put("notes.txt", f"{OWNER}\n{OWNER}\n")
    (delivery,) = folder.scan()
    with pytest.raises(LeadflowError) as caught:
        folder.take(delivery)
    assert OWNER not in str(caught.value)
    kept: Sequence[str] = list(folder.lake.store.list("_batches/"))
    assert all(OWNER.encode() not in folder.lake.store.read(key) for key in kept)
