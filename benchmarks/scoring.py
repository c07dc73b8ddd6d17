"""Distress scores of a whole state: signals, coverage, equity, score and explanations, read and written.

The properties are made up: a tenth has an absent owner out of state, a sixth one in the state, one in a
hundred is an estate; ``--asked`` is the share that ATTOM was asked about (loans, tax, foreclosure, liens).
They are scored a hundred thousand at once from Parquet to Parquet in a process of its own, and a sample of
the same rows one by one with the scalar implementation, in the same process.
Targets: 2.5 million properties in 60 s and 4 GiB on two cores.

Run: ``python -m benchmarks.scoring``; ``--asked 1`` is the worst case.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import measure
from leadflow_assets.domain.distress import score
from leadflow_assets.domain.distress.facts import Asked, case_of, facts_of
from leadflow_assets.domain.distress.signals import derive
from leadflow_assets.enrich.scoring.derive import (
    CASE_COLUMNS,
    EQUITY_SCHEMA,
    PROPERTY_COLUMNS,
    RECORD_COLUMNS,
    database,
    derive_set,
)
from leadflow_assets.enrich.scoring.scores import SCORES_SCHEMA, score_set
from leadflow_assets.lake.columns import arrow_schema
from leadflow_assets.lake.schemas.case_matches import CaseMatches
from leadflow_assets.lake.schemas.mart import Properties
from leadflow_assets.lake.schemas.property_records import PropertyRecords

ASOF = date(2026, 11, 22)
TOLD = date(2026, 11, 1)
AT_ONCE = 100_000
SAMPLE = 2_000
COVERED = frozenset({"bankruptcy_petition"})


def main() -> None:
    """Make the state, score it in a process of its own, print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--properties", type=int, default=2_500_000)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--asked", type=float, default=0.1, help="share that ATTOM was asked about")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        _score(options.folder)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _make(folder, options.properties, options.cases, options.asked)
        usage = measure.run(measure.python("-m", "benchmarks.scoring", f"--folder={folder}"))
        _show(json.loads((folder / "result.json").read_text()), usage)


def _show(result: dict[str, float], usage: measure.Usage) -> None:
    rows, seconds, alone = result["properties"], result["seconds"], result["scalar_rows_per_second"]
    print(f"{rows:,} properties, {result['signals']:,} signals (targets: 60 s, 4,096 MiB)")
    print(f"{'derive, s':26}{result['derive_seconds']:12.1f}")
    print(f"{'score and explain, s':26}{result['score_seconds']:12.1f}")
    print(f"{'all, read and written, s':26}{seconds:12.1f}")
    print(f"{'rows a second':26}{rows / seconds:12,.0f}")
    print(f"{'one by one, rows a second':26}{alone:12,.0f}")
    print(f"{'ratio':26}{rows / seconds / alone:12.1f}")
    print(f"{'its cpu, s':26}{result['cpu']:12.1f}")
    print(f"{'peak, MiB':26}{usage.peak_mib:12.0f}")


def _score(folder: Path) -> None:
    """Part by part, as several towns together; then a sample one by one."""
    derive_seconds = score_seconds = 0.0
    signals = 0
    started, cpu = time.monotonic(), time.process_time()
    source = pq.ParquetFile(folder / "properties.parquet")
    cases, records = (pq.read_table(folder / f"{name}.parquet") for name in ("cases", "records"))
    target = pq.ParquetWriter(folder / "scores.parquet", _out_schema(), compression="zstd")
    with database() as connection, target as out:
        for part in range(source.num_row_groups):
            begun = time.monotonic()
            mine = [
                rows.filter(pc.equal(rows["part"], part)).drop_columns("part") for rows in (cases, records)
            ]
            derived = derive_set(
                connection, source.read_row_group(part), ASOF, cases=mine[0], records=mine[1], covered=COVERED
            )
            middle = time.monotonic()
            scores = score_set(derived.subjects, derived.signals, ASOF)
            score_seconds += time.monotonic() - middle
            derive_seconds += middle - begun
            signals += len(derived.signals)
            for name in derived.equity.column_names:
                scores = scores.append_column(derived.equity.schema.field(name), derived.equity[name])
            out.write_table(scores)
    result = {
        "properties": source.metadata.num_rows,
        "signals": signals,
        "seconds": time.monotonic() - started,
        "cpu": time.process_time() - cpu,
        "derive_seconds": derive_seconds,
        "score_seconds": score_seconds,
        "scalar_rows_per_second": _one_by_one(source, cases, folder),
    }
    (folder / "result.json").write_text(json.dumps(result))


