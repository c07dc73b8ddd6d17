"""A delivered file of half a million properties to core, against DuckDB's CSV reader writing Parquet.

The file has the columns of ATTOM's tax assessor file and made-up values, the same at every run. Ours takes it
(archived with its hash), lands it, audits and publishes both tables; DuckDB alone copies it to one Parquet
file. Targets: at least half of DuckDB's speed, below 2 GiB.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from benchmarks import measure

_RUNS = 3
_ROWS = 500_000
_GIB = 1024
# What stands in the columns that a property is made of; i is the number of the row.
_VALUES = {
    "attomid": "1000000 + i * 7",
    "situsstatecode": "'MA'",
    "situscounty": "'EXAMPLE'",
    "situsstatecountyfips": "'25099'",
    "propertyjurisdictionname": "'SAMPLETON ' || i % 50",
    "parcelnumberraw": "concat_ws('-', i % 400, i % 90, i)",
    "propertyaddressfull": "(h % 900 + 1) || ' SAMPLE STREET ' || h % 5000",
    "propertyaddresscity": "'SAMPLETON'",
    "propertyaddressstate": "'MA'",
    "propertyaddresszip": "'019' || lpad((i % 100)::VARCHAR, 2, '0')",
    "latitude": "42 + h % 1000000 / 1000000.0",
    "longitude": "-71 - h % 999983 / 1000000.0",
    "legaldescription": "'LOT ' || h % 900 || ' PLAN ' || i",
    "partyowner1namefull": "'EXAMPLE OWNER ' || h % 200000",
    "partyowner2namefull": "CASE h % 3 WHEN 0 THEN 'SECOND OWNER ' || h % 100000 ELSE '' END",
    "contactownermailaddressfull": "(h % 900 + 1) || ' SAMPLE STREET ' || h % 5000",
    "contactownermailaddresscity": "'SAMPLETON'",
    "contactownermailaddressstate": "'MA'",
    "contactownermailaddresszip": "'01901'",
    "statusowneroccupiedflag": "(h % 3 > 0)::INTEGER",
    "taxyearassessed": "2025",
    "taxassessedvaluetotal": "200000 + h % 900000",
    "taxassessedvalueland": "100000 + h % 90000",
    "taxassessedvalueimprovements": "100000 + h % 80000",
    "taxfiscalyear": "2026",
    "taxbilledamount": "(h % 2000000 / 100.0)::DECIMAL(12, 2)",
    "taxdelinquentyear": "CASE h % 40 WHEN 0 THEN 2024 ELSE 0 END",
    "yearbuilt": "1850 + h % 170",
    "deedlastsaledate": "CASE WHEN h % 5 > 0 THEN (DATE '1990-01-01' + (h % 12000)::INTEGER)::VARCHAR END",
    "deedlastsaleprice": "CASE h % 5 WHEN 0 THEN -1 ELSE 100000 + h % 900000 END",
    "deedlastdocumentnumber": "h % 99999 || '-' || h % 400",
    "areabuilding": "500 + h % 5000",
    "arealotacres": "(h % 500 / 100.0)::DECIMAL(9, 2)",
    "arealotsf": "h % 50000",
    "bedroomscount": "h % 6",
    "publicationdate": "'2026-09-30'",
}


def main() -> None:
    """Measure both in turn, fresh processes each, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=_ROWS)
    parser.add_argument("--runs", type=int, default=_RUNS)
    parser.add_argument("--step", choices=_STEPS, help="one step, as it is measured")
    parser.add_argument("paths", type=Path, nargs="*")
    given = parser.parse_args()
    if given.step:
        _STEPS[given.step](*given.paths, given.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        _compare(Path(folder), given.rows, given.runs)


def _compare(folder: Path, rows: int, runs: int) -> None:
    file = folder / "TAXASSESSOR_0001.txt"
    _step("generate", file, rows=rows)
    print(f"{rows:,} rows, {file.stat().st_size / 2**20:,.0f} MiB, median of {runs}")
    duckdb_alone, ours = [], []
    for number in range(runs):
        duckdb_alone.append(_step("duckdb", file, folder / f"{number}.parquet", rows=rows))
        ours.append(_step("ours", file, folder / f"data{number}", rows=rows))
    measure.show(
        [("DuckDB, CSV to Parquet", _median(duckdb_alone)), ("taken, landed, published", _median(ours))]
    )
    ratio = statistics.median(a.wall / b.wall for a, b in zip(duckdb_alone, ours, strict=True))
    peak = max(usage.peak_mib for usage in ours)
    print(f"speed {ratio:.2f} of DuckDB alone (target: at least 0.5)")
    print(f"peak {peak:,.0f} MiB (target: below {2 * _GIB:,})")


def _step(name: str, *paths: Path, rows: int) -> measure.Usage:
    arguments = ("-m", "benchmarks.attom_files", "--step", name, "--rows", str(rows), *map(str, paths))
    return measure.run(measure.python(*arguments))


def _median(usages: list[measure.Usage]) -> measure.Usage:
    return measure.Usage(
        *(statistics.median(getattr(usage, name) for usage in usages) for name in ("wall", "cpu", "peak_mib"))
    )


def _generate(file: Path, rows: int) -> None:
    import duckdb

    listed = resources.files("leadflow_assets") / "sources/attom/documented_columns.csv"
    with listed.open(encoding="utf-8") as text:
        names = [row["column"] for row in csv.DictReader(text) if row["dataset"] == "TAX_ASSESSOR"]
    # Three columns stand in ATTOM's database and not in its files.
    names = [name for name in names if not name.startswith("db")]
    columns = ", ".join(f'({_value(name, place)})::VARCHAR AS "{name}"' for place, name in enumerate(names))
    source = f"SELECT i, (hash(i) >> 20)::BIGINT AS h FROM range({rows}) AS numbers (i)"
    duckdb.sql(f"COPY (SELECT {columns} FROM ({source})) TO '{file}' (DELIMITER '\t', QUOTE '', ESCAPE '')")


def _value(name: str, place: int) -> str:
    """As measured on a real file: flags and areas are nearly all 0, most texts are empty."""
    if name in _VALUES:
        return _VALUES[name]
    if name.endswith(("flag", "area", "count", "amount")):
        return "0" if place % 4 else f"h % {place + 3}"
    return f"'W' || h % {place + 7}" if place % 5 == 0 else "''"


def _duckdb(file: Path, into: Path, rows: int) -> None:
    import duckdb

    duckdb.execute("SET threads = 2")
    written = duckdb.execute(f"COPY (FROM read_csv('{file}')) TO '{into}' (FORMAT parquet)").fetchone()
    sys.exit(0 if written == (rows,) else "DuckDB wrote another number of rows")


def _ours(file: Path, data: Path, rows: int) -> None:
    from leadflow_assets.enrich.batches import inbox
    from leadflow_assets.enrich.batches.delivered import FilesTransport
    from leadflow_assets.enrich.batches.publishing import publish, stage
    from leadflow_assets.enrich.batches.service import Batches
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS
    from leadflow_assets.settings import load_settings

    settings = load_settings(leadflow_data_dir=data)
    lake = Lake(settings)
    (job,) = inbox.take_paths(settings, Batches(settings), [file])
    landed = FilesTransport(settings, lake).land(job, lake.staging / "benchmark")
    staged = stage(lake, job, landed, landed.facts)
    publish(lake, "benchmark", ATTOM_RESULTS, job.job_id, staged.results)
    publish(lake, "benchmark", ATTOM_PROPERTIES, job.job_id, staged.properties)
    published = staged.properties.data.rows if staged.properties else 0
    sys.exit(0 if published == rows else f"{published} properties were published")


_STEPS: dict[str, Callable[..., None]] = {"generate": _generate, "duckdb": _duckdb, "ours": _ours}

if __name__ == "__main__":
    main()
