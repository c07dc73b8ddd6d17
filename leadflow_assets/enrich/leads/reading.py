"""Leads as people see them: what is published with where the conversation stands, filtered and ranked."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from leadflow_assets.domain.leads import FIRST, GRADES, OPPORTUNITIES, STATUSES
from leadflow_assets.enrich.leads.inputs import Inputs, read_inputs, view
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import LEADS, SCHEMA_VERSION
from leadflow_assets.settings import Settings

_STATE: Final = pa.schema(
    [
        ("lead_id", pa.string()),
        ("status", pa.string()),
        ("status_changed_at", pa.timestamp("us", tz="UTC")),
        ("status_changed_by", pa.string()),
        ("status_note", pa.string()),
    ]
)
_ORDER: Final = "score DESC, coverage DESC, property_id"


@dataclass(frozen=True)
class LeadFilters:
    """Which leads are meant; nothing given: all but those that are dead.

    ``towns`` are ids: a lead is in each town where it has a property. ``list_name`` is a saved list,
    ``batch_id`` a batch: at least one property of the lead is on it.
    """

    towns: tuple[int, ...] = ()
    grades: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    opportunities: tuple[str, ...] = ()
    min_score: float | None = None
    min_coverage: float | None = None
    list_name: str | None = None
    batch_id: str | None = None

    def __post_init__(self) -> None:
        for name, given, known in (
            ("grade", self.grades, GRADES),
            ("status", self.statuses, STATUSES),
            ("opportunity", self.opportunities, OPPORTUNITIES),
        ):
            for value in given:
                if value not in known:
                    raise UsageError(f"There is no {name} {value!r}.", f"Known: {', '.join(known)}.")

    def document(self) -> dict[str, Any]:
        """What was asked for, for the sidecar of an export."""
        return {name: value for name, value in asdict(self).items() if value not in (None, ())}


@dataclass(frozen=True)
class LeadPage:
    """``rows``: columns of mart/leads and LEAD_STATE_COLUMNS, the best first; ``total`` of all pages.

    ``grades`` counts what the filters find by grade, whichever grades they ask for.
    """

    rows: pa.Table
    total: int
    inputs: Inputs
    grades: Mapping[str, int]


def find_leads(
    settings: Settings, filters: LeadFilters | None = None, *, limit: int | None = None, offset: int = 0
) -> LeadPage:
    """The leads that are published now, ranked.

    Raises:
        UsageError: no such list or batch. StoreError: the lake or the state cannot be read.
    """
    filters = filters or LeadFilters()
    inputs = read_inputs(settings)
    with contextlib.closing(connect(inputs.lake.settings, spatial=False)) as connection:
        _open_views(connection, settings, inputs)
        conditions, values = _conditions(connection, settings, filters)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        # Ranked by a few columns; what a lead is made of is read for the rows of the page alone.
        connection.execute(
            "CREATE TEMP TABLE any_grade AS SELECT lead_id, town_id, grade, score, coverage, property_id "
            f"FROM leads_now {where}",
            values,
        )
        counted = dict(connection.execute("SELECT grade, count(*) FROM any_grade GROUP BY grade").fetchall())
        wanted = filters.grades or GRADES
        rows = _page(connection, inputs, wanted, limit, offset)
    total = sum(counted.get(name, 0) for name in dict.fromkeys(wanted))
    return LeadPage(rows, total, inputs, {name: counted.get(name, 0) for name in GRADES})


def _page(
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    grades: Sequence[str],
    limit: int | None,
    offset: int,
) -> pa.Table:
    """The rows of one page of ``any_grade``, ranked; only the files of their towns are read."""
    page = "" if limit is None else f"LIMIT {int(limit)}"
    ranked = connection.execute(
        "SELECT lead_id, town_id FROM any_grade WHERE grade IN (SELECT unnest(?::VARCHAR[])) "
        f"ORDER BY {_ORDER} {page} OFFSET {int(offset)}",
        [list(grades)],
    ).to_arrow_table()
    places = pa.array(range(offset + 1, offset + 1 + len(ranked)), pa.int64())
    towns = set(ranked["town_id"].unique().to_pylist())
    view(connection, inputs.lake, "leads", LEADS, _readable(inputs, towns))
    connection.register("page", ranked.append_column("rank", places))
    return connection.execute(
        "SELECT p.rank, n.* FROM page AS p JOIN leads_now AS n USING (lead_id) ORDER BY p.rank"
    ).to_arrow_table()


def lead(settings: Settings, lead_id: str) -> dict[str, Any] | None:
    """One published lead with its state; None where there is none (any more)."""
    inputs = read_inputs(settings)
    with contextlib.closing(connect(inputs.lake.settings, spatial=False)) as connection:
        _open_views(connection, settings, inputs)
        found = connection.execute("FROM leads_now WHERE lead_id = ?", [lead_id]).to_arrow_table()
    return found.to_pylist()[0] if found.num_rows else None


def leads_of_properties(settings: Settings, property_ids: Collection[str]) -> dict[str, str]:
    """Lead id of each of these properties that belongs to a lead."""
    inputs = read_inputs(settings)
    with contextlib.closing(connect(inputs.lake.settings, spatial=False)) as connection:
        view(connection, inputs.lake, "leads", LEADS, _readable(inputs))
        _register_ids(connection, "asked", property_ids)
        found = connection.execute(
            "SELECT m.property_id, m.lead_id FROM (SELECT lead_id, unnest(properties).property_id AS "
            "property_id FROM leads) AS m JOIN asked USING (property_id) ORDER BY ALL"
        )
        return dict(found.fetchall())


def _readable(inputs: Inputs, towns: Collection[int] | None = None) -> list[PartitionEntry]:
    """The partitions of today's columns, of all towns or of some: a lead lies in its best property's."""
    return [
        entry
        for town, entry in inputs.published.items()
        if entry.schema_version == SCHEMA_VERSION and (towns is None or town in towns)
    ]


def _open_views(connection: duckdb.DuckDBPyConnection, settings: Settings, inputs: Inputs) -> None:
    view(connection, inputs.lake, "leads", LEADS, _readable(inputs))
    connection.register("told", _states(settings))
    connection.register("asked_out", _asked_out(connection, settings))
    connection.execute(
        f"""CREATE TEMP VIEW leads_now AS
        SELECT l.*, coalesce(t.status, '{FIRST}') AS status, t.* EXCLUDE (lead_id, status)
        FROM leads AS l LEFT JOIN told AS t USING (lead_id) ANTI JOIN asked_out AS o USING (lead_id)"""
    )


def _asked_out(connection: duckdb.DuckDBPyConnection, settings: Settings) -> pa.Table:
    """Leads of owners whose purge is not finished: what is published may still show them."""
    found: list[str] = []
    if _has_state(settings):
        from leadflow_assets.enrich.purge.lead_tables import OF_LEAD, is_of_purged
        from leadflow_assets.state import database, purges

        with database.session(settings) as session:
            waiting = purges.all_purges(session, unfinished=True)
            purged = purges.load(session) if waiting else None
        if purged is not None:
            rows = connection.execute(f"SELECT {', '.join(OF_LEAD)} FROM leads").to_arrow_table()
            found = [row["lead_id"] for row in rows.to_pylist() if is_of_purged(purged, row)]
    return pa.table({"lead_id": pa.array(found, pa.string())})


def _has_state(settings: Settings) -> bool:
    url = settings.state_url
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).is_file()


def _states(settings: Settings) -> pa.Table:
    if not _has_state(settings):
        return _STATE.empty_table()
    # Imported late: SQLAlchemy costs a third of a second.
    from leadflow_assets.state import database, leads

    with database.session(settings) as session:
        events = leads.latest(session).values()
    rows = [
        {
            "lead_id": event.lead_id,
            "status": event.status,
            "status_changed_at": event.changed_at,
            "status_changed_by": event.changed_by,
            "status_note": event.note,
        }
        for event in events
    ]
    return pa.Table.from_pylist(rows, schema=_STATE)


def _conditions(
    connection: duckdb.DuckDBPyConnection, settings: Settings, filters: LeadFilters
) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    for column, wanted in (
        ("opportunity", filters.opportunities),
        ("status", filters.statuses or tuple(status for status in STATUSES if status != "dead")),
    ):
        if wanted:
            conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    for column, least in (("score", filters.min_score), ("coverage", filters.min_coverage)):
        if least is not None:
            conditions.append(f"{column} >= ?")
            values.append(least)
    if filters.towns:
        towns = ", ".join(str(int(town)) for town in filters.towns)
        conditions.append(f"list_has_any([m.town_id FOR m IN properties], [{towns}]::INTEGER[])")
    for number, ids in enumerate(_properties_asked(settings, filters)):
        _register_ids(connection, f"asked_{number}", ids)
        conditions.append(
            "lead_id IN (SELECT lead_id FROM (SELECT lead_id, unnest(properties).property_id AS property_id "
            f"FROM leads) JOIN asked_{number} USING (property_id))"
        )
    return conditions, values


def _properties_asked(settings: Settings, filters: LeadFilters) -> list[Sequence[str]]:
    found: list[Sequence[str]] = []
    if filters.list_name is not None:
        from leadflow_assets.state import database, saved_lists

        with database.session(settings) as session:
            found.append(saved_lists.member_ids(session, filters.list_name))
    if filters.batch_id is not None:
        from leadflow_assets.enrich.leads.batch import properties_of_batch

        found.append(properties_of_batch(settings, filters.batch_id))
    return found


def _register_ids(connection: duckdb.DuckDBPyConnection, name: str, ids: Collection[str]) -> None:
    connection.register(name, pa.table({"property_id": pa.array(sorted(set(ids)), pa.string())}))
