"""Quirks of record rows: condominium stacks, duplicates, records without a polygon, values and deeds."""

from __future__ import annotations

from collections.abc import Callable

from leadflow_assets.sampleton.draft import Case, Draft
from leadflow_assets.sampleton.schema import Cell

SQUARE_FEET_PER_ACRE = 43_560


def _stack(draft: Draft, units: int) -> list[int]:
    """Turn a house into that many condominium units on its polygon; the land is nobody's."""
    first = draft.take().record
    prop_id = draft.assess.text(first, "PROP_ID")
    number = draft.assess.text(first, "ADDR_NUM")
    rows = [first, *(draft.copy_record(first, PROP_ID=f"{prop_id[:-4]}{k:04d}") for k in range(1, units))]
    for place, row in enumerate(rows):
        value = 180_000 + 900 * place
        draft.assess.update(
            row,
            USE_CODE="102",
            BLDG_VAL=value,
            LAND_VAL=0,
            OTHER_VAL=0,
            TOTAL_VAL=value,
            LOT_SIZE=0.0,
            LOCATION=number,
            STYLE="CONDO-TNHS",
        )
    return rows


def _stack_case(draft: Draft, rows: list[int], expected: Case) -> Case:
    ids = [draft.assess.text(row, "PROP_ID") for row in rows]
    return {"LOC_ID": draft.assess.text(rows[0], "LOC_ID"), "PROP_IDS": ids, "expected": expected}


def _add_master(draft: Draft, unit: int, use_code: str) -> int:
    nothing: dict[str, Cell] = dict.fromkeys(
        ("BLDG_VAL", "LAND_VAL", "OTHER_VAL", "TOTAL_VAL", "LS_PRICE"), 0
    )
    empty: dict[str, Cell] = dict.fromkeys(
        ("OWNER1", "OWN_ADDR", "OWN_CITY", "OWN_STATE", "OWN_ZIP", "LS_DATE"), ""
    )
    bare: dict[str, Cell] = dict.fromkeys(("BLD_AREA", "RES_AREA", "UNITS", "NUM_ROOMS", "YEAR_BUILT"), 0)
    return draft.copy_record(unit, USE_CODE=use_code, LOCATION="", **nothing, **empty, **bare)


def _condo_stack(draft: Draft) -> list[Case]:
    rows = _stack(draft, 30)
    return [
        _stack_case(draft, rows, {"records": 30, "units": 30, "masters": 0, "total_val": _total(draft, rows)})
    ]


def _total(draft: Draft, rows: list[int]) -> int:
    return sum(draft.assess.number(row, "TOTAL_VAL") for row in rows)


def _condo_stack_with_master(draft: Draft) -> list[Case]:
    cases = []
    for code in ("995", "9950", "996"):
        rows = _stack(draft, 6)
        master = _add_master(draft, rows[0], code)
        expected: Case = {"records": 7, "units": 6, "masters": 1, "total_val": _total(draft, rows)}
        case = _stack_case(draft, rows, expected)
        cases.append(case | {"master": draft.identify(master), "USE_CODE": code})
    return cases


def _full_duplicate_row(draft: Draft) -> list[Case]:
    cases = []
    for copies in (2, 3):
        master = _add_master(draft, _stack(draft, 3)[0], "995")
        for _ in range(copies - 1):
            draft.assess.add(**draft.assess.row(master))
        expected = {"rows_kept": 1, "rows_dropped": copies - 1}
        cases.append(draft.identify(master) | {"rows": copies, "expected": expected})
    return cases


def _prop_id_duplicate(draft: Draft) -> list[Case]:
    first, second = draft.take_many(2)
    draft.assess.update(second.record, PROP_ID=draft.assess.text(first.record, "PROP_ID"))
    pair = [draft.identify(house.record) for house in (first, second)]
    return [{"PROP_ID": pair[0]["PROP_ID"], "records": pair, "expected": {"rows_kept": 2}}]


def _many_numbers(draft: Draft) -> list[Case]:
    rows = _stack(draft, 8)
    start, street = draft.assess.number(rows[0], "ADDR_NUM"), draft.assess.text(rows[0], "FULL_STR")
    numbers = [str(start + 2 * place) for place in range(len(rows))]
    for row, number in zip(rows, numbers, strict=True):
        draft.assess.update(row, ADDR_NUM=number, SITE_ADDR=f"{number}  {street}", LOCATION="")
    return [_stack_case(draft, rows, {"records": 8}) | {"ADDR_NUMS": numbers}]


