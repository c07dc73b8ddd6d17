"""Records of two releases that are the same property, found without a loop: all towns of a group at once.

In this order, each step among what the steps before left, and only where both sides are the only ones with
their key: records alike in everything; PROP_ID and CAMA_ID; PROP_ID, then CAMA_ID, each with its place;
the same parcel and address; the same address; the only record of the same parcel. PROP_ID and CAMA_ID alone
are given to other properties when a town changes its system, so the place must not speak against them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from leadflow_assets.domain.changes import Lineage
from leadflow_assets.enrich.changes.plan import Pair
from leadflow_assets.lake.catalog import quoted
from leadflow_assets.lake.lake import Lake

_TEXTS = (
    *("prop_id", "cama_id", "loc_id", "site_addr", "addr_num", "full_str", "location", "city", "zip"),
    *("owner1", "own_addr", "own_city", "own_state", "own_zip", "own_co", "use_code"),
)
_NUMBERS = ("bldg_val", "land_val", "other_val", "total_val", "ls_price", "bld_area", "year_built")
_OTHERS = ("ls_date", "ls_bulk")
_CONTENT = (*_TEXTS, *_NUMBERS, *_OTHERS)
# Systems write 0 where a record has no id.
_ID = "nullif({0}, '0')"


@dataclass(frozen=True)
class _Step:
    """One way to know a record again: key expressions, a condition on o(ld) and n(ew), its name."""

    how: str
    keys: tuple[str, ...]
    condition: str = "true"


_PROP, _CAMA = _ID.format("prop_id"), _ID.format("cama_id")
_ADDRESS = "nullif(upper(site_addr), '') || coalesce('|' || upper(location), '')"
_NUMBERED = f"CASE WHEN regexp_matches(site_addr, '[1-9]') THEN {_ADDRESS} END"
# The ground is the same (or unknown), or the address is.
_PLACE = (
    "(o.ground = n.loc_id OR upper(o.site_addr) = upper(n.site_addr) OR o.ground IS NULL "
    "OR n.loc_id IS NULL OR o.related)"
)
_STEPS = (
    _Step("PROP_ID and CAMA_ID", (_PROP, _CAMA)),
    _Step("PROP_ID and place", (_PROP, "ground")),
    _Step("PROP_ID and place", (_PROP, _ADDRESS)),
    _Step("PROP_ID", (_PROP,), _PLACE),
    _Step("CAMA_ID and place", (_CAMA, "ground")),
    _Step("CAMA_ID and place", (_CAMA,), _PLACE),
    _Step("parcel", ("ground", _ADDRESS)),
    _Step("address", (_NUMBERED,)),
    _Step("parcel", ("ground",), "o.alone AND n.alone"),
)


def load_records(connection: duckdb.DuckDBPyConnection, lake: Lake, pairs: Sequence[Pair]) -> None:
    """Make the tables ``old_records`` and ``new_records``: one row per record, ``job`` numbers the pairs.

    ``property_id`` is made as in mart/properties.
    """
    for side in ("before", "after"):
        sources = " UNION ALL ".join(
            f"SELECT {job} AS job, {pair.after.town_id} AS town_id, assessment_id, fy, {', '.join(_CONTENT)} "
            f"FROM read_parquet({quoted(lake.store.location(getattr(pair, side).entry.data.path))}, "
            "hive_partitioning = false)"
            for job, pair in enumerate(pairs)
        )
        name = "old_records" if side == "before" else "new_records"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {_RECORDS.format(sources=sources)}")


# Windows only over the few rows that need them: carrying all columns through a sort takes far longer.
_RECORDS = """
WITH raw AS MATERIALIZED ({sources}),
repeated AS (
    SELECT job, prop_id FROM raw WHERE prop_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1
),
numbered AS (
    SELECT job, assessment_id,
        row_number() OVER (PARTITION BY job, prop_id, cama_id ORDER BY assessment_id) AS nth
    FROM raw JOIN repeated USING (job, prop_id)
),
single AS (
    SELECT job, loc_id, true AS is_single FROM raw WHERE loc_id IS NOT NULL GROUP BY ALL HAVING count(*) = 1
)
SELECT row_number() OVER () AS id, c.*, coalesce(is_single, false) AS alone,
    CASE
        WHEN c.prop_id IS NULL THEN c.assessment_id
        WHEN nth IS NULL THEN format('{{:03d}}-{{}}', town_id, c.prop_id)
        WHEN nth = 1 THEN format('{{:03d}}-{{}}~{{}}', town_id, c.prop_id, coalesce(c.cama_id, '0'))
        ELSE format('{{:03d}}-{{}}~{{}}~{{}}', town_id, c.prop_id, coalesce(c.cama_id, '0'), nth)
    END AS property_id,
    CASE WHEN coalesce(total_val, 0) = 0
        AND coalesce(bldg_val, 0) + coalesce(land_val, 0) + coalesce(other_val, 0) > 0
        THEN coalesce(bldg_val, 0) + coalesce(land_val, 0) + coalesce(other_val, 0) ELSE total_val
    END AS total_value
