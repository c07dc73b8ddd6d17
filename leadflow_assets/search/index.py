"""search.duckdb: mart/properties once more, laid out for search. Derived and disposable.

Rows lie in the order of property_id (so by town) in small row groups, whose smallest and largest values
let a town, a circle or a value range skip almost everything. Words of owners and streets stand in
sorted tables of their own. The file is made beside the old one and takes its place in one step.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import duckdb
import pyarrow as pa

from leadflow_assets.errors import LeadflowError, StoreError
from leadflow_assets.lake.catalog import connect, quoted
from leadflow_assets.lake.extensions import checked, connect_with
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry, Snapshot
from leadflow_assets.lake.tables import PROPERTIES, SCHEMA_VERSION
from leadflow_assets.search.case_index import build_case_index, open_case_index, searchable_cases
from leadflow_assets.search.columns import SEARCH_COLUMNS
from leadflow_assets.search.results import town_id_of
from leadflow_assets.search.row_store import RowStore, RowWriter
from leadflow_assets.search.score_index import build_score_index, open_score_index, searchable_scores
from leadflow_assets.settings import Settings

# Raised when the tables of the index change in a way that the columns do not show.
_LAYOUT = "2"
# Measured: an eighth of DuckDB's default halves the time of a circle and costs nothing elsewhere.
_ROW_GROUP_ROWS = 16_384
_TOWNS_AT_ONCE = 16
_WORD_COLUMNS = {"owner_words": "owner_words", "street_words": "street_normalized"}


@dataclass(frozen=True)
class IndexReport:
    """What a build did. ``built`` is False where the index of properties was already current.

    ``cases`` are rows of court cases, ``cases_built`` says whether they were written anew, ``scores_built``
    whether the scores were.
    """

    path: Path
    built: bool
    rows: int
    towns: int
    seconds: float
    cases: int = 0
    cases_built: bool = False
    scores_built: bool = False


def index_path(settings: Settings) -> Path:
    """Where the index is: a link to the file in use."""
    return settings.data_dir / "search" / "search.duckdb"


def layout_version() -> str:
    """Changes with the columns and tables of the index; an index of another layout is not opened."""
    # The text of the schema stands for the columns' types: reading it is quicker than importing it.
    schema = resources.files("leadflow_assets.lake.schemas").joinpath("mart.py").read_bytes()
    return hashlib.sha256(schema + repr((_LAYOUT, SEARCH_COLUMNS)).encode()).hexdigest()[:12]


def searchable(lake: Lake, as_of: str | None = None) -> tuple[Snapshot, list[str]]:
    """mart/properties with the partitions that have today's columns; and the others, made by older versions.

    Raises:
        UsageError: ``as_of`` is no date.
    """
    snapshot = lake.snapshot(PROPERTIES, as_of)
    current = {n: entry for n, entry in snapshot.partitions.items() if entry.schema_version == SCHEMA_VERSION}
    return replace(snapshot, partitions=current), sorted(snapshot.partitions.keys() - current.keys())


def open_index(settings: Settings) -> duckdb.DuckDBPyConnection | None:
    """A read-only connection to the index; None where there is none that this program can read."""
    path = index_path(settings).resolve()
    if not path.is_file() or not path.stem.endswith(f"-{path.stat().st_size}"):
        return None
    try:
        connection = connect_with(
            # Else whoever needs it loads it, which takes longer than most searches.
            checked(["spatial"]),
            {
                "memory_limit": settings.leadflow_duckdb_memory,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
            str(path),
            read_only=True,
        )
    except duckdb.Error:
        return None  # damaged or of another DuckDB: as good as none, and the caller says so
    try:
        found = connection.execute("SELECT layout FROM about").fetchone()
    except duckdb.Error:
        found = None
    if found is None or found[0] != layout_version():
        connection.close()
        return None
    # Rows that are asked for by many ids (a saved list's) are looked up one by one up to that many.
    connection.execute("SET dynamic_or_filter_threshold = 1000")
    # Of a sorted page only the sort column is read for all rows, the others for the page alone.
    connection.execute("SET late_materialization_max_rows = 5000")
    return connection


def indexed_versions(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The version (sha256) of each partition of mart/properties that the index was made from."""
    return dict(connection.execute("SELECT partition, sha256 FROM partitions").fetchall())


