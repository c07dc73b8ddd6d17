"""What changes in a town from one release to the next: sales, values, splits, merges, gone and new lots."""

from __future__ import annotations

from collections.abc import Callable

from leadflow_assets.sampleton.draft import Case, Draft, loc_id
from leadflow_assets.sampleton.geometry import middle, strips
from leadflow_assets.sampleton.schema import Cell


def plant_changes(draft: Draft, fiscal_year: int) -> dict[str, list[Case]]:
    """Change a draft into the next release, whose FY is ``fiscal_year``; says what changed.

    May be called once for each further year; :func:`remove_gone` ends it.

    Raises:
        ValueError: too few ordinary houses are left.
    """
    edited = (fiscal_year - 1) * 10_000 + 1101
    cases = {name: change(draft, edited) for name, change in _CHANGES.items()}
    draft.assess.columns["FY"] = [fiscal_year] * len(draft.assess)
    return cases


def remove_gone(draft: Draft) -> None:
    """Take out the polygons and records that the changes removed."""
    draft.taxpar.drop({row for row, kind in enumerate(draft.taxpar.columns["POLY_TYPE"]) if kind == _GONE})
    draft.finish()


_GONE = "gone"  # marks polygons to be removed when all changes are planted


def _changed(draft: Draft, row: int, **cells: Cell) -> Case:
    """Change a record; the case has old and new values of the changed columns."""
    old = {name: draft.assess.columns[name][row] for name in cells}
    draft.assess.update(row, **cells)
    return draft.identify(row) | {"old": old, "new": dict(cells)}


def _sale(draft: Draft, edited: int) -> list[Case]:
    year = edited // 10_000
    cases = []
    for place, house in enumerate(draft.take_many(6)):
        price = draft.assess.number(house.record, "TOTAL_VAL") * 108 // 100_000 * 1000
        case = _changed(
            draft,
            house.record,
            OWNER1=f"NEWCOMER, {('ADA', 'BASIL', 'CORA', 'DARIO', 'ELSA', 'FLORA')[place]}",
            LS_DATE=f"{year - 1}{9 + place % 4:02d}{10 + place}",
            LS_PRICE=price if place else 1,
            LS_BOOK="43555",
            LS_PAGE=str(100 + place),
        )
        cases.append(case | {"expected": {"event": "sale", "is_market": bool(place)}})
    return cases


def _owner_changed(draft: Draft, edited: int) -> list[Case]:
    cases = []
    for house in draft.take_many(4):
        surname = draft.assess.text(house.record, "OWNER1").split(",")[0].split()[0]
        case = _changed(draft, house.record, OWNER1=f"{surname} HOMESTEAD TRUST OF {edited // 10_000}")
        cases.append(case | {"expected": {"event": "owner_changed"}})
    return cases


def _value_changed(draft: Draft, edited: int) -> list[Case]:
    cases = []
    for place, house in enumerate(draft.take_many(5)):
        share = (0.7, 1.12, 1.25, 1.5, 1.02)[place]
        old = draft.assess.row(house.record)
        building = round(int(old["BLDG_VAL"]) * share)
        total = int(old["TOTAL_VAL"]) - int(old["BLDG_VAL"]) + building
        case = _changed(draft, house.record, BLDG_VAL=building, TOTAL_VAL=total)
        cases.append(case | {"expected": {"event": "value_changed"}})
    return cases


def _split(draft: Draft, edited: int) -> list[Case]:
    cases = []
    for house in draft.take_many(2):
        old_id, old_prop = (
            draft.taxpar.text(house.polygon, "LOC_ID"),
            draft.assess.text(house.record, "PROP_ID"),
        )
        left, right = strips(draft.taxpar.shapes[house.polygon][0], 2)
        left_id, right_id = draft.new_loc_id(left), draft.new_loc_id(right)
        row = draft.taxpar.row(house.polygon) | {"LAST_EDIT": edited, "SOURCE": "SUBDIV"}
        draft.taxpar.update(house.polygon, LOC_ID=left_id, LAST_EDIT=edited, SOURCE="SUBDIV")
        draft.taxpar.shapes[house.polygon] = (left,)
        draft.taxpar.add_shape(
            (right,), **(row | {"LOC_ID": right_id, "MAP_PAR_ID": f"{row['MAP_PAR_ID']}-A"})
        )
        half = round(float(draft.assess.columns["LOT_SIZE"][house.record]) / 2, 4)
        draft.assess.update(house.record, LOC_ID=left_id, LOT_SIZE=half)
        added = draft.copy_record(house.record, PROP_ID=f"{old_prop}-A", LOC_ID=right_id)
        case: Case = {"old_LOC_ID": old_id, "new_LOC_IDS": [left_id, right_id], "PROP_ID": old_prop}
        cases.append(case | {"new_record": draft.identify(added), "expected": {"event": "split"}})
    return cases


def _merge(draft: Draft, edited: int) -> list[Case]:
    left, right = draft.take_neighbours()
    ids = [draft.taxpar.text(house.polygon, "LOC_ID") for house in (left, right)]
    one, other = (draft.taxpar.shapes[house.polygon][0] for house in (left, right))
    ring = (one[0], one[1], one[2], other[2], other[3], one[3], one[0])
    new_id = loc_id(middle(ring), draft.spec.letter)
    draft.taxpar.shapes[left.polygon] = (ring,)
    draft.taxpar.update(left.polygon, LOC_ID=new_id, LAST_EDIT=edited)
    draft.taxpar.update(right.polygon, POLY_TYPE=_GONE)
    size = sum(float(draft.assess.columns["LOT_SIZE"][house.record]) for house in (left, right))
    draft.assess.update(left.record, LOC_ID=new_id, LOT_SIZE=round(size, 4))
    draft.dropped.add(right.record)
    case: Case = {
        "old_LOC_IDS": ids,
        "new_LOC_ID": new_id,
        "PROP_ID": draft.assess.text(left.record, "PROP_ID"),
    }
    gone = draft.assess.text(right.record, "PROP_ID")
    return [case | {"gone_PROP_ID": gone, "expected": {"event": "merge"}}]


def _vanished(draft: Draft, edited: int) -> list[Case]:
    house = draft.take()
    case = draft.identify(house.record) | {"expected": {"event": "vanished"}}
    draft.taxpar.update(house.polygon, POLY_TYPE=_GONE)
    draft.dropped.add(house.record)
    return [case]


def _appeared(draft: Draft, edited: int) -> list[Case]:
    """A new lot on open ground west of the town."""
    house = draft.take()
    x, y = min(point for shape in draft.taxpar.shapes for ring in shape for point in ring)
    number = f"9001-{edited // 10_000 - draft.spec.fiscal_year + 1:04d}-0000"
    ring = ((x - 40, y), (x - 40, y + 42), (x - 12, y + 42), (x - 12, y), (x - 40, y))
    new_id = draft.new_loc_id(ring)
    row = draft.taxpar.row(house.polygon) | {
        "LOC_ID": new_id,
        "MAP_PAR_ID": number,
        "LAST_EDIT": edited,
    }
    draft.taxpar.add_shape((ring,), **row)
    added = draft.copy_record(house.record, PROP_ID=number, LOC_ID=new_id, LOT_SIZE=0.2906)
    return [draft.identify(added) | {"expected": {"event": "appeared"}}]


_CHANGES: dict[str, Callable[[Draft, int], list[Case]]] = {
    "sale": _sale,
    "owner_changed": _owner_changed,
    "value_changed": _value_changed,
    "split": _split,
    "merge": _merge,
    "vanished": _vanished,
    "appeared": _appeared,
}
