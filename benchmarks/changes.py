"""Events of the whole state between two releases, against the least a plain DuckDB query could do.

Records are made up set by set, not refreshed from packages: of the second release some are sold, some
revalued, some gone and some new. The peer joins the two releases on PROP_ID and compares seven columns;
it follows nothing and tells no respelling from another owner. The number of planted events is checked.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import measure
from leadflow_assets.domain.towns import all_towns
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, StagedFile, StagedPartition, sha256_of, upload
from leadflow_assets.lake.tables import ASSESSMENT_RELEASES, SCHEMA_VERSION
from leadflow_assets.settings import load_settings

_RELEASES = (("CY24_FY25", 2025), ("CY25_FY26", 2026))
_BUILD = """
import json, sys
from leadflow_assets.enrich.changes.service import build
from leadflow_assets.settings import load_settings
done = build(load_settings(leadflow_data_dir=sys.argv[1]))
open(sys.argv[2], "w").write(json.dumps(done.added))
"""
_PEER = """
import sys, duckdb
base = sys.argv[1] + "/lake/core/assessment_releases/*/release="
sql = '''SELECT n.town_id, n.prop_id
FROM read_parquet('{0}CY25_FY26/*.parquet', hive_partitioning = false) AS n
FULL JOIN read_parquet('{0}CY24_FY25/*.parquet', hive_partitioning = false) AS o USING (town_id, prop_id)
WHERE o.prop_id IS NULL OR n.prop_id IS NULL OR o.owner1 <> n.owner1 OR o.own_addr IS DISTINCT FROM n.own_addr
OR o.ls_date IS DISTINCT FROM n.ls_date OR o.ls_price <> n.ls_price OR o.total_val <> n.total_val
OR o.use_code <> n.use_code OR o.loc_id <> n.loc_id'''.format(base)
print(len(duckdb.connect(config={"memory_limit": "4GB"}).execute(sql).fetchall()))
"""
# One record of a hundred each is sold, gets another trust, is revalued apart, vanishes and appears.
_RECORDS = """
WITH n AS (SELECT range AS i, range % 100 AS c FROM range($first, $last))
SELECT {columns} FROM n
WHERE NOT ($later AND c = 8) AND ($later OR c <> 9)
"""
_VALUES = {
    "town_id": "$town",
    "assessment_id": "format('{:03d}-{}-{}', $town, $release, i)",
    "prop_id": "format('{:07d}', i)",
    "cama_id": "(i + 500000)::VARCHAR",
    "loc_id": "format('M_{}_{}', 100000 + i % 1000, 800000 + i // 1000)",
    "parcel_match": "'loc_id_dangling'",
    "bldg_val": "200000 + i % 977 * 400",
    "land_val": "120000",
    "other_val": "0",
    # Everything is revalued by four to six percent; one class of c by half.
    "total_val": "((320000 + i % 977 * 400) * CASE WHEN NOT $later THEN 1 WHEN c = 7 THEN 1.5 "
    "ELSE 1.04 + i % 21 / 1000 END)::BIGINT",
    "fy": "$fy",
    "release": "$release",
    "lot_units": "'A'",
    "ls_date": "CASE WHEN $later AND c = 5 THEN DATE '2025-03-04' "
    "ELSE DATE '2001-01-01' + (i % 7000)::INTEGER END",
    "ls_date_status": "'ok'",
    "ls_price": "CASE WHEN $later AND c = 5 THEN 480000 ELSE 150000 + i % 1000 * 100 END",
    "ls_bulk": "false",
    "use_code": "'101'",
    "site_addr": "format('{} {}{}TON ST', i % 300 + 1, chr((65 + i % 26)::INTEGER), "
    "chr((65 + i // 26 % 26)::INTEGER))",
    "owner1": "CASE WHEN $later AND c = 5 THEN format('NEWCOMER{}, ADA', i) WHEN $later AND c = 6 "
    "THEN format('HOLDER{} FAMILY TRUST', i) WHEN $later AND c < 3 THEN format('HOLDER{} BASIL', i) "
    "ELSE format('HOLDER{}, BASIL', i) END",
    "city": "'SAMPLETON'",
}


def main() -> None:
    """Make the releases, then measure the peer, a first build and a second one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--towns", type=int, default=351)
    parser.add_argument("--records", type=int, default=2_500_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch)
        expected = _make(data, options.towns, options.records)
        peer = measure.run(measure.python("-c", _PEER, str(data)))
        told = data / "told.json"
        first = measure.run(measure.python("-c", _BUILD, str(data), str(told)))
        found = json.loads(told.read_text())
        second = measure.run(measure.python("-c", _BUILD, str(data), str(told)))
        print(f"{options.towns} towns, {options.records:,} records, two releases; events: {found}")
        measure.show([("plain DuckDB join", peer), ("first build", first), ("again, nothing new", second)])
        print(f"ratio to the plain query: {first.wall / peer.wall:.1f} in seconds")
        print(f"{options.records / first.wall:,.0f} records a second; peak {first.peak_mib:,.0f} MiB")
        if found != expected or json.loads(told.read_text()):
            sys.exit(f"expected {expected}, and nothing the second time")


def _make(data: Path, towns: int, records: int) -> dict[str, int]:
    """Publish both releases; returns how many events of which kind they hold."""
    settings = load_settings(leadflow_data_dir=data)
    lake, connection = Lake(settings), duckdb.connect()
    each = records // towns
    entries = {}
    schema = ASSESSMENT_RELEASES.schema
    columns = ", ".join(f"{_VALUES.get(name, 'NULL')} AS {name}" for name in schema.names)
    for town in all_towns()[:towns]:
        for later, (release, fiscal_year) in enumerate(_RELEASES):
            values = {"first": 0, "last": each, "later": bool(later), "town": town.town_id}
            sql = _RECORDS.format(columns=columns)
            known = {**values, "release": release, "fy": fiscal_year}
            path = data / f"{town.town_id}-{release}.parquet"
            table = connection.execute(sql, known).to_arrow_table().cast(schema)
            _write(path, table)
            staged = StagedPartition(
                ASSESSMENT_RELEASES.name,
                ASSESSMENT_RELEASES.partition(town.town_id, release),
                {"data": StagedFile(path, table.num_rows, sha256_of(path))},
                "benchmark", {}, SCHEMA_VERSION, "benchmark",
                {"release": release, "fiscal_year": fiscal_year},
            )  # fmt: skip
            entries[staged.partition] = upload(lake.store, staged)
            path.unlink()
    Publisher(lake.store, "benchmark").publish(ASSESSMENT_RELEASES.name, entries)
    hundredth = {c: sum(i % 100 == c for i in range(each)) * towns for c in (5, 6, 7, 8, 9)}
    return {
        "sale": hundredth[5],
        "owner_changed": hundredth[6],
        "value_moved": hundredth[7],
        "vanished": hundredth[8],
        "appeared": hundredth[9],
    }


def _write(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, compression="zstd", row_group_size=16_384)


if __name__ == "__main__":
    main()
