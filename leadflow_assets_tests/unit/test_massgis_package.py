"""What must be true of a package before GDAL sees it, on zips built here and on the real ones."""

from __future__ import annotations

import io
import pickle
import re
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pyogrio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadflow_assets.errors import BadPackageError
from leadflow_assets.sources.massgis.package import TABLES, Package, open_package, town_id_in, verify_members

SHARED = (Path(__file__).resolve().parents[3] / "shared" / "massgis").resolve()
SHAPEFILE = SHARED / "L3_SHP_M025_BELLINGHAM.zip"
GEODATABASE = SHARED / "M025_parcels_gdb.zip"
needs_samples = pytest.mark.skipif(not SHAPEFILE.exists(), reason="the real packages are not in ../shared")
RELEASE = "_CY25_FY26"
LIMIT = 10**9


def names(town: str = "025", release: str = RELEASE, folder: str = "L3_SHP_M025_Bellingham/") -> list[str]:
    """Every member of a package that the rules name."""
    return [
        f"{folder}M{town}{'_LUT' if table == 'LUT' else table}{release}{extension}"
        for table, extensions in TABLES.items()
        for extension in extensions
    ]


def zip_of(path: Path, members: Iterable[str | zipfile.ZipInfo], content: bytes = b"content") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for member in members:
            is_folder = isinstance(member, str) and member.endswith("/")
            package.writestr(member, b"" if is_folder else content)
    return path


