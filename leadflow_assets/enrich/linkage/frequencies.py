"""How common names are among all owners, each person counted once: the table that weights are made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.linkage.organisations import SPELLED_FORMS, UNSAID, WORDS
from leadflow_assets.domain.linkage.shares import FEWEST_LOCAL_BEARERS
from leadflow_assets.enrich.linkage.engine import MEMORY, THREADS, database
from leadflow_assets.enrich.linkage.owners import Owners, load_owners

FREQUENCIES_SCHEMA = pa.schema(
    [
        # persons, surname, given, full_name; organisations, word
        pa.field("kind", pa.string(), nullable=False),
        # empty for the state, "county Bristol", "town 25", "zip 02019"
        pa.field("place", pa.string(), nullable=False),
        # empty for kinds that count all; a full name is LAST|FIRST
        pa.field("name", pa.string(), nullable=False),
        pa.field("bearers", pa.int64(), nullable=False),
    ]
)
# One row per person: parcels with one mailing address and one name are one person's.
_BEARERS = """
CREATE TEMP TABLE bearer AS
SELECT person, any_value(last) AS last, any_value(first) AS first, min(town_id) AS town_id,
    min(county) AS county, min(zip) AS zip
FROM person GROUP BY person
"""
_COUNTS = f"""
WITH total AS (SELECT count(*) AS persons FROM bearer),
names AS (
    SELECT 'surname' AS kind, last AS name, town_id, county, count(*) AS n FROM bearer
    WHERE last <> '' GROUP BY ALL
    UNION ALL
    SELECT 'given', first, town_id, county, count(*) FROM bearer WHERE length(first) > 1 GROUP BY ALL
),
state AS (SELECT kind, name, sum(n)::BIGINT AS bearers FROM names GROUP BY ALL),
places AS (
    SELECT 'county ' || county AS place, count(*) AS bearers FROM bearer WHERE county IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT 'town ' || town_id, count(*) FROM bearer WHERE town_id IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT 'zip ' || zip, count(*) FROM bearer WHERE zip IS NOT NULL GROUP BY ALL
),
local AS (
    SELECT kind, 'county ' || county AS place, name, sum(n)::BIGINT AS bearers FROM names
    WHERE county IS NOT NULL GROUP BY ALL HAVING sum(n) >= {FEWEST_LOCAL_BEARERS}
    UNION ALL
    SELECT kind, 'town ' || town_id, name, sum(n)::BIGINT FROM names
    WHERE town_id IS NOT NULL GROUP BY ALL HAVING sum(n) >= {FEWEST_LOCAL_BEARERS}
),
words AS (
    SELECT word AS name, count(*) AS bearers
    FROM (SELECT words, unnest(list_distinct(words)) AS word FROM organisation_name) GROUP BY ALL
)
SELECT 'persons' AS kind, '' AS place, '' AS name, persons AS bearers FROM total
UNION ALL SELECT 'persons', place, '', bearers FROM places
UNION ALL SELECT kind, '', name, bearers FROM state
UNION ALL
SELECT local.kind, local.place, local.name, local.bearers
FROM local JOIN places USING (place) JOIN state USING (kind, name), total
WHERE local.bearers / places.bearers > state.bearers / persons
UNION ALL
SELECT 'full_name', '', last || '|' || first, count(*) FROM bearer
WHERE last <> '' AND length(first) > 1 GROUP BY last, first HAVING count(*) > 1
UNION ALL SELECT 'organisations', '', '', count(*) FROM organisation_name
UNION ALL SELECT 'word', '', name, bearers FROM words
ORDER BY kind, place, name
"""


@dataclass(frozen=True)
class Frequencies:
    """Bearers by kind, place and name (FREQUENCIES_SCHEMA, sorted). Holds no person, only names' counts.

    Local counts are kept where a name is commoner than in the state; a full name's where it is borne twice.
    """

    table: pa.Table

    @cached_property
    def version(self) -> str:
        """Sixteen hex digits that change with any count."""
        columns = [pc.cast(self.table[name], pa.string()) for name in FREQUENCIES_SCHEMA.names]
        rows = pc.binary_join_element_wise(*columns, "\x1f")
        digest = hashlib.sha256()
        for batch in rows.chunks:
            for start in range(0, len(batch), 100_000):
                digest.update("\n".join(batch.slice(start, 100_000).to_pylist()).encode())
                digest.update(b"\n")
        return digest.hexdigest()[:16]

    @property
    def persons(self) -> int:
        """The persons counted."""
        kinds = pc.and_(pc.equal(self.table["kind"], "persons"), pc.equal(self.table["place"], ""))
        return int(pc.sum(self.table.filter(kinds)["bearers"]).as_py() or 0)


def build_frequencies(owners: Owners, *, threads: int = THREADS, memory: str = MEMORY) -> Frequencies:
    """Count the names of all owners. ``owners`` as for :func:`link`; whoever owns much counts once."""
    with database(threads, memory) as connection:
        load_owners(connection, owners)
        return count_names(connection)


def count_names(connection: duckdb.DuckDBPyConnection) -> Frequencies:
    """The frequencies of the owners loaded in a connection."""
    connection.execute(_BEARERS)
    name_organisations(connection)
    table = connection.execute(_COUNTS).to_arrow_table().cast(FREQUENCIES_SCHEMA)
    for name in ("bearer", "organisation_name"):
        connection.execute(f"DROP TABLE {name}")
    return Frequencies(table)


def name_organisations(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``organisation_name``: each distinct name of an organisation with its canonical words."""
    text = "' ' || name || ' '"
    for spelled, form in SPELLED_FORMS:
        text = f"replace({text}, ' {spelled} ', ' {form} ')"
    connection.register("words_lookup", pa.table({"word": [*WORDS], "canonical": [*WORDS.values()]}))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE organisation_name AS
        WITH canonical AS (SELECT map(list(word), list(canonical)) AS of_word FROM words_lookup),
        names AS (SELECT DISTINCT name FROM organisation)
        SELECT name, list_filter(
            list_transform(string_split(trim({text}), ' '), x -> coalesce(of_word[x], x)),
            x -> x <> '' AND NOT list_contains(?, x)) AS words
        FROM names, canonical
        """,
        [sorted(UNSAID)],
    )
    connection.unregister("words_lookup")
