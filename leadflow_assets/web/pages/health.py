"""Health: what doctor says, how fresh the towns are, money, runs, exports, and who may log in."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from leadflow_assets.domain.state_map import Point, state_outline
from leadflow_assets.enrich.checks import examine_all
from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import LeadflowError, StoreError
from leadflow_assets.refresh.dagster_runs import latest_runs
from leadflow_assets.refresh.doctor import Finding
from leadflow_assets.refresh.freshness import town_freshness
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, exports, web_users
from leadflow_assets.web.site import CurrentSettings, CurrentSite, page, redirect

router = APIRouter()
STATES = ("fresh", "outdated", "failed", "never")
_LEVELS = {"failed": 0, "warning": 1, "ok": 2, "not_configured": 3}
_EXPORTS = 20
# The map: pixels per degree of latitude, and where its upper left corner lies.
_SCALE, _WEST, _NORTH = 360.0, -73.56, 42.93
_SIZE = (990, 622)
_NARROWER = math.cos(math.radians(42.1))


@router.get("/health")
def health(request: Request, site: CurrentSite) -> Response:
    """How everything is, as far as it can be told: what is broken leaves the rest standing."""
    settings = site.settings
    examined_at, found = site.examined.latest(settings)
    findings = sorted(found, key=lambda one: _LEVELS[one.status])
    towns, towns_problem = _or_problem(lambda: town_freshness(settings), [])
    budget, budget_problem = _or_problem(lambda: open_ledger(settings).budget(), None)
    kept, state_problem = _or_problem(lambda: _kept(settings, site.login), ([], []))
    marks = [(town, *_place(town.place)) for town in towns if town.place is not None]
    return page(
        request,
        "health.html",
        findings=findings,
        examined_at=examined_at,
        levels=Counter(one.status for one in findings),
        live=_live(settings),
        towns=towns,
        towns_problem=towns_problem,
        counts=Counter(town.state for town in towns),
        states=STATES,
        # Marks that matter lie above the others.
        marks=sorted(marks, key=lambda mark: -STATES.index(mark[0].state)),
        outline=[
            " ".join("{:.1f},{:.1f}".format(*_place(point)) for point in ring) for ring in state_outline()
        ],
        size=_SIZE,
        budget=budget,
        budget_problem=budget_problem,
        runs=latest_runs(),
        dagster_url=settings.leadflow_dagster_url,
        settings=settings,
        export_lines=kept[0],
        people=kept[1],
        state_problem=state_problem,
        now=datetime.now(UTC),
    )


@router.post("/health/again")
def look_again(site: CurrentSite) -> Response:
    """Examine everything now."""
    site.examined.again(site.settings)
    return redirect("/health", "Everything was examined anew.")


@router.post("/health/live")
def ask_live(settings: CurrentSettings) -> Response:
    """Ask MassGIS, ATTOM and CourtListener now, at no cost; what they say is kept with its moment."""
    asked = [one for one in examine_all(settings, live=True) if one.name == "MassGIS" or "live" in one.name]
    path = settings.data_dir / "web" / "live-checks.json"
    document = {"at": datetime.now(UTC).isoformat(), "findings": [asdict(one) for one in asked]}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(document), encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}.", "Make the folder writable.") from None
    return redirect("/health", "The sources were asked; see the live checks.")


def _live(settings: Settings) -> tuple[datetime, list[Finding]] | None:
    """What the sources said when somebody last asked."""
    try:
        text = (settings.data_dir / "web" / "live-checks.json").read_text(encoding="utf-8")
        document = json.loads(text)
        return datetime.fromisoformat(document["at"]), [Finding(**one) for one in document["findings"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _kept(settings: Settings, login: bool) -> tuple[list[exports.ExportLine], list[str]]:
    with database.session(settings) as session:
        return exports.latest(session, _EXPORTS), web_users.names(session) if login else []


def _or_problem(ask: Any, nothing: Any) -> tuple[Any, LeadflowError | None]:
    """An answer, or why there is none."""
    try:
        return ask(), None
    except LeadflowError as error:
        return nothing, error


def _place(point: Point | None) -> tuple[float, float]:
    """Where a point lies on the map, in its units."""
    assert point is not None
    lon, lat = point
    return (lon - _WEST) * _NARROWER * _SCALE, (_NORTH - lat) * _SCALE
