"""``leadflow doctor``: every integration, one row."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_rows, progress

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
    from leadflow_assets.enrich.checks import examine_all

    rows = []
    with progress("Examining") as step:
        for finding in examine_all(settings, live=live, repair=repair):
            rows.append(asdict(finding))
            step.advance(note=finding.name)
    if not json:
        rows = [{**row, "status": row["status"].replace("_", " ")} for row in rows]
    emit_rows(rows, _COLUMNS, json)
    if any(row["status"] == "failed" for row in rows):
        raise typer.Exit(1)
