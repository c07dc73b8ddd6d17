"""``leadflow score``: distress scores made, explained line by line, and validated."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import emit_document, note
from leadflow_assets.cli.score_validate import TableOption, TownArguments, validate

PropertyArgument = Annotated[str, typer.Argument(help="Id of the property, as searches show it.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="As known on that day: 2026-11-01.", metavar="DATE")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    score = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        help="Distress scores: how much points to trouble, how much of it is known, and every reason.",
        epilog=examples("leadflow score run", "leadflow score explain 025-0053-0009-0012"),
    )
    for command, (name, lines) in _COMMANDS.items():
        score.command(name, epilog=examples(*lines))(command)
    app.add_typer(score, name="score")


def explain(
    property_id: PropertyArgument, as_of: AsOfOption = None, table: TableOption = None, json: JsonFlag = False
) -> None:
    """Show the score of a property line by line; the points of the lines that count add up to it.

    It is reckoned anew for the day asked for, from what was here by then. Score and coverage are two
    numbers: what nobody was asked about is unknown, not zero. ATTOM's propensity stands beside it.
    """
    from leadflow_assets.cli.score_text import show
    from leadflow_assets.enrich.scores.explain import explain as explained

    found = explained(current_settings(), property_id, asof=_day(as_of), table_version=table)
    if json:
        emit_document(found.document())
        return
    show(found)


def run(
    towns: TownArguments = None,
    force: Annotated[bool, typer.Option("--force", help="Publish every town anew.")] = False,
    table: TableOption = None,
    json: JsonFlag = False,
) -> None:
    """Score all properties as of today and publish the towns where that changes something.

    A town whose data is the same is published anew only when what counts has changed, or when a number has
    moved by a whole point: events lose points with every day.
    """
    from leadflow_assets.domain.towns import find_town, town_by_id
    from leadflow_assets.enrich.scores.service import score_towns

    settings = current_settings()
    chosen = [find_town(name, demo=settings.demo_on).town_id for name in towns] if towns else None
    report = score_towns(settings, towns=chosen, table_version=table, force=force)
    if json:
        emit_document(asdict(report))
        return
    if report.needs_refresh:
        names = ", ".join(report.needs_refresh[:5])
        note(f"Made by an older version, so not scored: {names}. Run `leadflow refresh` for them.")
    if not report.towns:
        note("There is no data yet: `leadflow demo` or `leadflow refresh TOWN` brings some.")
        return
    if not report.scored:
        typer.echo(f"Nothing has changed: the scores are as of {report.asof} ({report.towns:,} towns).")
        return
    names = ", ".join(town_by_id(town).name for town in report.towns_changed[:5]) or "none"
    more = f" and {len(report.towns_changed) - 5} more" if len(report.towns_changed) > 5 else ""
    typer.echo(
        f"{report.properties:,} properties scored as of {report.asof} ({report.version}, "
        f"{report.table_hash}): of {report.unknown:,} nothing is known, {report.not_applicable:,} have none."
    )
    typer.echo(f"Towns published: {names}{more}.")
    if report.faults:
        note(f"{report.faults:,} signals were refused for a fault of their data (no date, or one ahead).")


def _day(text: str | None) -> Any:
    from datetime import date

    from leadflow_assets.errors import UsageError

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of {text!r} is no day.", "Write it as 2026-11-01.") from None


_COMMANDS: dict[Any, tuple[str, tuple[str, ...]]] = {
    run: ("run", ("leadflow score run", "leadflow score run bellingham --json")),
    explain: (
        "explain",
        (
            "leadflow score explain 025-0053-0009-0012",
            "leadflow score explain 025-0053-0009-0012 --as-of 2026-11-01 --json",
        ),
    ),
    validate: (
        "validate",
        (
            "leadflow score validate",
            "leadflow score validate bellingham --known-from published",
            "leadflow score validate --deeds-complete 2020-01-01:2025-12-31 --json",
        ),
    ),
}
