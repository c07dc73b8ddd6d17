"""``leadflow cases``: court cases asked of CourtListener, brought as files, and how far they go."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli import case_find, case_lookup
from leadflow_assets.cli.cases_output import (
    tell_cases,
    tell_coverage,
    tell_import,
    tell_refresh,
)
from leadflow_assets.cli.cases_work import matched, refreshed
from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.errors import LeadflowError, UsageError

if TYPE_CHECKING:
    from leadflow_assets.enrich.courts.service import Courts

CourtOption = Annotated[
    list[str] | None,
    typer.Option("--court", help="Court id such as mab; may repeat. Default: LEADFLOW_COURTS."),
]
MonthOption = Annotated[
    list[str] | None,
    typer.Option("--month", help="Month filed, whole, as 2026-10; may repeat.", metavar="YYYY-MM"),
]
FileArgument = Annotated[Path, typer.Argument(help="CSV, Excel workbook or docket report (JSON).")]
SourceOption = Annotated[
    str | None, typer.Option("--source", help="Kind of the file, as listed above.", metavar="KIND")
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="A column by the part it plays; may repeat.", metavar="PART=COLUMN"),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    cases = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        help="Court cases: bankruptcies and federal suits from CourtListener, all others from your files.",
        epilog=examples(
            "leadflow cases refresh",
            "leadflow cases import tax-liens.csv --source land_court_tax_lien --dry-run",
            "leadflow cases find bellingham F_667198_2853392",
            "leadflow cases coverage",
        ),
    )
    for command, (name, lines) in _COMMANDS.items():
        cases.command(name, epilog=examples(*lines))(command)
    case_find.register(cases)
    case_lookup.register(cases)
    app.add_typer(cases, name="cases")


def opened() -> Courts:
    """The court cases of the effective settings."""
    from leadflow_assets.enrich.courts.service import Courts

    return Courts(current_settings())


def refresh(court: CourtOption = None, month: MonthOption = None, json: JsonFlag = False) -> None:
    """Ask CourtListener for what is new, publish it, and spend what is left of the day well.

    First the days since the last time, with some overlap, then dockets without a day, then a month further
    back (LEADFLOW_COURT_BACKFILL_FROM) and the parties of the cases most worth it.

    With --month: that month, whole, and nothing else; about 30 calls for a month of mab.

    An account without membership has 5 calls a minute, 50 an hour and 125 a day. Waits are announced.
    Where the day is used up the exit code is 4, what was fetched is published, and the same command goes
    on later without asking anything twice.
    """
    courts = opened()
    try:
        report = refreshed(courts, court, month)
    except LeadflowError:
        if not json and (courts.report.calls or courts.report.landed.partitions):
            tell_refresh(courts.report, json)
        raise
    tell_refresh(report, json)
    if report.stopped:
        raise KeyboardInterrupt
    matched(courts.settings)


def import_(
    file: FileArgument,
    source: SourceOption = None,
    stated_source: Annotated[
        str | None, typer.Option("--from", help="Where the file comes from, in your words.", metavar="TEXT")
    ] = None,
    map_: MapOption = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; default: the first.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out rows that cannot be used; else nothing is taken.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be imported; change nothing.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Import cases from anywhere: all rows of the file, or none.

    Kinds: land_court_servicemembers, land_court_tax_lien, registry_order_of_notice,
    registry_foreclosure_deed, probate, housing_court, other, docket_file (a .json is one).

    Templates of each are in docs/templates. The same rows again renew their expiry; evictions are kept
    for 90 days. Social security and employer numbers are taken out before anything is kept.
    """
    report = opened().import_file(
        file,
        source,
        stated_source=stated_source,
        mapping=_mapping(map_ or []),
        sheet=sheet,
        skip_bad=skip_bad,
        dry_run=dry_run,
    )
    tell_import(asdict(report), json)
    if not dry_run:
        matched(current_settings())
    if dry_run and report.bad_rows and not skip_bad:
        raise typer.Exit(UsageError.exit_code)


def match(
    force: Annotated[bool, typer.Option("--force", help="Match although nothing has changed.")] = False,
) -> None:
    """Match the parties of all cases with the owners of all properties that are here.

    Refresh and import do this by themselves; after towns were refreshed it is due again. Nothing is asked of
    anybody, and nothing is done where nothing has changed.
    """
    matched(current_settings(), force=force)


def coverage(
    case_type: Annotated[
        str | None, typer.Option("--type", help="Only one case type, as `cases list` names it.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Say for every case type and source since when it is covered, what is stale, and what is not covered.

    "0 found" means nothing without it: most courts and all registries of Massachusetts have no open feed.
    """
    from leadflow_assets.domain.courts.kinds import CASE_TYPES

    if case_type is not None and case_type not in CASE_TYPES:
        raise UsageError(f"There is no case type {case_type!r}.", f"There are: {', '.join(CASE_TYPES)}.")
    rows = [row for row in opened().coverage() if case_type in (None, row.case_type)]
    tell_coverage(rows, json)


def list_(
    court: Annotated[str | None, typer.Option(help="Court id, such as mab.")] = None,
    month: Annotated[str | None, typer.Option(help="Month filed, as 2026-10, or `unknown`.")] = None,
    case_type: Annotated[str | None, typer.Option("--type", help="Case type.")] = None,
    source: Annotated[
        str | None, typer.Option(help="courtlistener, or the kind of an imported file.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most cases to show.")] = 50,
    json: JsonFlag = False,
) -> None:
    """List the cases that are here and in force, the newest first."""
    from leadflow_assets.enrich.courts.listing import list_cases
    from leadflow_assets.enrich.courts.walking import court_day

    courts = opened()
    today: date = court_day(courts.now())
    found = list_cases(
        courts.lake, today, court=court, month=month, case_type=case_type, source=source, limit=limit
    )
    tell_cases(found, case_type, courts.coverage(today), json)


def _mapping(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    wrong = next((text for text, pair in zip(given, pairs, strict=True) if not (pair[0] and pair[2])), None)
    if wrong is not None:
        raise UsageError(f"--map {wrong!r} names no column.", 'Write --map owner="Assessed To Name".')
    return {part.strip(): column.strip() for part, _, column in pairs}


_COMMANDS: dict[Any, tuple[str, tuple[str, ...]]] = {
    refresh: (
        "refresh",
        ("leadflow cases refresh", "leadflow cases refresh --court mab --month 2026-10"),
    ),
    import_: (
        "import",
        (
            "leadflow cases import liens.csv --source land_court_tax_lien --dry-run",
            'leadflow cases import cases.xlsx --source other --map party="Assessed To" --from "Town list"',
            "leadflow cases import docket.json",
        ),
    ),
    match: ("match", ("leadflow cases match",)),
    coverage: ("coverage", ("leadflow cases coverage", "leadflow cases coverage --type eviction --json")),
    list_: ("list", ("leadflow cases list --type foreclosure_suit", "leadflow cases list --month 2026-10")),
}
