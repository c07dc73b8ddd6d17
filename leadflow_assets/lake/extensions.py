"""DuckDB's extensions: found in their wheels, never downloaded, each checked once in a process.

DuckDB checks an extension's signature whenever a connection loads it: half a second of one core for the
80 MB of spatial, though the code is already in the process. So a file whose signature held when this
process first loaded it is not checked again as long as it stays the same file.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from leadflow_assets.errors import NotConfiguredError

EXTENSIONS = ("spatial", "httpfs", "sqlite_scanner", "postgres_scanner")
_UNSIGNED = "allow_unsigned_extensions"
_File = tuple[str, int, int, int, int]
_checked: dict[str, _File] = {}


def extension_path(name: str) -> Path:
    """Where the extension's wheel put its binary, for this version of DuckDB.

    Raises:
        NotConfiguredError: the wheel is not installed, or belongs to another DuckDB.
    """
    try:
        module = importlib.import_module(f"duckdb_extension_{name}")
    except ImportError:
        raise NotConfiguredError(
            f"The DuckDB extension {name} is not installed.",
            f"pip install duckdb-extension-{name.replace('_', '-')}",
        ) from None
    folder = Path(str(module.__file__)).parent / "extensions" / f"v{duckdb.__version__}"
    path = folder / f"{name}.duckdb_extension"
    if not path.is_file():
        raise NotConfiguredError(
            f"The DuckDB extension {name} is not made for DuckDB {duckdb.__version__}.",
            "Install the versions of requirements.lock.",
        )
    return path


def load_extensions(connection: duckdb.DuckDBPyConnection, names: Sequence[str] = EXTENSIONS) -> None:
    """Load extensions into a connection that is open; DuckDB checks the signature of what is not loaded."""
    for name in names:
        file = _file(extension_path(name))
        connection.load_extension(file[0])
        _checked[name] = file


def checked(names: Sequence[str]) -> list[str]:
    """Those that this process has loaded before: :func:`connect_with` loads them in no time."""
    return [name for name in names if name in _checked and _file(extension_path(name)) == _checked[name]]


def connect_with(
    names: Sequence[str],
    config: Mapping[str, str] | None = None,
    database: str = ":memory:",
    *,
    read_only: bool = False,
) -> duckdb.DuckDBPyConnection:
    """A new DuckDB with these extensions, which allows no unsigned ones once it is here.

    Raises:
        NotConfiguredError: an extension is not installed.
        duckdb.IOException: an extension's signature does not hold.
    """
    files = {name: _file(extension_path(name)) for name in names}
    known = files.items() <= _checked.items()
    # DuckDB takes the permission only as it opens; it can be taken away at any time, and not given again.
    options: dict[str, str | bool | int | float | list[str]] = {
        **(config or {}),
        _UNSIGNED: str(known).lower(),
    }
    connection = duckdb.connect(database, read_only=read_only, config=options)
    try:
        for path, *_ in files.values():
            connection.load_extension(path)
        connection.execute(f"SET {_UNSIGNED} = false")
    except BaseException:
        connection.close()
        raise
    _checked.update(files)
    return connection


def _file(path: Path) -> _File:
    """The path with what changes when another file is put there."""
    found = path.stat()
    return str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
