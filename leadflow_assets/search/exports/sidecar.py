"""The sidecar of an export: what was asked, of which snapshot, what came out. Enough to do it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadflow_assets.search.exports.formats import (
    SOURCE_NOTE,
    USE_NOTE,
    Counts,
    ExportRequest,
    describe_column,
    shown_columns,
)
from leadflow_assets.search.exports.values import to_json

FORMAT_VERSION = 1
ENDING = ".leadflow.json"
_REFERENCE_SYSTEMS = {
    "geojson": "WGS 84, longitude and latitude in degrees (EPSG:4326)",
    "geoparquet": "NAD83 / Massachusetts Mainland, metres (EPSG:26986)",
    "map": "WGS 84, longitude and latitude in degrees (EPSG:4326)",
}


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of an export stands: ``leads.csv.leadflow.json``."""
    return path.with_name(path.name + ENDING)


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def about(request: ExportRequest, counts: Counts) -> dict[str, Any]:
    """What an export is, for its sidecar and for formats that carry it themselves."""
    described: dict[str, Any] = {
        "list_name": request.list_name,
        "criteria": dict(request.criteria),
        "sort": list(request.sort),
        "as_of": request.as_of,
        "snapshot": [dict(town) for town in request.freshness],
        "notes": list(request.notes),
        "rows": counts.rows,
        "created_at": now(),
        "program": f"leadflow {request.program}",
        "source": SOURCE_NOTE,
        "use": USE_NOTE,
    }
    if request.format in _REFERENCE_SYSTEMS:
        described["reference_system"] = _REFERENCE_SYSTEMS[request.format]
        described["geometry"] = {
            "outlines": counts.outlines,
            "points": counts.points,
            "without_place": counts.placeless,
        }
    if counts.remarks:
        described["remarks"] = list(counts.remarks)
    return described


def write_sidecar(
    path: Path, request: ExportRequest, schema: pa.Schema, counts: Counts, *, sha256: str, size: int
) -> None:
    """Write the sidecar of a finished export of ``size`` bytes to ``path``."""
    columns = [
        {"name": name, "type": str(schema.field(name).type), "meaning": describe_column(name)}
        for name in shown_columns(request.format, request.columns)
    ]
    document = {
        "leadflow_export": FORMAT_VERSION,
        "file": request.path.name,
        "format": request.format,
        "sha256": sha256,
        "bytes": size,
        **about(request, counts),
        "columns": columns,
    }
    text = json.dumps(json.loads(to_json(document)), ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def about_lines(request: ExportRequest, counts: Counts) -> Iterator[tuple[str, str]]:
    """The same for people: pairs of a title and a text."""
    if request.list_name:
        yield "List", request.list_name
    yield "Made", f"{now()} by leadflow {request.program}"
    if request.as_of:
        yield "As of", request.as_of
    yield "Rows", f"{counts.rows:,}"
    yield "Criteria", to_json(dict(request.criteria))
    for town in request.freshness:
        yield f"{town.get('town')}", town_line(town)
    for note in (*request.notes, *counts.remarks):
        yield "Note", note
    yield "Source", SOURCE_NOTE
    yield "Use", USE_NOTE


def town_line(town: Any) -> str:
    """Release, dates and records of one town's data, in words; what is unknown is said so."""

    def known(name: str) -> str:
        value = town.get(name)
        return "unknown" if value is None else str(value)

    records = town.get("records")
    counted = "unknown" if records is None else f"{records:,}"
    return (
        f"release {known('release')}, fiscal year {known('fiscal_year')}, "
        f"source dated {known('source_date')}, fetched {known('fetched_at')}, {counted} records"
    )
