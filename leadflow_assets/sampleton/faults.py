"""Packages that are broken on purpose, each in one way, for tests of what refuses them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from pyproj import Transformer

from leadflow_assets.sampleton import writer
from leadflow_assets.sampleton.draft import Draft, PackageSpec
from leadflow_assets.sampleton.package import build, members
from leadflow_assets.sampleton.schema import Layer, Shape

FaultKind = Literal[
    "missing_dbf", "missing_taxpar", "wrong_crs", "no_crs", "zero_polygons", "two_fiscal_years",
    "foreign_town", "truncated", "not_a_zip", "html", "zip_bomb", "path_traversal", "lot_units_bad",
    "empty_file", "invalid_utf8",
]  # fmt: skip
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

_WGS84 = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
_HTML = (
    b"<!DOCTYPE html><html><head><title>503</title></head><body><h1>Service Unavailable</h1></body></html>\n"
)
_BOMB_SIZE = 32 * 1024 * 1024


def write_faulty_package(kind: FaultKind, path: Path, spec: PackageSpec | None = None) -> None:
    """Write a package with exactly one fault; without a spec, a small town without quirks.

    missing_dbf and missing_taxpar lack those members; wrong_crs is in degrees; foreign_town holds another
    town id than the spec's; zip_bomb has a member that inflates a thousandfold; path_traversal one named
    ``../../evil.dbf``; invalid_utf8 claims UTF-8 and has a latin-1 byte in an owner; the rest say it all.

    Raises:
        ValueError: no such kind.
    """
    if kind not in FAULT_KINDS:
        raise ValueError(f"There is no fault {kind!r}; there are {', '.join(FAULT_KINDS)}.")
    spec = spec or PackageSpec(parcels=60, quirks=False)
    if kind == "foreign_town":
        spec = replace(spec, town_id=2 if spec.town_id == 1 else 1, name="Otherton")
    draft, _ = build(spec)
    if kind in _TABLE_FAULTS:
        _TABLE_FAULTS[kind](draft)
    draft.finish()
    files = members(draft, spec)
    if kind in _MEMBER_FAULTS:
        files = _MEMBER_FAULTS[kind](files)
    content = writer.zip_bytes(files, spec.calendar_year)
    writer.write_atomically(path, _FILE_FAULTS[kind](content) if kind in _FILE_FAULTS else content)


def _to_degrees(draft: Draft) -> None:
    transformer = Transformer.from_crs(26986, 4326, always_xy=True)

    def moved(shape: Shape) -> Shape:
        return tuple(tuple((lon, lat) for lon, lat in transformer.itransform(ring)) for ring in shape)

    for layer in (draft.taxpar, draft.othleg, draft.misc):
        layer.shapes = [moved(shape) for shape in layer.shapes]


def _no_polygons(draft: Draft) -> None:
    draft.taxpar = Layer(draft.taxpar.fields)


def _two_years(draft: Draft) -> None:
    for row in range(0, len(draft.assess), 2):
        draft.assess.update(row, FY=draft.spec.fiscal_year - 1)


def _bad_units(draft: Draft) -> None:
    draft.assess.update(3, LOT_UNITS="Q")


def _raw_byte(draft: Draft) -> None:
    draft.assess.update(3, OWNER1="BRIARM\udcc9RE, ADA")


def _without(*endings: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def remove(files: dict[str, bytes]) -> dict[str, bytes]:
        return {name: content for name, content in files.items() if not any(end in name for end in endings)}

    return remove


def _assess_without_dbf(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: c for name, c in files.items() if not ("Assess" in name and name.endswith(".dbf"))}


def _degrees_prj(files: dict[str, bytes]) -> dict[str, bytes]:
    return {
        name: _WGS84.encode("ascii") if name.endswith(".prj") else content for name, content in files.items()
    }


def _bomb(files: dict[str, bytes]) -> dict[str, bytes]:
    folder = next(iter(files))
    return files | {f"{folder}M999_SHP_L3Par.lyr": bytes(_BOMB_SIZE)}


def _evil_member(files: dict[str, bytes]) -> dict[str, bytes]:
    return files | {"../../evil.dbf": b"not a table"}


_TABLE_FAULTS: dict[str, Callable[[Draft], None]] = {
    "wrong_crs": _to_degrees,
    "zero_polygons": _no_polygons,
    "two_fiscal_years": _two_years,
    "lot_units_bad": _bad_units,
    "invalid_utf8": _raw_byte,
}
_MEMBER_FAULTS: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "missing_dbf": _assess_without_dbf,
    "missing_taxpar": _without("TaxPar"),
    "wrong_crs": _degrees_prj,
    "no_crs": _without(".prj"),
    "zip_bomb": _bomb,
    "path_traversal": _evil_member,
}
_FILE_FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "not_a_zip": lambda content: b"\x89nothing\r\n" + bytes(range(256)) * 8,
    "html": lambda content: _HTML,
    "empty_file": lambda content: b"",
}
