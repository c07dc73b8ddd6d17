"""Which parcel is meant: a town's files, a parcel by its id, and help when there is none.

Only a LOC_ID opens a parcel. Other ids and addresses are answered with the LOC_IDs they lead to: which of
them is meant is for the person to say. Errors hold ids only, never an address or a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from leadflow_assets.domain.addresses import parse_address
from leadflow_assets.domain.loc_id import METRES_PER_SURVEY_FOOT, PATTERN
from leadflow_assets.domain.towns import Town
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.lake import tables
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.extensions import load_extensions
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import Table
from leadflow_assets.search.engine import Searcher
from leadflow_assets.search.parcel.history import same_record

Row = dict[str, Any]
NEAR_METRES = 50.0
_MOST_NAMED = 5
_READ = (tables.PARCELS, tables.PARCEL_INTERESTS, tables.MASSGIS_PACKAGES, tables.DISTRESS_SCORES)


class NotHeldError(LeadflowError):
    """The lake holds nothing of the town, at least not then."""


@dataclass(frozen=True)
class TownFiles:
    """One town's partitions in one snapshot of each table. ``releases`` is by name, oldest first."""

    town: Town
    lake: Lake
    entries: Mapping[str, PartitionEntry]
    releases: Mapping[str, PartitionEntry]
    connection: duckdb.DuckDBPyConnection

    def rows(self, table: Table, condition: str, **values: Any) -> list[Row]:
        """Rows of a table of this town, geometry as WKB; none where the table is not published."""
        entry = self.entries.get(table.name)
        if entry is None:
            return []
        shown = "* REPLACE (ST_AsWKB(geometry) AS geometry)" if table.geometry else "*"
        sql = f"SELECT {shown} FROM read_parquet($file, hive_partitioning = false) WHERE {condition}"
        return self.query(sql, file=self.file(entry), **values)

    def query(self, sql: str, **values: Any) -> list[Row]:
        """Rows of any query as dictionaries."""
        found = self.connection.execute(sql, values)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def file(self, entry: PartitionEntry) -> str:
        """What DuckDB opens for a partition."""
        return self.lake.store.location(entry.data.path)

    def spatial(self) -> None:
        """Make DuckDB's ST_ functions usable. Only for who needs them: loading takes half a second."""
        load_extensions(self.connection, ["spatial"])

    @property
    def word(self) -> str:
        """The town as it is written on the command line."""
        return self.town.key[4:]


@dataclass(frozen=True)
class Found:
    """A parcel (None: its records have no polygon) and the rows of mart/properties on it."""

    parcel: Row | None
    records: tuple[Row, ...]


def open_town(searcher: Searcher, town: Town, as_of: str | None) -> TownFiles:
    """The town's files; of mart/properties the version that is searched. Close ``connection`` after use.

    Raises:
        NotHeldError: there is no data for the town.
    """
    lake = searcher.lake
    snapshots = {tables.PROPERTIES.name: searcher.snapshot}
    snapshots |= {table.name: lake.snapshot(table, as_of) for table in _READ}
    partition = tables.PROPERTIES.partition(town.town_id)
    entries = {
        name: snapshot.partitions[partition]
        for name, snapshot in snapshots.items()
        if partition in snapshot.partitions
    }
    if tables.PARCELS.name not in entries or tables.PROPERTIES.name not in entries:
        when = f" as of {as_of}" if as_of else ""
        raise NotHeldError(
            f"There is no data for {town.name}{when}.", f"Fetch it: leadflow refresh {town.key[4:]}"
        )
    history = lake.snapshot(tables.ASSESSMENT_RELEASES, as_of).partitions
    releases = [entry for name, entry in history.items() if name.startswith(f"{partition}/")]
    releases.sort(key=lambda entry: (entry.facts["fiscal_year"], entry.facts["release"]))
    by_name = {str(entry.facts["release"]): entry for entry in releases}
    # A local index's connection reads the lake's files too; a bucket needs one with credentials.
    shared = searcher.engine == "parquet" or not lake.settings.lake_uri.startswith("s3://")
    own = searcher.connection.cursor() if shared else connect(lake.settings)
    return TownFiles(town, lake, entries, by_name, own)


def find_parcel(files: TownFiles, asked: str) -> Found:
    """The parcel with this LOC_ID and its records; or the one record without a polygon with this property_id.

    Raises:
        UsageError: there is none; the hint names what is near, or what the text otherwise leads to.
    """
    text = asked.strip()
    for loc_id in dict.fromkeys((text, text.upper())):
        parcels = files.rows(tables.PARCELS, "loc_id = $loc_id", loc_id=loc_id)
        records = _records(files, "loc_id = $value", loc_id)
        if parcels or records:
            return Found(parcels[0] if parcels else None, tuple(records))
    records = _records(files, "property_id = $value", text)
    if records and records[0]["loc_id"] is None:
        return Found(None, (records[0],))
    raise _not_found(files, text)


def _records(files: TownFiles, condition: str, value: str) -> list[Row]:
    rows = files.rows(tables.PROPERTIES, f"{condition} ORDER BY property_id", value=value)
    # The geometry of a property is a point of its parcel: the parcel's outline is shown instead.
    return [{name: cell for name, cell in row.items() if name not in ("geometry", "bbox")} for row in rows]


