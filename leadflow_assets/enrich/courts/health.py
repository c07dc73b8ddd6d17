"""What `leadflow doctor` says of court cases: how far they go, what waits, whether CourtListener answers."""

from __future__ import annotations

import time
from dataclasses import dataclass

from leadflow_assets.enrich.court_client import open_courtlistener
from leadflow_assets.enrich.courts.service import Courts
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import COURT_CASES
from leadflow_assets.settings import Settings
from leadflow_assets.sources.courtlistener.errors import clock
from leadflow_assets.state import court_progress, database


@dataclass(frozen=True)
class Attention:
    """How the court cases stand, and what somebody should look at."""

    detail: str
    warnings: tuple[str, ...]


def attention(settings: Settings) -> Attention:
    """The state of the courts of the settings, and of what was imported.

    Raises:
        StoreError: the state database or the lake cannot be used.
    """
    courts = Courts(settings)
    entries = Lake(settings).snapshot(COURT_CASES).partitions.values()
    cases = sum(entry.facts.get("cases", 0) for entry in entries)
    with database.session(settings) as session:
        known = [one for one in court_progress.all_progress(session) if one.court in courts.courts]
    covered = [f"{one.court} from {one.covered[0]} to {one.covered[1]}" for one in known if one.covered]
    detail = f"{cases:,} cases; {'; '.join(covered) or 'no court was asked yet'}"
    warnings = []
    waiting = len(courts.waiting())
    if waiting:
        warnings.append(f"{waiting} answers wait to be published: run `leadflow cases refresh`.")
    resumes_at = courts.resumes_at()
    if resumes_at is not None:
        warnings.append(f"The calls of the day are used up; it resumes at {clock(resumes_at)}.")
    stale = sorted({row.source for row in courts.coverage() if row.state == "stale"})
    if stale:
        warnings.append(f"Too long ago: {', '.join(stale)}. See `leadflow cases coverage`.")
    return Attention(detail, tuple(warnings))


def ask_for_usage(settings: Settings) -> str:
    """One question that costs no call: what the account has used. Tells how long it took.

    Raises:
        LeadflowError: the token is not accepted, the account is blocked, or nobody answers.
    """
    started = time.monotonic()
    with open_courtlistener(settings, Lake(settings)) as client:
        usage = client.synchronize()
        notes = list(client.notes)
    milliseconds = (time.monotonic() - started) * 1000
    if usage is None:
        return notes[-1]
    used = ", ".join(
        f"{calls} of {allowed} in {length}" for length, (calls, allowed) in sorted(usage.windows.items())
    )
    return f"the token is accepted; answered in {milliseconds:.0f} ms; used {used}"
