"""``leadflow changes``: what happened, and who is told of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_document, emit_rows, note
from leadflow_assets.errors import LeadflowError, NotConfiguredError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadflow_assets.settings import Settings

_SCREEN_ROWS = 50
_EVENTS = (
    Column("event_date", "date", wrap=False),
    Column("kind", wrap=False),
    Column("property_id", "property", wrap=False),
    Column("site_address", "address"),
    Column("town", wrap=False),
    Column("what", "what happened", min_width=30),
    Column("confidence", "sure", ".0%"),
)
_WATCHES = (
    Column("list_name", "list"),
    Column("channel", wrap=False),
    Column("rhythm", wrap=False),
    Column("kinds"),
    Column("since", wrap=False),
    Column("stopped_at", "stopped", wrap=False),
)
_MESSAGES = (
    Column("created_at", "made", wrap=False),
    Column("list_name", "list"),
    Column("channel", wrap=False),
    Column("events", number_format=","),
    Column("status", styles={"sent": "green", "waiting": "yellow"}),
    Column("attempts"),
    Column("problem"),
)
ListName = Annotated[str, typer.Argument(help="Name of a saved list.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; may repeat.")]
Channel = Annotated[str | None, typer.Option("--by", help="webhook or email.")]
Daily = Annotated[bool, typer.Option("--daily", help="One digest a day instead of alerts at once.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    changes = typer.Typer(
        invoke_without_command=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog=examples(
            "leadflow changes --since 2026-11-01 --town bellingham",
            "leadflow changes --list absentee --kind sale --json",
            "leadflow changes watch absentee --by email --daily",
        ),
    )
    changes.callback()(show)
    for command, shown in _COMMANDS.items():
        changes.command(command.__name__.rstrip("_"), epilog=examples(*shown))(command)
    app.add_typer(changes, name="changes")


def show(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option(help="Seen here on that day or later; a time works too.", metavar="DATE")
    ] = None,
    town: Annotated[list[str] | None, typer.Option("--town", help="Only this town; may repeat.")] = None,
    list_: Annotated[
        str | None, typer.Option("--list", help="Only properties of this saved list.", metavar="NAME")
    ] = None,
    kind: Kinds = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows of the table; --json has no limit.")] = _SCREEN_ROWS,
    json: JsonFlag = False,
) -> None:
    """Show what happened: sales, owners, addresses, values, buildings, splits, cases, scores, lists.

    Dates are the source's own; --since asks when it was first seen here. A newer release is compared by
    `leadflow changes build`, which the nightly run does by itself. Without --kind, corrected sale records
    and renumbered properties are left out.
    """
    if context.invoked_subcommand is not None:
        return
    from leadflow_assets.domain.towns import find_town
    from leadflow_assets.search.changes import ChangeQuery, find_changes

    settings = current_settings()
    towns = [find_town(text, demo=settings.demo_on).town_id for text in town] if town else None
    query = ChangeQuery(since=_moment(since), towns=towns, kinds=kind, list_name=list_)
    found = find_changes(settings, query)
    if json:
        emit_rows([_row(event) for event in found], (), True)
        return
    if found:
        emit_rows([_row(event) for event in found[:limit]], _EVENTS, False)
    more = f"; {len(found) - limit:,} more: --limit" if len(found) > limit else ""
    note(f"{len(found):,} events{more}" if found else _nothing(settings))


def build(
    town: Annotated[list[str] | None, typer.Argument(help="Towns; none: all that are here.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Compare releases that were compared already; adds what is new.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Compare new releases, cases and scores with what was there, and add the events.

    Nothing new means nothing to do: what was compared is not compared again.
    """
    from leadflow_assets.domain.towns import find_town, town_by_id
    from leadflow_assets.enrich.changes.service import build as build_changes

    settings = current_settings()
    towns = [find_town(text, demo=settings.demo_on).town_id for text in town] if town else None
    done = build_changes(settings, towns=towns, again=again)
    if json:
        emit_document({**vars(done), "events": done.events})
        return
    told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(done.added.items()))
    note(f"{done.compared:,} releases compared, {done.events:,} new events{f': {told}' if told else '.'}")
    if done.removed:
        note(f"{done.removed:,} court cases may no longer be shown and were taken out.")
    for town_id in done.without_polygons:
        note(
            f"{town_by_id(town_id).name}: polygons of the earlier release are not kept any more; "
            "splits and mergers show as vanished and appeared."
        )


def digest(
    name: ListName,
    day: Annotated[
        str | None, typer.Option(help="Of that day (UTC); none: of today.", metavar="DATE")
    ] = None,
    owners: Annotated[bool, typer.Option("--owners", help="With the names of owners.")] = False,
    json: JsonFlag = False,
) -> None:
    """Print what was seen on one day about a list: the text of its daily e-mail."""
    from datetime import timedelta

    from leadflow_assets.enrich.changes.messages import digest as write
    from leadflow_assets.search.changes import ChangeQuery, find_changes

    settings = current_settings()
    start = _moment(day) or datetime.combine(datetime.now(UTC).date(), time.min, UTC)
    query = ChangeQuery(since=start, list_name=name)
    end = start + timedelta(days=1)
    found = [event for event in reversed(find_changes(settings, query)) if event["seen_at"] < end]
    if json:
        emit_document({"list": name, "day": start.date(), "events": [_row(event) for event in found]})
    else:
        typer.echo(write(name, found, owners=owners), nl=False)


