"""``leadflow refresh``: fetch what changed and rebuild raw, core and mart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_rows, note, progress
from leadflow_assets.cli.search import bring_index_up_to_date
from leadflow_assets.errors import LeadflowError, UsageError

if TYPE_CHECKING:
    from leadflow_assets.domain.towns import Town
    from leadflow_assets.refresh.run import TownReport
    from leadflow_assets.settings import Settings

_COLUMNS = (
    Column("town", wrap=False),
    Column("status", styles={"refreshed": "green", "failed": "red", "unchanged": "dim"}),
    Column("release", wrap=False),
    Column("polygons", number_format=","),
    Column("records", number_format=","),
    Column("dropped", number_format=","),
    Column("seconds", number_format=".1f"),
    Column("remarks"),
)
TownArguments = Annotated[list[str] | None, typer.Argument(help="Ids, names or partition keys.")]
AllFlag = Annotated[bool, typer.Option("--all", help="Every town of the state.")]
ForceFlag = Annotated[bool, typer.Option(help="Fetch and rebuild even what is unchanged or older.")]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from", help="Package of the one town: a zip on disk (shapefile or geodatabase), or a URL."
    ),
]
SkipFlag = Annotated[bool, typer.Option(help="Do not ask MassGIS; judge packages by age.")]
IndexFlag = Annotated[bool, typer.Option(help="Bring the search index up to date at the end.")]
WorkersOption = Annotated[int | None, typer.Option(min=1, max=64, help="Worker processes.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "refresh",
        epilog=examples(
            "leadflow refresh bellingham",
            'leadflow refresh 25 "West Tisbury" --force',
            "leadflow refresh bellingham --from L3_SHP_M025_BELLINGHAM.zip",
            "leadflow refresh --all --workers 2",
        ),
    )(refresh)


def refresh(
    towns: TownArguments = None,
    every: AllFlag = False,
    force: ForceFlag = False,
    source: FromOption = None,
    skip_remote_check: SkipFlag = False,
    workers: WorkersOption = None,
    index: IndexFlag = True,
    json: JsonFlag = False,
) -> None:
    """Bring towns up to date: fetch their package if it changed, then rebuild raw, core and mart.

    A town that fails keeps what is published, the others go on, and the exit code is 1. Interrupted work
    resumes when the same command is run again.
    """
    from leadflow_assets.refresh.plan import RefreshOptions
    from leadflow_assets.refresh.run import refresh_towns

    settings = current_settings()
    if workers is not None:
        settings = settings.model_copy(update={"leadflow_workers": workers})
    chosen = _chosen(towns or [], every, source, settings)
    options = RefreshOptions(_source(source), force, skip_remote_check)
    reports: list[TownReport] = []
    with progress("refresh", len(chosen)) as bar:
        for report in refresh_towns(settings, chosen, options):
            reports.append(report)
            bar.advance(note=f"{report.town.name} {report.status}")
            if json:
                emit_rows([_row(report, settings)], (), True)
    if not json:
        emit_rows([_row(report, settings) for report in reports], _COLUMNS, False)
    _match_vendor_records(settings, [r.town.town_id for r in reports if r.status == "refreshed"], json)
    if index and any(report.status == "refreshed" for report in reports):
        bring_index_up_to_date(settings)
    _tell_failures([report for report in reports if report.error is not None], len(reports))


def _match_vendor_records(settings: Settings, towns: list[int], json: bool) -> None:
    """A new release may have other property ids: records of vendors find their properties anew."""
    if not towns:
        return
    from leadflow_assets.enrich.unified.merge import merge

    done = merge(settings, towns=towns)
    if not json and done.towns_changed:
        note(f"records of ATTOM matched anew in {len(done.towns_changed)} towns")


def _chosen(names: list[str], every: bool, source: str | None, settings: Settings) -> list[Town]:
    from leadflow_assets.domain.towns import all_towns, find_town, town_by_id
    from leadflow_assets.sources.massgis.package import town_id_in

    if every and (names or source):
        raise UsageError("--all goes with neither TOWN nor --from.", "Name towns, or give --all alone.")
    if every:
        return list(all_towns())
    if names:
        chosen = {town.town_id: town for town in (find_town(name, demo=settings.demo_on) for name in names)}
        return list(chosen.values())
    if source is not None and "://" not in source:
        return [town_by_id(town_id_in(Path(source)))]
    raise UsageError("No town is named.", "Give towns, or --all; see `leadflow refresh --help`.")


def _source(source: str | None) -> str | None:
    """A path as an absolute one, since workers may run elsewhere; a URL as it is.

    Raises:
        UsageError: there is no such file.
    """
    if source is None or "://" in source:
        return source
    path = Path(source).expanduser().resolve()
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", "Give a zip from MassGIS, or a URL.")
    return str(path)


def _row(report: TownReport, settings: Settings) -> dict[str, Any]:
    """What became of a town, with its figures from what is published now."""
    from leadflow_assets.lake import tables
    from leadflow_assets.lake.lake import Lake

    row: dict[str, Any] = {
        "town": report.town.name,
        "town_id": report.town.town_id,
        "status": report.status,
        "seconds": round(report.seconds, 1) if report.seconds else None,
        "remarks": "; ".join(report.notes),
    }
    for column, table in (("polygons", tables.PARCELS), ("records", tables.ASSESSMENTS)):
        entry = next(iter(report.published.get(table.name, {}).values()), None)
        if entry is not None:
            row |= {column: entry.data.rows, "release": entry.facts["release"]}
            row["dropped"] = row.get("dropped", 0) + entry.facts["dropped"]
    if report.error is not None:
        row |= {"error": report.error.message, "hint": report.error.hint, "remarks": report.error.message}
    if report.status == "refreshed":
        row["files"] = Lake(settings).store.uri
    return row


def _tell_failures(failed: list[TownReport], total: int) -> None:
    """Name what failed and end with its exit code.

    Raises:
        LeadflowError: the only town's own error.
        typer.Exit: 1 where several failed, or some did.
    """
    if not failed:
        return
    if total == 1 and failed[0].error is not None:
        raise failed[0].error
    for report in failed:
        note(f"failed: {report.town.name}: {report.error}")
    note(f"{len(failed)} of {total} towns failed and keep what was published before; the others are done.")
    codes = {error.exit_code for report in failed if isinstance(error := report.error, LeadflowError)}
    raise typer.Exit(codes.pop() if len(failed) == total and len(codes) == 1 else 1)