def _not_found(files: TownFiles, text: str) -> UsageError:
    place = files.town.name
    if re.fullmatch(PATTERN, text.upper()):
        message = f"There is no parcel {text.upper()} in {place}."
        return UsageError(message, _successors(files, text.upper()) or _nearest(files, text.upper()))
    if begun := _beginning(files, text):
        return UsageError(f"That is the beginning of several LOC_IDs of {place}.", _named(files, begun))
    for what, rows in (
        ("a property's id", _records(files, "property_id = $value", text)),
        ("an assessor's PROP_ID", _records(files, "prop_id = $value", text)),
        ("a site address", _at_address(files, text)),
    ):
        if rows:
            return UsageError(f"That is {what}, not a LOC_ID of {place}.", _named(files, _ids(rows)))
    hint = f'Search for it: leadflow search --town {files.word} --address "NUMBER STREET"'
    return UsageError(f"There is no parcel with that LOC_ID in {place}.", hint)


def _ids(rows: Sequence[Row]) -> list[str]:
    """What opens these records: their LOC_ID, else their own id."""
    return list(dict.fromkeys(str(row["loc_id"] or row["property_id"]) for row in rows))


def _named(files: TownFiles, ids: Sequence[str]) -> str:
    if len(ids) == 1:
        return f"Ask for it: leadflow parcel {files.word} {ids[0]}"
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return f"Choose one: {', '.join(ids[:_MOST_NAMED])}{more}"


def _beginning(files: TownFiles, text: str) -> list[str]:
    if not re.fullmatch(r"[FM]_\d{3,}(_\d*)?", text.upper()):
        return []
    rows = files.rows(tables.PARCELS, "starts_with(loc_id, $text) ORDER BY loc_id", text=text.upper())
    return [row["loc_id"] for row in rows]


def _at_address(files: TownFiles, text: str) -> list[Row]:
    address = parse_address(text)
    numbers = address.numbers()
    if numbers is None or not address.street:
        return []
    return files.rows(
        tables.PROPERTIES,
        "house_number <= $high AND house_number_high >= $low "
        "AND (street_normalized = $street OR starts_with(street_normalized, $street || ' ')) ORDER BY loc_id",
        low=numbers[0],
        high=numbers[1],
        street=address.street,
    )


def _nearest(files: TownFiles, loc_id: str) -> str:
    """Parcels within 50 m of the point that the id is made of, the one around it first."""
    point = re.fullmatch(PATTERN, loc_id)
    if point is None:
        return ""
    files.spatial()
    factor = METRES_PER_SURVEY_FOOT if point["letter"] == "F" else 1.0
    x, y = ((float(point[name]) + 0.5) * factor for name in ("x", "y"))
    rows = files.query(
        "SELECT loc_id, ST_Distance(geometry, ST_Point($x, $y)) AS away "
        "FROM read_parquet($file, hive_partitioning = false) "
        "WHERE bbox.xmin <= $x + $near AND bbox.xmax >= $x - $near "
        "AND bbox.ymin <= $y + $near AND bbox.ymax >= $y - $near AND away <= $near "
        "ORDER BY away, poly_type NOT IN ('FEE', 'TAX'), loc_id",
        file=files.file(files.entries[tables.PARCELS.name]),
        x=x,
        y=y,
        near=NEAR_METRES,
    )
    if not rows:
        return f"No parcel of {files.town.name} lies within {NEAR_METRES:.0f} m of that point."
    ids = [row["loc_id"] for row in rows]
    if rows[0]["away"] == 0:
        return f"Its point lies in parcel {ids[0]}" + _others(ids[1:], "near it")
    return f"Within {NEAR_METRES:.0f} m of its point: {', '.join(ids[:_MOST_NAMED])}"


def _others(ids: Sequence[str], where: str) -> str:
    return f"; {where}: {', '.join(ids[: _MOST_NAMED - 1])}" if ids else ""


def _successors(files: TownFiles, loc_id: str) -> str:
    """Where the records of a parcel that an older release had are now."""
    for release, entry in reversed(list(files.releases.items())):
        sql = "SELECT * FROM read_parquet($file, hive_partitioning = false) WHERE loc_id = $loc_id"
        old = files.query(sql, file=files.file(entry), loc_id=loc_id)
        if not old:
            continue
        today = files.rows(
            tables.PROPERTIES,
            "prop_id IN (SELECT unnest($prop_ids)) OR cama_id IN (SELECT unnest($cama_ids))",
            prop_ids=[row["prop_id"] for row in old],
            cama_ids=[row["cama_id"] for row in old],
        )
        current = [row | {"site_addr": row["site_address"]} for row in today]
        followed = [match[0] for record in old if (match := same_record(record, current))]
        what = f"Release {release} had it, with {len(old)} record{'s' if len(old) > 1 else ''}"
        if not followed:
            return f"{what}; none of them is in the current release."
        return f"{what}, now on: {', '.join(_ids(followed)[:_MOST_NAMED])} (followed by PROP_ID or CAMA_ID)"
    return ""
