"""A town's package before it is written: the six tables, still open to changes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

import numpy as np

from leadflow_assets.sampleton import people, schema
from leadflow_assets.sampleton.geometry import Lot, default_origin, draw_plan, middle, strips
from leadflow_assets.sampleton.records import Setting, assess_records
from leadflow_assets.sampleton.schema import Cell, Layer, Point, Shape, Table

FEET_PER_METRE = 3937 / 1200
INITIAL_EDIT = 20120926
Case = dict[str, object]


@dataclass(frozen=True)
class PackageSpec:
    """Which package to write. ``parcels`` is the number of lots (FEE or TAX polygons) before quirks.

    ``old_names`` drops the _CY.._FY.. suffix and the CAMA_ID column; ``letter`` is that of the LOC_IDs
    (F feet, M metres); ``origin`` is the town's lower-left corner in EPSG:26986 metres.
    """

    town_id: int = 999
    name: str = "Sampleton"
    parcels: int = 1200
    seed: int = 7
    fiscal_year: int = 2026
    calendar_year: int = 2025
    quirks: bool = True
    old_names: bool = False
    upper_folder: bool = False
    letter: Literal["F", "M"] = "F"
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    origin: Point | None = None

    @property
    def zip_code(self) -> str:
        """The town's own made-up ZIP code."""
        return f"{1001 + self.town_id:05d}"


class House(NamedTuple):
    """An ordinary single-family record and its polygon, as row indexes of Assess and TaxPar."""

    record: int
    polygon: int


def loc_id(point: Point, letter: str) -> str:
    """The LOC_ID of a point (EPSG:26986 metres): whole US survey feet for F, whole metres for M."""
    scale = FEET_PER_METRE if letter == "F" else 1.0
    return f"{letter}_{int(point[0] * scale)}_{int(point[1] * scale)}"