def opened(path: Path, town_id: int = 25, limit: int = LIMIT) -> Package:
    return open_package(path, expected_town_id=town_id, max_unpacked_bytes=limit)


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Build a zip of these members and give the text it is refused with."""

    def build(members: Iterable[str | zipfile.ZipInfo], **options: int) -> str:
        path = zip_of(tmp_path / "p.zip", members)
        with pytest.raises(BadPackageError) as caught:
            opened(path, **options)
        assert caught.value.message.startswith("p.zip")
        assert caught.value.hint
        return str(caught.value)

    return build


# ---- the real ones


@needs_samples
def test_the_real_shapefile_package() -> None:
    package = opened(SHAPEFILE)
    assert (package.format, package.town_id) == ("shapefile", 25)
    assert (package.calendar_year, package.fiscal_year) == (2025, 2026)
    assert package.newest_member == datetime(2025, 12, 19, 10, 56, 42, tzinfo=UTC)
    assert package.unpacked_bytes == 11_033_555
    folder = f"/vsizip/{SHAPEFILE}/L3_SHP_M025_Bellingham"
    assert package.layers["TaxPar"] == (f"{folder}/M025TaxPar_CY25_FY26.shp", "M025TaxPar_CY25_FY26")
    assert package.layers["LUT"] == (f"{folder}/M025_LUT_CY25_FY26.dbf", "M025_LUT_CY25_FY26")
    assert list(package.layers) == ["TaxPar", "Assess", "OthLeg", "Misc", "LUT", "UC_LUT"]
    verify_members(package)
    for path, layer in package.layers.values():
        assert pyogrio.read_info(path, layer=layer)["features"] > 0


@needs_samples
def test_the_real_geodatabase_package() -> None:
    package = opened(GEODATABASE)
    assert (package.format, package.calendar_year, package.fiscal_year) == ("geodatabase", 2025, 2026)
    assert package.newest_member == datetime(2025, 12, 23, 15, 49, 30, tzinfo=UTC)
    verify_members(package)
    assert package.layers["UC_LUT"][1] == "M025UC_LUT"
    for path, layer in package.layers.values():
        assert path == f"/vsizip/{GEODATABASE}/M025_parcels_CY25_FY26_sde.gdb"
        assert pyogrio.read_info(path, layer=layer)["features"] > 0


@needs_samples
@pytest.mark.parametrize(
    "name", ["a b.zip", "{a}.zip", "{a.zip", "x.part", "{x}.part", "a.zip/b c.zip", "ünï'q?#*.ZIP", "noext"]
)
def test_gdal_finds_members_below_odd_paths(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    shutil.copy(SHAPEFILE, path)
    source, layer = opened(path).layers["Assess"]
    assert pyogrio.read_info(source, layer=layer)["features"] == 6999


def test_a_path_gdal_cannot_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPackageError, match="brace"):
        opened(zip_of(tmp_path / "x{.part", names()))


# ---- names


def test_old_names_and_no_folder(tmp_path: Path) -> None:
    package = opened(zip_of(tmp_path / "p.zip", names(release="", folder="")))
    assert (package.calendar_year, package.fiscal_year) == (None, None)
    assert package.layers["UC_LUT"] == (f"/vsizip/{tmp_path}/p.zip/M025UC_LUT.dbf", "M025UC_LUT")


def test_extras_of_esri_and_macos_are_left_aside(tmp_path: Path) -> None:
    extras = ["a/", "a/M025_SHP_L3Par.lyr", "a/M025TaxPar_CY25_FY26.shp.xml", "a/M025Assess_CY25_FY26.cpg"]
    junk = ["__MACOSX/a/M026TaxPar.shp", "a/._M026TaxPar.shp", "a/.DS_Store"]
    package = opened(zip_of(tmp_path / "p.zip", [*names(folder="a/"), *extras, *junk]))
    assert sorted(package.members) == sorted(names(folder="a/"))
    assert package.unpacked_bytes == 7 * (len(names()) + 3)


def test_backslashes_are_slashes(tmp_path: Path) -> None:
    package = opened(zip_of(tmp_path / "p.zip", names(folder="a\\b\\")))
    assert package.layers["LUT"][0] == f"/vsizip/{tmp_path}/p.zip/a/b/M025_LUT_CY25_FY26.dbf"
    verify_members(package)


def test_four_digit_years_and_the_sample_town(tmp_path: Path) -> None:
    package = opened(zip_of(tmp_path / "p.zip", names("999", "_CY2011_FY09")), town_id=999)
    assert (package.calendar_year, package.fiscal_year) == (2011, 2009)


@st.composite
def member_sets(draw: st.DrawFn) -> tuple[int, tuple[int, int] | None, list[str]]:
    """The same package as a town might name it: any case, folder, order, release."""
    town_id = draw(st.integers(1, 351))
    years = draw(st.none() | st.tuples(st.integers(0, 99), st.integers(0, 99)))
    release = "" if years is None else f"_CY{years[0]:02d}_FY{years[1]:02d}"
    folder = draw(st.sampled_from(["", "L3_SHP/", "a b/C/", "ü{}/"]))
    members = []
    for table, extensions in TABLES.items():
        stem = f"M{town_id:03d}{'_LUT' if table == 'LUT' else table}{release}"
        stem = draw(st.sampled_from([stem, stem.upper(), stem.lower(), stem.swapcase()]))
        upper = draw(st.booleans())
        members += [folder + stem + (e.upper() if upper else e) for e in extensions]
    members += draw(
        st.sampled_from([[], [f"{folder}readme.txt"], ["M1TaxPar.shp", "xM002Assess.dbf", "M003Assess.dbfx"]])
    )
    return town_id, years, draw(st.permutations(members))


@given(member_sets())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_spelling_of_a_whole_package_is_accepted(
    tmp_path: Path, case: tuple[int, tuple[int, int] | None, list[str]]
) -> None:
    town_id, years, members = case
    path = zip_of(tmp_path / "p.zip", members)
    package = opened(path, town_id=town_id)
    assert town_id_in(path) == town_id
    expected = (None, None) if years is None else (2000 + years[0], 2000 + years[1])
    assert (package.calendar_year, package.fiscal_year) == expected
    assert set(package.members) <= set(members)
    assert len(package.members) == sum(map(len, TABLES.values()))
    for table, (source, layer) in package.layers.items():
        assert layer.lower().startswith(f"m{town_id:03d}{'_lut' if table == 'LUT' else table.lower()}")
        assert source.removeprefix(f"/vsizip/{path}/") in members


@given(st.sets(st.sampled_from(names()), min_size=1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_missing_is_named(tmp_path: Path, gone: set[str]) -> None:
    path = zip_of(tmp_path / "p.zip", [n for n in names() if n not in gone] + ["readme.txt"])
    with pytest.raises(BadPackageError) as caught:
        opened(path)
    if re.search("holds no tables", str(caught.value)):
        assert not [n for n in set(names()) - gone if n.endswith((".shp", ".dbf"))]
        return
    for name in gone:
        table = name.rpartition("/")[2].partition(RELEASE)[0]
        listed = re.search(rf"{table} \(([^)]*)\)", str(caught.value))
        assert listed is not None
        assert name[-4:] in listed[1]


def test_a_missing_prj_means_no_crs(refused: Callable[..., str]) -> None:
    text = refused(n for n in names() if not n.endswith("TaxPar_CY25_FY26.prj"))
    assert "lacks M025TaxPar (.prj; no CRS)" in text


def test_a_sibling_gdal_would_not_find_is_missing(refused: Callable[..., str]) -> None:
    shx = "L3_SHP_M025_Bellingham/M025Misc_CY25_FY26.shx"
    odd = shx.replace("Misc", "MISC")
    assert "lacks M025Misc (.shx)" in refused([odd if n == shx else n for n in names()])


def test_another_town_is_named(refused: Callable[..., str]) -> None:
    assert "holds town 26 (Belmont), not 25 (Bellingham)" in refused(names("026"))
    assert "holds town 352, not 25 (Bellingham)" in refused(names("352"))


def test_several_towns_or_releases_in_one_zip(refused: Callable[..., str]) -> None:
    assert "several towns: 25 (Bellingham), 26 (Belmont)" in refused(names() + names("026"))
    two = refused(names() + names(release="_CY24_FY25", folder="old/"))
    assert "more than one release: CY24_FY25, CY25_FY26" in two
    assert "M025TaxPar more than once" in refused(names() + names(folder="copy/"))
    assert "M025TaxPar more than once" in refused(names() + names(release="", folder="copy/"))


def test_a_table_without_release_among_others_is_taken(tmp_path: Path) -> None:
    package = opened(zip_of(tmp_path / "p.zip", [n.replace(f"_LUT{RELEASE}", "_LUT") for n in names()]))
    assert package.calendar_year == 2025


def test_what_holds_no_tables(refused: Callable[..., str]) -> None:
    assert "holds no tables" in refused(["readme.txt"])
    assert "holds no tables" in refused(["M025TaxPar.shp/"])
    assert "holds another zip" in refused(["L3_SHP_M025_BELLINGHAM.ZIP"])
    assert "holds no tables" in refused([])


def test_geodatabases(tmp_path: Path, refused: Callable[..., str]) -> None:
    for folder in ("M025_parcels_CY25_FY26_sde.gdb", "a/m025_PARCELS_sde.GDB", "M025_parcels.gdb"):
        path = zip_of(
            tmp_path / "g.zip",
            [f"{folder}/", f"{folder}/a00000001.gdbtable", f"{folder}/timestamps", "x.lyr"],
        )
        package = opened(path)
        assert (package.format, town_id_in(path)) == ("geodatabase", 25)
        assert package.layers["OthLeg"] == (f"/vsizip/{path}/{folder}", "M025OthLeg")
        assert package.calendar_year == (2025 if "CY" in folder else None)
        assert package.members == (f"{folder}/a00000001.gdbtable", f"{folder}/timestamps")
    assert "lacks its catalog" in refused_text(tmp_path, ["M025_parcels.gdb/a00000002.gdbtable"])
    two = ["M025_parcels.gdb/a00000001.gdbtable", "M025_parcels_sde.gdb/a00000001.gdbtable"]
    assert "holds 2 geodatabases" in refused(two)
    assert "holds town 26" in refused(["M026_parcels.gdb/a00000001.gdbtable"])
    assert "holds no tables" in refused(["M025_parcels.gdb/"])
    assert "holds no tables" in refused(["xM025_parcels.gdb/a00000001.gdbtable", "M025_parcels.gdb"])


def refused_text(tmp_path: Path, members: list[str]) -> str:
    with pytest.raises(BadPackageError) as caught:
        opened(zip_of(tmp_path / "r.zip", members))
    return str(caught.value)


def test_both_formats_are_read_as_shapefiles(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", [*names(), "M025_parcels_sde.gdb/a00000001.gdbtable"])
    assert opened(path).format == "shapefile"


# ---- hostile and damaged files


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "C:/x", "..\\x", "\\x", "a/.."])
def test_paths_that_lead_out(refused: Callable[..., str], name: str) -> None:
    assert "leads out of the package" in refused([*names(), name])


def test_symbolic_links(refused: Callable[..., str]) -> None:
    link = zipfile.ZipInfo("M025TaxPar.cpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "M025TaxPar.cpg is a symbolic link" in refused([*names(), link])


def test_control_characters(refused: Callable[..., str]) -> None:
    text = refused([*names(), "a\x1b[31m"])
    assert "control characters" in text
    assert text.isprintable()


def patched(path: Path, offset: int, value: bytes) -> None:
    """Overwrite bytes of the first entry of the directory."""
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02") + offset
    data[start : start + len(value)] = value
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("offset", "value", "what"),
    [
        (8, b"\x01\x00", "is encrypted"),
        (10, struct.pack("<H", 9), "compressed by method 9"),
        (24, struct.pack("<I", 2_000_000_000), "zip bomb"),
        (20, struct.pack("<I", 500_000), "its directory is wrong"),
        (42, struct.pack("<I", 400_000), "its directory is wrong"),
        (6, struct.pack("<H", 99), "truncated or damaged"),
    ],
)
def test_what_the_directory_says_is_checked(tmp_path: Path, offset: int, value: bytes, what: str) -> None:
    path = zip_of(tmp_path / "p.zip", names())
    patched(path, offset, value)
    with pytest.raises(BadPackageError, match=what):
        opened(path)


def test_members_that_share_bytes(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", names())
    with zipfile.ZipFile(path) as package:
        second = package.infolist()[1].header_offset
    patched(path, 42, struct.pack("<I", second))
    with pytest.raises(BadPackageError, match="its directory is wrong"):
        opened(path)


def test_a_real_zip_bomb_is_refused_by_ratio_and_by_size(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    zip_of(path, names())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("bomb.bin", bytes(11_000_000))
    with pytest.raises(BadPackageError, match=r"bomb\.bin unpacks to more than 200 times"):
        opened(path)
    zip_of(path, names(), content=bytes(9_000_00))
    total = 900_000 * len(names())
    assert opened(path, limit=total).unpacked_bytes == total
    with pytest.raises(
        BadPackageError, match=rf"unpacks to {total:,} bytes, more than the limit of {total - 1:,}"
    ):
        opened(path, limit=total - 1)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice(refused: Callable[..., str]) -> None:
    assert "M025TaxPar_CY25_FY26.shp twice" in refused([*names(), names()[0]])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (bytes(100), "is empty"),
        (b"<!DOCTYPE html><html>", "is an HTML page"),
        (b"\xef\xbb\xbf \n<HTML>", "is an HTML page"),
        (b"<?xml version='1.0'?><Error>", "is an XML document"),
        (b"Rar!\x1a\x07", "is not a zip"),
        (b"PK\x03\x04 and no more", "is truncated or damaged"),
    ],
)
def test_what_is_not_a_zip(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(data)
    for check in (opened, town_id_in):
        with pytest.raises(BadPackageError, match=rf"p\.zip {what}"):
            check(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(BadPackageError, match="cannot be read"):
            opened(path)


def test_a_truncated_download(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", names())
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(BadPackageError, match="is truncated or damaged"):
        opened(path)


def test_damage_inside_a_member_is_found_by_reading_it(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", names(), content=b"some rows of a table")
    package = opened(path)
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(names()[1])
    data = bytearray(path.read_bytes())
    data[member.header_offset + 30 + len(member.filename) + 5] ^= 0xFF
    path.write_bytes(data)
    opened(path)
    with pytest.raises(BadPackageError, match=r"p\.zip: .*M025TaxPar_CY25_FY26\.shx is truncated or damaged"):
        verify_members(package)


@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4),
    st.floats(0, 1),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damage_raises_anything_else(tmp_path: Path, flips: list[tuple[float, int]], cut: float) -> None:
    data = bytearray(zip_of(tmp_path / "whole.zip", names(), content=b"0123456789" * 5).read_bytes())
    for place, mask in flips:
        data[int(place * len(data))] ^= mask
    path = tmp_path / "p.zip"
    for content in (data, data[: int(cut * len(data))]):
        path.write_bytes(content)
        try:
            town_id_in(path)
            verify_members(opened(path))
        except BadPackageError as error:
            assert str(error).isprintable()


def test_dates_that_are_none(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", [zipfile.ZipInfo(n) for n in names()])
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<HH", 0, 0x21), bytes(4)))
    assert opened(path).newest_member == datetime(1980, 1, 1, tzinfo=UTC)


def test_a_package_travels_between_processes(tmp_path: Path) -> None:
    package = opened(zip_of(tmp_path / "p.zip", names()))
    assert pickle.loads(pickle.dumps(package)) == package


def test_nothing_of_the_content_is_told(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    path = tmp_path / "p.zip"
    path.write_bytes(b"<html>SMITH, JOHN</html>" + buffer.getvalue())
    with pytest.raises(BadPackageError) as caught:
        opened(path)
    assert "SMITH" not in str(caught.value)
