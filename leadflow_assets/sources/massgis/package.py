"""What a package is, and the checks it must pass before GDAL sees it.

Only the directory of the zip is read, so that the checks are cheap; ``verify_members`` reads the rest.
Names and the rule for them are MassGIS's (measured on packages of 2018 to 2025): folders are free, case is
not reliable, the release is part of the name in new packages only.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.errors import BadPackageError, UsageError
from leadflow_assets.sources.http import page_kind

# Key of ``Package.layers`` -> extensions that must be there; the name in the zip is M025TaxPar, M025_LUT.
TABLES: Mapping[str, tuple[str, ...]] = {
    "TaxPar": (".shp", ".shx", ".dbf", ".prj"),
    "Assess": (".dbf",),
    "OthLeg": (".shp", ".shx", ".dbf", ".prj"),
    "Misc": (".shp", ".shx", ".dbf", ".prj"),
    "LUT": (".dbf",),
    "UC_LUT": (".dbf",),
}
MAX_RATIO = 200
RATIO_FREE_BYTES = 10_000_000
_MEMBER = re.compile(
    r"M([0-9]{3})(TaxPar|Assess|OthLeg|Misc|UC_LUT|_LUT)(?:_CY([0-9]+)_FY([0-9]+))?\.(?:shp|dbf)",
    re.IGNORECASE,
)
_GEODATABASE = re.compile(
    r"(?:.*/)?M([0-9]{3})_parcels(?:_CY([0-9]+)_FY([0-9]+))?(?:_sde)?\.gdb(?=/)", re.IGNORECASE
)
_CATALOG = "a00000001.gdbtable"
_Members = Mapping[str, zipfile.ZipInfo]
_Layers = dict[str, tuple[str, str]]
_REFETCH = "Fetch the package again."
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_CHUNK = 1 << 20
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
_LOCAL_HEADER = 30
# What zipfile raises on damaged bytes besides its own error.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,
)


@dataclass(frozen=True)
class Package:
    """A checked package. ``layers``: table -> (GDAL path, layer name); ``members``: names to be verified.

    The years are those of the names (CY25_FY26 is 2025 and 2026), None in old packages.
    """

    path: Path
    format: Literal["shapefile", "geodatabase"]
    town_id: int
    calendar_year: int | None
    fiscal_year: int | None
    newest_member: datetime
    unpacked_bytes: int
    layers: Mapping[str, tuple[str, str]]
    members: tuple[str, ...]


@dataclass(frozen=True)
class _Find:
    """One table's main file (or the geodatabase folder) as named in the zip."""

    town_id: int
    table: str
    release: tuple[int, int] | None
    name: str


def open_package(path: Path, *, expected_town_id: int, max_unpacked_bytes: int) -> Package:
    """Check a zip and find its six tables.

    A zip with both formats is read as shapefiles. ``newest_member`` is in UTC though zips say no zone.

    Raises:
        BadPackageError: any rule is broken; the message names the file, the rule and what to do.
    """
    with _opened(path) as archive:
        members = _checked_members(path, archive, max_unpacked_bytes)
    finds = _finds(path, members)
    town_id = _one_town(path, finds)
    if town_id != expected_town_id:
        raise BadPackageError(
            f"{path.name} holds {_named(town_id)}, not {_named(expected_town_id, plain=True)}.",
            "Name the right town or the right file.",
        )
    release = _one_release(path, finds)
    if finds[0].table:
        layers, needed = _shapefile_layers(path, finds, members)
    else:
        layers, needed = _geodatabase_layers(path, finds, members)
    return Package(
        path=path,
        format="shapefile" if finds[0].table else "geodatabase",
        town_id=town_id,
        calendar_year=release[0] if release else None,
        fiscal_year=release[1] if release else None,
        newest_member=max(map(_dated, members.values())),
        unpacked_bytes=sum(member.file_size for member in members.values()),
        layers=layers,
        members=tuple(needed),
    )


def town_id_in(path: Path) -> int:
    """The town a package is of, by the names of its members.

    Raises:
        BadPackageError: it is not a package, or one of several towns.
    """
    with _opened(path) as archive:
        members = {_slashed(member.filename): member for member in archive.infolist()}
    return _one_town(path, _finds(path, members))


