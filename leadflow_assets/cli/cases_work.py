"""Work on court cases from a terminal: a refresh with announced waits and Ctrl-C, then the matching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadflow_assets.cli.batch_work import stoppable
from leadflow_assets.cli.output import note, on_terminal, progress

if TYPE_CHECKING:
    from leadflow_assets.enrich.courts.report import CourtsReport, CourtStep
    from leadflow_assets.enrich.courts.service import Courts
    from leadflow_assets.settings import Settings


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


def matched(settings: Settings, *, force: bool = False) -> None:
    """Match what is here, and say on stderr what came of it.

    Raises:
        What :func:`match_cases` raises.
    """
    from leadflow_assets.enrich.case_matches.service import match_cases

    note("matching parties with owners ...")
    report = match_cases(settings, force=force)
    tiers = ", ".join(f"{count:,} {tier}" for tier, count in report.tiers.items()) or "none"
    published = len(report.towns_changed)
    note(f"Matches with properties that are here: {tiers}; {published:,} towns published anew.")
    if report.needs_refresh:
        names = ", ".join(report.needs_refresh[:5])
        note(f"Made by an older version, so not matched: {names}. Run `leadflow refresh` for them.")
