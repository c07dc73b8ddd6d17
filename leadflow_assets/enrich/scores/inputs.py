"""What scoring reads: properties, their records and matched cases, and what was asked of whom.

Of ATTOM a group counts as asked on the day of its last answer, where an endpoint spoke of it; a delivered
file counts by its own day, which stands in mart/properties. An answer that there is no foreclosure counts
where ATTOM knows the property by another record: else it may not have known what was asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.courts.notices import SEALED_LATER
from leadflow_assets.domain.distress.courts_asked import covered_types
from leadflow_assets.domain.distress.table import ScoreTable
from leadflow_assets.enrich.scoring import ASKED_SCHEMA, CASE_COLUMNS, RECORD_COLUMNS
from leadflow_assets.enrich.scoring.derive import local_days
from leadflow_assets.lake import tables
from leadflow_assets.lake.catalog import connect, quoted
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import SCHEMA_VERSION
from leadflow_assets.refresh.code import hash_of_code
from leadflow_assets.sources.attom.endpoints import ENDPOINTS, PREFORECLOSURE

# What decides how properties are scored, beside the tables.
_RULES: Final = (
    "domain/distress",
    "domain/distress/tables",
    "domain/loans",
    "domain/reference",
    "enrich/scoring",
    "enrich/scores",
)
_ENDINGS: Final = (".py", ".sql", ".toml", ".csv")
_RECORDS: Final = "property_id, town_id, foreclosure_source, foreclosure_fetched_at, mortgage_source, \
mortgage_fetched_at, equity_source, equity_fetched_at"
_SAID: Final = """
WITH told AS (SELECT {columns} FROM records WHERE property_id IS NOT NULL), said AS (
    SELECT property_id, town_id, 'foreclosure' AS what, foreclosure_fetched_at AS answered FROM told
    WHERE foreclosure_source IN ({endpoints})
    UNION ALL
    SELECT property_id, town_id, 'loans', mortgage_fetched_at FROM told WHERE mortgage_source IN ({endpoints})
    UNION ALL
    SELECT property_id, town_id, 'loans', equity_fetched_at FROM told WHERE equity_source IN ({endpoints})
    UNION ALL
    SELECT a.property_id, t.town_id, 'foreclosure', a.fetched_at
    FROM answers AS a JOIN (SELECT DISTINCT property_id, town_id FROM told) AS t USING (property_id)
    WHERE a.endpoint = '{foreclosures}'
        AND (a.outcome = 'returned' OR (a.outcome = 'no_match' AND (a.reason IS NULL OR a.reason = 'empty')))
)
SELECT town_id, property_id, max(answered) FILTER (WHERE what = 'foreclosure') AS foreclosure,
    NULL::TIMESTAMPTZ AS tax, NULL::TIMESTAMPTZ AS liens, max(answered) FILTER (WHERE what = 'loans') AS loans
FROM said GROUP BY ALL ORDER BY town_id, property_id
"""
# A person's no counts for every source that tells the same of the same party, as in search.case_rows.
_CASES: Final = r"""
WITH told AS (
    SELECT *, trim(regexp_replace(upper(party_name), '[^\pL\pN]+', ' ', 'g')) AS party FROM {matches}
), refused AS (
    SELECT DISTINCT property_id, case_id, party FROM told WHERE decision = 'rejected'
)
SELECT {columns} FROM told
WHERE tier IN ('confirmed', 'possible')
  AND (decision = 'confirmed' OR (property_id, case_id, party) NOT IN (FROM refused))
ORDER BY ALL
"""


@dataclass(frozen=True)
class Inputs:
    """One snapshot of each table, by town; ``snapshot`` is that of the scores.

    ``older`` are towns whose properties another version made. ``covered`` are the case types
    whose sources were asked. ``answers`` are raw/attom_results by batch.
    """

    lake: Lake
    properties: Mapping[int, PartitionEntry]
    older: frozenset[int]
    records: Mapping[int, PartitionEntry]
    matches: Mapping[int, PartitionEntry]
    answers: Mapping[str, PartitionEntry]
    published: Mapping[int, PartitionEntry]
    snapshot: int
    covered: frozenset[str]

    @property
    def fresh_days(self) -> int:
        """For how many days an answer of ATTOM stays fresh."""
        return self.lake.settings.attom_cache_max_age_days

    def state(self, table: ScoreTable) -> str:
        """Names everything that all scores depend on, but the day."""
        parts = (self.properties, self.records, self.matches, self.answers)
        content = [
            rules_version(),
            _named(table),
            sorted(self.covered),
            self.fresh_days,
            *([str(key), e.data.sha256] for part in parts for key, e in sorted(part.items())),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def read_inputs(lake: Lake, asof: date, table: ScoreTable, when: str | None = None) -> Inputs:
    """What is published now, or was at the end of the day ``when`` (UTC).

    Of a past day it is not known how far courts had been asked: none counts as asked then.

    Raises:
        UsageError: the history of that day has been cleaned up.
        StoreError: the lake or the state database cannot be read.
    """
    properties = lake.snapshot(tables.PROPERTIES, when).by_town()
    scores = lake.snapshot(tables.DISTRESS_SCORES)
    current = _current(properties)
    return Inputs(
        lake=lake,
        properties=current,
        older=frozenset(properties.keys() - current.keys()),
        records=_current(lake.snapshot(tables.PROPERTY_RECORDS, when).by_town()),
        matches=_current(lake.snapshot(tables.CASE_MATCHES, when).by_town()),
        answers=_current(lake.snapshot(tables.ATTOM_RESULTS, when).partitions),
        published=scores.by_town(),
        snapshot=scores.number,
        covered=frozenset() if when else _covered(lake, asof, table),
    )


def _covered(lake: Lake, asof: date, table: ScoreTable) -> frozenset[str]:
    # Imported late: the state database costs a third of a second.
    from leadflow_assets.search.court_facts import court_facts

    return covered_types(court_facts(lake.settings, lake), asof, table)


def _current(entries: Mapping[Any, PartitionEntry]) -> dict[Any, PartitionEntry]:
    return {name: entry for name, entry in entries.items() if entry.schema_version == SCHEMA_VERSION}


@cache
def rules_version() -> str:
    """Twelve hex digits that change with any rule of scoring."""
    return hash_of_code(_RULES, endings=_ENDINGS)


def town_inputs(inputs: Inputs, town: int, table: ScoreTable, asked: Mapping[int, str]) -> dict[str, str]:
    """What one town's scores are made from, but the day; ``asked`` are :func:`asked_by_town`."""
    files = {
        tables.PROPERTIES.name: inputs.properties.get(town),
        tables.PROPERTY_RECORDS.name: inputs.records.get(town),
        tables.CASE_MATCHES.name: inputs.matches.get(town),
    }
    return {
        **{name: entry.data.sha256 for name, entry in files.items() if entry is not None},
        **({"asked of ATTOM": asked[town]} if town in asked else {}),
        "answers stay fresh": f"{inputs.fresh_days} days",
        "asked of courts": " ".join(sorted(inputs.covered)),
        "table of points": _named(table),
        "rules": rules_version(),
    }


