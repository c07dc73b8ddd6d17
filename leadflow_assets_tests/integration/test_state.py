"""The state database on both servers it promises to work on: migrations, concurrency, upserts, errors."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from leadflow_assets.errors import StoreError
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets.state import database
from leadflow_assets.state.models import Base
from leadflow_assets.state.source_checks import SourceCheck, latest, record
from leadflow_assets_tests.conftest import MIGRATE, process_context

PASSWORD = "correct-horse-7"
NOON = datetime(2026, 10, 9, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(autouse=True)
def migrations_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here no file begins as a copy of a migrated one."""
    monkeypatch.setattr(database, "migrate", MIGRATE)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own with password login, stopped and removed afterwards."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not binaries:
        pytest.skip("no PostgreSQL server here: install the Debian package postgresql")
    user = None
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            pytest.skip("PostgreSQL refuses to run as root and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="leadflow_pg_"))
    if user:
        shutil.chown(folder, user)
    try:
        with _server(binaries[-1].parent, folder, user) as port:
            yield f"postgresql://leadflow:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _server(binaries: Path, folder: Path, user: str | None) -> Iterator[int]:
    def call(*command: str) -> None:
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=120)

    data, password_file = folder / "data", folder / "password"
    password_file.write_text(PASSWORD)
    password_file.chmod(0o644)
    initdb = ("-D", str(data), "-U", "leadflow", "-A", "scram-sha-256", "--pwfile", str(password_file), "-N")
    call(str(binaries / "initdb"), *initdb)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    call(str(binaries / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield port
    finally:
        call(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty state database, on each server in turn."""
    if request.param == "sqlite":
        yield load_settings(leadflow_data_dir=tmp_path / "data", database_url=None)
        return
    url = request.getfixturevalue("postgres_url")
    yield load_settings(leadflow_data_dir=tmp_path / "data", database_url=SecretStr(url))
    server = load_settings(database_url=SecretStr(url))
    engine = database.open_engine(server)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    database._engines.clear()


def a_check(town_id: int = 25, **changes: object) -> SourceCheck:
    values: dict[str, object] = {
        "url": "https://example.org/L3_SHP_M025_BELLINGHAM.zip",
        "etag": '"abc"',
        "last_modified": NOON - timedelta(days=30),
        "size": 5_000_000_000,
        "checked_at": NOON,
        "outcome": "unchanged",
        "problem": None,
    }
    return SourceCheck(town_id=town_id, **{**values, **changes})  # type: ignore[arg-type]


def keep(settings: Settings, *checks: SourceCheck) -> dict[int, SourceCheck]:
    with database.session(settings) as session:
        for check in checks:
            record(session, check)
        session.commit()
    with database.session(settings) as session:
        return latest(session)


def test_what_is_recorded_comes_back_equal(settings: Settings) -> None:
    eastern = timezone(timedelta(hours=-4))
    local = a_check(26, checked_at=NOON.astimezone(eastern), etag=None, last_modified=None, size=None)
    found = keep(settings, a_check(), local)
    assert found == {25: a_check(), 26: local}
    assert found[26].checked_at.tzinfo is UTC


def test_a_newer_check_replaces_and_an_older_does_not(settings: Settings) -> None:
    newer = a_check(
        checked_at=NOON + timedelta(hours=1), outcome="missing", problem="answered 404", etag=None
    )
    assert keep(settings, a_check(), newer) == {25: newer}
    assert keep(settings, a_check()) == {25: newer}


def test_what_is_not_committed_is_gone(settings: Settings) -> None:
    with database.session(settings) as session:
        record(session, a_check())
    assert keep(settings) == {}


def test_an_unknown_outcome_is_refused(settings: Settings) -> None:
    with pytest.raises(IntegrityError) as caught:
        keep(settings, a_check(outcome="perhaps"))
    assert "perhaps" not in str(caught.value), "values must not reach error texts"


def test_a_naive_time_is_refused(settings: Settings) -> None:
    with pytest.raises(Exception, match="without a time zone"):
        keep(settings, a_check(checked_at=NOON.replace(tzinfo=None)))


def test_migrations_make_exactly_the_models(settings: Settings) -> None:
    engine = database.open_engine(settings)
    assert database.revisions(engine) == (None, "0013")
    database.migrate(engine)
    database.migrate(engine)
    assert database.revisions(engine) == ("0013", "0013")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_database_of_a_newer_program_is_refused(settings: Settings) -> None:
    engine = database.open_engine(settings)
    database.migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="revision 9999") as caught:
        database.migrate(engine)
    assert "Update the program" in caught.value.hint
    engine.dispose()


def _write_from_a_process(
    settings: Settings, number: int, barrier: multiprocessing.synchronize.Barrier
) -> None:
    barrier.wait(60)
    for turn in range(10):
        moment = NOON + timedelta(minutes=10 * turn + number)
        with database.session(settings) as session:
            # Read first, write later: the pattern that loses updates or fails without the early lock.
            latest(session)
            record(session, a_check(number, checked_at=moment))
            record(session, a_check(999, checked_at=moment, size=turn))
            session.commit()


def test_eight_processes_migrate_and_write_at_once(settings: Settings) -> None:
    context = process_context()
    barrier = context.Barrier(8)
    workers = [
        context.Process(target=_write_from_a_process, args=(settings, n, barrier)) for n in range(1, 9)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 8
    found = keep(settings)
    assert sorted(found) == [*range(1, 9), 999]
    assert {found[n].checked_at for n in range(1, 9)} == {
        NOON + timedelta(minutes=90 + n) for n in range(1, 9)
    }
    assert found[999].checked_at == NOON + timedelta(minutes=98)


def test_sqlite_is_wal_with_foreign_keys_and_patience(tmp_path: Path) -> None:
    settings = load_settings(leadflow_data_dir=tmp_path / "new" / "data", database_url=None)
    with database.session(settings) as session:
        found = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000}
    assert (tmp_path / "new" / "data" / "state.sqlite").is_file()


def test_a_removed_file_is_made_again_in_the_same_process(tmp_path: Path) -> None:
    settings = load_settings(leadflow_data_dir=tmp_path, database_url=None)
    assert keep(settings, a_check())
    for left in tmp_path.glob("state.sqlite*"):
        left.unlink()
    assert keep(settings) == {}


def refusal(url: str, folder: Path) -> StoreError:
    settings = load_settings(leadflow_data_dir=folder, database_url=SecretStr(url))
    with pytest.raises(StoreError) as caught, database.session(settings):
        pass
    shown = f"{caught.value} {caught.value.__cause__}"
    assert "s3cret" not in shown
    assert "DATABASE_URL" in caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3cret", "not a database URL"),
        ("postgresql://u:s3cret@host:port/db", "not a database URL"),
        ("mysql://u:s3cret@host/db", "not supported"),
        ("sqlite://", "names no file"),
        ("postgresql://u:s3cret@127.0.0.1:1/db", "database db at 127.0.0.1:1: nothing listens there"),
        ("postgres://u:s3cret@host.invalid/db", "the host is unknown"),
    ],
)
def test_a_bad_url_is_explained_without_its_password(url: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(url, tmp_path).message


def test_a_wrong_password_is_explained(postgres_url: str, tmp_path: Path) -> None:
    error = refusal(postgres_url.replace(PASSWORD, "s3cret"), tmp_path)
    assert "the user or password is refused" in error.message


def test_a_missing_postgresql_database_is_explained(postgres_url: str, tmp_path: Path) -> None:
    url = postgres_url.removesuffix("/postgres") + "/nowhere"
    settings = load_settings(leadflow_data_dir=tmp_path, database_url=SecretStr(url))
    with pytest.raises(StoreError, match="does not exist") as caught, database.session(settings):
        pass
    assert PASSWORD not in str(caught.value)


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"no database at all, only text" * 100)
    settings = load_settings(leadflow_data_dir=tmp_path, database_url=None)
    with pytest.raises(StoreError, match="no SQLite database"), database.session(settings):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = load_settings(leadflow_data_dir=tmp_path / "file" / "data", database_url=None)
    with pytest.raises(StoreError, match="Cannot make the folder"), database.session(settings):
        pass
