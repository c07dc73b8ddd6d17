"""Quirks of polygons: their types, ids, geometry, and how records hang on them."""

from __future__ import annotations

from collections.abc import Callable

from leadflow_assets.sampleton.draft import Case, Draft, House, loc_id
from leadflow_assets.sampleton.geometry import ring_measures, strips
from leadflow_assets.sampleton.schema import Point, Ring

DEVENS_ID = 352


def _relocate(draft: Draft, house: House, new_id: str) -> None:
    """Give a polygon and its record another LOC_ID."""
    draft.taxpar.update(house.polygon, LOC_ID=new_id)
    draft.assess.update(house.record, LOC_ID=new_id)


def _ring(draft: Draft, house: House) -> Ring:
    return draft.taxpar.shapes[house.polygon][0]


def _polygon_case(draft: Draft, polygon: int, **more: object) -> Case:
    row = draft.taxpar.row(polygon)
    return {"LOC_ID": row["LOC_ID"], "MAP_PAR_ID": row["MAP_PAR_ID"], "POLY_TYPE": row["POLY_TYPE"], **more}


def _tax_polygon(draft: Draft) -> list[Case]:
    cases = []
    for parts in (2, 3, 2):
        house = draft.take()
        parcel = draft.taxpar.text(house.polygon, "MAP_PAR_ID")
        draft.taxpar.update(house.polygon, POLY_TYPE="TAX", MAP_PAR_ID="")
        ids = [f"{parcel}-{chr(65 + k)}" for k in range(parts)]
        for own_id, ring in zip(ids, strips(_ring(draft, house), parts), strict=True):
            draft.othleg.add_shape(
                (ring,),
                MAP_PAR_ID=own_id,
                LEGAL_TYPE="FEE",
                TAXPAR_ID=draft.taxpar.text(house.polygon, "LOC_ID"),
                TOWN_ID=draft.spec.town_id,
            )
        expected: Case = {"kept": True, "constituents": parts}
        cases.append(draft.identify(house.record) | {"constituents": ids, "expected": expected})
    return cases


def _without_record(no_match: str) -> Callable[[Draft], list[Case]]:
    def plant(draft: Draft) -> list[Case]:
        cases = []
        for house in draft.take_many(3):
            draft.dropped.add(house.record)
            draft.taxpar.update(house.polygon, NO_MATCH=no_match)
            expected = {"records": 0, "counts_in_match_rate": no_match == "N"}
            cases.append(_polygon_case(draft, house.polygon, NO_MATCH=no_match, expected=expected))
        return cases

    return plant


def _no_map_par_id(draft: Draft) -> list[Case]:
    houses = draft.take_many(2)
    for house in houses:
        draft.taxpar.update(house.polygon, MAP_PAR_ID="")
    return [draft.identify(h.record) | {"MAP_PAR_ID": "", "expected": {"map_par_id": None}} for h in houses]


def _map_par_id_twice(draft: Draft) -> list[Case]:
    first, second = draft.take_many(2)
    shared = draft.taxpar.text(first.polygon, "MAP_PAR_ID")
    draft.taxpar.update(second.polygon, MAP_PAR_ID=shared)
    ids = [draft.taxpar.text(h.polygon, "LOC_ID") for h in (first, second)]
    return [{"MAP_PAR_ID": shared, "LOC_IDS": ids, "expected": {"polygons": 2}}]


def _record_on_row(draft: Draft) -> list[Case]:
    cases = []
    for kind in ("RAIL_ROW", "WATER"):
        polygon = draft.polygons(kind)[0]
        record = draft.copy_record(
            draft.take().record,
            LOC_ID=draft.taxpar.text(polygon, "LOC_ID"),
            USE_CODE="423" if kind == "RAIL_ROW" else "202",
            OWNER1="LONG LADLE RAILWAY INC",
        )
        cases.append(draft.identify(record) | {"POLY_TYPE": kind, "expected": {"polygon_kept": True}})
    return cases


def _bowtie(ring: Ring) -> Ring:
    """A lot whose lower edge crosses itself, inside the lot: still nearly all of it after repair."""
    lower_left, upper_left, upper_right, lower_right = ring[:4]

    def at(along: float, inward: float) -> Point:
        x = (
            lower_right[0]
            + (lower_left[0] - lower_right[0]) * along
            + (upper_left[0] - lower_left[0]) * inward
        )
        y = (
            lower_right[1]
            + (lower_left[1] - lower_right[1]) * along
            + (upper_left[1] - lower_left[1]) * inward
        )
        return x, y

    return (lower_left, upper_left, upper_right, lower_right, at(0.6, 0.05), at(0.3, 0.065), lower_left)


def _invalid_polygon(draft: Draft) -> list[Case]:
    house = draft.take()
    draft.taxpar.shapes[house.polygon] = (_bowtie(_ring(draft, house)),)
    return [draft.identify(house.record) | {"expected": {"repaired": True, "is_valid": True}}]


