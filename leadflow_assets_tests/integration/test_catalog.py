"""DuckDB in front of the lake: right views, one snapshot per connection, read-only for people."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.lake import tables
from leadflow_assets.lake.catalog import open_catalog
from leadflow_assets.lake.lake import Lake
from leadflow_assets.refresh.plan import RefreshOptions
from leadflow_assets.refresh.run import refresh_towns
from leadflow_assets.sampleton import Planted
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets_tests.conftest import forget_environment, lake_overrides, publish_parcels

MADE = [table for table in tables.MASSGIS if table.model is not None]
WITH_GEOMETRY = [table for table in MADE if table.geometry]
QUARANTINED = [table for table in MADE if table.quarantines]
ROWS = 30_000

# What people must not do; {lake} is the lake's address, {outside} a folder beside it, {url} a web server.
REFUSED = [
    "INSERT INTO lake.tables SELECT * FROM lake.tables",
    "UPDATE lake.tables SET rows = 0",
    "DELETE FROM lake.tables",
    "TRUNCATE lake.tables",
    "WITH x AS (SELECT 1) INSERT INTO lake.tables SELECT * FROM x",
    "CREATE TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW core.parcels AS SELECT 1 AS x",
    "CREATE SECRET s (TYPE s3)",
    "DROP VIEW core.parcels",
    "ALTER VIEW core.parcels RENAME TO p",
    "COMMENT ON VIEW core.parcels IS 'x'",
    "COPY (SELECT 1) TO '{lake}/core/parcels/x.parquet'",
    "COPY lake.tables FROM '{outside}/some.csv'",
    "COPY (SELECT 1) TO '{outside}/written.csv'",
    "EXPORT DATABASE '{outside}/export'",
    "ATTACH '{outside}/new.duckdb' AS other",
    "DETACH memory",
    "INSTALL spatial",
    "LOAD spatial",
    "SET memory_limit = '1GB'",
    "SET enable_external_access = true",
    "RESET allowed_directories",
    "PRAGMA memory_limit = '1GB'",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "PREPARE p AS SELECT 1",
    "BEGIN",
    "USE core",
    "VACUUM",
    "",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW core.parcels",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{outside}/written.csv'",
    "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{outside}/written.csv'",
    "EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '{outside}/written.csv'",
    "/* now */ EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/written.csv'",
    "EXPLAIN /* now */ ANALYZE COPY (SELECT 1) TO '{lake}/written.csv'",
    "-- now\nEXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
    "EXPLAIN /* /* */ SELECT 1 -- */ ANALYZE COPY (SELECT 1) TO '{lake}/written.csv'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '{outside}/some.csv'",
    "SELECT * FROM glob('{outside}/*')",
    "SELECT * FROM read_csv('{lake}/../../../../../../../../etc/passwd')",
    "SELECT * FROM read_parquet('{outside}/some.parquet')",
    "SELECT * FROM parquet_metadata('{outside}/some.parquet')",
    "SELECT * FROM read_parquet('{url}/lake/some.parquet')",
    "SELECT * FROM read_parquet('s3://another-bucket/some.parquet')",
    "SELECT * FROM ST_Read('{outside}/some.csv')",
    "SELECT * FROM ST_Read('/vsicurl/{url}/some.csv')",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{outside}/written.csv''')",
]


@pytest.fixture(scope="module", params=["local", pytest.param("s3", marks=pytest.mark.slow)])
def sampleton(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    sample_package: tuple[Path, Planted],
) -> Iterator[Lake]:
    """A lake with Sampleton in it, for tests that only read."""
    folder = tmp_path_factory.mktemp("catalog")
    endpoint = request.getfixturevalue("s3_server") if request.param == "s3" else ""
    with pytest.MonkeyPatch.context() as patch:
        forget_environment(patch, folder)
        overrides = lake_overrides(request.param, endpoint)
        settings = load_settings(leadflow_data_dir=folder / "data", leadflow_demo=True, **overrides)
        options = RefreshOptions(source=str(sample_package[0]))
        reports = list(refresh_towns(settings, [town_by_id(999)], options))
        assert [(report.status, report.error) for report in reports] == [("refreshed", None)]
        yield Lake(settings)


def one_row(lake: Lake, sql: str) -> tuple[object, ...]:
    catalog = open_catalog(lake)
    try:
        row = catalog.query(sql).fetchone()
    finally:
        catalog.close()
    assert row is not None
    return row


def test_every_view_has_the_rows_and_columns_of_its_table(
    sampleton: Lake, sample_package: tuple[Path, Planted], tmp_path: Path
) -> None:
    catalog = open_catalog(sampleton)
    for table in MADE:
        entry = sampleton.snapshot(table).partitions
        (only,) = entry.values()
        assert catalog.query(f"FROM {table.view}").columns == table.schema.names
        assert catalog.query(f"SELECT count(*) FROM {table.view}").fetchone() == (only.data.rows,)
        file = pq.read_table(sampleton.store.fetch(only.data.path, tmp_path), partitioning=None)
        assert file.num_rows == only.data.rows > 0
        plain = [name for name in table.schema.names if name not in ("geometry", "bbox")]
        seen = catalog.query(f"SELECT {', '.join(plain)} FROM {table.view}").to_arrow_table()
        assert seen.to_pylist() == file.select(plain).to_pylist()
    planted = sample_package[1]
    sources = {
        tables.PARCELS: planted.polygons,
        tables.ASSESSMENTS: planted.records,
        tables.PARCEL_INTERESTS: planted.other_legal,
        tables.MISC_FEATURES: planted.misc,
    }
    for table, rows_in in sources.items():
        dropped = (
            f"SELECT count(DISTINCT row_number) FROM {table.view}_quarantine WHERE disposition = 'dropped'"
        )
        counted = catalog.query(f"SELECT (SELECT count(*) FROM {table.view}) + ({dropped})").fetchone()
        assert counted == (rows_in,), table.view
    catalog.close()


def test_quarantine_views_hold_the_quarantined_rows(sampleton: Lake) -> None:
    catalog = open_catalog(sampleton)
    for table in QUARANTINED:
        (entry,) = sampleton.snapshot(table).partitions.values()
        rows = entry.files["quarantine"].rows if "quarantine" in entry.files else 0
        view = f"{table.view}_quarantine"
        assert catalog.query(f"SELECT count(*) FROM {view}").fetchone() == (rows,)
        assert catalog.query(f"FROM {view}").columns == tables.QUARANTINE.schema.names
    catalog.close()


def test_geometry_is_a_geometry_and_its_area_is_the_stored_one(sampleton: Lake) -> None:
    catalog = open_catalog(sampleton)
    for table in WITH_GEOMETRY:
        assert str(catalog.query(f"SELECT geometry FROM {table.view}").types[0]).startswith("GEOMETRY")
    sql = "SELECT max(abs(ST_Area(geometry) - area_m2)), sum(area_m2) FROM core.parcels"
    difference, total = catalog.query(sql).fetchall()[0]
    assert difference < 1e-6
    assert total > 1_000_000
    sql = "SELECT count(*) FROM mart.properties WHERE geometry IS NOT NULL AND ST_X(geometry) <> point_x"
    assert catalog.query(sql).fetchone() == (0,)
    catalog.close()


def test_the_lake_schema_tells_what_is_here_and_since_when(sampleton: Lake) -> None:
    catalog = open_catalog(sampleton)
    for table in tables.MASSGIS:
        snapshot = sampleton.snapshot(table)
        rows = sum(entry.data.rows for entry in snapshot.partitions.values())
        columns = "snapshot, committed_at, partitions, rows"
        sql = f"SELECT {columns} FROM lake.tables WHERE table_name = '{table.view}'"
        assert catalog.query(sql).fetchone() == (snapshot.number, snapshot.committed_at, 1, rows)
    sql = "SELECT DISTINCT release FROM lake.partitions WHERE table_name <> 'raw.massgis_packages'"
    assert catalog.query(sql).fetchall() == [("CY25_FY26",)]
    assert catalog.query("SELECT count(*) FROM lake.snapshots").fetchone() == (len(tables.MASSGIS),)
    catalog.close()


def test_an_empty_lake_has_every_view_and_says_which_tables_have_no_data(lake: Lake) -> None:
    catalog = open_catalog(lake)
    for table in MADE:
        relation = catalog.query(f"FROM {table.view}")
        assert relation.columns == table.schema.names
        assert relation.fetchall() == []
        if table.geometry:
            assert str(catalog.query(f"SELECT geometry FROM {table.view}").types[0]).startswith("GEOMETRY")
    for table in QUARANTINED:
        assert catalog.query(f"FROM {table.view}_quarantine").fetchall() == []
    sql = "SELECT * FROM core.parcels JOIN MART.Properties USING (loc_id)"
    assert catalog.query(sql).fetchall() == []
    assert catalog.empty_tables(sql) == [tables.PARCELS, tables.PROPERTIES]
    assert catalog.empty_tables("SELECT 1") == []
    catalog.close()


def test_tables_with_data_are_not_called_empty(sampleton: Lake) -> None:
    catalog = open_catalog(sampleton)
    assert catalog.empty_tables("SELECT * FROM core.parcels, mart.properties") == []
    catalog.close()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder beside the lake, with files that can be read and are none of ours."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "some.csv").write_text("a,b\n1,2\n")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS a) TO '{folder}/some.parquet' (FORMAT parquet)")
    return folder


def test_whatever_is_no_query_on_the_lake_is_refused_and_changes_nothing(
    sampleton: Lake, outside: Path, s3_server: str
) -> None:
    catalog = open_catalog(sampleton)
    keys, files = list(sampleton.store.list("")), sorted(outside.rglob("*"))
    wrong = []
    for template in REFUSED:
        sql = template.format(lake=sampleton.store.uri, outside=outside, url=s3_server)
        try:
            catalog.query(sql).fetchall()
            wrong.append(f"accepted: {template}")
        except (LeadflowError, duckdb.Error):
            pass
        except RecursionError:
            wrong.append(f"endless: {template}")
    assert wrong == []
    assert list(sampleton.store.list("")) == keys
    assert sorted(outside.rglob("*")) == files
    assert catalog.query("SELECT count(*) FROM core.parcels").fetchone() > (0,)
    catalog.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT 1;",
        "  -- a comment\n SELECT 1",
        "FROM core.parcels LIMIT 1",
        "WITH x AS (SELECT 1 AS a) FROM x",
        "VALUES (1)",
        "DESCRIBE core.parcels",
        "SUMMARIZE SELECT 1 AS a",
        "SHOW ALL TABLES",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN (FORMAT json) SELECT 1",
        "EXPLAIN /* a comment */ SELECT 1",
    ],
)
def test_a_query_is_accepted_in_all_its_forms(settings: Settings, sql: str) -> None:
    catalog = open_catalog(Lake(settings))
    catalog.query(sql).fetchall()
    catalog.close()


@pytest.mark.parametrize("sql", ["-- a comment\nEXPLAIN SELECT 1", "EXPLAIN/* a comment */SELECT 1"])
def test_a_comment_that_hides_what_is_explained_is_refused_by_name(settings: Settings, sql: str) -> None:
    catalog = open_catalog(Lake(settings))
    with pytest.raises(UsageError, match="comment"):
        catalog.query(sql)
    catalog.close()


def test_a_wrong_query_is_the_persons_error_not_ours(settings: Settings) -> None:
    catalog = open_catalog(Lake(settings))
    for sql in ("SELEC 1", "SELECT no_such_column FROM core.parcels", "SELECT * FROM core.nothing"):
        with pytest.raises(UsageError):
            catalog.query(sql)
    catalog.close()


def test_the_state_database_opens_read_only_and_no_other_sqlite_file_does(
    settings: Settings, outside: Path
) -> None:
    settings.data_dir.mkdir(parents=True)
    for path in (settings.data_dir / "state.sqlite", outside / "other.sqlite"):
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE jobs (id INTEGER)")
            database.execute("INSERT INTO jobs VALUES (1)")
        database.close()
    catalog = open_catalog(Lake(settings))
    assert catalog.query("SELECT id FROM state.jobs").fetchall() == [(1,)]
    for sql in (
        "INSERT INTO state.jobs VALUES (2)",
        "SELECT * FROM sqlite_query('state', 'DELETE FROM jobs RETURNING id')",
        f"SELECT * FROM sqlite_scan('{outside}/other.sqlite', 'jobs')",
    ):
        with pytest.raises((LeadflowError, duckdb.Error)):
            catalog.query(sql).fetchall()
    catalog.close()


def test_a_scan_that_runs_through_a_publish_ends_with_the_rows_it_began_with(
    lake: Lake, tmp_path: Path
) -> None:
    publish_parcels(lake, tmp_path, {1: "old", 2: "old", 3: "old"}, rows=ROWS)
    catalog = open_catalog(lake)
    again = "SELECT map_par_id, count(*) FROM core.parcels GROUP BY ALL"
    scan = catalog.connection.execute("SELECT map_par_id, loc_id, geometry FROM core.parcels")
    rows = scan.fetchmany(1000)
    publish_parcels(lake, tmp_path, {1: "new", 2: "new", 3: "new"}, rows=10)
    while more := scan.fetchmany(20_000):
        rows += more
    assert len(rows) == 3 * ROWS
    assert {row[0] for row in rows} == {"old"}
    assert catalog.query(again).fetchall() == [("old", 3 * ROWS)]
    catalog.close()
    assert one_row(lake, again) == ("new", 30)


def test_as_of_shows_the_tables_as_they_were(lake: Lake, tmp_path: Path) -> None:
    first = publish_parcels(lake, tmp_path, {1: "old"})
    publish_parcels(lake, tmp_path, {1: "new", 2: "new"})
    sql = "SELECT town_id, map_par_id, count(*) FROM core.parcels GROUP BY ALL ORDER BY ALL"
    today = first.committed.date().isoformat()
    new = [(1, "new", 4), (2, "new", 4)]
    for as_of, expected in (
        (first.committed_at, [(1, "old", 4)]),
        (None, new),
        ("2020-01-01", []),
        (today, new),
    ):
        catalog = open_catalog(lake, as_of=as_of)
        assert catalog.query(sql).fetchall() == expected, as_of
        catalog.close()


def test_a_snapshot_number_opens_that_snapshot_of_every_table(sampleton: Lake) -> None:
    catalog = open_catalog(sampleton, snapshots={"core/parcels": 1})
    assert catalog.query("SELECT count(*) FROM mart.properties").fetchone() > (0,)
    catalog.close()
    with pytest.raises(UsageError, match="no snapshot 99"):
        open_catalog(sampleton, snapshots={"core/parcels": 99})


def test_no_extension_is_looked_for_or_written_in_the_home_folder(
    sampleton: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    catalog = open_catalog(sampleton)
    assert catalog.query("SELECT count(ST_Area(geometry)) FROM core.parcels").fetchone() > (0,)
    catalog.close()
    assert list(home.rglob("*")) == []