class Draft:
    """The tables of one package, and the ordinary houses that quirks and changes may still use.

    Rows of TaxPar are the plan's lots in order, then streets and waters. Nothing is removed before
    ``finish``, so row indexes hold while quirks are planted.
    """

    def __init__(self, spec: PackageSpec) -> None:
        self.spec = spec
        self.rng = np.random.default_rng([spec.seed, spec.town_id])
        self.taxpar, self.othleg, self.misc = Layer(schema.TAXPAR), Layer(schema.OTHLEG), Layer(schema.MISC)
        assess = [f for f in schema.ASSESS if not (spec.old_names and f.name == "CAMA_ID")]
        self.assess, self.lut, self.uc_lut = Table(assess), Table(schema.LUT), Table(schema.UC_LUT)
        self.plan = draw_plan(spec.parcels, spec.origin or default_origin(spec.town_id), self.rng)
        self.dropped: set[int] = set()
        self._add_polygons()
        lot_of = self._add_records()
        self._houses = self._ordinary_houses(lot_of)
        self._serial = len(self.assess)
        _add_other_legal(self)
        _add_codes(self)

    def take(self) -> House:
        """An ordinary house that nothing else uses: code 101, one record, positive values, four corners.

        Raises:
            ValueError: the town is too small for what is to be planted.
        """
        if not self._houses:
            raise ValueError(f"A town of {self.spec.parcels} parcels is too small for what is to be planted.")
        return self._houses.pop()

    def take_many(self, count: int) -> list[House]:
        """Several ordinary houses."""
        return [self.take() for _ in range(count)]

    def take_neighbours(self) -> tuple[House, House]:
        """Two ordinary houses side by side, the left one first.

        Raises:
            ValueError: no such pair is left.
        """
        free = {house.polygon: house for house in self._houses}
        for left in self._houses:
            right = free.get(left.polygon + 1)
            if right is None:
                continue
            one, other = self.taxpar.shapes[left.polygon][0], self.taxpar.shapes[right.polygon][0]
            if (one[3], one[2]) == (other[0], other[1]):
                self._houses.remove(left)
                self._houses.remove(right)
                return left, right
        raise ValueError("No two ordinary houses side by side are left; take a larger town.")

    def polygons(self, poly_type: str) -> list[int]:
        """Rows of TaxPar with this POLY_TYPE."""
        return [k for k, kind in enumerate(self.taxpar.columns["POLY_TYPE"]) if kind == poly_type]

    def new_loc_id(self, ring: schema.Ring) -> str:
        """A LOC_ID from the middle of a ring."""
        return loc_id(middle(ring), self.spec.letter)

    def copy_record(self, template: int, **changes: Cell) -> int:
        """A further record like ``template``, with a PROP_ID and CAMA_ID of its own unless given."""
        self._serial += 1
        cells = self.assess.row(template) | {"PROP_ID": f"8{self._serial:06d}"}
        if "CAMA_ID" in cells:
            cells["CAMA_ID"] = 500_000 + self._serial
        return self.assess.add(**(cells | changes))

    def identify(self, record: int) -> Case:
        """Keys of a record: PROP_ID, CAMA_ID (if the package has it) and LOC_ID."""
        row = self.assess.row(record)
        return {key: row[key] for key in ("PROP_ID", "CAMA_ID", "LOC_ID") if key in row}

    def finish(self) -> None:
        """Remove the records that quirks dropped."""
        self.assess.drop(self.dropped)
        self.dropped = set()

    def _add_polygons(self) -> None:
        spec, plan = self.spec, self.plan
        lots = plan.lots
        self._parcel_ids = list(_parcel_ids(lots))
        edits = self.rng.choice(
            [INITIAL_EDIT, 20180101, 20220809, 20240315], len(lots), p=[0.92, 0.03, 0.03, 0.02]
        )
        self.taxpar.extend(
            len(lots),
            {
                "MAP_PAR_ID": [
                    p if k % 9 else f"{lots[k].sheet + 1}-{p[5:9]}" for k, p in enumerate(self._parcel_ids)
                ],
                "LOC_ID": [loc_id(lot.inside, spec.letter) for lot in lots],
                "POLY_TYPE": [lot.poly_type for lot in lots],
                "MAP_NO": [str(lot.sheet + 1) for lot in lots],
                "SOURCE": ["SUBDIV" if k % 97 == 5 else "ASSESS" for k in range(len(lots))],
                "PLAN_ID": [f"{20 + k % 70}/{k % 900}" if k % 211 == 3 else "" for k in range(len(lots))],
                "LAST_EDIT": edits.tolist(),
                "BND_CHK": ["OK" if k % 499 == 7 else "" for k in range(len(lots))],
                "NO_MATCH": ["N"] * len(lots),
                "TOWN_ID": [spec.town_id] * len(lots),
            },
        )
        self.taxpar.shapes.extend(lot.rings for lot in lots)
        for way in plan.others:
            self.taxpar.add_shape(
                way.rings,
                LOC_ID=loc_id(way.inside, spec.letter),
                POLY_TYPE=way.poly_type,
                SOURCE="ASSESS" if way.poly_type == "WATER" else "ROAD_LAYOUT",
                LAST_EDIT=INITIAL_EDIT,
                NO_MATCH="N",
                TOWN_ID=spec.town_id,
            )

    def _add_records(self) -> list[int]:
        spec, count = self.spec, len(self.plan.lots)
        setting = Setting(
            town_id=spec.town_id,
            town=spec.name,
            zip_code=spec.zip_code,
            fiscal_year=spec.fiscal_year,
            streets=people.street_names(self.plan.streets, self.rng),
            lots_loc_id=[str(cell) for cell in self.taxpar.columns["LOC_ID"][:count]],
            lots_prop_id=self._parcel_ids,
        )
        records = assess_records(self.plan, setting, self.rng)
        self.assess.extend(records.count, records.columns)
        return records.lot_of

    def _ordinary_houses(self, lot_of: list[int]) -> list[House]:
        codes, prices = self.assess.columns["USE_CODE"], self.assess.columns["LS_PRICE"]
        houses = [
            House(record, lot)
            for record, lot in enumerate(lot_of)
            if codes[record] == "101" and int(prices[record]) >= 1000 and len(self.taxpar.shapes[lot][0]) == 5
        ]
        return [houses[k] for k in self.rng.permutation(len(houses)).tolist()]


def _parcel_ids(lots: list[Lot]) -> Iterator[str]:
    """Sheet-lot-unit numbers: 0012-0007-0000."""
    sheet = number = 0
    for lot in lots:
        number = number + 1 if lot.sheet == sheet else 1
        sheet = lot.sheet
        yield f"{sheet + 1:04d}-{number:04d}-0000"


