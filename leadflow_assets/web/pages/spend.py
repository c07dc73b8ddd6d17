"""Spending: what vendors were paid by day, what counts against the caps, and charges that are unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import UsageError
from leadflow_assets.state.spend import first_day, spend_alerts, spend_by_day
from leadflow_assets.web.site import CurrentSettings, page, redirect

router = APIRouter()


@router.get("/spend")
def spend(
    request: Request, settings: CurrentSettings, days: Annotated[int, Query(ge=1, le=3660)] = 30
) -> Response:
    """Spending by day and vendor against the caps."""
    ledger = open_ledger(settings)
    since = first_day(datetime.now(UTC).date(), days)
    return page(
        request,
        "spend.html",
        days=days,
        rows=spend_by_day(settings, since=since),
        budget=ledger.budget(),
        unknown=ledger.unknown(),
        alerts=spend_alerts(settings, since),
        has_key=settings.attom_api_key is not None,
    )


@router.post("/spend/{charge_id}/resolve")
def resolve(
    charge_id: str, settings: CurrentSettings, reports: Annotated[int, Form(ge=0, le=1_000_000)]
) -> Response:
    """Say what an unknown charge cost; its question may then be asked again."""
    ledger = open_ledger(settings)
    if charge_id not in {one.charge_id for one in ledger.unknown()}:
        raise UsageError("There is no such unknown charge.", "It may have been resolved meanwhile.")
    ledger.resolve(charge_id, reports)
    return redirect(
        "/spend", f"The charge is settled at {reports:,} {'report' if reports == 1 else 'reports'}."
    )
