"""``leadflow search``: parcels by any combination of filters, on the screen or into a file."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples, note_export, without_pandas
from leadflow_assets.cli.output import Column, emit_document, emit_rows, note, progress, stdout
from leadflow_assets.cli.score_words import reasons_text
from leadflow_assets.cli.search_options import SearchOptions, with_search_options
from leadflow_assets.errors import UsageError

if TYPE_CHECKING:
    from leadflow_assets.search.criteria import SearchCriteria
    from leadflow_assets.search.engine import Searcher
    from leadflow_assets.search.index import IndexReport
    from leadflow_assets.search.results import SearchResult
    from leadflow_assets.settings import Settings

_FORMATS = ("table", "json", "csv", "xlsx", "geojson", "geoparquet", "map")
_SCREEN_ROWS = 25
_TOWN = Column("town", "town", wrap=False)
_DISTANCE = Column("distance_m", "metres", ",.0f")
_SHOWN = (
    Column("site_address", "address", min_width=14),
    Column("use_code", "use", wrap=False),
    Column("owner_name", "owner", min_width=14),
    Column("lives", "owner lives", wrap=False),
    Column("total_value", "value $", ","),
    Column("last_sale_date", "last sale", wrap=False),
    Column("last_sale_price", "price $", ","),
    Column("loc_id", "LOC_ID", wrap=False, min_width=16),
)
# Beside them where a search asks for equity; all are ATTOM's figures.
_EQUITY = (
    Column("available_equity", "equity $", ","),
    Column("equity_percent", "equity %", ",.0f"),
    Column("mortgage_amount", "lent $", ","),
)
# Beside them where a search asks for court cases.
_CASES = (
    Column("case_types", "court cases", min_width=12),
    Column("case_best_tier", "tier", wrap=False),
    Column("case_newest", "newest case", wrap=False),
)
# Beside them where a search asks for distress scores.
_SCORES = (
    Column("score", number_format=".1f"),
    Column("score_coverage", "known", ".2f"),
    Column("reasons", min_width=16),
)
# Below this many characters a row would need several lines; LOC_ID opens the parcel with all the rest.
_WIDE = 110
_NOT_WHEN_NARROW = frozenset({"use_code", "last_sale_price", "lives"})
# And these, where what was asked needs columns of its own.
_GIVE_ROOM = frozenset({"owner_name", "total_value"})
_LIVES = {
    "owner_occupied": "here",
    "absentee_in_state": "in state",
    "absentee_out_of_state": "elsewhere",
    "uncertain": "uncertain",
}

SortOption = Annotated[
    list[str] | None,
    typer.Option("--sort", help="Column, -column for descending, or distance. Repeatable.", metavar="COLUMN"),
]
EngineOption = Annotated[str, typer.Option("--engine", help="auto, index or parquet.", hidden=True)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    epilog = examples(
        "leadflow search --town bellingham --use-code 104 --absentee any --sold-before 2005",
        'leadflow search --near "12 MAIN ST, BELLINGHAM" --radius 0.5mi --sort distance',
        "leadflow search --town 25 --owner-type trust --min-value 500000 --format xlsx -o trusts.xlsx",
        "leadflow search --town bellingham --within area.geojson --format map -o map.html",
        'leadflow search --owner "smith jo" --json',
        "leadflow search --town bellingham --case bankruptcy-petition --case-filed-after 2026-01-01",
    )
    app.command("search", epilog=epilog)(with_search_options(search))
    app.command("index", epilog=examples("leadflow index", "leadflow index --force"))(index)


def search(
    options: SearchOptions,
    sort: SortOption = None,
    limit: Annotated[int | None, typer.Option(help="Rows; 25 on the screen, all in a file.", min=1)] = None,
    offset: Annotated[int, typer.Option(help="Rows to skip.", min=0)] = 0,
    format: Annotated[str, typer.Option("--format", help="|".join(_FORMATS))] = "table",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write.")] = None,
    engine: EngineOption = "auto",
    as_of: Annotated[str | None, typer.Option(help="As the data was on that day: 2026-11-22.")] = None,
    json: JsonFlag = False,
) -> None:
    """Search parcels. Filters narrow; places (--near, --within, --bbox) add up.

    A filter never matches a property whose value is unknown. Exit code 0 also when nothing matches:
    then the answer says what was searched.
    """
    if engine not in ("auto", "index", "parquet"):
        raise UsageError(f"There is no engine {engine!r}.", "auto, index or parquet.")
    if format not in _FORMATS:
        raise UsageError(f"There is no format {format!r}.", f"Formats: {', '.join(_FORMATS)}.")
    if format not in ("table", "json") and output is None:
        raise UsageError(
            f"--format {format} needs a file.", f"Add -o FILE.{format if format != 'map' else 'html'}"
        )
    from leadflow_assets.search.case_notes import remark_on_columns
    from leadflow_assets.search.engine import open_searcher
    from leadflow_assets.search.score_notes import notes_on_scores

    with open_searcher(current_settings(), engine=engine, as_of=as_of) as searcher:  # type: ignore[arg-type]
        criteria = options.criteria(searcher)
        order = tuple(sort or _default_sort(criteria))
        if output is not None:
            if format == "table":
                raise UsageError("-o needs a --format.", "csv, xlsx, geojson, geoparquet or map.")
            _export(searcher, criteria, order, (limit, offset), format, output, json)
            return
        with without_pandas() if searcher.engine == "index" else nullcontext():
            result = searcher.search(criteria, sort=order, limit=limit or _SCREEN_ROWS, offset=offset)
            remarks = []
            if (json or format == "json") and not criteria.asks_for_cases:
                remarks = remark_on_columns(searcher.cases)
            if not criteria.asks_for_scores and any("score" in key for key in order):
                remarks += notes_on_scores(searcher.scores, result.freshness)
    if json or format == "json":
        emit_document(_document(criteria, result, offset, remarks))
    else:
        _show(result, offset, more=_more_columns(criteria, order))
        for text in remarks:
            note(text)


def _default_sort(criteria: SearchCriteria) -> tuple[str, ...]:
    from leadflow_assets.search.selection import circles

    return ("distance",) if circles(criteria) else ("property_id",)


def _document(
    criteria: SearchCriteria, result: SearchResult, offset: int, remarks: list[str]
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "criteria": criteria.document(),
        "total": result.total,
        "offset": offset,
        "engine": result.engine,
        "notes": [*result.notes, *remarks],
        "freshness": [asdict(town) for town in result.freshness],
        "rows": result.rows.to_pylist(),
    }


def _more_columns(criteria: SearchCriteria, order: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns that show what was asked or sorted by."""
    from leadflow_assets.search.columns import CASE_COLUMNS, SCORE_COLUMNS
    from leadflow_assets.search.statement import NEEDS_LOANS

    sorted_by = {key.removeprefix("-").replace("-", "_") for key in order}
    asked = set(criteria.filters())
    more: tuple[Column, ...] = ()
    if not asked.isdisjoint(NEEDS_LOANS) or not sorted_by.isdisjoint(column.key for column in _EQUITY):
        more += _EQUITY
    if criteria.asks_for_cases or not sorted_by.isdisjoint(CASE_COLUMNS):
        more += _CASES
    if criteria.asks_for_scores or not sorted_by.isdisjoint(SCORE_COLUMNS):
        more += _SCORES
    return more