def _named(table: ScoreTable) -> str:
    return f"{table.version} {table.full_hash}"


def open_database(inputs: Inputs) -> duckdb.DuckDBPyConnection:
    """A DuckDB that reads the lake, with the views ``records`` and ``answers`` of all towns."""
    settings = inputs.lake.settings
    connection = connect(settings, spatial=False)
    for name, table, entries in (
        ("records", tables.PROPERTY_RECORDS, inputs.records.values()),
        ("answers", tables.ATTOM_RESULTS, inputs.answers.values()),
    ):
        source = relation(inputs.lake, entries)
        if source is None:
            connection.register(f"no_{name}", table.schema.empty_table())
        connection.execute(f"CREATE TEMP VIEW {name} AS FROM {source or f'no_{name}'}")
    return connection


def relation(lake: Lake, entries: Iterable[PartitionEntry]) -> str | None:
    """SQL for the rows of these partitions; None without any."""
    files = ", ".join(quoted(lake.store.location(entry.data.path)) for entry in entries)
    return f"read_parquet([{files}], hive_partitioning = false)" if files else None


def read_asked(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """ASKED_SCHEMA behind ``town_id``: the last days on which ATTOM answered, by town and property."""
    names = ", ".join(f"'{name}'" for name in ENDPOINTS)
    query = _SAID.format(columns=_RECORDS, endpoints=names, foreclosures=PREFORECLOSURE.name)
    found = connection.execute(query).to_arrow_table()
    for place, name in enumerate(found.column_names):
        if pa.types.is_timestamp(found.schema.field(name).type):
            found = found.set_column(place, name, local_days(found[name]))
    return found.cast(pa.schema([("town_id", pa.int32()), *ASKED_SCHEMA]))


def asked_by_town(asked: pa.Table) -> dict[int, str]:
    """A hash per town of what :func:`read_asked` found."""
    digests: dict[int, Any] = {}
    for row in asked.to_pylist():
        digests.setdefault(row.pop("town_id"), hashlib.sha256()).update(
            json.dumps(row, default=str, sort_keys=True).encode()
        )
    return {town: digest.hexdigest() for town, digest in digests.items()}


def read_cases(
    connection: duckdb.DuckDBPyConnection, inputs: Inputs, towns: Collection[int]
) -> pa.Table | None:
    """CASE_COLUMNS of the matches that may count. A case that may be sealed is not named by its number."""
    source = relation(inputs.lake, [inputs.matches[town] for town in towns if town in inputs.matches])
    if source is None:
        return None
    sealed = ", ".join(f"'{name}'" for name in sorted(SEALED_LATER))
    columns = ", ".join(
        f"CASE WHEN case_type NOT IN ({sealed}) THEN case_id END AS case_id" if name == "case_id" else name
        for name in CASE_COLUMNS
    )
    return connection.execute(_CASES.format(matches=source, columns=columns)).to_arrow_table()


def read_records(
    connection: duckdb.DuckDBPyConnection, inputs: Inputs, towns: Collection[int]
) -> pa.Table | None:
    """RECORD_COLUMNS of the records with notices or liens."""
    source = relation(inputs.lake, [inputs.records[town] for town in towns if town in inputs.records])
    if source is None:
        return None
    return connection.execute(
        f"SELECT {', '.join(RECORD_COLUMNS)} FROM {source} WHERE property_id IS NOT NULL "
        "AND (foreclosure_records IS NOT NULL OR lien_records IS NOT NULL) ORDER BY record_id"
    ).to_arrow_table()


def asked_of(asked: pa.Table, towns: Collection[int]) -> pa.Table:
    """The rows of these towns as ASKED_SCHEMA."""
    chosen = asked.filter(pc.is_in(asked["town_id"], pa.array(sorted(towns), pa.int32())))
    return chosen.drop_columns(["town_id"])