def _invalid_other_legal(draft: Draft) -> list[Case]:
    cases: list[Case] = []
    for name in ("too_few_points", "bowtie"):
        ring = strips(_ring(draft, draft.take()), 3)[0]
        shape = (ring[0], ring[1], ring[0]) if name == "too_few_points" else _bowtie(ring)
        row = draft.othleg.add_shape((shape,), LEGAL_TYPE="EASE", TOWN_ID=draft.spec.town_id)
        expected = {"geometry_is_null" if name == "too_few_points" else "repaired": True}
        cases.append({"row": row, "fault": name, "LEGAL_TYPE": "EASE", "expected": expected})
    return cases


def _malformed_id(draft: Draft) -> list[Case]:
    house = draft.take()
    old = draft.taxpar.text(house.polygon, "LOC_ID")
    _relocate(draft, house, "-".join(old.rsplit("_", 1)))
    return [draft.identify(house.record) | {"expected": {"flag": "loc_id_malformed", "records": 1}}]


def _other_letter(draft: Draft) -> list[Case]:
    house = draft.take()
    point = draft.plan.lots[house.polygon].inside
    _relocate(draft, house, loc_id(point, "M" if draft.spec.letter == "F" else "F"))
    return [
        draft.identify(house.record) | {"expected": {"flag": "loc_id_other_letter", "point_inside": True}}
    ]


def _point_outside(draft: Draft) -> list[Case]:
    house = draft.take()
    x, y = _ring(draft, house)[0]
    _relocate(draft, house, loc_id((x - 25, y - 9), draft.spec.letter))
    return [
        draft.identify(house.record) | {"expected": {"flag": "loc_id_point_outside", "point_inside": False}}
    ]


def _id_on_two_polygons(draft: Draft) -> list[Case]:
    first, second = draft.take_many(2)
    draft.taxpar.update(second.polygon, LOC_ID=draft.taxpar.text(first.polygon, "LOC_ID"))
    draft.dropped.add(second.record)
    ids = [draft.taxpar.text(h.polygon, "MAP_PAR_ID") for h in (first, second)]
    return [draft.identify(first.record) | {"MAP_PAR_IDS": ids, "expected": {"polygons": 2, "records": 1}}]


def _polygon_without_id(draft: Draft) -> list[Case]:
    house = draft.take()
    draft.dropped.add(house.record)
    draft.taxpar.update(house.polygon, LOC_ID="")
    return [_polygon_case(draft, house.polygon, expected={"flag": "loc_id_null", "records": 0})]


def _devens(draft: Draft) -> list[Case]:
    house = draft.take()
    draft.taxpar.update(house.polygon, TOWN_ID=DEVENS_ID)
    draft.assess.update(house.record, TOWN_ID=DEVENS_ID)
    return [draft.identify(house.record) | {"TOWN_ID": DEVENS_ID, "expected": {"kept": True}}]


def _of_shape(draft: Draft, parts: Callable[[int, int], bool]) -> list[int]:
    """Parcels (not streets) whose number of rings and of lots' outer rings pass the test."""
    found = []
    for row, lot in enumerate(draft.plan.lots):
        outer = sum(_is_clockwise(ring) for ring in lot.rings)
        if parts(len(lot.rings), outer):
            found.append(row)
    return found


def _is_clockwise(ring: Ring) -> bool:
    return ring_measures(ring)[1] > 0


def _multipolygon(draft: Draft) -> list[Case]:
    rows = _of_shape(draft, lambda _, outer: outer == 2)
    return [_polygon_case(draft, row, expected={"parts": 2, "holes": 0}) for row in rows]


def _polygon_hole(draft: Draft) -> list[Case]:
    rows = _of_shape(draft, lambda rings, outer: rings - outer == 1)
    return [_polygon_case(draft, row, expected={"parts": 1, "holes": 1}) for row in rows]


def _large_row(draft: Draft) -> list[Case]:
    sizes = {row: sum(map(len, draft.taxpar.shapes[row])) for row in draft.polygons("ROW")}
    row = max(sizes, key=lambda key: sizes[key])
    return [_polygon_case(draft, row, vertices=sizes[row], expected={"vertices": sizes[row]})]


POLYGON_QUIRKS: dict[str, Callable[[Draft], list[Case]]] = {
    "tax_polygon_with_constituents": _tax_polygon,
    "polygon_without_record": _without_record("N"),
    "polygon_no_match_y": _without_record("Y"),
    "fee_without_map_par_id": _no_map_par_id,
    "map_par_id_duplicate": _map_par_id_twice,
    "record_on_row_polygon": _record_on_row,
    "invalid_polygon_bowtie": _invalid_polygon,
    "invalid_ring_in_othleg": _invalid_other_legal,
    "loc_id_malformed": _malformed_id,
    "loc_id_other_letter": _other_letter,
    "loc_id_point_outside": _point_outside,
    "loc_id_duplicate_polygon": _id_on_two_polygons,
    "loc_id_null_polygon": _polygon_without_id,
    "devens_town_id": _devens,
    "multipolygon": _multipolygon,
    "polygon_hole": _polygon_hole,
    "row_many_vertices": _large_row,
}
