"""What is planted in a package with quirks, and what a correct reader makes of each case.

Every quirk has a stable name and a list of cases. A case holds keys that identify its rows (PROP_ID,
CAMA_ID, LOC_ID ...), the raw cells as written, and ``expected``. Expected names follow the core tables:
``ls_date`` is an ISO date or None, ``lot_size_sqft`` square feet, ``use_code_town`` 0 for a state code.
"""

from __future__ import annotations

from leadflow_assets.sampleton.draft import LOCAL_CODES, Case, Draft
from leadflow_assets.sampleton.quirks_polygons import POLYGON_QUIRKS
from leadflow_assets.sampleton.quirks_rows import ROW_QUIRKS
from leadflow_assets.sampleton.schema import Cell

Cells = dict[str, Cell]
SMALLEST_WITH_QUIRKS = 600
_NO_DATE: Case = {"ls_date": None}
_LOCAL = dict(LOCAL_CODES)


def _own_zip(raw: str) -> tuple[Cells, Case]:
    away: Cells = {"OWN_ADDR": "12 LANTERN ST", "OWN_CITY": "WORCESTER", "OWN_STATE": "MA", "OWN_ZIP": raw}
    return away, {"own_zip5": "01608"}


def _number(raw: str, **expected: object) -> tuple[Cells, Case]:
    return {"ADDR_NUM": raw}, {"addr_num": raw, **expected}


def _code(raw: str, resolved: str | None, *, local: bool = False) -> tuple[Cells, Case]:
    expected: Case = {"use_code": raw, "use_code_resolved": resolved, "use_code_is_local": local}
    if local:
        expected["use_desc"] = _LOCAL[raw]
    return {"USE_CODE": raw}, expected


# Quirks that change cells of one ordinary house per case. A changed ADDR_NUM also changes SITE_ADDR.
CELL_QUIRKS: dict[str, list[tuple[Cells, Case]]] = {
    "sale_date_sentinel": [({"LS_DATE": raw}, _NO_DATE) for raw in ("19000101", "19010101")],
    "sale_date_before_1800": [({"LS_DATE": raw}, _NO_DATE) for raw in ("17760704", "17991231")],
    "sale_date_1821": [({"LS_DATE": "18210914"}, {"ls_date": "1821-09-14"})],
    "sale_date_future": [({"LS_DATE": "20870315"}, _NO_DATE)],
    "sale_date_beyond_2262": [({"LS_DATE": "29690412"}, _NO_DATE)],
    "sale_date_invalid": [({"LS_DATE": raw}, _NO_DATE) for raw in ("20230231", "00000000")],
    "sale_date_null": [({"LS_DATE": ""}, _NO_DATE)],
    "price_zero": [({"LS_PRICE": 0}, {"ls_price": None, "sale_is_market": False})],
    "price_one": [({"LS_PRICE": 1}, {"ls_price": 1, "sale_is_nominal": True, "sale_is_market": False})],
    "price_nominal": [
        ({"LS_PRICE": price}, {"ls_price": price, "sale_is_nominal": True, "sale_is_market": False})
        for price in (10, 100, 999)
    ],
    "book_page_odd": [
        ({"LS_BOOK": book, "LS_PAGE": page}, {"ls_book": kept, "ls_page": kept_page})
        for book, page, kept, kept_page in (
            ("0", "0", None, None),
            ("0000", "0000", None, None),
            ("0012345", "017", "0012345", "017"),
            ("1183027", "", "1183027", None),
        )
    ],
    "lot_size_zero": [({"LOT_SIZE": 0.0}, {"lot_size_sqft": None})],
    "year_built_zero": [({"YEAR_BUILT": 0}, {"year_built": None})],
    "year_built_impossible": [({"YEAR_BUILT": 1066}, {"year_built": None})],
    "units_zero": [({"UNITS": 0}, {"units": None, "units_from_use_code": 1})],
    "units_contradict_use_code": [({"UNITS": 2}, {"units": 2, "use_code": "101"})],
    "rooms_zero": [({"NUM_ROOMS": 0}, {"num_rooms": None})],
    "area_zero": [({"BLD_AREA": 0, "RES_AREA": 0}, {"bld_area": None, "res_area": None})],
    "stories_text": [({"STORIES": raw}, {"stories": raw}) for raw in ("2.75", "2A", "1T", "0")],
    "zoning_case_twins": [({"ZONING": raw}, {"zoning_folded": "RES"}) for raw in ("RES", "res")],
    "zip_null": [({"ZIP": ""}, {"zip": None}) for _ in range(2)],
    "zip_mistyped": [({"ZIP": raw}, {"zip_is_valid": False}) for raw in ("0200", "020000", "ABCDE")],
    "zip_mangled": [
        _own_zip(raw)
        for raw in ("01608-1234", "01608 1234", "016081234", "0160812345", "O16O8", "01608.", "01608A")
    ],
    "own_co_odd": [
        ({"OWN_CO": "USA"}, {"owner_abroad": False}),
        ({"OWN_CO": "usa"}, {"owner_abroad": False}),
        ({"OWN_CO": "US"}, {"owner_abroad": False}),
        ({"OWN_CO": "WORCESTER COUNTY"}, {"owner_abroad": False}),
        ({"OWN_CO": "01608"}, {"owner_abroad": False}),
        ({"OWN_CO": "0"}, {"owner_abroad": False}),
        (
            {
                "OWN_CO": "CANADA",
                "OWN_ADDR": "9 KETTLE RD",
                "OWN_CITY": "HALIFAX",
                "OWN_STATE": "",
                "OWN_ZIP": "",
            },
            {"owner_abroad": True},
        ),
    ],
    "addr_num_zero": [_number("0", addr_num=None)],
    "addr_num_leading_zero": [_number("08", addr_num_first=8)],
    "addr_num_range": [_number("12-16", addr_num_first=12, addr_num_last=16)],
    "addr_num_fraction": [_number("103 1/2", addr_num_first=103)],
    "springfield_range": [_number("2426", addr_num_is_range_in_springfield=True)],
    "addr_parts_null": [
        ({"ADDR_NUM": "", "FULL_STR": "", "SITE_ADDR": "77  OLD WELL RD"}, {"addr_num_first": 77})
    ],
    "unit_letter_before_street": [
        (
            {"ADDR_NUM": "2", "FULL_STR": "ARBOR WY", "SITE_ADDR": "2 C ARBOR WY"},
            {"addr_num_first": 2, "unit": "C"},
        )
    ],
    "location_rear": [({"LOCATION": "Rear"}, {"location": "Rear"})],
    "own_addr_blank": [
        (
            {"OWN_ADDR": "", "OWN_CITY": "", "OWN_STATE": "", "OWN_ZIP": ""},
            {"mailing_is_site": True, "absentee": False},
        )
    ],
    "owner_null": [({"OWNER1": ""}, {"owner1": None}) for _ in range(2)],
    "non_ascii_text": [
        ({"OWNER1": "BRIARMÉRE, ZOË"}, {"owner1": "BRIARMÉRE, ZOË"}),
        ({"ADDR_NUM": "4", "FULL_STR": "CAFÉ ROW"}, {"full_str": "CAFÉ ROW"}),
    ],
    "use_code_local": [_code("303", "303", local=True), _code("0325", "0325", local=True)],
    "use_code_local_clash": [_code("3162", "3162", local=True), _code("1014", "1014", local=True)],
    "use_code_letter": [_code("972V", "972V", local=True), _code("112C", "112")],
    "use_code_four": [_code("1010", "101")],
    "use_code_unpadded": [_code("13", "013")],
    "use_code_removed": [_code("903", "903")],
    "use_code_unknown": [_code("QQQ", None)],
    "use_code_null": [_code("", None)],
}


