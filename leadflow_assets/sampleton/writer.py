"""Tables as the bytes of .dbf, .shp and .shx files, and files as a zip that is the same every time."""

from __future__ import annotations

import io
import os
import struct
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from leadflow_assets.sampleton.geometry import ring_measures
from leadflow_assets.sampleton.schema import Cell, Field, Layer, Shape, Table

MASSACHUSETTS_MAINLAND = (
    'PROJCS["NAD_1983_StatePlane_Massachusetts_Mainland_FIPS_2001",'
    'GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",'
    'SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],'
    'PARAMETER["False_Easting",200000.0],PARAMETER["False_Northing",750000.0],'
    'PARAMETER["Central_Meridian",-71.5],PARAMETER["Standard_Parallel_1",41.71666666666667],'
    'PARAMETER["Standard_Parallel_2",42.68333333333333],PARAMETER["Latitude_Of_Origin",41.0],'
    'UNIT["Meter",1.0]]'
)
_POLYGON = 5
_SHP_HEADER = 100


def dbf_bytes(table: Table, encoding: str, calendar_year: int) -> bytes:
    r"""A dBase III file; text is padded to its width in bytes.

    A lone surrogate in text (``\udce9``) is written as its raw byte: how an invalid file is made.

    Raises:
        ValueError: a value does not fit its column.
    """
    count = len(table)
    layout = [("deleted", "S1"), *((field.name, f"S{field.width}") for field in table.fields)]
    records = np.zeros(count, dtype=layout)
    records["deleted"] = b" "
    for field in table.fields:
        cells = _column_bytes(field, table.columns[field.name], encoding)
        records[field.name] = np.frombuffer(cells, dtype=f"S{field.width}")
    size = 32 + 32 * len(table.fields) + 1
    head = struct.pack("<4BIHH20x", 3, calendar_year - 1900, 12, 19, count, size, records.dtype.itemsize)
    fields = b"".join(
        struct.pack("<11sc4x2B14x", f.name.encode("ascii"), f.kind.encode("ascii"), f.width, f.decimals)
        for f in table.fields
    )
    return head + fields + b"\r" + records.tobytes() + b"\x1a"


def _column_bytes(field: Field, cells: Sequence[Cell], encoding: str) -> bytes:
    count, width = len(cells), field.width
    if field.kind == "C":
        joined = "".join([str(cell).ljust(width) for cell in cells])
        if joined.isascii():
            made = joined.encode("ascii")
        else:
            made = b"".join([str(cell).encode(encoding, "surrogateescape").ljust(width) for cell in cells])
    else:
        form = f"%{width}d" if field.kind == "N" else f"%{width}.{field.decimals}e"
        made = (form * count % tuple(cells)).encode("ascii")
    if len(made) != count * width:
        raise ValueError(f"A value of {field.name} is longer than {width} bytes.")
    return made


def shp_shx_bytes(shapes: Sequence[Shape]) -> tuple[bytes, bytes]:
    """The polygons as .shp and .shx, in order, as they are: rings are neither closed nor turned."""
    bodies: list[bytes] = []
    index = bytearray()
    boxes = np.zeros((len(shapes), 4))
    offset = _SHP_HEADER // 2
    for number, rings in enumerate(shapes):
        flat = list(chain.from_iterable(chain.from_iterable(rings)))
        xs, ys = flat[0::2], flat[1::2]
        box = (min(xs), min(ys), max(xs), max(ys))
        starts, total = [], 0
        for ring in rings:
            starts.append(total)
            total += len(ring)
        content = struct.pack(
            f"<i4d2i{len(rings)}i{len(flat)}d", _POLYGON, *box, len(rings), total, *starts, *flat
        )
        words = len(content) // 2
        bodies.append(struct.pack(">2i", number + 1, words) + content)
        index += struct.pack(">2i", offset, words)
        offset += words + 4
        boxes[number] = box
    low, high = (boxes[:, :2].min(0), boxes[:, 2:].max(0)) if len(shapes) else (np.zeros(2), np.zeros(2))
    bounds = (*low.tolist(), *high.tolist())
    shx = _shp_header(_SHP_HEADER + len(index), bounds) + bytes(index)
    return _shp_header(offset * 2, bounds) + b"".join(bodies), shx


def _shp_header(size: int, bounds: tuple[float, ...]) -> bytes:
    return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, size // 2) + struct.pack(
        "<2i8d", 1000, _POLYGON, *bounds, 0, 0, 0, 0
    )


def measure(layer: Layer) -> None:
    """Fill SHAPE_Leng (m) and SHAPE_Area (m2) from the shapes."""
    sums = []
    for rings in layer.shapes:
        rows = [ring_measures(ring) for ring in rings]
        sums.append((sum(row[0] for row in rows), abs(sum(row[1] for row in rows))))
    layer.columns["SHAPE_Leng"] = [length for length, _ in sums]
    layer.columns["SHAPE_Area"] = [area for _, area in sums]


def zip_bytes(members: Mapping[str, bytes], calendar_year: int) -> bytes:
    """A zip in the given order, stamped 19 December of the year; a name ending in / is a folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (calendar_year, 12, 19, 9, 50, 26))
            info.create_system, info.external_attr = 0, 0x10 if name.endswith("/") else 0x20
            info.compress_type = zipfile.ZIP_STORED if len(content) < 6 else zipfile.ZIP_DEFLATED
            package.writestr(info, content)
    return buffer.getvalue()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there, so that no one sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