def watch(
    name: ListName,
    by: Annotated[str, typer.Option("--by", help="webhook or email.")],
    daily: Daily = False,
    kind: Kinds = None,
    json: JsonFlag = False,
) -> None:
    """Tell of a list's events from now on: by webhook or e-mail, at once or in one digest a day.

    A webhook gets property ids, addresses and kinds; nothing personal. E-mail goes to the configured
    recipients only.
    """
    from leadflow_assets.search.changes import check_kinds
    from leadflow_assets.state import change_alerts, database, saved_lists

    settings = current_settings()
    channel = _channel(by)
    check_kinds(kind)
    _require_configured(settings, channel)
    with database.session(settings) as session:
        saved = saved_lists.find(session, name)
        made = change_alerts.start_watch(
            session, saved.id, channel, _rhythm(daily), kinds=kind, now=datetime.now(UTC)
        )
        session.commit()
    if json:
        emit_document(vars(made))
    else:
        when = "in a daily digest" if daily else "at once"
        note(f"{made.list_name} is watched: told by {channel} {when}. `leadflow changes tell` sends.")


def unwatch(name: ListName, by: Channel = None, json: JsonFlag = False) -> None:
    """Tell no more of a list, on one channel or on all."""
    from leadflow_assets.state import change_alerts, database, saved_lists

    with database.session(current_settings()) as session:
        saved = saved_lists.find(session, name)
        channel = _channel(by) if by else None
        stopped = change_alerts.stop_watches(session, saved.id, channel, None, now=datetime.now(UTC))
        session.commit()
    if json:
        emit_document({"list": saved.name, "stopped": stopped})
    else:
        note(f"{saved.name}: {stopped} watches stopped.")


def watches(json: JsonFlag = False) -> None:
    """List who is told what."""
    from leadflow_assets.state import change_alerts, database

    with database.session(current_settings()) as session:
        found = change_alerts.watches(session)
    if found or json:
        emit_rows([vars(each) for each in found], _WATCHES, json)
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
        emit_rows(rows, _MESSAGES, json)
    if not rows:
        note("No message was made yet.")


def tell(
    refresh: Annotated[
        bool, typer.Option("--refresh", help="First bring the watched lists up to date.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Send what the watched lists have to tell. Each event is told once; what failed is tried again.

    Exits with 1 if a message could not be delivered.
    """
    from leadflow_assets.automation.alerts import send_alert
    from leadflow_assets.enrich.changes.email import email_settings
    from leadflow_assets.enrich.changes.telling import refresh_watched
    from leadflow_assets.enrich.changes.telling import tell as tell_all

    settings = current_settings()
    if refresh:
        refresh_watched(settings)
    webhook = partial(send_alert, settings) if settings.leadflow_alert_webhook_url else None
    done = tell_all(settings, webhook=webhook, email=email_settings(settings))
    if json:
        emit_document(vars(done))
    else:
        note(f"{done.made:,} messages with {done.events:,} events made, {done.sent:,} sent.")
    if done.problems:
        raise LeadflowError(
            f"{len(done.problems):,} messages could not be delivered: {'; '.join(done.problems[:3])}.",
            "They are tried again, later each time: leadflow changes outbox.",
        )


_COMMANDS: dict[Any, tuple[str, ...]] = {
    build: ("leadflow changes build", "leadflow changes build bellingham --json"),
    digest: ("leadflow changes digest absentee", "leadflow changes digest absentee --day 2026-11-20"),
    watch: ("leadflow changes watch absentee --by webhook --kind sale --kind list_gained",),
    unwatch: ("leadflow changes unwatch absentee --by email",),
    watches: ("leadflow changes watches",),
    outbox: ("leadflow changes outbox --json",),
    tell: ("leadflow changes tell --refresh",),
}


def _row(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its town's name and a sentence; what does not concern it is left out."""
    from leadflow_assets.domain.changes.words import sentence
    from leadflow_assets.domain.towns import town_by_id

    known = {name: value for name, value in event.items() if value is not None}
    town = town_by_id(event["town_id"]).name if event["town_id"] else None
    return {**known, "town": town, "what": sentence(event)}


def _nothing(settings: Settings) -> str:
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.lake.tables import PROPERTY_CHANGES

    if Lake(settings).snapshot(PROPERTY_CHANGES).partitions:
        return "Nothing of that kind was seen."
    return "Nothing was compared yet: a town needs two releases. `leadflow changes build` compares them."


def _channel(text: str) -> str:
    from leadflow_assets.state.models_changes import CHANNELS

    return _one_of(text, CHANNELS, "channel")


def _one_of(text: str, words: Sequence[str], what: str) -> str:
    if text not in words:
        raise UsageError(f"There is no {what} {text!r}.", f"Choose: {', '.join(words)}.")
    return text


def _rhythm(daily: bool) -> str:
    return "daily" if daily else "now"


def _require_configured(settings: Settings, channel: str) -> None:
    from leadflow_assets.enrich.changes.email import email_settings

    if channel == "webhook" and settings.leadflow_alert_webhook_url is None:
        raise NotConfiguredError("There is no webhook.", "Set LEADFLOW_ALERT_WEBHOOK_URL.")
    if channel == "email" and email_settings(settings) is None:
        raise NotConfiguredError(
            "There is no mail server.",
            "Set LEADFLOW_SMTP_HOST, LEADFLOW_ALERT_EMAIL_FROM and LEADFLOW_ALERT_EMAIL_TO.",
        )


def _moment(text: str | None) -> datetime | None:
    """A day is meant from its first moment on; the lake takes it as its last."""
    if text is None:
        return None
    from leadflow_assets.lake.lake import moment

    found = moment(text)
    if len(text) == len("2026-01-01"):
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    return found
