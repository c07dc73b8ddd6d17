"""``leadflow doctor``: every integration, one row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_rows, progress
from leadflow_assets.errors import LeadflowError

if TYPE_CHECKING:
    from leadflow_assets.refresh.doctor import Finding, Status
    from leadflow_assets.settings import Settings

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "not configured": "dim"}
_COLUMNS = (
    Column("name", "integration"),
    Column("status", styles=_STYLES, wrap=False),
    Column("detail"),
    Column("what_to_do"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "doctor",
        epilog=examples("leadflow doctor", "leadflow doctor --live", "leadflow doctor --repair --json"),
    )(doctor)


def _search_index(settings: Settings) -> Iterator[Finding]:
    """Is the search index there, readable and current? Nothing, where the lake itself has failed."""
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.refresh.doctor import Finding
    from leadflow_assets.search.index import index_path, open_index, outdated, searchable

    name, remedy = "search index", "Run `leadflow index`; until then searches read Parquet."
    try:
        snapshot, _ = searchable(Lake(settings))
    except LeadflowError:
        return  # the lake's own row says it
    connection = open_index(settings)
    if not snapshot.partitions:
        yield Finding(name, "ok", "not needed yet: mart/properties is empty")
    elif connection is None:
        yield Finding(name, "warning", f"none that can be read at {index_path(settings)}", remedy)
    elif old := outdated(connection, snapshot):
        yield Finding(name, "warning", f"older than mart/properties in {len(old)} partitions", remedy)
    else:
        yield Finding(name, "ok", f"{len(snapshot.partitions)} towns, current: {index_path(settings)}")


def _attom(settings: Settings, live: bool) -> Iterator[Finding]:
    """ATTOM's ledger and batches; with ``live`` and a key, one question that no property answers: free."""
    from leadflow_assets.enrich.health import ask_for_nothing, attention
    from leadflow_assets.refresh.doctor import Finding

    try:
        todo = attention(settings)
    except LeadflowError:
        return  # the state database's own row says it
    status: Status = "warning" if todo.warnings else "ok"
    yield Finding("ATTOM batches", status, todo.detail, " ".join(todo.warnings))
    if not live or settings.attom_api_key is None:
        return
    try:
        yield Finding("ATTOM live", "ok", ask_for_nothing(settings))
    except LeadflowError as error:
        yield Finding("ATTOM live", "failed", error.message, error.hint)


def _court_cases(settings: Settings, live: bool) -> Iterator[Finding]:
    """How far court cases go and what waits; with ``live`` and a token, what the account has used: free."""
    from leadflow_assets.enrich.courts.health import ask_for_usage, attention
    from leadflow_assets.refresh.doctor import Finding

    try:
        todo = attention(settings)
    except LeadflowError:
        return  # the lake's or the state database's own row says it
    status: Status = "warning" if todo.warnings else "ok"
    yield Finding("court cases", status, todo.detail, " ".join(todo.warnings))
    if not live or settings.courtlistener_api_key is None:
        return
    try:
        yield Finding("CourtListener live", "ok", ask_for_usage(settings))
    except LeadflowError as error:
        yield Finding("CourtListener live", "failed", error.message, error.hint)


def _alerts(settings: Settings) -> Iterator[Finding]:
    """May e-mail be sent, and is anything waiting that should have been? Nothing is sent."""
    from leadflow_assets.enrich.changes.health import email_state, outbox
    from leadflow_assets.refresh.doctor import Finding

    email = email_state(settings)
    states: dict[bool | None, Status] = {True: "ok", False: "not_configured", None: "warning"}
    yield Finding("e-mail alerts", states[email.configured], email.detail, email.what_to_do)
    try:
        found = outbox(settings)
    except LeadflowError:
        return  # the state database's own row says it
    name, detail = "change alerts", f"{found.watches:,} watches, {found.waiting:,} messages wait"
    if found.since is None:
        yield Finding(name, "ok", detail)
        return
    detail += f", {found.refused:,} were refused: since {found.since:%Y-%m-%d %H:%M} UTC: {found.problem}"
    yield Finding(name, "warning", detail, "They are tried again by themselves: `leadflow changes outbox`.")


def _purges(settings: Settings, repair: bool) -> Iterator[Finding]:
    """Is every purge finished? ``repair`` finishes them; nothing, where nobody ever purged."""
    from leadflow_assets.enrich.purge.service import Purges
    from leadflow_assets.refresh.doctor import Finding

    try:
        purges = Purges(settings)
        if repair:
            purges.resume()
        every = purges.all()
    except LeadflowError:
        return  # the lake's or the state database's own row says it
    waiting = sum(purge.finished_at is None for purge in every)
    if waiting:
        yield Finding("purges", "failed", f"{waiting} not finished", "Run `leadflow purge resume`.")
    elif every:
        yield Finding("purges", "ok", f"{len(every)}, all finished")


def doctor(
    live: Annotated[
        bool, typer.Option("--live", help="Also ask MassGIS, ATTOM and CourtListener, at no cost.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Put current copies right and remove what dead runs left.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Examine every integration and say what to do.

    One row each: is it configured, reachable, writable, and in which version.

    Exit code 1 if something failed. What is not configured has not failed.
    """
    settings = current_settings()
    # Imported late: it brings DuckDB and the schemas.
    from leadflow_assets.refresh.doctor import examine

    rows = []
    with progress("Examining") as step:
        for finding in chain(
            examine(settings, live=live, fix=repair),
            _search_index(settings),
            _attom(settings, live),
            _court_cases(settings, live),
            _alerts(settings),
            _purges(settings, repair),
        ):
            rows.append(asdict(finding))
            step.advance(note=finding.name)
    if not json:
        rows = [{**row, "status": row["status"].replace("_", " ")} for row in rows]
    emit_rows(rows, _COLUMNS, json)
    if any(row["status"] == "failed" for row in rows):
        raise typer.Exit(1)