def _show(result: SearchResult, offset: int, *, more: tuple[Column, ...] = ()) -> None:
    rows = result.rows.to_pylist()
    if rows:
        columns = [*_SHOWN]
        if more:
            columns[-3:-1] = more
        if len(result.freshness) > 1:
            columns.insert(1, _TOWN)
        if "distance_m" in result.rows.column_names:
            columns.insert(0, _DISTANCE)
        shown_rows = [
            {**row, "lives": _LIVES[row["occupancy"]], "reasons": reasons_text(row.get("score_reasons"))}
            for row in rows
        ]
        if stdout().width < _WIDE:
            columns = [column for column in columns if column.key not in _NOT_WHEN_NARROW]
            if more:
                columns, shown_rows = _owner_below_address(columns, shown_rows)
        emit_rows(shown_rows, columns, False)
        shown = f"{offset + 1:,} to {offset + len(rows):,} of {result.total:,} properties"
        further = offset + len(rows) < result.total
        note(shown + (f"; the next: --offset {offset + len(rows)}" if further else ""))
    elif result.total:
        note(f"There are only {result.total:,} matches; --offset {offset} is beyond them.")
    else:
        note(f"Nothing matches among {sum(t.records for t in result.freshness):,} properties.")
    tell(result.freshness, result.notes)