def _add_other_legal(draft: Draft) -> None:
    """Easements along one side of some lots, ways over ways, a restriction; and features for Misc.

    A package without quirks keeps Misc empty, as happens in real ones.
    """
    shapes, town = draft.taxpar.shapes, draft.spec.town_id
    for index, lot in enumerate(draft.plan.lots):
        if lot.zone == "house" and index % 12 == 5:
            draft.othleg.add_shape((strips(lot.rings[0], 6)[0],), LEGAL_TYPE="EASE", TOWN_ID=town)
        elif lot.zone == "farm" and index % 2:
            draft.othleg.add_shape(
                (lot.rings[0],), LEGAL_TYPE="CR", LS_BOOK="20111", LS_PAGE="17", TOWN_ID=town
            )
    for kind in ("PRIV_ROW", "RAIL_ROW"):
        for polygon in draft.polygons(kind)[:3]:
            legal = "PRIV_ROW" if kind == "PRIV_ROW" else "RAIL_OVER"
            draft.othleg.add_shape((shapes[polygon][0],), LEGAL_TYPE=legal, TOWN_ID=town)
    if draft.spec.quirks:
        kinds = ("WETLAND", "ISLAND", "TRAFFIC_ISLAND", "WATER", "OUTSIDE", "BLDG")
        for kind, index in zip(kinds, range(10, 70, 10), strict=True):
            part: Shape = (strips(draft.plan.lots[index].rings[0], 4)[1],)
            draft.misc.add_shape(part, MISC_TYPE=kind, TOWN_ID=town)


LOCAL_CODES = (
    ("303", "Commercial miscellaneous"),
    ("0325", "Mixed use, orchard with farm stand"),
    ("3401", "Office in a former mill"),
    ("3162", "Solar field"),
    ("049", "Aerial on a town water tower"),
    ("1014", "Single family with boat house"),
    ("722", "Cider orchard, Ch. 61A"),
    ("972V", "Transit authority, vacant land"),
)
_LUT = (
    ("LEGAL_TYPE", "FEE", "parcel of land moved from the TaxPar layer"),
    ("LEGAL_TYPE", "PRIV_ROW", "private right-of-way"),
    ("LEGAL_TYPE", "EASE", "easement"),
    ("LEGAL_TYPE", "CR", "conservation restriction"),
    ("LEGAL_TYPE", "APR", "agricultural preservation restriction"),
    ("LEGAL_TYPE", "CRX", "conservation restriction exclusion"),
    ("LEGAL_TYPE", "APRX", "agricultural preservation restriction exclusion"),
    ("LEGAL_TYPE", "RAIL_ROW", "railroad ROW on parcel with different owner"),
    ("LEGAL_TYPE", "RAIL_OVER", "railroad ROW crossing on top of another ROW"),
    ("LEGAL_TYPE", "ROW_OVER", "ROW crossing on top of another ROW (i.e overpass)"),
    ("MISC_TYPE", "WETLAND", "wetland area (as shown on assessor map)"),
    ("MISC_TYPE", "WATER", "double line stream, lake, pond, reservoir, etc..."),
    ("MISC_TYPE", "ISLAND", "island in a body of water, isn't a separate parcel"),
    ("MISC_TYPE", "TRAFFIC_ISLAND", "a raised area within a ROW, shown for reference"),
    ("MISC_TYPE", "OUTSIDE", "portion of parcel split by and/or existing beyond town boundary"),
    ("MISC_TYPE", "BLDG", "building outlines/rooftops/footprints"),
)


@cache
def _state_codes() -> tuple[tuple[str, str], ...]:
    """Code and description of every state use code: three characters, then with a 0 added (000 once)."""
    source = resources.files("leadflow_assets.domain").joinpath("reference/use_codes.csv")
    rows = [
        (row["code"], row["description"][:150])
        for row in csv.DictReader(source.read_text("utf-8").splitlines())
    ]
    return (*rows, *((f"{code}0", text) for code, text in rows if code != "000"))


def _add_codes(draft: Draft) -> None:
    for name, code, text in _LUT:
        draft.lut.add(TOWN_ID=0, FIELD_NM=name, CODE=code, CODE_DESC=text)
    for code, text in _state_codes():
        draft.uc_lut.add(TOWN_ID=0, USE_CODE=code, USE_DESC=text)
    for code, text in LOCAL_CODES:
        draft.uc_lut.add(TOWN_ID=draft.spec.town_id, USE_CODE=code, USE_DESC=text)
