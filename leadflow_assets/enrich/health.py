"""What `leadflow doctor` says of ATTOM: charges nobody has settled, batches that wait, whether it answers."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.vendor import open_client, open_ledger
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.endpoints import EXPANDED_PROFILE, PropertyQuery


@dataclass(frozen=True)
class Attention:
    """How the batches stand, and what somebody should look at."""

    detail: str
    warnings: tuple[str, ...]


def attention(settings: Settings) -> Attention:
    """The state of ledger and batches.

    Raises:
        StoreError: the state database cannot be used.
    """
    ledger = open_ledger(settings)
    budget, unknown = ledger.budget(), ledger.unknown()
    jobs = Batches(settings).jobs()
    still_open = [job for job in jobs if job.status in ("submitted", "in_progress", "ready", "downloaded")]
    failed = [job for job in jobs if job.status == "failed"]
    detail = (
        f"{len(jobs)} batches, {len(still_open)} open; "
        f"${budget.counted_cents / 100:,.2f} of ${budget.cap_cents / 100:,.2f} counted today"
    )
    warnings = []
    if unknown:
        warnings.append(f"{len(unknown)} charges are unknown: see `leadflow spend`.")
    if failed:
        warnings.append(f"{len(failed)} batches failed: see `leadflow batch list --status failed`.")
    if settings.attom_api_key is None and any(job.transport != "files" for job in still_open):
        warnings.append("Batches wait for ATTOM_API_KEY.")
    if still_open and budget.left_cents <= 0:
        warnings.append("The cap is reached: open batches wait until 00:00 UTC.")
    return Attention(detail, tuple(warnings))


def ask_for_nothing(settings: Settings) -> str:
    """One call for an address that nobody has: ATTOM bills only properties returned. Tells how long it took.

    Raises:
        LeadflowError: the key is not accepted, the endpoint is not in the contract, or nobody answers.
    """
    street = f"1 NO SUCH STREET {uuid.uuid4().hex[:8].upper()}"
    started = time.monotonic()
    with open_client(settings, Lake(settings)) as client:
        answer = client.ask(EXPANDED_PROFILE, PropertyQuery(address1=street, address2="NOWHERE, MA 00000"))
    milliseconds = (time.monotonic() - started) * 1000
    return (
        f"the key is accepted; answered {answer.outcome} in {milliseconds:.0f} ms, {answer.reports} reports"
    )