def _owner_below_address(
    columns: list[Column], rows: list[dict[str, Any]]
) -> tuple[list[Column], list[dict[str, Any]]]:
    """Room for what was asked: the owner stands in the address's cell, and the value is left out."""
    title = Column("where", "address, owner", min_width=18)
    kept = [title if c.key == "site_address" else c for c in columns if c.key not in _GIVE_ROOM]
    texts = ("\n".join(filter(None, (row["site_address"], row["owner_name"]))) for row in rows)
    return kept, [{**row, "where": text} for row, text in zip(rows, texts, strict=True)]


def tell(freshness: Any, notes: Any) -> None:
    """Which releases were searched, and what the search could not know."""
    for town in freshness[:3]:
        dated = f", published {town.source_date}" if town.source_date else ""
        note(f"{town.town}: MassGIS {town.release}{dated}")
    if len(freshness) > 3:
        years = sorted({town.fiscal_year for town in freshness})
        span = f"{years[0]}" if len(years) == 1 else f"{years[0]} to {years[-1]}"
        note(f"... {len(freshness)} towns in all, fiscal years {span}; `leadflow towns` shows each")
    for text in notes:
        note(text)


def _export(
    searcher: Searcher,
    criteria: SearchCriteria,
    order: tuple[str, ...],
    page: tuple[int | None, int],
    format: str,
    output: Path,
    json: bool,
) -> None:
    from leadflow_assets.search.exports.search import export_search

    total = max(0, searcher.count(criteria) - page[1])
    with progress(f"writing {output.name}", min(total, page[0] or total)) as bar:
        done = export_search(
            searcher, criteria, output, format, sort=order, limit=page[0], offset=page[1], on_rows=bar.advance
        )
    note_export(searcher.lake.settings, "search", criteria.filters(), done)
    described = searcher.describe(criteria)
    if json:
        emit_document(
            {
                "file": done.path,
                "sidecar": done.sidecar,
                "rows": done.rows,
                "format": done.format,
                "sha256": done.sha256,
                "notes": described.notes,
            }
        )
        return
    note(f"{done.rows:,} properties written to {done.path}; what they are: {done.sidecar.name}")
    tell(described.freshness, described.notes)


def index(
    force: Annotated[bool, typer.Option("--force", help="Build it even if it is current.")] = False,
    json: JsonFlag = False,
) -> None:
    """Bring the search index up to date with mart/properties, mart/case_matches and mart/distress_scores.

    It is made from the lake alone and may be deleted at any time; without it, search reads Parquet.
    """
    report = bring_index_up_to_date(current_settings(), force=force)
    if json:
        emit_document(
            {
                "path": report.path,
                "built": report.built,
                "rows": report.rows,
                "cases": report.cases,
                "cases_built": report.cases_built,
                "scores_built": report.scores_built,
                "towns": report.towns,
                "seconds": round(report.seconds, 2),
            }
        )
    elif report.built:
        done = f"{report.rows:,} properties of {report.towns} towns indexed in {report.seconds:.1f} s"
        note(f"{done}: {report.path}")
    else:
        note(f"The index is current: {report.rows:,} properties of {report.towns} towns.")
    if report.cases_built and report.cases:
        note(f"{report.cases:,} court cases indexed.")


def bring_index_up_to_date(settings: Settings, *, force: bool = False) -> IndexReport:
    """Build the search index if it is not current, with progress."""
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.lake.tables import PROPERTIES
    from leadflow_assets.search.index import build_index

    lake = Lake(settings)
    with progress("indexing towns", len(lake.snapshot(PROPERTIES).partitions)) as bar:
        return build_index(lake, force=force, on_town=bar.advance)
