"""A refresh of court cases from a terminal: progress, announced waits, Ctrl-C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadflow_assets.cli.batch_work import stoppable
from leadflow_assets.cli.output import note, on_terminal, progress

if TYPE_CHECKING:
    from leadflow_assets.enrich.courts.report import CourtsReport, CourtStep
    from leadflow_assets.enrich.courts.service import Courts


def refreshed(courts: Courts, only: Sequence[str] | None, months: Sequence[str] | None) -> CourtsReport:
    """Refresh with progress on stderr; the first Ctrl-C ends it after the call under way, and lands.

    Raises:
        What :meth:`Courts.refresh` raises.
    """
    with stoppable() as stopped, progress("calls") as bar:
        calls = 0

        def told(step: CourtStep) -> None:
            nonlocal calls
            if step.waiting and not on_terminal():
                note(f"calls: {step.calls}, {step.text}")
            bar.advance(max(step.calls - calls, 0), step.text)
            calls = max(calls, step.calls)

        return courts.refresh(only, months, progress=told, stop=stopped.is_set)
