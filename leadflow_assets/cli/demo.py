"""``leadflow demo``: the whole graph on a fictional town, without network or keys."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadflow_assets.cli.common import current_settings, examples
from leadflow_assets.cli.demo_vendors import (
    deliver_attom_files,
    import_court_files,
    run_job,
    withdraw_court_files,
)
from leadflow_assets.cli.output import Column, emit_rows, note, stdout
from leadflow_assets.cli.search import bring_index_up_to_date
from leadflow_assets.errors import UsageError

if TYPE_CHECKING:
    from leadflow_assets.settings import Settings

NextFlag = Annotated[
    bool, typer.Option("--next-release", help="Sampleton a year later: sales, splits, new owners.")
]
OffFlag = Annotated[bool, typer.Option("--off", help="Remove Sampleton from every table and hide it.")]
_LOOKS = (
    (
        "What is in the lake",
        'SELECT table_name AS "table", partitions, rows, one_row_is FROM lake.tables ORDER BY table_name',
    ),
    (
        "Sampleton by property class",
        "SELECT category, count(*) AS properties, sum(total_value) AS assessed_dollars, "
        "median(year_built)::INT AS median_year FROM mart.properties WHERE town_id = 999 "
        "GROUP BY category ORDER BY properties DESC",
    ),
    (
        "Sales of two-families that say something about the market",
        "SELECT site_address, last_sale_date, last_sale_price, total_value, lot_acres FROM mart.properties "
        "WHERE town_id = 999 AND use_code = '104' AND sale_is_market ORDER BY last_sale_date DESC LIMIT 5",
    ),
    (
        "What the source got wrong, and what became of it",
        "SELECT member, reason, disposition, count(*) AS rows FROM ("
        "FROM core.parcels_quarantine UNION ALL FROM core.assessments_quarantine UNION ALL "
        "FROM core.parcel_interests_quarantine) WHERE town_id = 999 GROUP BY ALL ORDER BY ALL",
    ),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = examples("leadflow demo", "leadflow demo --next-release", "leadflow demo --off")
    app.command("demo", epilog=epilog)(demo)


def demo(off: OffFlag = False, next_release: NextFlag = False) -> None:
    """Make the fictional town Sampleton, run the graph on it through Dagster, and show what came out.

    Every name and address in it is invented. It stands beside real towns in the lake as town 999.
    """
    settings = current_settings()
    if off:
        _remove(settings)
        return
    release = _published_year(settings)
    if next_release and release is None:
        raise UsageError("Sampleton is not in the lake yet.", "Run `leadflow demo` first.")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings.demo_marker.touch()
    _run_graph(settings, _write_package(settings, later=next_release, published=release))
    if not next_release:
        deliver_attom_files(settings)
        import_court_files(settings)
    run_job("match_cases_to_properties")
    for job in ("score_properties", "make_leads", "build_changes"):
        run_job(job)
    bring_index_up_to_date(settings)
    if next_release:
        _show_commands(
            [("What changed between the releases", ["changes", "--town", "sampleton", "--limit", "30"])]
        )
    else:
        _show(settings)


def _published_year(settings: Settings) -> int | None:
    """The fiscal year of the Sampleton that is in the lake; None if there is none."""
    from leadflow_assets.domain.towns import SAMPLETON_ID
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.lake.tables import PROPERTIES

    entry = Lake(settings).snapshot(PROPERTIES).partitions.get(PROPERTIES.partition(SAMPLETON_ID))
    return int(entry.facts["fiscal_year"]) if entry is not None else None


def _write_package(settings: Settings, *, later: bool, published: int | None) -> Path:
    """The first release, or the next one once it was asked for: an older one never replaces a newer."""
    from leadflow_assets.sampleton import PackageSpec, next_release, write_package

    path = settings.data_dir / "sampleton" / "L3_SHP_M999_SAMPLETON.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    spec = PackageSpec()
    later = later or (published is not None and published > spec.fiscal_year)
    planted = next_release(spec, path) if later else write_package(spec, path)
    cases = sum(map(len, planted.quirks.values()))
    what = "changes" if later else "quirks"
    note(f"made {path}: {planted.polygons} polygons, {planted.records} records, {cases} planted {what}")
    return path


def _run_graph(settings: Settings, package: Path) -> None:
    """One Dagster run, recorded where ``leadflow ui`` finds it."""
    os.environ["LEADFLOW_DATA_DIR"] = str(settings.data_dir)
    os.environ["LEADFLOW_LAKE"] = settings.lake_uri
    warnings.simplefilter("ignore")  # of Dagster, about its own parts; nothing a person can act on
    config = {"ops": {"massgis": {"config": {"source": str(package)}}}}
    run_job("refresh_towns", "999-sampleton", config)


def _command() -> str:
    """How to call this program from here: by name if it is on the path, else as it was called."""
    called = Path(sys.argv[0])
    if shutil.which("leadflow") or called.name != "leadflow":
        return "leadflow"
    try:
        return str(called.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(called.resolve())


def _show(settings: Settings) -> None:
    from leadflow_assets.domain.towns import SAMPLETON_ID
    from leadflow_assets.lake.catalog import open_catalog
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.refresh.picture import town_picture

    lake = Lake(settings)
    catalog = open_catalog(lake)
    for title, query in _LOOKS:
        stdout().print(f"\n{title}", style="bold")
        relation = catalog.query(query)
        rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        emit_rows(
            rows, [Column(name, number_format=_number_format(name)) for name in relation.columns], False
        )
    catalog.close()
    picture = settings.data_dir / "sampleton" / "map.png"
    picture.write_bytes(town_picture(lake, SAMPLETON_ID).png)
    _show_work(settings)
    command = _command()
    stdout().print("Where it is", style="bold")
    for what, where in (
        ("the page", f"{command} web         then http://127.0.0.1:{settings.leadflow_web_port}"),
        ("GeoParquet", f"{settings.lake_uri}/core, {settings.lake_uri}/mart"),
        ("map", str(picture)),
        ("search", f"{command} search --help"),
        ("ATTOM batches", f"{command} batch list; {command} spend"),
        ("court cases", f"{command} cases list; {command} cases coverage; {command} review list"),
        ("leads", f"{command} leads; {command} leads export --town sampleton -o leads.xlsx"),
        ("a year later", f"{command} demo --next-release; {command} changes"),
        ("SQL", f'{command} sql "FROM mart.properties LIMIT 5"'),
        ("Dagster UI", f"{command} ui          then http://127.0.0.1:3000"),
        ("a real town", f"{command} refresh bellingham"),
        ("end the demo", f"{command} demo --off"),
    ):
        print_line(what, where)


def _show_work(settings: Settings) -> None:
    """Leads, searches and a parcel, by the very commands that a person would type."""
    from leadflow_assets.enrich.leads.reading import LeadFilters, find_leads
    from leadflow_assets.search.criteria import criteria_from
    from leadflow_assets.search.engine import open_searcher

    filters = ["--town", "sampleton", "--use-code", "104", "--absentee", "any", "--sold-before", "2015"]
    equity = ["--town", "sampleton", "--absentee", "any", "--min-equity-pct", "60"]
    tries = [
        ("Two-families with absentee owners who bought before 2015", ["search", *filters, "--limit", "5"]),
        (
            "Absentee owners with 60 % equity or more, by ATTOM's estimate (sample data)",
            ["search", *equity, "--sort", "-available_equity", "--limit", "5"],
        ),
    ]
    from leadflow_assets.domain.towns import SAMPLETON_ID

    with open_searcher(settings) as searcher:
        asked = criteria_from({"towns": ["sampleton"], "use_codes": ["104"], "absentee": "any"})
        found = searcher.search(asked, limit=1, columns=("loc_id",)).rows.to_pylist()
    best = find_leads(settings, LeadFilters(towns=(SAMPLETON_ID,)), limit=1).rows.to_pylist()
    tries.append(
        (
            "Properties whose owners are in court, by files that anybody can bring (sample data)",
            ["search", "--town", "sampleton", "--case", "any", "--sort", "-case_newest", "--limit", "5"],
        )
    )
    if found:
        tries.append(("One of them, with all that is known", ["parcel", "sampleton", found[0]["loc_id"]]))
    tries += [
        ("Whom to talk to first, and why (sample data)", ["leads", "--town", "sampleton", "--limit", "5"]),
        *(("Its score, line by line", ["score", "explain", lead["property_id"]]) for lead in best),
        ("What happened", ["changes", "--town", "sampleton", "--limit", "5"]),
    ]
    _show_commands(tries)


def _show_commands(tries: Sequence[tuple[str, list[str]]]) -> None:
    from leadflow_assets.cli.app import main

    command = _command()
    for title, arguments in tries:
        stdout().print(f"\n{title}", style="bold")
        stdout().print(f"$ {command} {shlex.join(arguments)}", soft_wrap=True)
        main(arguments)


def print_line(what: str, where: str) -> None:
    """One aligned line of the summary."""
    stdout().print(f"  {what:<14}{where}", soft_wrap=True)


def _number_format(name: str) -> str:
    if "year" in name:
        return ""
    return ",.2f" if "acres" in name else ","


def _remove(settings: Settings) -> None:
    from leadflow_assets.domain.towns import SAMPLETON_ID
    from leadflow_assets.enrich.batches.service import Batches
    from leadflow_assets.lake import tables
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.lake.publish import Publisher
    from leadflow_assets.sampleton.attom_files import SAMPLE_PREFIX

    lake = Lake(settings)
    batches = Batches(settings)
    for job in batches.jobs():
        if (job.source_file or "").startswith(SAMPLE_PREFIX):
            batches.withdraw(job.job_id)
    withdraw_court_files(settings)
    removed = 0
    for table in reversed(tables.TABLES):
        partitions = lake.snapshot(table).partitions
        mine = [name for name in partitions if name.split("/")[0] == f"town_id={SAMPLETON_ID}"]
        if mine:
            Publisher(lake.store, "demo-off").publish(table.name, dict.fromkeys(mine))
            removed += len(mine)
    settings.demo_marker.unlink(missing_ok=True)
    note(f"Sampleton is gone: {removed} partitions removed; --as-of reaches them until `leadflow cleanup`.")
