"""DuckDB's extensions: a file is checked once in a process, and another file in its place again."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from leadflow_assets.lake.extensions import connect_with, extension_path


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The extension sqlite_scanner of a wheel in the test's own folder, where it may be damaged."""
    real = extension_path("sqlite_scanner")
    module = ModuleType("duckdb_extension_sqlite_scanner")
    module.__file__ = str(tmp_path / "__init__.py")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    path = extension_path_below(tmp_path)
    path.parent.mkdir(parents=True)
    shutil.copyfile(real, path)
    assert extension_path("sqlite_scanner") == path
    return path


def extension_path_below(folder: Path) -> Path:
    return folder / "extensions" / f"v{duckdb.__version__}" / "sqlite_scanner.duckdb_extension"


def damaged(path: Path) -> Path:
    """A copy beside the file, a byte of which is another one."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    other = path.with_name("damaged.duckdb_extension")
    other.write_bytes(content)
    return other


def is_loaded(connection: duckdb.DuckDBPyConnection) -> bool:
    query = "SELECT loaded FROM duckdb_extensions() WHERE extension_name = 'sqlite_scanner'"
    return connection.execute(query).fetchall() == [(True,)]


def test_no_connection_allows_unsigned_extensions_the_first_or_a_later_one(wheel: Path) -> None:
    other = damaged(wheel)
    for _ in range(3):
        with connect_with(["sqlite_scanner"]) as connection:
            assert is_loaded(connection)
            with pytest.raises(duckdb.IOException, match="signature"):
                connection.load_extension(str(other))
            with pytest.raises(duckdb.InvalidInputException, match="while database is running"):
                connection.execute("SET allow_unsigned_extensions = true")


def test_a_damaged_file_is_refused_from_the_start(wheel: Path) -> None:
    damaged(wheel).replace(wheel)
    for _ in range(2):
        with pytest.raises(duckdb.IOException, match="signature"):
            connect_with(["sqlite_scanner"])


def test_a_file_put_in_the_place_of_a_checked_one_is_checked_again(wheel: Path) -> None:
    with connect_with(["sqlite_scanner"]) as connection:
        assert is_loaded(connection)
    damaged(wheel).replace(wheel)
    with pytest.raises(duckdb.IOException, match="signature"):
        connect_with(["sqlite_scanner"])
