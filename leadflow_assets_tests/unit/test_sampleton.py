"""The sample packages are what they claim: schema, geometry, every quirk, the next release, every fault."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections import Counter
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapefile
import shapely

from leadflow_assets.domain.towns import all_towns
from leadflow_assets.sampleton import (
    FAULT_KINDS,
    PackageSpec,
    Planted,
    next_release,
    town_sizes,
    write_faulty_package,
    write_package,
    write_state,
)
from leadflow_assets.sampleton.geometry import CELL_HEIGHT, CELL_WIDTH, default_origin

FOLDER = "L3_SHP_M999_Sampleton"
SUFFIX = "_CY25_FY26"
# The columns of the fact sheet (massgis.md section 4), with the widths of a real package.
SCHEMA = {
    "TaxPar": "SHAPE_Leng F19.11, SHAPE_Area F19.11, MAP_PAR_ID C26, LOC_ID C18, POLY_TYPE C15, MAP_NO C4,"
    " SOURCE C15, PLAN_ID C40, LAST_EDIT N10.0, BND_CHK C2, NO_MATCH C1, TOWN_ID N5.0",
    "OthLeg": "SHAPE_Leng F19.11, SHAPE_Area F19.11, MAP_PAR_ID C26, LEGAL_TYPE C15, TAXPAR_ID C18,"
    " LS_BOOK C16, LS_PAGE C14, REG_ID C15, TOWN_ID N5.0",
    "Misc": "SHAPE_Leng F19.11, SHAPE_Area F19.11, MISC_TYPE C15, TOWN_ID N5.0",
    "Assess": "PROP_ID C30, LOC_ID C18, BLDG_VAL N10.0, LAND_VAL N10.0, OTHER_VAL N10.0, TOTAL_VAL N10.0,"
    " FY N5.0, LOT_SIZE F19.11, LS_DATE C8, LS_PRICE N10.0, USE_CODE C4, SITE_ADDR C80, ADDR_NUM C12,"
    " FULL_STR C60, LOCATION C60, CITY C25, ZIP C10, OWNER1 C80, OWN_ADDR C80, OWN_CITY C25, OWN_STATE C2,"
    " OWN_ZIP C10, OWN_CO C30, LS_BOOK C16, LS_PAGE C14, REG_ID C15, ZONING C8, YEAR_BUILT N5.0,"
    " BLD_AREA N10.0, UNITS N5.0, RES_AREA N10.0, STYLE C20, STORIES C6, NUM_ROOMS N5.0, LOT_UNITS C1,"
    " CAMA_ID N10.0, TOWN_ID N5.0",
    "_LUT": "TOWN_ID N5.0, FIELD_NM C10, CODE C20, CODE_DESC C80",
    "UC_LUT": "TOWN_ID N5.0, USE_CODE C4, USE_DESC C150",
}
# Columns of Assess or TaxPar that a case may state as written.
KEYS = {"PROP_ID", "CAMA_ID", "LOC_ID", "MAP_PAR_ID", "POLY_TYPE", "NO_MATCH"}
Row = dict[str, Any]


class Package:
    """A package read by an independent reader (pyshp)."""

    def __init__(
        self, path: Path, stem: str = f"{FOLDER}/M999", suffix: str = SUFFIX, encoding: str = "utf-8"
    ):
        self.path, self.stem, self.suffix, self.encoding = path, stem, suffix, encoding
        self.zip = zipfile.ZipFile(path)

    def member(self, table: str, ending: str) -> bytes:
        return self.zip.read(f"{self.stem}{table}{self.suffix}.{ending}")

    def reader(self, table: str, *, shapes: bool = False) -> shapefile.Reader:
        files = {
            e: io.BytesIO(self.member(table, e)) for e in (("dbf", "shp", "shx") if shapes else ("dbf",))
        }
        return shapefile.Reader(**files, encoding=self.encoding)

    def rows(self, table: str) -> list[Row]:
        names = [name for name, *_ in self.reader(table).fields[1:]]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in self.reader(table).records()]

    def raw(self, table: str) -> list[bytes]:
        data = self.member(table, "dbf")
        count, start, size = struct.unpack("<IHH", data[4:12])
        return [data[start + k * size : start + (k + 1) * size] for k in range(count)]

    def frame(self, layer: str) -> gpd.GeoDataFrame:
        return pyogrio.read_dataframe(f"/vsizip/{self.path}/{self.stem}{layer}{self.suffix}.shp")


def _cases(planted: Planted) -> dict[str, Any]:
    return dict(planted.quirks)


def _plain(cell: Any) -> Any:
    return "" if cell is None else cell


@pytest.fixture(scope="module")
def spec() -> PackageSpec:
    return PackageSpec()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, spec: PackageSpec) -> tuple[Package, Planted]:
    path = tmp_path_factory.mktemp("sampleton") / "L3_SHP_M999_SAMPLETON.zip"
    planted = write_package(spec, path)
    return Package(path), planted


@pytest.fixture(scope="module")
def assess(written: tuple[Package, Planted]) -> list[Row]:
    return written[0].rows("Assess")


@pytest.fixture(scope="module")
def taxpar(written: tuple[Package, Planted]) -> gpd.GeoDataFrame:
    frame = written[0].frame("TaxPar")
    text = frame.select_dtypes(exclude=["number", "geometry"]).columns
    frame[text] = frame[text].fillna("")
    return frame


# --- the package as a whole ------------------------------------------------------------------------------


def test_the_same_spec_gives_the_same_bytes_and_another_seed_does_not(
    written: tuple[Package, Planted], spec: PackageSpec, tmp_path: Path
) -> None:
    again = write_package(spec, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == written[0].path.read_bytes()
    assert again == written[1]
    write_package(PackageSpec(seed=8), tmp_path / "other.zip")
    assert (tmp_path / "other.zip").read_bytes() != written[0].path.read_bytes()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_members_are_those_of_a_real_package(written: tuple[Package, Planted]) -> None:
    infos = written[0].zip.infolist()
    layers = {
        f"M999{n}{SUFFIX}.{e}"
        for n in ("TaxPar", "OthLeg", "Misc")
        for e in ("shp", "shx", "dbf", "prj", "cpg")
    }
    tables = {f"M999{n}{SUFFIX}.{e}" for n in ("Assess", "UC_LUT", "_LUT") for e in ("dbf", "cpg")}
    assert {i.filename for i in infos} == {f"{FOLDER}/"} | {f"{FOLDER}/{n}" for n in layers | tables}
    assert infos[0].filename == f"{FOLDER}/" and infos[0].is_dir()
    assert {i.date_time for i in infos} == {(2025, 12, 19, 9, 50, 26)}


@pytest.mark.parametrize("table", SCHEMA)
def test_schema_is_that_of_the_fact_sheet(written: tuple[Package, Planted], table: str) -> None:
    fields = written[0].reader(table).fields[1:]
    found = [
        f"{name} {kind}{width}" + ("" if kind == "C" else f".{decimals}")
        for name, kind, width, decimals in fields
    ]
    assert ", ".join(found) == SCHEMA[table]


def test_counts_in_the_report_are_those_in_the_files(written: tuple[Package, Planted]) -> None:
    package, planted = written
    counts = {table: len(package.raw(table)) for table in SCHEMA}
    assert counts["TaxPar"] == planted.polygons == len(package.reader("TaxPar", shapes=True).shapes())
    assert counts["Assess"] == planted.records
    assert counts["OthLeg"] == planted.other_legal
    assert counts["Misc"] == planted.misc == 6
    assert counts["UC_LUT"] == planted.use_code_rows == 607 + 8
    assert counts["_LUT"] == 16
    assert json.loads(json.dumps(asdict(planted))) == asdict(planted)


def test_gdal_reads_it_in_the_state_plane(taxpar: gpd.GeoDataFrame, written: tuple[Package, Planted]) -> None:
    assert taxpar.crs.to_epsg() == 26986
    assert written[0].frame("OthLeg").crs.to_epsg() == 26986
    assert set(taxpar.geom_type) == {"Polygon", "MultiPolygon"}
    assert set(taxpar.POLY_TYPE) == {"FEE", "TAX", "ROW", "PRIV_ROW", "RAIL_ROW", "WATER"}
    area, length = taxpar.area, taxpar.length
    valid = taxpar.is_valid
    assert np.allclose(taxpar.SHAPE_Area[valid], area[valid], rtol=1e-9)
    assert np.allclose(taxpar.SHAPE_Leng, length, rtol=1e-9)


def test_parcels_tile_without_overlap_or_gap(taxpar: gpd.GeoDataFrame) -> None:
    shapes = shapely.make_valid(taxpar.geometry.to_numpy())
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = one < other
    overlaps = shapely.area(shapely.intersection(shapes[one[pairs]], shapes[other[pairs]]))
    assert overlaps.max() < 0.001
    town = shapely.union_all(shapely.buffer(shapes, 0.001))
    assert isinstance(town, shapely.Polygon)
    assert sum(shapely.Polygon(ring).area for ring in town.interiors) < 60  # the mended bow-tie leaves a nick


def test_addresses_follow_the_streets(assess: list[Row], taxpar: gpd.GeoDataFrame) -> None:
    centre = {
        key: point for key, point in zip(taxpar.LOC_ID, taxpar.representative_point(), strict=True) if key
    }
    sides: dict[tuple[str, int], list[tuple[float, int]]] = {}
    for row in assess:
        plain = row["SITE_ADDR"] == f"{row['ADDR_NUM']}  {row['FULL_STR']}" and row["USE_CODE"] == "101"
        if plain and row["ADDR_NUM"].isdigit() and row["LOC_ID"] in centre and int(row["ADDR_NUM"]) < 2400:
            number = int(row["ADDR_NUM"])
            sides.setdefault((row["FULL_STR"], number % 2), []).append((centre[row["LOC_ID"]].x, number))
    steps = [b[1] - a[1] for side in sides.values() for a, b in pairwise(sorted(side))]
    assert len(steps) > 700
    assert sum(step <= 0 for step in steps) <= 12  # planted oddities only


def test_loc_ids_are_unique_points_in_their_polygons(
    taxpar: gpd.GeoDataFrame, written: tuple[Package, Planted]
) -> None:
    outside = {key for key, point in _loc_points(taxpar, 1200 / 3937) if not point}
    planted = _cases(written[1])
    duplicate = planted["loc_id_duplicate_polygon"][0]["LOC_ID"]
    assert outside == {planted["loc_id_point_outside"][0]["LOC_ID"], duplicate}
    assert [key for key, count in Counter(taxpar.LOC_ID).items() if count > 1] == [duplicate]


def _loc_points(frame: gpd.GeoDataFrame, metres: float) -> list[tuple[str, bool]]:
    found = []
    for key, shape in zip(frame.LOC_ID, frame.geometry, strict=True):
        match = re.fullmatch(r"([FM])_(\d+)_(\d+)", key or "")
        if match:
            scale = metres if match[1] == "F" else 1.0
            found.append(
                (key, bool(shape.covers(shapely.Point(int(match[2]) * scale, int(match[3]) * scale))))
            )
    return found


def test_mixes_are_realistic(assess: list[Row], spec: PackageSpec) -> None:
    codes = Counter(row["USE_CODE"] for row in assess)
    assert codes["101"] > 0.5 * len(assess)
    assert codes["102"] > 60 and codes["104"] and codes["132"]
    assert {code[0] for code in codes if code} >= set("0139")
    owners = " | ".join(row["OWNER1"] for row in assess)
    for form in (" & ", " LLC", " TR ", " - L/E", " ET AL", "BANK", "TOWN OF SAMPLETON", "FAMILY TRUST"):
        assert form in f"{owners} "
    states = Counter(row["OWN_STATE"] for row in assess)
    assert 0.01 < 1 - (states["MA"] + states[""]) / len(assess) < 0.1
    assert {row["FY"] for row in assess} == {spec.fiscal_year}
    nominal = sum(row["LS_PRICE"] < 1000 for row in assess) / len(assess)
    assert 0.25 < nominal < 0.42


# --- quirks ----------------------------------------------------------------------------------------------

BRIEFED = [
    "tax_polygon_with_constituents",
    "condo_stack",
    "condo_stack_with_master",
    "loc_id_null",
    "loc_id_dangling",
    "full_duplicate_row",
    "prop_id_duplicate",
    "record_on_row_polygon",
    "polygon_without_record",
    "polygon_no_match_y",
    "fee_without_map_par_id",
    "total_zero_with_parts",
    "total_differs_from_sum",
    "use_code_local",
    "use_code_letter",
    "use_code_four",
    "use_code_unpadded",
    "use_code_unknown",
    "sale_date_sentinel",
    "sale_date_before_1800",
    "sale_date_1821",
    "sale_date_future",
    "sale_date_beyond_2262",
    "sale_date_invalid",
    "sale_date_null",
    "price_zero",
    "price_one",
    "price_nominal",
    "bulk_deed",
    "lot_units_square_feet",
    "lot_size_zero",
    "year_built_zero",
    "units_zero",
    "rooms_zero",
    "zip_null",
    "zip_mangled",
    "own_co_odd",
    "addr_num_zero",
    "addr_num_range",
    "addr_num_fraction",
    "springfield_range",
    "own_addr_blank",
    "owner_null",
    "stories_text",
    "zoning_case_twins",
    "non_ascii_text",
    "invalid_polygon_bowtie",
    "invalid_ring_in_othleg",
    "last_edit_initial",
    "devens_town_id",
    "loc_id_malformed",
    "loc_id_other_letter",
    "loc_id_point_outside",
    "loc_id_duplicate_polygon",
    "loc_id_null_polygon",
]


def test_every_quirk_has_a_case_with_an_expectation(written: tuple[Package, Planted]) -> None:
    assert set(BRIEFED) <= set(_cases(written[1]))
    for name, cases in _cases(written[1]).items():
        assert cases, name
        assert all("expected" in case for case in cases), name


def test_cells_of_every_case_are_in_the_files(written: tuple[Package, Planted], assess: list[Row]) -> None:
    columns = set(assess[0])
    by_key = {(row["PROP_ID"], row["CAMA_ID"]): row for row in assess}
    seen = 0
    for name, cases in _cases(written[1]).items():
        for case in cases:
            if "PROP_ID" not in case or "CAMA_ID" not in case:
                continue
            row = by_key[case["PROP_ID"], case["CAMA_ID"]]
            stated = {key: value for key, value in case.items() if key in columns}
            assert {key: row[key] for key in stated} == stated, name
            seen += len(stated) > 3
    assert seen > 70


def test_polygons_of_every_case_are_in_the_files(
    written: tuple[Package, Planted], taxpar: gpd.GeoDataFrame
) -> None:
    rows = taxpar.drop(columns="geometry").to_dict("records")
    for name, cases in _cases(written[1]).items():
        for case in cases:
            if "MAP_PAR_ID" in case and "LOC_ID" in case:
                stated = {key: case[key] for key in KEYS & set(case) & set(rows[0])}
                assert any(all(row[key] == value for key, value in stated.items()) for row in rows), name


def test_polygons_without_records(
    written: tuple[Package, Planted], assess: list[Row], taxpar: gpd.GeoDataFrame
) -> None:
    used = {row["LOC_ID"] for row in assess} - {""}
    bare = taxpar[taxpar.POLY_TYPE.isin(["FEE", "TAX"]) & ~taxpar.LOC_ID.isin(used)]
    quirks = _cases(written[1])
    no, yes = quirks["polygon_without_record"], quirks["polygon_no_match_y"]
    assert set(bare[bare.NO_MATCH == "Y"].LOC_ID) == {case["LOC_ID"] for case in yes}
    assert set(bare[bare.NO_MATCH == "N"].LOC_ID) == {case["LOC_ID"] for case in no} | {""}


def test_records_without_polygon(
    written: tuple[Package, Planted], assess: list[Row], taxpar: gpd.GeoDataFrame
) -> None:
    known = set(taxpar.LOC_ID) - {""}
    lost = {row["PROP_ID"]: row for row in assess if row["LOC_ID"] not in known}
    quirks = _cases(written[1])
    planted = quirks["loc_id_null"] + quirks["loc_id_dangling"]
    assert set(lost) == {case["PROP_ID"] for case in planted}
    house = lost[quirks["loc_id_dangling"][0]["PROP_ID"]]
    assert house["USE_CODE"] == "101" and house["BLDG_VAL"] > 0


def test_tax_polygons_have_their_constituents(
    written: tuple[Package, Planted], taxpar: gpd.GeoDataFrame
) -> None:
    others = written[0].frame("OthLeg")
    tax = taxpar[taxpar.POLY_TYPE == "TAX"]
    assert set(tax.MAP_PAR_ID) == {""}
    for case in _cases(written[1])["tax_polygon_with_constituents"]:
        parts = others[(case["LOC_ID"] == others.TAXPAR_ID) & (others.LEGAL_TYPE == "FEE")]
        whole = tax[case["LOC_ID"] == tax.LOC_ID].geometry.iloc[0]
        assert sorted(parts.MAP_PAR_ID) == case["constituents"]
        assert parts.union_all().symmetric_difference(whole).area < 0.001


def test_stacks(written: tuple[Package, Planted], assess: list[Row]) -> None:
    quirks = _cases(written[1])
    for case in quirks["condo_stack"] + quirks["condo_stack_with_master"]:
        rows = [row for row in assess if row["LOC_ID"] == case["LOC_ID"]]
        units = [row for row in rows if row["USE_CODE"] == "102"]
        masters = [row for row in rows if row["USE_CODE"] in ("995", "9950", "996")]
        found = {"records": len(rows), "units": len(units), "masters": len(masters)}
        assert found | {"total_val": sum(row["TOTAL_VAL"] for row in rows)} == case["expected"]
        assert {(row["LAND_VAL"], row["LOT_SIZE"]) for row in units} == {(0, 0)}
        assert all(row["TOTAL_VAL"] == 0 and row["OWNER1"] == "" for row in masters)


def test_duplicates(written: tuple[Package, Planted], assess: list[Row]) -> None:
    package, planted = written
    repeated = {raw: count for raw, count in Counter(package.raw("Assess")).items() if count > 1}
    assert sorted(repeated.values()) == sorted(case["rows"] for case in _cases(planted)["full_duplicate_row"])
    assert all(b"995 " in raw for raw in repeated)
    pairs = {(row["PROP_ID"], row["CAMA_ID"]) for row in assess}
    shared = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    assert shared == [case["PROP_ID"] for case in _cases(planted)["prop_id_duplicate"]]
    assert len({cama for _, cama in pairs}) == len(pairs)


def test_values_deeds_and_lots(written: tuple[Package, Planted], assess: list[Row]) -> None:
    quirks = _cases(written[1])

    def parts(row: Row) -> int:
        return int(row["BLDG_VAL"] + row["LAND_VAL"] + row["OTHER_VAL"])

    differing = {row["PROP_ID"] for row in assess if row["TOTAL_VAL"] != parts(row)}
    assert differing == {
        c["PROP_ID"] for c in quirks["total_zero_with_parts"] + quirks["total_differs_from_sum"]
    }
    deed = quirks["bulk_deed"][0]
    keys = ("LS_DATE", "LS_PRICE", "LS_BOOK", "LS_PAGE")
    same = [row["PROP_ID"] for row in assess if all(row[key] == deed[key] for key in keys)]
    assert sorted(same) == sorted(deed["PROP_IDS"]) and len(same) == 14
    feet = {row["PROP_ID"] for row in assess if row["LOT_UNITS"] == "S"}
    assert feet == {case["PROP_ID"] for case in quirks["lot_units_square_feet"]}
    assert {row["LOT_UNITS"] for row in assess} == {"A", "S"}


def test_use_codes_resolve_as_expected(written: tuple[Package, Planted], assess: list[Row]) -> None:
    rows = written[0].rows("UC_LUT")
    table = {(row["TOWN_ID"], row["USE_CODE"]): row["USE_DESC"] for row in rows}
    assert len({row["USE_CODE"] for row in rows}) == len(rows)
    assert sum(town == 999 for town, _ in table) == 8
    for name in (n for n in _cases(written[1]) if n.startswith("use_code")):
        for case in _cases(written[1])[name]:
            expected = case["expected"]
            if expected["use_code_resolved"] is not None:
                assert (expected["use_code_town"], expected["use_code_resolved"]) in table, name
    assert table[0, "316"] != table[999, "3162"]
    planted = {
        case["USE_CODE"]
        for n, cases in _cases(written[1]).items()
        if n.startswith("use_code")
        for case in cases
    }
    known = {code for _, code in table} | planted
    assert {row["USE_CODE"] for row in assess} <= known


def test_geometry_quirks(written: tuple[Package, Planted], taxpar: gpd.GeoDataFrame) -> None:
    quirks = _cases(written[1])
    by_id = taxpar.set_index("LOC_ID").geometry
    assert list(taxpar.LOC_ID[~taxpar.is_valid]) == [quirks["invalid_polygon_bowtie"][0]["LOC_ID"]]
    others = written[0].frame("OthLeg")
    assert list(np.flatnonzero(~others.is_valid)) == [
        case["row"] for case in quirks["invalid_ring_in_othleg"]
    ]
    for case in quirks["multipolygon"]:
        assert len(by_id[case["LOC_ID"]].geoms) == 2
    for case in quirks["polygon_hole"]:
        assert len(by_id[case["LOC_ID"]].interiors) == 1
    large = quirks["row_many_vertices"][0]
    assert shapely.get_num_coordinates(by_id[large["LOC_ID"]]) == large["vertices"] > 3000
    devens = taxpar[taxpar.TOWN_ID == 352]
    assert list(devens.LOC_ID) == [quirks["devens_town_id"][0]["LOC_ID"]]


# --- other specs -----------------------------------------------------------------------------------------


def test_old_names_latin_1_metres_and_upper_folder(tmp_path: Path) -> None:
    spec = PackageSpec(parcels=700, old_names=True, upper_folder=True, letter="M", encoding="latin-1")
    planted = write_package(spec, tmp_path / "old.zip")
    package = Package(tmp_path / "old.zip", f"{FOLDER.upper()}/M999", "", "latin-1")
    rows = package.rows("Assess")
    assert "CAMA_ID" not in rows[0] and len(rows[0]) == 36 and planted.calendar_year is None
    assert package.member("Assess", "cpg") == b"ISO-8859-1"
    assert b"BRIARM\xc9RE, ZO\xcb" in package.member("Assess", "dbf")
    frame = package.frame("TaxPar")
    assert sum(str(key).startswith("M_") for key in frame.LOC_ID) > 690
    assert sum(not inside for _, inside in _loc_points(frame, 1200 / 3937)) == 2
    read = pyogrio.read_dataframe(f"/vsizip/{package.path}/{package.stem}Assess.dbf", read_geometry=False)
    assert "BRIARMÉRE, ZOË" in set(read.OWNER1)


def test_clean_package_has_nothing_to_quarantine(tmp_path: Path) -> None:
    planted = write_package(
        PackageSpec(town_id=25, name="Bell Sample", parcels=900, quirks=False), tmp_path / "c.zip"
    )
    package = Package(tmp_path / "c.zip", "L3_SHP_M025_BellSample/M025")
    frame, rows = package.frame("TaxPar"), package.rows("Assess")
    assert planted.quirks == {} and planted.misc == 0
    assert (frame.POLY_TYPE == "FEE").sum() == 900
    assert frame.is_valid.all() and frame.LOC_ID.is_unique
    assert {row["LOC_ID"] for row in rows} == set(frame.LOC_ID[frame.POLY_TYPE == "FEE"])
    assert all(inside for _, inside in _loc_points(frame, 1200 / 3937))


def test_a_town_too_small_for_quirks_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too small"):
        write_package(PackageSpec(parcels=100), tmp_path / "x.zip")
    with pytest.raises(ValueError, match="20 to"):
        write_package(PackageSpec(parcels=3, quirks=False), tmp_path / "x.zip")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(4))
def test_any_seed_works_with_the_smallest_town(tmp_path: Path, seed: int) -> None:
    planted = next_release(PackageSpec(parcels=600, seed=seed), tmp_path / "x.zip")
    assert len(planted.quirks) == 7


def test_cells_of_all_towns_lie_in_the_grid_and_apart() -> None:
    corners = [default_origin(town) for town in (*range(1, 352), 999)]
    assert len(set(corners)) == 352
    assert min(x for x, _ in corners) == 33_000 and max(x for x, _ in corners) + CELL_WIDTH <= 330_000
    assert min(y for _, y in corners) == 777_000 and max(y for _, y in corners) + CELL_HEIGHT <= 960_000


def test_state_has_one_package_per_town_with_its_name_and_size(tmp_path: Path) -> None:
    paths = write_state(tmp_path, towns=5, parcels=900, workers=2)
    assert [path.name for path in paths] == [town.shapefile_zip for town in all_towns()[:5]]
    found = 0
    for path, town in zip(paths, all_towns(), strict=False):
        folder = zipfile.ZipFile(path).namelist()[0].rstrip("/")
        package = Package(path, f"{folder}/M{town.town_id:03d}")
        found += sum(row["POLY_TYPE"] == "FEE" for row in package.rows("TaxPar"))
        assert {row["TOWN_ID"] for row in package.rows("Assess")} == {town.town_id}
    assert found == 900
    alone = write_state(tmp_path / "alone", towns=5, parcels=900, workers=1)
    assert [a.read_bytes() for a in alone] == [p.read_bytes() for p in paths]


def test_state_sizes_are_skewed_and_exact() -> None:
    sizes = sorted(town_sizes(351, 2_500_000).values())
    assert sum(sizes) == 2_500_000
    assert 4_000 < sizes[175] < 6_000
    assert sizes[-2] > 40_000 and sizes[-1] <= 60_000


# --- the next release ------------------------------------------------------------------------------------


def test_next_release_differs_only_where_planted(
    written: tuple[Package, Planted], spec: PackageSpec, tmp_path: Path
) -> None:
    planted = next_release(spec, tmp_path / "next.zip")
    later = Package(tmp_path / "next.zip", suffix="_CY26_FY27")
    assert (planted.fiscal_year, planted.calendar_year) == (2027, 2026)
    assert set(planted.quirks) == {
        "sale",
        "owner_changed",
        "value_changed",
        "split",
        "merge",
        "vanished",
        "appeared",
    }
    before, after = _records(written[0]), _records(later)
    assert {row["FY"] for row in later.rows("Assess")} == {2027}
    edits = _cases(planted)
    changed = {case["PROP_ID"]: case for n in ("sale", "owner_changed", "value_changed") for case in edits[n]}
    touched = {case["PROP_ID"] for case in edits["split"] + edits["merge"]}
    gone = {edits["vanished"][0]["PROP_ID"], edits["merge"][0]["gone_PROP_ID"]}
    new = {edits["appeared"][0]["PROP_ID"]} | {case["new_record"]["PROP_ID"] for case in edits["split"]}
    assert {key[0] for key in set(before) - set(after)} == gone
    assert {key[0] for key in set(after) - set(before)} == new
    for key in set(before) & set(after):
        old = {name: value for name, value in before[key].items() if before[key][name] != after[key][name]}
        if key[0] in changed:
            assert old == changed[key[0]]["old"]
            assert {name: after[key][name] for name in old} == changed[key[0]]["new"]
        else:
            assert set(old) == ({"LOC_ID", "LOT_SIZE"} if key[0] in touched else set())


def _records(package: Package) -> dict[tuple[str, int], Row]:
    rows = package.rows("Assess")
    return {(row["PROP_ID"], row["CAMA_ID"]): {k: v for k, v in row.items() if k != "FY"} for row in rows}


def test_polygons_of_the_next_release(
    written: tuple[Package, Planted], spec: PackageSpec, tmp_path: Path
) -> None:
    edits = _cases(next_release(spec, tmp_path / "next.zip"))
    later = Package(tmp_path / "next.zip", suffix="_CY26_FY27")
    old, new = written[0].frame("TaxPar"), later.frame("TaxPar")
    old_ids, new_ids = set(old.LOC_ID), set(new.LOC_ID)
    splits, merge = edits["split"], edits["merge"][0]
    assert old_ids - new_ids == {c["old_LOC_ID"] for c in splits} | set(merge["old_LOC_IDS"]) | {
        edits["vanished"][0]["LOC_ID"]
    }
    made = {key for c in splits for key in c["new_LOC_IDS"]} | {
        merge["new_LOC_ID"],
        edits["appeared"][0]["LOC_ID"],
    }
    assert new_ids - old_ids == made
    before, after = old.set_index("LOC_ID").geometry, new.set_index("LOC_ID").geometry
    for case in splits:
        halves = shapely.union_all([after[key] for key in case["new_LOC_IDS"]])
        assert halves.symmetric_difference(before[case["old_LOC_ID"]]).area < 0.001
    both = shapely.union_all([before[key] for key in merge["old_LOC_IDS"]])
    assert both.symmetric_difference(after[merge["new_LOC_ID"]]).area < 0.001
    assert all(inside for key, inside in _loc_points(new, 1200 / 3937) if key in made)
    for table in ("OthLeg", "Misc", "UC_LUT", "_LUT"):
        assert later.raw(table) == written[0].raw(table)


# --- faults ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faulty")
    for kind in FAULT_KINDS:
        write_faulty_package(kind, folder / f"{kind}.zip")
    return folder


def test_files_that_are_no_packages(faulty: Path) -> None:
    assert (faulty / "empty_file.zip").read_bytes() == b""
    assert b"<html>" in (faulty / "html.zip").read_bytes()
    assert (faulty / "truncated.zip").read_bytes().startswith(b"PK")
    for kind in ("empty_file", "html", "truncated", "not_a_zip"):
        assert not zipfile.is_zipfile(faulty / f"{kind}.zip")


def test_faulty_members(faulty: Path) -> None:
    names = {
        kind: zipfile.ZipFile(faulty / f"{kind}.zip").namelist()
        for kind in FAULT_KINDS
        if _is_zip(faulty, kind)
    }
    assert not any(re.search(r"Assess.*\.dbf", name) for name in names["missing_dbf"])
    assert any(re.search(r"Assess.*\.cpg", name) for name in names["missing_dbf"])
    assert not any("TaxPar" in name for name in names["missing_taxpar"])
    assert not any(name.endswith(".prj") for name in names["no_crs"])
    assert "../../evil.dbf" in names["path_traversal"]
    assert all("M001" in name for name in names["foreign_town"])
    ratios = [
        i.file_size / max(i.compress_size, 1) for i in zipfile.ZipFile(faulty / "zip_bomb.zip").infolist()
    ]
    assert max(ratios) > 1000
    assert (faulty / "zip_bomb.zip").stat().st_size < 200_000


def _is_zip(folder: Path, kind: str) -> bool:
    return zipfile.is_zipfile(folder / f"{kind}.zip")


def test_faulty_contents(faulty: Path) -> None:
    degrees = Package(faulty / "wrong_crs.zip").frame("TaxPar")
    assert degrees.crs.to_epsg() == 4326
    west, south, east, north = degrees.total_bounds
    assert -74 < west < east < -69 and 41 < south < north < 43
    assert len(Package(faulty / "zero_polygons.zip").frame("TaxPar")) == 0
    assert len(Package(faulty / "zero_polygons.zip").rows("Assess")) >= 60
    assert {row["FY"] for row in Package(faulty / "two_fiscal_years.zip").rows("Assess")} == {2025, 2026}
    assert {row["LOT_UNITS"] for row in Package(faulty / "lot_units_bad.zip").rows("Assess")} == {"A", "Q"}
    assert Package(faulty / "no_crs.zip").frame("TaxPar").crs is None
    bad = Package(faulty / "invalid_utf8.zip")
    assert bad.member("Assess", "cpg") == b"UTF-8"
    with pytest.raises(UnicodeDecodeError):
        bad.member("Assess", "dbf").decode("utf-8")
    with pytest.raises(ValueError, match="no fault"):
        write_faulty_package("nonsense", faulty / "x.zip")  # type: ignore[arg-type]
