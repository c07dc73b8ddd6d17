"""Exports and their sidecars below the data folder, and the search index.

An export that shows a purged owner or case, or what a purged case added to a score, is removed together with
its sidecar, which says how to make it again. A sidecar that only quotes a name in its criteria keeps
everything else. Exports elsewhere are out of reach.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from leadflow_assets.domain.purging import Purged, property_place
from leadflow_assets.enrich.purge.documents import stripped
from leadflow_assets.enrich.purge.objects import by_name
from leadflow_assets.enrich.purge.traces import Traces
from leadflow_assets.lake.lake import Lake
from leadflow_assets.search.exports.sidecar import ENDING
from leadflow_assets.search.index import build_index, index_path
from leadflow_assets.settings import Settings

_READABLE: Final = frozenset(
    {".csv", ".txt", ".json", ".geojson", ".html", ".htm", ".xlsx", ".parquet", ".zip"}
)
_LEFT_OVER_SECONDS: Final = 3600.0
_PROPERTY_ID: Final = re.compile(r"\b\d{3}-[^\s\",;<>&|\\]{1,60}")
# What other parts look after, what is public, and the demo's made-up sources; databases are cleaned by rows.
_NOT_HERE: Final = frozenset(
    {
        "lake",
        "search",
        "staging",
        "downloads",
        "purges",
        "dagster",
        "dagster_home",
        "sampleton",
        "duckdb_temp",
    }
)


def clean_exports(settings: Settings, purged: Purged, traces: Traces, *, dry_run: bool) -> dict[str, int]:
    """Remove what exports below the data folder tell; how many were removed and how many sidecars changed."""
    removed = changed = 0
    for path in list(_files(settings)):
        try:
            if path.name.endswith(ENDING):
                changed += _clean_sidecar(path, purged, dry_run)
            elif path.suffix.lower() in _READABLE and _tells(path, purged, traces):
                removed += 1
                if not dry_run:
                    # The sidecar goes last: it is what a next run finds the rest by.
                    path.unlink(missing_ok=True)
                    path.with_name(path.name + ENDING).unlink(missing_ok=True)
        except FileNotFoundError:
            continue
    return {"exports": removed, "export sidecars": changed}


def sweep_temporary(settings: Settings) -> None:
    """Remove what DuckDB left behind when a process was killed: it may hold rows of anything."""
    for path in (settings.data_dir / "duckdb_temp").glob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_mtime < time.time() - _LEFT_OVER_SECONDS:
                path.unlink()


def rebuild_index(lake: Lake) -> int:
    """Make the search index anew, if there is one; how many were."""
    # What whoever was killed left of the files beside the index.
    for path in index_path(lake.settings).parent.glob("*.making"):
        if path.is_file() and path.stat().st_mtime < time.time() - _LEFT_OVER_SECONDS:
            path.unlink(missing_ok=True)
    if not index_path(lake.settings).is_file():
        # One that was never finished would hold rows as well.
        leftovers = list(index_path(lake.settings).parent.glob("search-*"))
        for path in leftovers:
            path.unlink(missing_ok=True)
        return int(bool(leftovers))
    build_index(lake, force=True)
    return 1


def _files(settings: Settings) -> Iterator[Path]:
    """Files below the data folder that people may have had written there."""
    base = settings.data_dir
    lake = Path(settings.lake_uri) if not settings.lake_uri.startswith("s3://") else None
    for folder, names, files in os.walk(base):
        here = Path(folder)
        if here == base:
            names[:] = [name for name in names if name not in _NOT_HERE]
        names[:] = [name for name in names if here / name != lake]
        yield from (here / name for name in files)


def _clean_sidecar(path: Path, purged: Purged, dry_run: bool) -> int:
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError):
        return 0
    after = stripped(before, by_name(purged))
    if after == before:
        return 0
    if not dry_run:
        temporary = path.with_name(f".{path.name}.purging")
        temporary.write_text(json.dumps(after, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    return 1


def _tells(path: Path, purged: Purged, traces: Traces) -> bool:
    """Does the file name a purged owner of a property in it, or a purged case, or what it added to a score?

    Where it names no property, the name decides.
    """
    has_property, has_name = None, False
    for text in _texts(path):
        if purged.without_numbers(text) != text:
            return True
        ids = _PROPERTY_ID.findall(text)
        if any(word in text for one in ids for word in traces.words(one)):
            return True
        if ids:
            known = any(purged.places([property_place(one)]) for one in ids)
            has_property = bool(has_property) or known
        has_name = has_name or purged.mentions_name(text)
        if has_name and has_property:
            return True
    return has_name and has_property is None


def _texts(path: Path) -> Iterator[str]:
    """The texts of a file, line by line; a workbook or a zip is unpacked."""
    if path.suffix.lower() == ".parquet":
        yield from _parquet_texts(path)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    # Cells of a workbook are elements of XML.
                    text = archive.read(name).decode("utf-8", errors="replace")
                    yield from re.split(r"</row>|\n", re.sub(r"<[^/][^>]*>|</[^r][^>]*>", " ", text))
    else:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                yield from line.split('"type":"Feature"')


def _parquet_texts(path: Path) -> Iterator[str]:
    with pq.ParquetFile(path) as file:
        names = [field.name for field in file.schema_arrow if pa.types.is_string(field.type)]
        for batch in file.iter_batches(columns=names):
            for row in zip(*(batch[name].to_pylist() for name in names), strict=True):
                yield " ; ".join(value for value in row if value)
