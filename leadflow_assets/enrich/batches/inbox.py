"""Taking delivered files: found when they are complete, grouped, archived in the lake, made a batch.

The inbox itself is only read. What was taken is known by its bytes, so that the same files under another
name, or on another day, are the same batch; what was seen is known by place, size and time, so that looking
costs little. A file that cannot be taken is told once, with what is wrong, and holds up no other.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from leadflow_assets.enrich.batches.inbox_marks import InboxMarks
from leadflow_assets.enrich.batches.inbox_places import (
    FolderPlace,
    InboxChangedError,
    InboxFile,
    InboxPlace,
    open_place,
)
from leadflow_assets.enrich.batches.inbox_taking import Delivery, of_nobody_knows_what, take_delivery
from leadflow_assets.enrich.batches.job import BatchJob
from leadflow_assets.errors import SourceAnswerError, StoreError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.bulk_file import headings, natural_order
from leadflow_assets.sources.attom.bulk_layouts import dataset_named

if TYPE_CHECKING:
    from leadflow_assets.enrich.batches.service import Batches

__all__ = ["SETTLED_AFTER", "Delivery", "scan", "take", "take_paths"]

# A file is complete when nothing was written to it for so long.
SETTLED_AFTER = timedelta(minutes=1)
# Files on their way, as browsers, rsync and SFTP clients name them.
_ON_THE_WAY = re.compile(r"^[.~]|(\.(part|partial|filepart|tmp|temp|crdownload|download)|~)$", re.IGNORECASE)
_DAY = re.compile(r"(?<!\d)20\d\d[-_.]?[01]\d(?:[-_.]?[0-3]\d)?(?!\d)")


def scan(settings: Settings, *, now: datetime | None = None) -> list[Delivery]:
    """Complete files of the inbox that were not taken before, as deliveries in the order to take them.

    Only the beginnings of new files are read. A delivery waits while a file of its kind beside it grows.

    Raises:
        NotConfiguredError: no inbox is set. UsageError: it is no folder.
        StoreError, SourceUnavailableError: the inbox or the lake cannot be read.
    """
    place, moment = open_place(settings), now or datetime.now(UTC)
    marks = InboxMarks(Lake(settings).store, settings.batch_results_dir)
    resting: list[InboxFile] = []
    growing: list[InboxFile] = []
    for file in place.files():
        if not _ON_THE_WAY.search(file.base) and not marks.is_done(file):
            (resting if _rests(file, moment) else growing).append(file)
    deliveries = _deliveries(place, resting, marks, by_folder=True)
    return [delivery for delivery in deliveries if not any(_belongs(file, delivery) for file in growing)]


def take(settings: Settings, batches: Batches, delivery: Delivery) -> BatchJob:
    """Archive a delivery and make it a batch, ready to be downloaded. The same bytes are the same batch.

    Raises:
        SourceAnswerError, UsageError: a file cannot be taken; it is not found again, the others are.
        SourceUnavailableError: a file changed or went meanwhile, or cannot be reached.
        StoreError: the lake refuses.
    """
    return take_delivery(settings, batches, open_place(settings), delivery)


def take_paths(settings: Settings, batches: Batches, paths: Sequence[Path]) -> list[BatchJob]:
    """Take files that a person names, wherever they lie; a batch for each dataset among them.

    Raises:
        UsageError: there is no such file. Others as :func:`take`; nothing is taken if any file is unfit.
    """
    place = FolderPlace(Path("/"))
    files = []
    for path in paths:
        resolved = path.expanduser().resolve()
        file = place.file(resolved) if resolved.is_file() else None
        if file is None:
            raise UsageError(f"{path} is not a file.", "Name files as ATTOM delivered them.")
        files.append(file)
    deliveries = _deliveries(place, list(dict.fromkeys(files)), None, by_folder=False)
    for delivery in deliveries:
        if delivery.problem is not None:
            raise delivery.problem
    return [take_delivery(settings, batches, place, delivery) for delivery in deliveries]


def _rests(file: InboxFile, moment: datetime) -> bool:
    # A time in the future says nothing; then the store's own word counts.
    written = file.modified if file.modified <= moment else file.touched
    return moment - written >= SETTLED_AFTER


def _belongs(file: InboxFile, delivery: Delivery) -> bool:
    """Does a file that is not complete seem to be part of a delivery?"""
    if delivery.dataset is None or file.folder != delivery.files[0].folder:
        return False
    named = dataset_named(file.base)
    return named == delivery.dataset or (
        named is None and _words(file) in {_words(other) for other in delivery.files}
    )


def _words(file: InboxFile) -> str:
    """The name without figures and ending: what the parts of one delivery share."""
    return re.sub(r"[^a-z]+", "", file.base.casefold().rpartition(".")[0] or file.base.casefold())


def _deliveries(
    place: InboxPlace, files: Sequence[InboxFile], marks: InboxMarks | None, *, by_folder: bool
) -> list[Delivery]:
    """Files by dataset, and those that cannot be taken by themselves."""
    groups: dict[tuple[str, str], list[InboxFile]] = defaultdict(list)
    nameless: dict[str, list[InboxFile]] = defaultdict(list)
    unfit: list[Delivery] = []
    for file in files:
        folder = file.folder if by_folder else ""
        try:
            found = _datasets(place, file)
        except InboxChangedError:
            # Written to, or taken away, since it was listed: the next look tells.
            if marks is None:
                raise
            continue
        except (SourceAnswerError, StoreError) as problem:
            unfit.append(Delivery(None, (file,), problem))
            continue
        for dataset in found:
            if marks is None or not marks.is_taken(file, dataset):
                groups[folder, dataset].append(file)
        if not found:
            nameless[folder].append(file)
    for folder, lists in nameless.items():
        beside = [key for key in groups if key[0] == folder]
        if len(beside) == 1:
            groups[beside[0]] += lists
        else:
            unfit += [Delivery(None, (file,), of_nobody_knows_what(file)) for file in lists]
    whole = [Delivery(dataset, _in_order(group)) for (_, dataset), group in groups.items()]
    return sorted([*whole, *unfit], key=lambda delivery: natural_order(delivery.files[0].name))


def _datasets(place: InboxPlace, file: InboxFile) -> list[str]:
    """The datasets in a file; none where it only lists deletions and does not say of what."""
    with place.open(file) as data:
        try:
            found = list(dict.fromkeys(heading.dataset for heading in headings(data, file.base)))
        except OSError as error:
            raise StoreError(f"{file.location} cannot be read ({error.strerror}).") from error
    named = [dataset for dataset in found if dataset is not None]
    if None in found and len(named) > 1:
        raise of_nobody_knows_what(file)
    return named


def _in_order(files: Sequence[InboxFile]) -> tuple[InboxFile, ...]:
    """Natural order of names; where every name has a date, by date first."""
    dated = all(_DAY.search(file.base) for file in files)

    def place(file: InboxFile) -> tuple[str, object]:
        day = _DAY.search(file.base) if dated else None
        return re.sub(r"\D", "", day.group()) if day else "", natural_order(file.name)

    return tuple(sorted(files, key=place))