def plant_quirks(draft: Draft) -> dict[str, list[Case]]:
    """Plant every quirk in a draft, and say what was planted, by name.

    Raises:
        ValueError: fewer than 600 parcels: no railway, no pond, or too few ordinary houses.
    """
    if draft.spec.parcels < SMALLEST_WITH_QUIRKS:
        least = f"take {SMALLEST_WITH_QUIRKS} or more"
        raise ValueError(f"A town of {draft.spec.parcels} parcels is too small for the quirks; {least}.")
    cases: dict[str, list[Case]] = {}
    for name, plant in (*POLYGON_QUIRKS.items(), *ROW_QUIRKS.items()):
        cases[name] = plant(draft)
    for name, planned in CELL_QUIRKS.items():
        cases[name] = [_plant_cells(draft, cells, expected) for cells, expected in planned]
    return cases | _seen_everywhere(draft)


def _plant_cells(draft: Draft, cells: Cells, expected: Case) -> Case:
    record = draft.take().record
    changed = dict(cells)
    if "ADDR_NUM" in cells and "SITE_ADDR" not in cells:
        street = cells.get("FULL_STR", draft.assess.text(record, "FULL_STR"))
        changed["SITE_ADDR"] = f"{cells['ADDR_NUM']}  {street}"
    draft.assess.update(record, **changed)
    town = (
        {"use_code_town": draft.spec.town_id if expected["use_code_is_local"] else 0}
        if "USE_CODE" in cells
        else {}
    )
    return draft.identify(record) | changed | {"expected": expected | town}


def _seen_everywhere(draft: Draft) -> dict[str, list[Case]]:
    """Facts of the whole package, as counts of rows."""
    kept = [row for row in range(len(draft.assess)) if row not in draft.dropped]
    addresses = draft.assess.columns["SITE_ADDR"]
    edits = draft.taxpar.columns["LAST_EDIT"]
    initial = max(set(edits), key=edits.count)
    return {
        "last_edit_initial": [
            {"LAST_EDIT": initial, "rows": edits.count(initial), "expected": {"is_edit_date": False}}
        ],
        "site_addr_double_space": [
            {"rows": sum("  " in str(addresses[row]) for row in kept), "expected": {"spaces_collapsed": True}}
        ],
    }
