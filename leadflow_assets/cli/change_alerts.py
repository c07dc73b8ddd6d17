"""``leadflow changes watch`` and what belongs to it: who is told of a list's events, and what was sent."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from leadflow_assets.cli.changes_output import MESSAGES, WATCHES
from leadflow_assets.cli.common import JsonFlag, current_settings
from leadflow_assets.cli.output import emit_document, emit_rows, note
from leadflow_assets.errors import LeadflowError

_SCREEN_ROWS = 50
ListName = Annotated[str, typer.Argument(help="Name of a saved list.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; may repeat.")]
Channel = Annotated[str | None, typer.Option("--by", help="webhook or email.")]
Daily = Annotated[bool, typer.Option("--daily", help="One digest every morning instead of alerts at once.")]


def watch(
    name: ListName,
    by: Annotated[str, typer.Option("--by", help="webhook or email.")],
    daily: Daily = False,
    kind: Kinds = None,
    json: JsonFlag = False,
) -> None:
    """Tell of a list's events from now on: by webhook or e-mail, at once or in one digest every morning.

    A webhook gets property ids, addresses and kinds; nothing personal. E-mail goes to the configured
    recipients only.
    """
    from leadflow_assets.enrich.changes.watching import start_watching

    made = start_watching(current_settings(), name, by, daily=daily, kinds=kind)
    if json:
        emit_document(vars(made))
    else:
        when = "in a digest every morning" if daily else "at once"
        note(
            f"{made.list_name} is watched: told by {made.channel} {when}. Dagster sends by itself; without "
            "it `leadflow changes tell --refresh` does."
        )


def unwatch(name: ListName, by: Channel = None, json: JsonFlag = False) -> None:
    """Tell no more of a list, on one channel or on all."""
    from leadflow_assets.enrich.changes.watching import stop_watching

    listed, stopped = stop_watching(current_settings(), name, by)
    if json:
        emit_document({"list": listed, "stopped": stopped})
    else:
        note(f"{listed}: {stopped} watches stopped.")


def watches(json: JsonFlag = False) -> None:
    """List who is told what."""
    from leadflow_assets.state import change_alerts, database

    with database.session(current_settings()) as session:
        found = change_alerts.watches(session)
    if found or json:
        emit_rows([vars(each) for each in found], WATCHES, json)
    if not found:
        note("No list is watched. `leadflow changes watch NAME --by email` watches one.")


def outbox(
    limit: Annotated[int, typer.Option(min=1, help="The newest messages.")] = _SCREEN_ROWS,
    json: JsonFlag = False,
) -> None:
    """List messages: sent, waiting, and why they wait."""
    from leadflow_assets.state import change_alerts, database

    with database.session(current_settings()) as session:
        found = change_alerts.messages(session, limit=limit)
        by_id = {each.id: each for each in change_alerts.watches(session)}
    rows = [
        {**vars(m), "list_name": by_id[m.watch_id].list_name, "channel": by_id[m.watch_id].channel}
        for m in found
    ]
    if rows or json:
        emit_rows(rows, MESSAGES, json)
    if not rows:
        note("No message was made yet.")


def tell(
    refresh: Annotated[
        bool, typer.Option("--refresh", help="First bring the watched lists up to date.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Send what the watched lists have to tell. Each event is told once; what failed is tried again.

    A digest is made at 8:00 in Massachusetts, of what was seen before. Exits with 1 if a message could not
    be delivered or a list could not be brought up to date.
    """
    from leadflow_assets.automation.alerts import alert_sender
    from leadflow_assets.enrich.changes.email import email_settings
    from leadflow_assets.enrich.changes.telling import refresh_and_tell
    from leadflow_assets.enrich.changes.telling import tell as only_tell

    settings = current_settings()
    tell_all = refresh_and_tell if refresh else only_tell
    done = tell_all(settings, webhook=alert_sender(settings), email=email_settings(settings))
    if json:
        emit_document(vars(done))
    else:
        note(f"{done.made:,} messages with {done.events:,} events made, {done.sent:,} sent.")
    if done.problems:
        raise LeadflowError(
            f"{len(done.problems):,} messages could not be delivered: {'; '.join(done.problems[:3])}.",
            "They are tried again, later each time: leadflow changes outbox.",
        )
    if done.not_refreshed:
        raise LeadflowError(f"Watched lists are not up to date: {'; '.join(done.not_refreshed[:3])}")


COMMANDS: dict[Any, tuple[str, ...]] = {
    watch: ("leadflow changes watch absentee --by webhook --kind sale --kind list_gained",),
    unwatch: ("leadflow changes unwatch absentee --by email",),
    watches: ("leadflow changes watches",),
    outbox: ("leadflow changes outbox --json",),
    tell: ("leadflow changes tell --refresh",),
}
