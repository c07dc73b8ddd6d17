"""``leadflow changes``: what happened; with `watch` and its like, who is told of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from leadflow_assets.cli.change_alerts import COMMANDS, Kinds, ListName
from leadflow_assets.cli.changes_output import tell_events
from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import emit_document, emit_rows, note
from leadflow_assets.errors import UsageError

_SCREEN_ROWS = 50


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
    `leadflow changes build`, which Dagster does by itself. Without --kind, corrected sale records
    and renumbered properties are left out.
    """
    if context.invoked_subcommand is not None:
        return
    from leadflow_assets.domain.towns import find_town
    from leadflow_assets.lake.lake import first_moment
    from leadflow_assets.search.change_rows import event_row, nothing_found
    from leadflow_assets.search.changes import ChangeQuery, find_changes

    settings = current_settings()
    towns = [find_town(text, demo=settings.demo_on).town_id for text in town] if town else None
    moment = first_moment(since) if since is not None else None
    query = ChangeQuery(since=moment, towns=towns, kinds=kind, list_name=list_)
    found = find_changes(settings, query)
    if json:
        emit_rows([event_row(event) for event in found], (), True)
        return
    if found:
        tell_events(found[:limit])
    more = f"; {len(found) - limit:,} more: --limit" if len(found) > limit else ""
    note(f"{len(found):,} events{more}" if found else nothing_found(settings))


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
        str | None, typer.Option(help="The digest of that morning; none: the coming one.", metavar="DATE")
    ] = None,
    owners: Annotated[bool, typer.Option("--owners", help="With the names of owners.")] = False,
    json: JsonFlag = False,
) -> None:
    """Print a digest: what was seen about a list in the day before 8:00 in the morning in Massachusetts.

    It is the text of the daily e-mail, where that of the day before was sent.
    """
    from leadflow_assets.enrich.changes.messages import digest as write
    from leadflow_assets.enrich.changes.watching import digest_of
    from leadflow_assets.search.change_rows import event_row

    of, found = digest_of(current_settings(), name, _day(day) if day else None)
    if json:
        emit_document({"list": name, "day": of, "events": [event_row(event) for event in found]})
    else:
        typer.echo(write(name, found, owners=owners), nl=False)


_COMMANDS: dict[Any, tuple[str, ...]] = {
    build: ("leadflow changes build", "leadflow changes build bellingham --json"),
    digest: ("leadflow changes digest absentee", "leadflow changes digest absentee --day 2026-11-20"),
    **COMMANDS,
}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a day.", "Write it like 2026-11-20.") from None