def _out_schema() -> pa.Schema:
    return pa.schema([*SCORES_SCHEMA, *EQUITY_SCHEMA])


def _one_by_one(source: pq.ParquetFile, cases: pa.Table, folder: Path) -> float:
    """Rows a second of the scalar implementation; what it says is compared with what was written."""
    rows = source.read_row_group(0).slice(0, SAMPLE).to_pylist()
    matched: dict[str, list[Any]] = defaultdict(list)
    for row in cases.filter(pc.equal(cases["part"], 0)).to_pylist():
        matched[row["property_id"]].append(case_of(row))
    records = pq.read_table(folder / "records.parquet").slice(0, SAMPLE).to_pylist()
    lists = {row["property_id"]: row for row in records}
    started = time.monotonic()
    scores = []
    for row in rows:
        own = lists.get(row["property_id"], {})
        facts = facts_of(row, own.get("foreclosure_records"), own.get("lien_records"))
        derived = derive(facts, ASOF, Asked(covered=COVERED), matched[row["property_id"]])
        record = score(derived.signals, ASOF, derived.known, not_applicable=derived.not_applicable)
        scores.append((record.score, record.coverage, record.high))
    seconds = time.monotonic() - started
    written = pq.ParquetFile(folder / "scores.parquet").read_row_group(0).slice(0, SAMPLE)
    same = list(zip(*(written[name].to_pylist() for name in ("score", "coverage", "high")), strict=True))
    if same != scores:
        raise SystemExit("The two implementations differ.")
    return len(rows) / seconds


def _make(folder: Path, properties: int, cases: int, asked: float) -> None:
    """Parquet files with a row group per part."""
    schema = _schema(Properties, PROPERTY_COLUMNS)
    rng = np.random.default_rng(1)
    sizes = [min(AT_ONCE, properties - done) for done in range(0, properties, AT_ONCE)]
    case_parts, record_parts = [], []
    first = 0
    with pq.ParquetWriter(folder / "properties.parquet", schema) as out:
        for part, size in enumerate(sizes):
            ids = [f"{part:03d}-{number}" for number in range(first, first + size)]
            first += size
            vendor = rng.random(size) < asked
            out.write_table(_properties(rng, ids, vendor, schema), row_group_size=size)
            case_parts.append(_cases(rng, ids, round(cases * size / properties), part))
            record_parts.append(
                _records(rng, [one for one, has in zip(ids, vendor, strict=True) if has], part)
            )
    pq.write_table(pa.concat_tables(case_parts), folder / "cases.parquet")
    pq.write_table(pa.concat_tables(record_parts), folder / "records.parquet")