def verify_members(package: Package) -> None:
    """Read every member that will be used, to its end, so that its checksum is compared.

    Raises:
        BadPackageError: one is damaged; names it.
    """
    with _opened(package.path) as archive:
        by_name = {_slashed(member.filename): member for member in archive.infolist()}
        for name in package.members:
            try:
                with archive.open(by_name[name]) as file:
                    while file.read(_CHUNK):
                        pass
            except (*_ZIP_ERRORS, OSError, KeyError) as error:
                what = f"{package.path.name}: {name} is truncated or damaged."
                raise BadPackageError(what, _REFETCH) from error


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The zip, if the file is one."""
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise BadPackageError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
    if not start.strip(b"\0"):
        raise BadPackageError(f"{path.name} is empty.", _REFETCH)
    if page := page_kind(start):
        raise BadPackageError(f"{path.name} is {page}, not a package.", f"Check the link. {_REFETCH}")
    if not start.startswith(b"PK"):
        raise BadPackageError(f"{path.name} is not a zip.", "MassGIS packages are zip files.")
    try:
        archive = zipfile.ZipFile(path)
    except (*_ZIP_ERRORS, OSError) as error:
        raise BadPackageError(f"{path.name} is truncated or damaged.", _REFETCH) from error
    with archive:
        yield archive


def _checked_members(path: Path, archive: zipfile.ZipFile, max_unpacked_bytes: int) -> _Members:
    """Files by name with forward slashes, without folders and Apple's extras; refuses anything hostile."""
    members: dict[str, zipfile.ZipInfo] = {}
    unpacked = 0
    for member in archive.infolist():
        name = _slashed(member.filename)
        _check_member(path, member, name)
        unpacked += member.file_size
        if name in members:
            raise BadPackageError(f"{path.name} holds {name} twice.", _REFETCH)
        if not name.endswith("/") and not _is_junk(name):
            members[name] = member
    if unpacked > max_unpacked_bytes:
        raise BadPackageError(
            f"{path.name} unpacks to {unpacked:,} bytes, more than the limit of {max_unpacked_bytes:,}.",
            "If it is right, raise MASSGIS_MAX_PACKAGE_MB.",
        )
    _check_extents(path, archive)
    return members


def _check_member(path: Path, member: zipfile.ZipInfo, name: str) -> None:
    problem = None
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/"):
        problem = "has a path that leads out of the package"
    elif not name.isprintable() or "\0" in member.orig_filename:
        problem = "has control characters in its name"
    elif stat.S_ISLNK(member.external_attr >> 16):
        problem = "is a symbolic link"
    elif member.flag_bits & _ENCRYPTED_FLAGS:
        problem = "is encrypted"
    elif member.compress_type not in _METHODS:
        problem = f"is compressed by method {member.compress_type}, which is not supported"
    elif member.file_size > RATIO_FREE_BYTES and member.file_size > MAX_RATIO * member.compress_size:
        problem = f"unpacks to more than {MAX_RATIO} times its size (a zip bomb)"
    if problem:
        shown = name if name.isprintable() else ascii(name)
        raise BadPackageError(f"{path.name}: {shown} {problem}.", "This is not a file of MassGIS.")


def _check_extents(path: Path, archive: zipfile.ZipFile) -> None:
    """Members must lie in the file, before the directory, without overlap (as in bombs that share bytes)."""
    end_of_data = archive.start_dir
    for member in sorted(archive.infolist(), key=lambda m: m.header_offset, reverse=True):
        # In bytes the name is as long or longer; extra fields and descriptors may follow.
        least = member.header_offset + _LOCAL_HEADER + len(member.orig_filename) + member.compress_size
        if member.header_offset < 0 or least > end_of_data:
            raise BadPackageError(f"{path.name} is truncated or damaged (its directory is wrong).", _REFETCH)
        end_of_data = member.header_offset


def _finds(path: Path, members: _Members) -> list[_Find]:
    """The tables of shapefiles, else the geodatabase folders."""
    tables, folders = [], {}
    for name in members:
        if name.endswith("/") or _is_junk(name):
            continue
        if match := _MEMBER.fullmatch(name.rpartition("/")[2]):
            table = _table(match[2])
            tables.append(_Find(int(match[1]), table, _release(match[3], match[4]), name))
        elif match := _GEODATABASE.match(name):
            folders[match[0]] = _Find(int(match[1]), "", _release(match[2], match[3]), match[0])
    found = tables or list(folders.values())
    if found:
        return found
    if any(name.lower().endswith(".zip") for name in members):
        raise BadPackageError(f"{path.name} holds another zip.", "Unpack it once and use the zip inside.")
    raise BadPackageError(
        f"{path.name} holds no tables of a parcel package (such as M025TaxPar.shp).",
        "Use a package such as L3_SHP_M025_BELLINGHAM.zip or M025_parcels_gdb.zip.",
    )