FROM raw AS c LEFT JOIN numbered USING (job, assessment_id) LEFT JOIN single USING (job, loc_id)
"""


def follow(connection: duckdb.DuckDBPyConnection, lineages: Mapping[int, Lineage | None]) -> None:
    """Make the table ``followed``: ``job``, ids ``o`` and ``n`` of the two records, and ``how``.

    Needs ``old_records`` and ``new_records``; ``ground`` of an old record is the LOC_ID its ground has now.
    """
    _load_ground(connection, lineages)
    content = ", ".join(f"{name} := {name}" for name in _CONTENT)
    for side in ("old", "new"):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {side}_content AS SELECT id, job, content, "
            "row_number() OVER (PARTITION BY job, content ORDER BY id) AS nth "
            f"FROM (SELECT id, job, hash(struct_pack({content})) AS content FROM {side}_records)"
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE followed AS SELECT job, o.id AS o, n.id AS n, 'content' AS how "
        "FROM old_content AS o JOIN new_content AS n USING (job, content, nth)"
    )
    for side, mine in (("old", "o"), ("new", "n")):
        ground = (
            "coalesce(g.new_loc, r.loc_id) AS ground, g.related IS NOT NULL AS related"
            if side == "old"
            else "r.loc_id AS ground, false AS related"
        )
        join = "LEFT JOIN ground AS g ON g.job = r.job AND g.old_loc = r.loc_id" if side == "old" else ""
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE left_{side} AS SELECT r.id, r.job, prop_id, cama_id, r.loc_id, "
            f"site_addr, location, alone, {ground} FROM {side}_records AS r {join} "
            f"ANTI JOIN followed AS f ON f.{mine} = r.id"
        )
    for step in _STEPS:
        _take(connection, step)


def _take(connection: duckdb.DuckDBPyConnection, step: _Step) -> None:
    """Tie what one step finds, and take it off what is left."""
    names = [f"k{number}" for number in range(len(step.keys))]
    keys = ", ".join(f"{key} AS {name}" for key, name in zip(step.keys, names, strict=True))
    known = " AND ".join(f"({key}) IS NOT NULL" for key in step.keys)

    def single(side: str) -> str:
        return (
            f"SELECT job, {keys}, any_value(id) AS id, any_value(loc_id) AS loc_id, "
            "any_value(site_addr) AS site_addr, any_value(ground) AS ground, bool_or(related) AS related, "
            f"bool_and(alone) AS alone FROM left_{side} WHERE {known} GROUP BY ALL HAVING count(*) = 1"
        )

    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE taken AS SELECT job, o.id AS o, n.id AS n FROM ({single('old')}) AS o "
        f"JOIN ({single('new')}) AS n USING (job, {', '.join(names)}) WHERE {step.condition}"
    )
    connection.execute("INSERT INTO followed SELECT job, o, n, ? FROM taken", [step.how])
    connection.execute("DELETE FROM left_old WHERE id IN (SELECT o FROM taken)")
    connection.execute("DELETE FROM left_new WHERE id IN (SELECT n FROM taken)")


def _load_ground(connection: duckdb.DuckDBPyConnection, lineages: Mapping[int, Lineage | None]) -> None:
    """The table ``ground``: renamed parcels, and as ``related`` those that were split or merged."""
    rows: list[tuple[int, str, str | None, bool | None]] = []
    for job, lineage in lineages.items():
        if lineage is None:
            continue
        rows += [(job, old, new, None) for old, new in lineage.renamed.items()]
        rows += [(job, old, None, True) for old in {*lineage.splits, *lineage.merged}]
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    types = (pa.int32(), pa.string(), pa.string(), pa.bool_())
    table = pa.table(
        [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)],
        names=["job", "old_loc", "new_loc", "related"],
    )
    connection.register("__ground", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE ground AS FROM __ground")
    connection.unregister("__ground")
