"""The one interface behind which a batch reaches ATTOM: call by call, by delivered files, or by a service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from leadflow_assets.enrich.batches.job import BatchJob, Landed, Outcomes

Progress = Callable[[Outcomes], None]
Stop = Callable[[], bool]


class Transport(Protocol):
    """One way to have a batch answered. Every method may be called again after a crash of itself.

    The service keeps the job's status and times and holds a claim on the job for as long as a method runs;
    a transport stores only what was answered.
    """

    name: str

    def submit(self, job: BatchJob) -> str | None:
        """Hand the batch over; returns the other side's id of it, if there is one."""

    def advance(self, job: BatchJob, progress: Progress, stop: Stop) -> bool:
        """Work on it, or ask how far it is; True when everything is answered.

        ``stop`` is asked often; when it says True, end what is under way, store it and return False.
        """

    def land(self, job: BatchJob, folder: Path) -> Landed:
        """Write the two Parquet files into ``folder``; made only of what is stored, so the same again."""

    def cancel(self, job: BatchJob) -> None:
        """Take the batch back; what was answered stays."""