def _one_town(path: Path, finds: list[_Find]) -> int:
    town_ids = sorted({find.town_id for find in finds})
    if len(town_ids) > 1:
        names = ", ".join(_named(town_id, plain=True) for town_id in town_ids[:5])
        raise BadPackageError(f"{path.name} holds several towns: {names}.", "Use the package of one town.")
    return town_ids[0]


def _one_release(path: Path, finds: list[_Find]) -> tuple[int, int] | None:
    releases = sorted({find.release for find in finds if find.release})
    if len(releases) > 1:
        names = ", ".join(f"CY{cy % 100:02d}_FY{fy % 100:02d}" for cy, fy in releases[:5])
        raise BadPackageError(f"{path.name} holds more than one release: {names}.", "Use one release.")
    return releases[0] if releases else None


def _shapefile_layers(path: Path, finds: list[_Find], members: _Members) -> tuple[_Layers, list[str]]:
    town = f"M{finds[0].town_id:03d}"
    layers: _Layers = {}
    needed: list[str] = []
    missing: list[str] = []
    for table, extensions in TABLES.items():
        label = town + _in_names(table)
        stems = sorted({find.name[:-4] for find in finds if find.table == table})
        if len(stems) > 1:
            raise BadPackageError(f"{path.name} holds {label} more than once.", _REFETCH)
        files = [_sibling(stems[0], extension, members) for extension in extensions] if stems else []
        if stems and all(files):
            layers[table] = (_gdal_path(path, str(files[0])), stems[0].rpartition("/")[2])
            needed += map(str, files)
            continue
        lacking = [e for e, file in zip(extensions, files, strict=True) if not file] if stems else extensions
        missing.append(f"{label} ({', '.join(lacking)}{'; no CRS' if tuple(lacking) == ('.prj',) else ''})")
    if missing:
        raise BadPackageError(f"{path.name} lacks {'; '.join(missing)}.", f"It is incomplete. {_REFETCH}")
    return layers, needed


def _sibling(stem: str, extension: str, members: _Members) -> str | None:
    # GDAL looks for the same stem, and for the extension in lower or upper case only.
    return next((n for n in (stem + extension, stem + extension.upper()) if n in members), None)


def _geodatabase_layers(path: Path, finds: list[_Find], members: _Members) -> tuple[_Layers, list[str]]:
    folder = finds[0]
    if len(finds) > 1:
        raise BadPackageError(f"{path.name} holds {len(finds)} geodatabases.", "Use a package with one.")
    needed = [name for name in members if name.startswith(f"{folder.name}/")]
    if not any(name.rpartition("/")[2].lower() == _CATALOG for name in needed):
        raise BadPackageError(f"{path.name}: {folder.name} lacks its catalog ({_CATALOG}).", _REFETCH)
    town, gdal_path = f"M{folder.town_id:03d}", _gdal_path(path, folder.name)
    return {table: (gdal_path, town + _in_names(table)) for table in TABLES}, needed


def _in_names(table: str) -> str:
    return "_LUT" if table == "LUT" else table


def _table(in_name: str) -> str:
    return next(table for table in TABLES if _in_names(table).lower() == in_name.lower())


def _gdal_path(path: Path, member: str) -> str:
    """The member as GDAL names it. In braces the archive may have any suffix, but no unpaired brace."""
    archive = str(path.resolve())
    if archive.lower().endswith(".zip"):
        return f"/vsizip/{archive}/{member}"
    if archive.count("{") != archive.count("}"):
        raise BadPackageError(f"{path} has a brace without a pair in its name.", "Rename it to .zip.")
    return f"/vsizip/{{{archive}}}/{member}"


def _release(calendar: str | None, fiscal: str | None) -> tuple[int, int] | None:
    if calendar is None or fiscal is None:
        return None
    cy, fy = int(calendar), int(fiscal)
    return cy + 2000 if cy < 100 else cy, fy + 2000 if fy < 100 else fy


def _named(town_id: int, *, plain: bool = False) -> str:
    try:
        name = f" ({town_by_id(town_id).name})"
    except UsageError:
        name = ""
    return f"{'' if plain else 'town '}{town_id}{name}"


def _slashed(name: str) -> str:
    # Some Windows programs write backslashes; GDAL reads them as slashes.
    return name.replace("\\", "/")


def _is_junk(name: str) -> bool:
    """What macOS adds to zips."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] == ".DS_Store"


def _dated(member: zipfile.ZipInfo) -> datetime:
    try:
        return datetime(*member.date_time, tzinfo=UTC)
    except ValueError:
        # A zip made without dates: the earliest there can be.
        return datetime(1980, 1, 1, tzinfo=UTC)
