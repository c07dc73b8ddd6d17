"""Who is told of a list's events, and on which way."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from leadflow_assets.domain.changes.kinds import KINDS, LIST_KINDS, QUIET
from leadflow_assets.enrich.changes.health import email_state
from leadflow_assets.enrich.changes.watching import start_watching, stop_watching
from leadflow_assets.errors import UsageError
from leadflow_assets.state import change_alerts, database
from leadflow_assets.state.models_changes import CHANNELS, RHYTHMS
from leadflow_assets.web.links import list_path
from leadflow_assets.web.pages.one_list import facts, found
from leadflow_assets.web.site import CurrentSettings, page, redirect

_MOST_MESSAGES = 20
_MESSAGES_LOOKED_AT = 500
router = APIRouter()


@router.get("/lists/{name}/watches")
def watches(request: Request, settings: CurrentSettings, name: str) -> Response:
    """Watches of this list, the newest messages, and a form for another watch."""
    saved = found(settings, name)
    with database.session(settings) as session:
        own = {one.id: one for one in change_alerts.watches(session) if one.list_id == saved.id}
        every = change_alerts.messages(session, limit=_MESSAGES_LOOKED_AT)
    return page(
        request,
        "list_watches.html",
        watches=list(own.values()),
        messages=[one for one in every if one.watch_id in own][:_MOST_MESSAGES],
        own=own,
        channels=CHANNELS,
        rhythms=RHYTHMS,
        kinds=KINDS | LIST_KINDS,
        quiet=QUIET,
        configured={
            "webhook": settings.leadflow_alert_webhook_url is not None,
            "email": bool(email_state(settings).configured),
        },
        **facts(saved, "watches"),
    )


@router.post("/lists/{name}/watch")
def watch(
    settings: CurrentSettings,
    name: str,
    channel: Annotated[str, Form()],
    rhythm: Annotated[str, Form()] = "now",
    kind: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Tell of the list's events from now on."""
    saved = found(settings, name)
    if rhythm not in RHYTHMS:
        raise UsageError(f"There is no rhythm {rhythm!r}.", f"Choose: {', '.join(RHYTHMS)}.")
    start_watching(settings, saved.name, channel, daily=rhythm == "daily", kinds=kind)
    when = "in a digest every morning" if rhythm == "daily" else "at once"
    return redirect(list_path(saved.name, "watches"), f"The list is watched: told by {channel} {when}.")


@router.post("/lists/{name}/unwatch")
def unwatch(
    settings: CurrentSettings, name: str, channel: Annotated[str, Form()], rhythm: Annotated[str, Form()]
) -> Response:
    """Tell no more on one way."""
    saved = found(settings, name)
    _, stopped = stop_watching(settings, saved.name, channel, rhythm)
    told = "Nobody is told on that way any more." if stopped else "Nobody was told on that way."
    return redirect(list_path(saved.name, "watches"), told)