def _loc_id_null(draft: Draft) -> list[Case]:
    rows = [draft.copy_record(house.record, LOC_ID="") for house in draft.take_many(3)]
    return [_quarantined(draft, row, "loc_id_null") for row in rows]


def _loc_id_dangling(draft: Draft) -> list[Case]:
    nowhere = "905165_2500000" if draft.spec.letter == "F" else "275900_762000"
    template = draft.take().record
    house = draft.copy_record(template, LOC_ID=f"{draft.spec.letter}_{nowhere}")
    land = draft.copy_record(
        template,
        LOC_ID=f"{draft.spec.letter}_{nowhere[:-1]}7",
        USE_CODE="452",
        BLDG_VAL=0,
        LAND_VAL=655_000,
        OTHER_VAL=0,
        TOTAL_VAL=655_000,
        YEAR_BUILT=0,
    )
    return [_quarantined(draft, row, "loc_id_dangling") for row in (house, land)]


def _quarantined(draft: Draft, row: int, reason: str) -> Case:
    total = draft.assess.number(row, "TOTAL_VAL")
    expected = {"kept": True, "has_polygon": False, "reason": reason, "total_val": total}
    return draft.identify(row) | {"TOTAL_VAL": total, "expected": expected}


def _total_zero(draft: Draft) -> list[Case]:
    cases = []
    for house in draft.take_many(2):
        parts = sum(draft.assess.number(house.record, name) for name in ("BLDG_VAL", "LAND_VAL", "OTHER_VAL"))
        draft.assess.update(house.record, TOTAL_VAL=0)
        expected = {"total_val": parts, "total_val_from_parts": True}
        cases.append(draft.identify(house.record) | {"TOTAL_VAL": 0, "expected": expected})
    return cases


def _total_differs(draft: Draft) -> list[Case]:
    row = draft.take().record
    total = draft.assess.number(row, "TOTAL_VAL") + 12_300
    draft.assess.update(row, TOTAL_VAL=total)
    expected = {"total_val": total, "total_val_from_parts": False}
    return [draft.identify(row) | {"TOTAL_VAL": total, "expected": expected}]


def _bulk_deed(draft: Draft) -> list[Case]:
    deed: dict[str, Cell] = {
        "LS_DATE": "20210514",
        "LS_PRICE": 3_150_000,
        "LS_BOOK": "40117",
        "LS_PAGE": "233",
    }
    houses = draft.take_many(14)
    for house in houses:
        draft.assess.update(house.record, **deed)
    ids = [draft.assess.text(house.record, "PROP_ID") for house in houses]
    return [
        {
            "PROP_IDS": ids,
            **deed,
            "expected": {"rows": len(ids), "sale_is_bulk": True, "sale_is_market": False},
        }
    ]


def _square_feet(draft: Draft) -> list[Case]:
    cases = []
    for house in draft.take_many(3):
        acres = float(draft.assess.columns["LOT_SIZE"][house.record])
        size = float(round(acres * SQUARE_FEET_PER_ACRE))
        draft.assess.update(house.record, LOT_SIZE=size, LOT_UNITS="S")
        cases.append(draft.identify(house.record) | {"LOT_SIZE": size, "expected": {"lot_size_sqft": size}})
    return cases


def _lot_size_far_off(draft: Draft) -> list[Case]:
    row = draft.take().record
    size = round(float(draft.assess.columns["LOT_SIZE"][row]) * 10, 4)
    draft.assess.update(row, LOT_SIZE=size)
    return [draft.identify(row) | {"LOT_SIZE": size, "expected": {"flag": "lot_size_disagrees_with_polygon"}}]


ROW_QUIRKS: dict[str, Callable[[Draft], list[Case]]] = {
    "condo_stack": _condo_stack,
    "condo_stack_with_master": _condo_stack_with_master,
    "full_duplicate_row": _full_duplicate_row,
    "prop_id_duplicate": _prop_id_duplicate,
    "many_numbers_on_polygon": _many_numbers,
    "loc_id_null": _loc_id_null,
    "loc_id_dangling": _loc_id_dangling,
    "total_zero_with_parts": _total_zero,
    "total_differs_from_sum": _total_differs,
    "bulk_deed": _bulk_deed,
    "lot_units_square_feet": _square_feet,
    "lot_size_far_off": _lot_size_far_off,
}