def _schema(model: Any, names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([arrow_schema(model).field(name).with_nullable(True) for name in names])


def _days(rng: np.random.Generator, size: int, back: int) -> pa.Array:
    return pa.array(np.datetime64(TOLD) - rng.integers(1, back, size), pa.date32())


def _properties(rng: np.random.Generator, ids: list[str], vendor: Any, schema: pa.Schema) -> pa.Table:
    size = len(ids)
    none = ~vendor

    def given(values: Any, share: float = 1.0) -> pa.Array:
        return pa.array(values, mask=none | (rng.random(size) >= share))

    def day(back: int, share: float = 1.0) -> pa.Array:
        missing = pa.array(none | (rng.random(size) >= share))
        return pc.if_else(missing, pa.scalar(None, pa.date32()), _days(rng, size, back))

    types = ["person", "trust", "company", "estate", "government", "bank", "nonprofit"]
    value = rng.integers(150_000, 1_200_000, size)
    lent = rng.integers(50_000, 800_000, size)
    loans = [
        [{"position": 1, "original_amount": int(amount), "recording_date": TOLD - timedelta(days=int(age)),
          "kind": "P", "lender": None, "rate": None, "document_number": None}] if has else None
        for amount, age, has in zip(lent, rng.integers(30, 9_000, size), vendor, strict=True)
    ]  # fmt: skip
    columns = {
        "property_id": ids,
        "owner_type": rng.choice(types, size, p=[0.78, 0.1, 0.06, 0.01, 0.03, 0.01, 0.01]),
        "owner_name": [f"OWNER NUMBER {one}" for one in ids],
        "owner_count": rng.integers(1, 3, size).astype(np.int32),
        "owner_tax_title": rng.random(size) < 0.001,
        "is_condominium_master": np.zeros(size, bool),
        "occupancy": rng.choice(
            ["owner_occupied", "absentee_in_state", "absentee_out_of_state", "uncertain"],
            size,
            p=[0.65, 0.17, 0.1, 0.08],
        ),
        "source": ["MassGIS L3"] * size,
        "source_date": [date(2026, 3, 1)] * size,
        "fetched_at": pa.array([np.datetime64("2026-04-01T00:00:00")] * size).cast(pa.timestamp("us", "UTC")),
        "fiscal_year": np.full(size, 2026, np.int32),
        "last_sale_date": _days(rng, size, 12_000),
        "sale_is_nominal": rng.random(size) < 0.33,
        "total_value": value,
        "avm_value": given((value * 1.1).astype(np.int64), 0.8),
        "avm_date": day(30),
        "open_loans": pa.array(loans, schema.field("open_loans").type),
        "loan_balance": given(lent // 2, 0.5),
        "equity_source": given(np.array(["ATTOM LOAN_MODEL"] * size)),
        "equity_source_date": day(50),
        "mortgage_source": given(np.array(["ATTOM detailmortgageowner"] * size)),
        "mortgage_source_date": day(50),
        "mortgage_amount": given(lent, 0.7),
        "mortgage_date": day(9_000),
        "foreclosure_source": given(np.array(["ATTOM PREFORECLOSURE"] * size), 0.05),
        "foreclosure_source_date": day(50),
        "foreclosure_stage": given(rng.choice(["default_notice", "lis_pendens", "sale_notice"], size)),
        "foreclosure_recording_date": day(1_000),
        "tax_delinquent_year": given(rng.integers(2018, 2026, size), 0.05),
        "tax_source": given(np.array(["ATTOM TAX_ASSESSOR"] * size)),
        "tax_source_date": day(50),
        "liens_source": given(np.array(["ATTOM LIENS"] * size), 0.5),
        "liens_source_date": day(50),
        "deed_sale_date": day(12_000),
        "deed_sale_price": given(lent, 0.6),
        "deed_source_date": day(50),
    }
    arrays = [
        pa.array(columns[f.name]).cast(f.type) if f.name in columns else pa.nulls(size, f.type)
        for f in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _cases(rng: np.random.Generator, ids: list[str], count: int, part: int) -> pa.Table:
    schema = _schema(CaseMatches, CASE_COLUMNS)
    rows = [
        dict.fromkeys(CASE_COLUMNS)
        | {
            "property_id": ids[int(rng.integers(len(ids)))],
            "case_type": "bankruptcy_petition",
            "party_role": "debtor",
            "title": "held",
            "source": "courtlistener",
            "case_id": f"mab:{part}-{number}",
            "fetched_at": np.datetime64("2026-11-01T00:00:00").item(),
            "date_filed": TOLD - timedelta(days=int(rng.integers(1, 1_500))),
            "method": "name",
            "probability": float(rng.random()),
        }
        for number in range(count)
    ]
    return pa.Table.from_pylist(rows, schema).append_column("part", pa.array([part] * count, pa.int32()))


def _records(rng: np.random.Generator, ids: list[str], part: int) -> pa.Table:
    schema = _schema(PropertyRecords, RECORD_COLUMNS)
    kinds = ["Federal tax lien", "Judgment", "Mechanics lien", "HOA lien"]
    rows = [
        {
            "record_id": f"r{one}",
            "property_id": one,
            "liens_source_date": TOLD,
            "lien_records": [
                {
                    "kind": kinds[int(rng.integers(4))],
                    "recording_date": TOLD - timedelta(days=int(rng.integers(1, 3_000))),
                }
            ]
            if rng.random() < 0.1
            else None,
        }
        for one in ids
    ]
    table = pa.Table.from_pylist(rows, schema)
    return table.append_column("part", pa.array([part] * len(table), pa.int32()))


if __name__ == "__main__":
    main()
