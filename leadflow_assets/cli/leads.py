"""``leadflow leads``: the owners most worth a conversation, why, and where each conversation stands."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples, note_export
from leadflow_assets.cli.leads_output import tell_added, tell_lead, tell_page, tell_report
from leadflow_assets.cli.output import emit_document, emit_rows, note

if TYPE_CHECKING:
    from leadflow_assets.enrich.leads.reading import LeadFilters
    from leadflow_assets.settings import Settings

Towns = Annotated[list[str] | None, typer.Option("--town", help="Id, name or key; may repeat.")]
Grades = Annotated[list[str] | None, typer.Option("--grade", help="A, B, C, D or U; may repeat.")]
Statuses = Annotated[
    list[str] | None,
    typer.Option("--status", help="new, working, contacted, dead or won; default: all but dead."),
]
Opportunities = Annotated[
    list[str] | None, typer.Option("--opportunity", help="high, medium, low or unknown; may repeat.")
]
MinScore = Annotated[float | None, typer.Option("--min-score", min=0, max=100, help="Score, 0 to 100.")]
MinCoverage = Annotated[float | None, typer.Option("--min-coverage", min=0, max=1, help="Coverage, 0 to 1.")]
ListName = Annotated[str | None, typer.Option("--list", help="Only leads with a property on that list.")]
BatchOption = Annotated[str | None, typer.Option("--batch", help="Only leads with a property of that batch.")]
LeadArgument = Annotated[str, typer.Argument(help="Id of the lead, as `leadflow leads` shows it.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it; default: the user of this machine.")]
_EXAMPLE: Final = "lead-3f9a1c0b7d2e4f58"
_PROPERTY: Final = "025-0053-0009-0012"
_SCREEN_ROWS: Final = 25


def register(app: typer.Typer) -> None:
    """Add the commands."""
    leads = typer.Typer(
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    leads.callback(
        invoke_without_command=True,
        epilog=examples(
            "leadflow leads --town bellingham --grade A --grade B",
            "leadflow leads --list absentee --min-coverage 0.3 --json",
            "leadflow leads export --town bellingham -o leads.xlsx",
        ),
    )(list_)
    for command, (name, lines) in _COMMANDS.items():
        leads.command(name, epilog=examples(*lines))(command)
    app.add_typer(leads, name="leads")


def list_(
    context: typer.Context,
    town: Towns = None,
    grade: Grades = None,
    status: Statuses = None,
    opportunity: Opportunities = None,
    min_score: MinScore = None,
    min_coverage: MinCoverage = None,
    list_name: ListName = None,
    batch: BatchOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows.")] = _SCREEN_ROWS,
    offset: Annotated[int, typer.Option(min=0, help="Rows to skip.")] = 0,
    json: JsonFlag = False,
) -> None:
    """Ranked leads: one per owner and mailing address, the highest score first, with the reasons.

    Grade A: score 40 or more, B: 20, C: 8; below, D where half of the points were asked about, else U:
    unknown, not low. Uncalibrated: for ordering only. Opportunity (equity, who decides, whether post reaches
    them) stands beside it.
    """
    if context.invoked_subcommand is not None:
        return
    from leadflow_assets.enrich.leads.reading import find_leads
    from leadflow_assets.enrich.leads.service import outdated

    settings = current_settings()
    filters = _filters(settings, town, grade, status, opportunity, min_score, min_coverage, list_name, batch)
    page = find_leads(settings, filters, limit=limit, offset=offset)
    tell_page(page, offset, json)
    if outdated(settings):
        note("Scores or additions have changed since: `leadflow leads run` brings the leads up to date.")


def run(
    force: Annotated[bool, typer.Option("--force", help="Publish every town anew.")] = False,
    json: JsonFlag = False,
) -> None:
    """Make the leads anew from scores and additions; publish the towns where that changes something."""
    from leadflow_assets.enrich.leads.service import make_leads

    report = make_leads(current_settings(), force=force)
    if json:
        emit_document(asdict(report))
        return
    tell_report(report)


def show(lead_id: LeadArgument, json: JsonFlag = False) -> None:
    """Show one lead: owner, properties, reasons, notices, and the history of the conversation."""
    from leadflow_assets.enrich.leads.reading import lead
    from leadflow_assets.errors import UsageError
    from leadflow_assets.state import database, leads

    settings = current_settings()
    found = lead(settings, lead_id)
    with database.session(settings) as session:
        history = [asdict(event) for event in leads.history(session, lead_id)]
    if found is None and not history:
        raise UsageError(f"There is no lead {lead_id}.", "`leadflow leads` lists them.")
    if json:
        emit_document({"lead": found, "history": history})
        return
    tell_lead(lead_id, found, history)


def status(
    lead_ids: Annotated[
        list[str], typer.Argument(help="Ids of leads, then the status.", metavar="ID... STATUS")
    ],
    note_: Annotated[str, typer.Option("--note", help="What was said or agreed.")] = "",
    by: By = None,
    json: JsonFlag = False,
) -> None:
    """Say where the conversation stands: new, working, contacted, dead or won. Earlier states are kept."""
    from leadflow_assets.enrich.leads.adding import set_status
    from leadflow_assets.errors import UsageError

    *wanted, state = lead_ids
    if not wanted:
        raise UsageError("Give ids and a status.", f"leadflow leads status {_EXAMPLE} contacted")
    events = set_status(current_settings(), wanted, state, by=_who(by), note=note_)
    if json:
        emit_rows([asdict(event) for event in events], (), True)
        return
    note(f"{len(events):,} {'lead is' if len(events) == 1 else 'leads are'} {state} now.")


def add(
    property_ids: Annotated[list[str], typer.Argument(help="Ids of properties, as searches show them.")],
    by: By = None,
    json: JsonFlag = False,
) -> None:
    """Make the owners of properties leads, whatever their scores are."""
    from leadflow_assets.enrich.leads.adding import add_properties
    from leadflow_assets.enrich.leads.reading import leads_of_properties
    from leadflow_assets.enrich.leads.service import make_leads

    settings = current_settings()
    added = add_properties(settings, property_ids, by=_who(by))
    make_leads(settings)
    tell_added(added, leads_of_properties(settings, added.property_ids), json)


def export(
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write: .csv or .xlsx.")],
    town: Towns = None,
    grade: Grades = None,
    status: Statuses = None,
    opportunity: Opportunities = None,
    min_score: MinScore = None,
    min_coverage: MinCoverage = None,
    list_name: ListName = None,
    batch: Annotated[
        str | None, typer.Option("--batch", help="The rows of that batch, with all columns you gave.")
    ] = None,
    format: Annotated[str | None, typer.Option("--format", help="csv|xlsx; default: by the suffix.")] = None,
    json: JsonFlag = False,
) -> None:
    """Write leads to a spreadsheet, with a sidecar that says of what they are made.

    With --batch the file has each of your own rows with all of its columns, and the lead beside it. Leads
    are brought up to date first, so that nobody who asked to be left out is in a file.
    """
    from leadflow_assets.enrich.leads.export import export_batch_leads, export_leads
    from leadflow_assets.errors import UsageError

    settings = current_settings()
    others = (town, grade, status, opportunity, min_score, min_coverage, list_name)
    if batch is not None and any(other is not None for other in others):
        raise UsageError("--batch takes no other filter: every row of yours is kept.", "Leave them out.")
    if batch is not None:
        done = export_batch_leads(settings, batch, output, format=format)
        note_export(settings, f"leads of batch {batch}", {}, done)
    else:
        filters = _filters(
            settings, town, grade, status, opportunity, min_score, min_coverage, list_name, None
        )
        done = export_leads(settings, output, filters, format=format)
        note_export(settings, "leads", {k: v for k, v in filters.document().items() if v}, done)
    if json:
        emit_document({"file": done.path, "sidecar": done.sidecar, "rows": done.rows, "format": done.format,
                       "sha256": done.sha256})  # fmt: skip
        return
    note(f"{done.rows:,} rows written to {done.path}; what they are: {done.sidecar.name}")


def _filters(
    settings: Settings,
    towns: list[str] | None,
    grades: list[str] | None,
    statuses: list[str] | None,
    opportunities: list[str] | None,
    min_score: float | None,
    min_coverage: float | None,
    list_name: str | None,
    batch: str | None,
) -> LeadFilters:
    from leadflow_assets.domain.towns import find_town
    from leadflow_assets.enrich.leads.reading import LeadFilters

    return LeadFilters(
        towns=tuple(find_town(name, demo=settings.demo_on).town_id for name in towns or ()),
        grades=tuple(grade.upper() for grade in grades or ()),
        statuses=tuple(statuses or ()),
        opportunities=tuple(opportunities or ()),
        min_score=min_score,
        min_coverage=min_coverage,
        list_name=list_name,
        batch_id=batch,
    )


def _who(by: str | None) -> str:
    import getpass

    return by or getpass.getuser()


_COMMANDS: dict[Any, tuple[str, tuple[str, ...]]] = {
    run: ("run", ("leadflow leads run", "leadflow leads run --force --json")),
    show: ("show", (f"leadflow leads show {_EXAMPLE}",)),
    status: (
        "status",
        (
            f"leadflow leads status {_EXAMPLE} contacted --note 'call back in May'",
            f"leadflow leads status {_EXAMPLE} dead",
        ),
    ),
    add: ("add", (f"leadflow leads add {_PROPERTY}",)),
    export: (
        "export",
        (
            "leadflow leads export --town bellingham --grade A -o leads.xlsx",
            "leadflow leads export --batch spring -o spring-leads.csv",
        ),
    ),
}
