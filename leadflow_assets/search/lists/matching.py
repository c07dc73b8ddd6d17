"""Which properties the rows of a person's file are: exactly, probably, or not, each with the reason.

All rows are asked at once: three queries for a file, whatever its size. An id or a normalized address that
names one record is exact; one that fits a single record but for its unit, street type, a number range or
a letter or two of the street is probable; whatever fits several is left to the person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from leadflow_assets.domain.addresses import Address, address_key, parse_address, split_place, zip5
from leadflow_assets.domain.towns import Town, find_town, town_by_id
from leadflow_assets.errors import UsageError
from leadflow_assets.search.geocode.places import NotLocatedError, named_town, read_address
from leadflow_assets.search.lists.file import ListFile
from leadflow_assets.search.lists.near import Near, near_matches
from leadflow_assets.state.saved_lists import ImportRow

_NAMED = 5
_IDS = {"property_id": "property_id", "loc_id": "LOC_ID", "prop_id": "PROP_ID"}


@dataclass(frozen=True)
class Wanted:
    """One row as understood. ``towns`` are where to look; ``problem`` says why there is nowhere to look.

    ``doubt`` says why even an equal address is only probable.
    """

    number: int
    given: str
    ids: Mapping[str, str]
    address: Address | None
    zip: str | None
    towns: tuple[int, ...]
    problem: str
    doubt: str


@dataclass(frozen=True)
class _Found:
    property_id: str
    town_id: int
    zip: str | None
    is_master: bool


def match_file(
    file: ListFile, connection: duckdb.DuckDBPyConnection, towns_here: Collection[int], *, town: Town | None
) -> tuple[ImportRow, ...]:
    """What each row is in the relation ``properties``; a row that names a whole parcel gives several.

    ``towns_here`` are the towns with data; ``town`` is where rows without town and ZIP are looked for.
    """
    wanted = _understood(file, connection, set(towns_here), town)
    exact = _exact(connection, wanted)
    settled: dict[int, list[ImportRow]] = {}
    open_rows = []
    for row in wanted:
        made = _from_exact(row, exact.get(row.number, {}))
        if made:
            settled[row.number] = made
        elif row.address is not None and row.address.kind == "street" and row.towns:
            open_rows.append(row)
        else:
            settled[row.number] = [_none(row, row.problem or _not_found(row))]
    near = near_matches(connection, [(r.number, r.address, r.towns, r.zip) for r in open_rows if r.address])
    for row in open_rows:
        settled[row.number] = [_from_near(row, near[row.number])]
    return _without_repetitions([made for row in wanted for made in settled[row.number]])


def counts(rows: Iterable[ImportRow]) -> dict[str, int]:
    """Rows of the file by result; a row that gave several properties counts once."""
    results = {row.row_number: row.result for row in rows}
    found = Counter(results.values())
    return {result: found[result] for result in ("exact", "probable", "none", "duplicate")}


def _understood(
    file: ListFile, connection: duckdb.DuckDBPyConnection, here: set[int], town: Town | None
) -> list[Wanted]:
    lines = [file.cell(n, "address") or _joined(file, n) for n in range(len(file.rows))]
    places = [split_place(line) for line in lines]
    zips = [zip5(file.cell(n, "zip")) or places[n][3] for n in range(len(file.rows))]
    by_zip = _towns_of_zips(connection, {code for code in zips if code})
    return [
        _wanted(file, n, lines[n], places[n], zips[n], by_zip=by_zip, here=here, default=town)
        for n in range(len(file.rows))
    ]


def _joined(file: ListFile, n: int) -> str:
    return f"{file.cell(n, 'number')} {file.cell(n, 'street')}".strip()


def _wanted(
    file: ListFile,
    n: int,
    line: str,
    place: tuple[str, str | None, str | None, str | None],
    code: str | None,
    *,
    by_zip: Mapping[str, tuple[int, ...]],
    here: set[int],
    default: Town | None,
) -> Wanted:
    ids = {kind: text for kind in _IDS if (text := file.cell(n, kind))}
    street, read_city, read_state, _ = place
    city, state = file.cell(n, "town") or read_city or "", file.cell(n, "state").upper() or read_state or ""
    address, read_town = None, None
    if line:
        if not city and not code and default is None:
            street, read_town = _trailing_town(line, street)
        unit = file.cell(n, "unit")
        address = parse_address(street)
        if unit and not address.unit:
            text = unit if not unit.replace("-", "").isalnum() else f"UNIT {unit}"
            address = parse_address(f"{street} {text}")
    towns, problem = _where(city, code, state, read_town or default, by_zip, here)
    if line and address is not None and address.kind != "street" and not problem:
        problem = "a P.O. box is no property" if address.kind == "pobox" else "no street could be read in it"
    if not line and not ids:
        problem = "the row has neither an id nor an address"
    given = "; ".join([f"{_IDS[kind]} {text}" for kind, text in ids.items()] + ([line] if line else []))
    # A village, or a place elsewhere: the option decides where to look, and a person whether it was meant.
    guessed = city and _town_called(city) is None and not by_zip.get(code or "")
    doubt = f"{city!r} is no town, taken for {default.name}" if guessed and default else ""
    return Wanted(n + 1, given, ids, address, code, towns, problem, doubt)


def _trailing_town(line: str, street: str) -> tuple[str, Town | None]:
    """``12 Main St Bellingham``: the street without the town that ends it."""
    try:
        reading = read_address(line)[0]
    except (UsageError, NotLocatedError):
        return street, None
    return (reading.address.raw, reading.town) if reading.town else (street, None)


def _where(
    city: str,
    code: str | None,
    state: str,
    default: Town | None,
    by_zip: Mapping[str, tuple[int, ...]],
    here: set[int],
) -> tuple[tuple[int, ...], str]:
    """Ids of the towns to look in, or why there are none."""
    if state not in ("", "MA", "MASSACHUSETTS", "MASS"):
        return (), f"the state is {state}; only Massachusetts is known here"
    named = _town_called(city)
    if named is None and code:
        if by_zip.get(code):
            return by_zip[code], ""
        if default is None:
            what = f"{city!r} is no town, and no" if city else "no"
            return (), f"{what} town here has the ZIP {code}"
    named = named or default
    if named is None:
        return (
            (),
            f"{city!r} is no town of Massachusetts" if city else "no town: give a town, a ZIP or --town",
        )
    if named.town_id not in here:
        return (), f"no data for {named.name} here (leadflow refresh {named.key[4:]})"
    return (named.town_id,), ""


def _town_called(text: str) -> Town | None:
    if not text:
        return None
    try:
        return named_town(text) or find_town(text)
    except UsageError:
        return None


def _towns_of_zips(
    connection: duckdb.DuckDBPyConnection, zips: Collection[str]
) -> dict[str, tuple[int, ...]]:
    if not zips:
        return {}
    rows = connection.execute(
        "SELECT zip, list(DISTINCT town_id) FROM properties "
        "WHERE zip IN (SELECT unnest(?::VARCHAR[])) GROUP BY zip",
        [sorted(zips)],
    ).fetchall()
    return {code: tuple(sorted(towns)) for code, towns in rows}


_EXACT_SQL = """
SELECT w.row, w.kind, p.property_id, p.town_id, p.zip, p.is_condominium_master
FROM __wanted AS w JOIN properties AS p ON {condition} WHERE w.kind = '{kind}'
"""
_CONDITIONS = {
    "property_id": "p.property_id = w.text",
    "loc_id": "p.loc_id = upper(w.text)",
    "prop_id": "p.prop_id = w.text AND (w.town IS NULL OR p.town_id = w.town)",
    "address": "p.address_key = w.text AND p.town_id = w.town",
}


def _exact(
    connection: duckdb.DuckDBPyConnection, wanted: Sequence[Wanted]
) -> dict[int, dict[str, list[_Found]]]:
    """Records that share an id or the whole address with a row, by row and kind."""
    asked: list[tuple[int, str, str, int | None]] = []
    for row in wanted:
        for kind, text in row.ids.items():
            towns: tuple[int | None, ...] = (row.towns or (None,)) if kind == "prop_id" else (None,)
            asked += [(row.number, kind, text, town) for town in towns]
        if row.address is not None:
            keys = [(town, address_key(row.address, town)) for town in row.towns]
            asked += [(row.number, "address", key, town) for town, key in keys if key]
    columns: list[Sequence[Any]] = list(zip(*asked, strict=True)) if asked else [(), (), (), ()]
    kinds = {"row": pa.int64(), "kind": pa.string(), "text": pa.string(), "town": pa.int32()}
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds.values(), strict=True)]
    connection.register("__wanted", pa.table(arrays, names=list(kinds)))
    parts = [_EXACT_SQL.format(kind=kind, condition=text) for kind, text in _CONDITIONS.items()]
    try:
        rows = connection.execute(" UNION ALL ".join(parts) + " ORDER BY ALL").fetchall()
    finally:
        connection.unregister("__wanted")
    found: dict[int, dict[str, list[_Found]]] = defaultdict(lambda: defaultdict(list))
    for number, kind, *rest in rows:
        found[number][kind].append(_Found(*rest))
    return found


def _from_exact(row: Wanted, found: Mapping[str, Sequence[_Found]]) -> list[ImportRow]:
    """Matches by the strongest id that is found, else by the whole address; none if nothing decides."""
    by_address = {record.property_id for record in found.get("address", ())}
    for kind, name in _IDS.items():
        records = _without_masters(found.get(kind, ()))
        if kind == "prop_id" and len(records) > 1:
            records = [r for r in records if r.property_id in by_address] or records
        if not records:
            continue
        if kind == "loc_id" and len(records) > 1:
            why = f"same LOC_ID: all {len(records)} records of the parcel"
            return [ImportRow(row.number, row.given, "exact", r.property_id, why) for r in records]
        if len(records) > 1:
            return [_none(row, _several(f"records have this {name}", [r.property_id for r in records]))]
        record = records[0]
        if kind == "prop_id" and not row.towns:
            why = f"same PROP_ID, in the only town here that has it: {town_by_id(record.town_id).name}"
            return [ImportRow(row.number, row.given, "probable", record.property_id, why)]
        return [ImportRow(row.number, row.given, "exact", record.property_id, f"same {name}")]
    # Nobody who writes a building's address means the condominium's master record.
    records = [record for record in found.get("address", ()) if not record.is_master]
    if len(records) > 1 and row.zip:
        records = [r for r in records if r.zip == row.zip] or records
    if len(records) == 1:
        why = f"same address in {town_by_id(records[0].town_id).name}"
        result = "probable" if row.doubt else "exact"
        told = f"{why}; {row.doubt}" if row.doubt else why
        return [ImportRow(row.number, row.given, result, records[0].property_id, told)]
    if records:
        return [_none(row, _several("records have this address", [r.property_id for r in records]))]
    return []


def _without_masters(records: Sequence[_Found]) -> list[_Found]:
    return [record for record in records if not record.is_master] or list(records)


def _from_near(row: Wanted, near: Near) -> ImportRow:
    if len(near.property_ids) == 1:
        told = f"{near.why}; {row.doubt}" if row.doubt else near.why
        return ImportRow(row.number, row.given, "probable", near.property_ids[0], told)
    if near.property_ids:
        return _none(row, _several(f"records fit: {near.why}", near.property_ids))
    names = " or ".join(town_by_id(town).name for town in row.towns)
    prefix = f"{' and '.join(_IDS[kind] for kind in row.ids)} not found; " if row.ids else ""
    return _none(row, f"{prefix}not found in {names}: {near.why}")


def _not_found(row: Wanted) -> str:
    return f"no record here has this {' or '.join(_IDS[kind] for kind in row.ids)}"


def _several(what: str, ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_NAMED]) + (", ..." if len(ids) > _NAMED else "")
    return f"{len(ids)} {what}; add the right one by its id: {shown}"


def _none(row: Wanted, why: str) -> ImportRow:
    return ImportRow(row.number, row.given, "none", None, why)


def _without_repetitions(rows: Sequence[ImportRow]) -> tuple[ImportRow, ...]:
    """Later rows that name a property again are duplicates; an exact row goes before a probable one."""
    first: dict[str, int] = {}
    for result in ("exact", "probable"):
        for row in rows:
            if row.result == result and row.property_id is not None:
                first.setdefault(row.property_id, row.row_number)
    return tuple(
        row
        if row.property_id is None or first[row.property_id] == row.row_number
        else ImportRow(
            row.row_number,
            row.given,
            "duplicate",
            row.property_id,
            f"same property as row {first[row.property_id]}",
        )
        for row in rows
    )