def outdated(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> list[str]:
    """Partitions whose published version is not the one in the index."""
    indexed = indexed_versions(connection)
    current = {name: entry.data.sha256 for name, entry in snapshot.partitions.items()}
    return sorted(name for name in indexed.keys() | current.keys() if indexed.get(name) != current.get(name))


def build_index(
    lake: Lake, *, force: bool = False, on_town: Callable[[int], None] | None = None
) -> IndexReport:
    """Bring the index to the published mart/properties, mart/case_matches and mart/distress_scores.

    ``on_town`` is told how many towns are done. Where only cases or scores changed, only they are.

    Safe to kill and to run twice at once: the old index stays until the new one is complete.

    Raises:
        StoreError: the folder cannot be written, or the disk is full.
    """
    started = time.monotonic()
    folder = index_path(lake.settings).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _build_lock(folder):
            snapshot, _ = searchable(lake)
            rows = sum(entry.data.rows for entry in snapshot.partitions.values())
            built = force or not _is_current(lake.settings, snapshot)
            if built:
                _replace(lake, folder, snapshot, on_town or (lambda _count: None))
            cases, cases_built, scores_built = _bring_beside(lake, folder, force=force)
    except (OSError, duckdb.IOException) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise StoreError(
            f"Cannot write the search index in {folder}: {reason}.",
            "Free some space or fix the folder's rights; searches go on over Parquet meanwhile.",
        ) from error
    seconds = time.monotonic() - started
    path = index_path(lake.settings)
    return IndexReport(path, built, rows, len(snapshot.partitions), seconds, cases, cases_built, scores_built)


def _bring_beside(lake: Lake, folder: Path, *, force: bool) -> tuple[int, bool, bool]:
    """How many rows of cases stand beside the index, and whether these and the scores were written anew."""
    connection = open_index(lake.settings)
    if connection is None:
        raise OSError("the index that was just made cannot be read")
    with connection:
        built = build_case_index(lake, folder, connection, force=force)
        rows = open_case_index(folder, searchable_cases(lake)[0], connection)
        scores_built = build_score_index(lake, folder, connection, force=force)
    return rows.num_rows if rows is not None else 0, built, scores_built


def beside_outdated(lake: Lake, connection: duckdb.DuckDBPyConnection) -> str | None:
    """Names the cases and scores that wait to be written beside an open index; None where they are there."""
    folder = index_path(lake.settings).parent
    cases, scores = searchable_cases(lake)[0], searchable_scores(lake)
    cases_there = not cases.partitions or open_case_index(folder, cases, connection) is not None
    scores_there = not scores.partitions or open_score_index(folder, scores, connection) is not None
    if cases_there and scores_there:
        return None
    return f"{cases.number}:{scores.number}"


@contextlib.contextmanager
def _build_lock(folder: Path) -> Iterator[None]:
    """One builder at a time; a second one waits and then finds the work done."""
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_current(settings: Settings, snapshot: Snapshot) -> bool:
    connection = open_index(settings)
    if connection is None:
        return False
    with connection:
        return not outdated(connection, snapshot)


def _replace(lake: Lake, folder: Path, snapshot: Snapshot, on_town: Callable[[int], None]) -> None:
    path = folder / f"search-{uuid.uuid4().hex[:12]}.making"
    rows = _rows_path(path)
    try:
        _write(lake, path, snapshot, on_town)
        # The size stands in the name: a file that was cut short is known for it before it is read.
        finished = path.with_name(f"{path.stem}-{path.stat().st_size}.duckdb")
        rows.rename(_rows_path(finished))
        path.rename(finished)
    except BaseException:
        path.unlink(missing_ok=True)
        rows.unlink(missing_ok=True)
        raise
    link = folder / f"{finished.stem}.link"
    link.symlink_to(finished.name)
    link.replace(index_path(lake.settings))
    # Whoever still reads an old file keeps it open; its name is not needed any more.
    for other in folder.glob("search-*"):
        if other.stem != finished.stem:
            other.unlink(missing_ok=True)


def _rows_path(path: Path) -> Path:
    return path.with_suffix(".arrow")


def open_rows(connection: duckdb.DuckDBPyConnection) -> RowStore:
    """The rows that belong to an open index.

    Raises:
        OSError: the index was replaced in this very moment, or somebody took the file away.
    """
    found = connection.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchone()
    if found is None:
        raise OSError("the connection is not one to an index")
    return RowStore(_rows_path(Path(found[0])))


def _write(lake: Lake, path: Path, snapshot: Snapshot, on_town: Callable[[int], None]) -> None:
    with connect(lake.settings) as connection:
        connection.execute(f"ATTACH {quoted(str(path))} AS made (ROW_GROUP_SIZE {_ROW_GROUP_ROWS})")
        connection.execute("USE made")
        shape = PROPERTIES.schema.empty_table().select(list(SEARCH_COLUMNS))
        connection.register("__shape", shape)
        connection.execute("CREATE TABLE properties AS FROM __shape")
        ordered = sorted(snapshot.partitions.items(), key=lambda item: town_id_of(item[0]))
        with contextlib.closing(RowWriter(_rows_path(path), shape.schema)) as rows:
            for start in range(0, len(ordered), _TOWNS_AT_ONCE):
                group = [entry for _, entry in ordered[start : start + _TOWNS_AT_ONCE]]
                rows.write(_insert(connection, lake, group).cast(shape.schema))
                on_town(len(group))
        for table, column in _WORD_COLUMNS.items():
            connection.execute(
                f"CREATE TABLE {table} AS SELECT DISTINCT word, position FROM "
                f"(SELECT unnest(string_split({column}, ' ')) AS word, rowid AS position FROM properties) "
                "ORDER BY word, position"
            )
            connection.execute(
                f"CREATE TABLE {table}_known AS SELECT DISTINCT word FROM {table} ORDER BY word"
            )
        connection.execute("CREATE INDEX properties_by_loc_id ON properties (loc_id)")
        connection.execute("CREATE INDEX properties_by_id ON properties (property_id)")
        connection.execute("CREATE TABLE partitions (partition VARCHAR, sha256 VARCHAR, rows BIGINT)")
        if ordered:
            connection.executemany(
                "INSERT INTO partitions VALUES (?, ?, ?)",
                [(name, entry.data.sha256, entry.data.rows) for name, entry in ordered],
            )
        _require_all(connection, snapshot)
        connection.execute("CREATE TABLE about AS SELECT ? AS layout, now() AS built_at", [layout_version()])
        connection.execute("USE memory")
        connection.execute("DETACH made")


def _insert(connection: duckdb.DuckDBPyConnection, lake: Lake, entries: list[PartitionEntry]) -> pa.Table:
    """Add some towns' rows to the table; returns them."""
    files = ", ".join(quoted(lake.store.location(entry.data.path)) for entry in entries)
    columns = ", ".join(SEARCH_COLUMNS)
    rows = connection.execute(
        f"SELECT {columns} FROM read_parquet([{files}], hive_partitioning = false) ORDER BY property_id"
    ).to_arrow_table()
    connection.register("__rows", rows)
    connection.execute("INSERT INTO properties FROM __rows")
    connection.unregister("__rows")
    return rows


def _require_all(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    found = connection.execute("SELECT count(*) FROM properties").fetchone()
    wanted = sum(entry.data.rows for entry in snapshot.partitions.values())
    if found is None or found[0] != wanted:
        raise LeadflowError(
            f"The search index holds {found[0] if found else 0} rows instead of {wanted}.",
            "This is a defect of the program; the old index stays.",
        )
