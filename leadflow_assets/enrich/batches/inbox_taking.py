"""From files in an inbox to a batch: copied whole, checked, archived with a receipt, adopted.

Each step may be cut short and done again: objects of the lake are written once, the receipt after the files,
the notes of bytes after the receipt, the job after those, the marks of the inbox last of all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leadflow_assets.enrich.batches.delivery_archive import (
    ArchivedFile,
    Receipt,
    file_key,
    read_receipt,
    receipt_key,
    store_delivery,
)
from leadflow_assets.enrich.batches.inbox_marks import InboxMarks
from leadflow_assets.enrich.batches.inbox_places import InboxFile, InboxPlace, changed
from leadflow_assets.enrich.batches.job import BatchJob
from leadflow_assets.errors import LeadflowError, SourceAnswerError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.store import raise_for_disk
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.bulk import delivery_id
from leadflow_assets.sources.attom.bulk_file import DeliveredFile, open_delivered

if TYPE_CHECKING:
    from leadflow_assets.enrich.batches.service import Batches

_AT_ONCE = 4 << 20


@dataclass(frozen=True)
class Delivery:
    """Files of one dataset that belong together, in the order in which they are loaded.

    ``problem``: the one file cannot be taken; taking it raises that error, and it is not found again.
    """

    dataset: str | None
    files: tuple[InboxFile, ...]
    problem: LeadflowError | None = None


def of_nobody_knows_what(file: InboxFile) -> SourceAnswerError:
    """A list of deletions names no dataset, and there is none that it could mean."""
    return SourceAnswerError(
        f"{file.base} lists deletions and does not say of which dataset.",
        "Name it for the dataset (TAXASSESSOR_DELETES.txt), or deliver it together with the dataset's file.",
    )


def take_delivery(settings: Settings, batches: Batches, place: InboxPlace, delivery: Delivery) -> BatchJob:
    """Archive a delivery and make it a batch; see :func:`leadflow_assets.enrich.batches.inbox.take`."""
    lake, dataset = Lake(settings), delivery.dataset
    marks = InboxMarks(lake.store, settings.batch_results_dir)
    if delivery.problem is not None or dataset is None:
        problem = delivery.problem or of_nobody_knows_what(delivery.files[0])
        if isinstance(problem, SourceAnswerError):
            # What else is wrong can be put right without a change of the file: it is told until it is.
            marks.refuse(delivery.files[0], problem)
        raise problem
    with staging_folder(lake.staging, "delivery") as folder:
        copies = [
            _copied(place, file, folder / f"{number:03d}", dataset, marks)
            for number, file in enumerate(delivery.files)
        ]
        receipts = _receipts(lake, settings, batches, dataset, copies, marks)
        known = {file.sha256 for receipt in receipts for file in receipt.files}
        fresh = {copy.sha256: copy for copy in copies if copy.sha256 not in known}
        if fresh:
            receipts.append(_archived(lake, settings, dataset, list(fresh.values())))
    for receipt in receipts:
        for file in receipt.files:
            marks.archived(file.sha256, dataset, receipt.delivery_id)
    jobs = [_adopted(settings, batches, receipt) for receipt in receipts]
    for copy in copies:
        marks.take(copy.file, dataset, copy.datasets, jobs[-1].job_id)
    return jobs[-1]


def _receipts(
    lake: Lake,
    settings: Settings,
    batches: Batches,
    dataset: str,
    copies: Sequence[_Copy],
    marks: InboxMarks,
) -> list[Receipt]:
    """The batches that have some of these bytes already, whatever the files were called.

    One without a job was withdrawn, or its taking was cut short: it comes back only if all of it is here.
    """
    jobs = {job.job_id for job in batches.jobs()}
    here = {copy.sha256 for copy in copies}
    named = dict.fromkeys(name for copy in copies for name in marks.batches_of(copy.sha256, dataset))
    found = {name: read_receipt(lake.store, receipt_key(settings.batch_results_dir, name)) for name in named}
    return [
        receipt
        for name, receipt in found.items()
        if name in jobs or {file.sha256 for file in receipt.files} <= here
    ]


@dataclass(frozen=True)
class _Copy:
    """A file on its way into the lake: ``texts`` are those of the dataset, of ``datasets`` in all."""

    file: InboxFile
    path: Path
    sha256: str
    texts: tuple[DeliveredFile, ...]
    datasets: int


def _copied(place: InboxPlace, file: InboxFile, folder: Path, dataset: str, marks: InboxMarks) -> _Copy:
    """A copy under the file's own name: the whole of the state that was found, and nothing else."""
    path = folder / file.base
    with place.open(file) as source:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as target:
                shutil.copyfileobj(source, target, _AT_ONCE)
                target.flush()
                os.fsync(target.fileno())
        except OSError as error:
            raise_for_disk(error, folder.parent)
    place.open(file).close()
    if path.stat().st_size != file.size:
        raise changed(file)
    try:
        texts = open_delivered(path, folder / "texts")
    except SourceAnswerError as problem:
        marks.refuse(file, problem)
        raise
    datasets = {text.dataset for text in texts} - {None}
    wanted = tuple(text for text in texts if text.dataset in (dataset, None))
    return _Copy(file, path, texts[0].sha256, wanted, max(1, len(datasets)))


def _archived(lake: Lake, settings: Settings, dataset: str, copies: Sequence[_Copy]) -> Receipt:
    texts = [text for copy in copies for text in copy.texts]
    made, results = delivery_id(texts), settings.batch_results_dir
    files = tuple(
        ArchivedFile(
            copy.file.base,
            copy.file.location,
            file_key(results, made, number, copy.file.base),
            copy.file.size,
            copy.sha256,
            copy.file.modified,
        )
        for number, copy in enumerate(copies, 1)
    )
    lines = sum(max(text.lines - 1, 0) for text in texts)
    receipt = Receipt(made, dataset, datetime.now(UTC), lines, files)
    return store_delivery(lake.store, receipt_key(results, made), receipt, [copy.path for copy in copies])


def _adopted(settings: Settings, batches: Batches, receipt: Receipt) -> BatchJob:
    names = [file.name for file in receipt.files]
    return batches.adopt(
        receipt.delivery_id,
        # Names of files may be long, or hold what does not print.
        name=f"{receipt.dataset} {receipt.taken_at:%Y-%m-%d}",
        transport="files",
        source_file=names[0],
        results_key=receipt_key(settings.batch_results_dir, receipt.delivery_id),
        total_records=receipt.lines,
        facts={"dataset": receipt.dataset, "files": names},
    )
