"""Where each town's packages are: the table MassGIS publishes, and the copy shipped with the program.

The table is a workbook of one row per town. Addresses follow one rule (``docs`` of MassGIS and 350 of the
351 rows of the 2021 table), so that the shipped copy is made from the towns' names and never goes missing.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import httpx

from leadflow_assets.domain.towns import SAMPLETON_ID, all_towns
from leadflow_assets.errors import LeadflowError, SourceAnswerError, UsageError
from leadflow_assets.sources.http import (
    make_client,
    page_kind,
    raise_for_answer,
    read_limited,
    redact_url,
    send,
)
from leadflow_assets.sources.massgis.download import local_path

SHIPPED_BASE = "https://s3.us-east-1.amazonaws.com/download.massgis.digital.mass.gov"
MAX_TABLE_BYTES = 8_000_000
_BUCKET = "download.massgis.digital.mass.gov"
_HEADER_ROWS = 50
_MAX_ROWS = 5_000
_NAMED_AT_MOST = 5
_Sheet = Sequence[Sequence[object]]
# What openpyxl raises on a damaged workbook, with and without lxml; it documents none of it.
_WORKBOOK_ERRORS = (
    zipfile.BadZipFile,
    SyntaxError,  # the parent of the parse errors of xml and of lxml
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    NotImplementedError,
    EOFError,
    OSError,
)


@dataclass(frozen=True)
class TownLinks:
    """One town's row: where its two packages are, the fiscal year the table gives, and its remarks."""

    town_id: int
    shapefile_url: str | None
    geodatabase_url: str | None
    fiscal_year: int | None
    note: str


@dataclass(frozen=True)
class LinksResult:
    """Links by town id and where they came from; ``problem`` says why it is not the table asked for.

    ``drift`` holds one sentence for each kind of difference between the table and the shipped copy.
    """

    links: dict[int, TownLinks]
    origin: Literal["live", "file", "shipped"]
    problem: str | None
    drift: list[str]


def shipped_links(base: str = SHIPPED_BASE) -> dict[int, TownLinks]:
    """Links of all 351 towns by MassGIS's rule, Boston included, below ``base``."""
    return {
        town.town_id: TownLinks(
            town_id=town.town_id,
            shapefile_url=f"{base}/shapefiles/l3parcels/{town.shapefile_zip}",
            geodatabase_url=f"{base}/gdbs/l3parcels/{town.geodatabase_zip}",
            fiscal_year=None,
            note="",
        )
        for town in all_towns()
    }


def load_links(source: str, *, live: bool, timeout: float, client: httpx.Client | None = None) -> LinksResult:
    """Read the table at ``source``, a URL or a file; ``timeout`` in seconds, for each attempt.

    A URL that may not be asked (``live`` false), does not answer or sends no table falls back to the
    shipped copy, with the reason in ``problem``. A row without any link takes the shipped one; a town
    without a row does so for a live table only: who names a file of a few towns wants those.
    Links in a file may be paths, relative to its folder.

    Raises:
        UsageError: ``source`` is a file that is missing or cannot be read.
        SourceAnswerError: ``source`` is a file and holds no table of links.
    """
    path = local_path(source)
    if path is not None:
        rows = parse_links_table(_read_file(path), path.name)
        return _result(rows, "file", lambda link: _beside(path, link))
    if not live:
        return LinksResult(shipped_links(), "shipped", "MASSGIS_LIVE_FETCH_ENABLED is off.", [])
    try:
        rows = parse_links_table(_ask(source, timeout, client), redact_url(source))
    except LeadflowError as error:
        return LinksResult(shipped_links(), "shipped", str(error), [])
    # A table from the web must not point into this computer's files.
    return _result(rows, "live", lambda link: None if local_path(link) else link)


def parse_links_table(data: bytes, name: str) -> list[TownLinks]:
    """Rows of a workbook (.xlsx) or CSV, told apart by content; ``name`` is for messages only.

    Columns are found by their titles, wherever they stand (those of the workbook and of the ArcGIS table
    L3_PARCEL_FTP_LINKS are known). A link cell that is no link becomes None, its text goes to the note.

    Raises:
        SourceAnswerError: not a workbook or CSV, or no header row, or no rows below it.
    """
    hint = "It must be .xlsx or .csv with columns Town ID and Shapefile Download URL."
    page = page_kind(data[:512])
    if page or not data.strip():
        raise SourceAnswerError(f"{name} is {page or 'empty'}, not a table of links.", hint)
    for sheet in _workbook(data, name) if data.startswith(b"PK") else [_csv(data, name)]:
        for number, row in enumerate(sheet[:_HEADER_ROWS]):
            columns = _columns(row)
            if "town_id" in columns and {"shapefile", "geodatabase"} & columns.keys():
                links = [link for cells in sheet[number + 1 :] if (link := _links(cells, columns))]
                if links:
                    return links
    raise SourceAnswerError(f"{name} has no rows of a town id and links below a header row.", hint)


def _ask(url: str, timeout: float, client: httpx.Client | None) -> bytes:
    if client is None:
        with make_client(timeout) as own:
            return _ask(url, timeout, own)
    with send(client, "GET", url, timeout=timeout) as response:
        raise_for_answer(response)
        return read_limited(response, max_bytes=MAX_TABLE_BYTES, seconds=timeout)


def _read_file(path: Path) -> bytes:
    hint = "MASSGIS_LINKS names the table: a URL or a file."
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise UsageError(f"The links table {path} is larger than {MAX_TABLE_BYTES:,} bytes.", hint)
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"The links table {path} cannot be read ({error.strerror}).", hint) from error


def _workbook(data: bytes, name: str) -> Sequence[_Sheet]:
    # Imported late: it costs a third of a second, and a table that is a CSV does without.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > 20 * MAX_TABLE_BYTES:
                raise SourceAnswerError(f"{name} unpacks to more than a table of links can be.")
        with warnings.catch_warnings():
            # The real workbook has a page header that openpyxl does not understand.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            sheets = []
            for sheet in book.worksheets:
                # Some programs write a wrong extent, and rows beyond it would be left out.
                sheet.reset_dimensions()
                sheets.append(list(sheet.iter_rows(values_only=True, max_row=_MAX_ROWS)))
            book.close()
            return sheets
    except (InvalidFileException, *_WORKBOOK_ERRORS) as error:
        what = f"{name} is not a readable workbook ({type(error).__name__})."
        raise SourceAnswerError(what, "Open and save it again as .xlsx or .csv.") from error


def _csv(data: bytes, name: str) -> _Sheet:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    delimiter = max(",;\t", key=text[:2000].count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[:_MAX_ROWS]
    except csv.Error as error:
        raise SourceAnswerError(f"{name} is not a readable CSV.", "Open and save it again.") from error


def _columns(row: Sequence[object]) -> dict[str, int]:
    """Which column is which, by title; the first of two alike wins."""
    found: dict[str, int] = {}
    for number, cell in enumerate(row):
        title = re.sub(r"[^a-z]", "", cell.lower()) if isinstance(cell, str) else ""
        if title in {"townid", "townno", "townnumber", "muniid"}:
            kind = "town_id"
        elif "shp" in title or "shape" in title:
            kind = "shapefile"
        elif "gdb" in title or "geodatabase" in title:
            kind = "geodatabase"
        elif title == "fy" or "fiscalyear" in title:
            kind = "fiscal_year"
        elif title in {"note", "notes", "remark", "remarks", "comment", "comments"}:
            kind = "note"
        else:
            continue
        found.setdefault(kind, number)
    return found


def _links(cells: Sequence[object], columns: dict[str, int]) -> TownLinks | None:
    def text(kind: str) -> str:
        number = columns.get(kind, len(cells))
        cell = cells[number] if number < len(cells) else None
        return "" if cell is None else " ".join(str(cell).split())

    town_id, notes = _whole(text("town_id")), [text("note")]
    if town_id is None:
        return None
    urls: dict[str, str | None] = {}
    for kind in ("shapefile", "geodatabase"):
        cell = text(kind)
        urls[kind] = cell if _is_link(cell) else None
        notes += [] if _is_link(cell) else [cell]
    note = " ".join(filter(None, notes))
    return TownLinks(town_id, urls["shapefile"], urls["geodatabase"], _whole(text("fiscal_year")), note)


def _whole(text: str) -> int | None:
    """A whole number, also as spreadsheets and pandas write it: 25, 025, 25.0."""
    match = re.fullmatch(r"([0-9]{1,6})(\.0+)?", text)
    return int(match[1]) if match else None


def _is_link(cell: str) -> bool:
    if re.match(r"https?://", cell, re.IGNORECASE):
        return " " not in cell
    return cell.lower().endswith(".zip") and ("://" not in cell or cell.lower().startswith("file://"))


def _beside(table: Path, link: str) -> str:
    """A link of a table on disk: a path is relative to the table's folder."""
    if "://" in link:
        return link
    return str(table.resolve().parent / link.replace("\\", "/"))


def _result(
    rows: Sequence[TownLinks], origin: Literal["live", "file"], usable: Callable[[str], str | None]
) -> LinksResult:
    shipped = shipped_links()
    known = shipped.keys() | {SAMPLETON_ID}
    links: dict[int, TownLinks] = {}
    for row in rows:
        if row.town_id in known and row.town_id not in links:
            links[row.town_id] = replace(
                row,
                shapefile_url=row.shapefile_url and usable(row.shapefile_url),
                geodatabase_url=row.geodatabase_url and usable(row.geodatabase_url),
            )
    counts = Counter(row.town_id for row in rows)
    without = [i for i, link in links.items() if not (link.shapefile_url or link.geodatabase_url)]
    missing = [town_id for town_id in shipped if town_id not in links]
    drift = [
        *_about("Not in the table", missing),
        *_about("In the table more than once, first row taken", [i for i in counts if counts[i] > 1]),
        *_about("Unknown town ids, left out", [i for i in counts if i not in known]),
        *_about("Without a link in the table, shipped link taken", without),
        *_moved(links, shipped, "shapefile", lambda row: row.shapefile_url),
        *_moved(links, shipped, "geodatabase", lambda row: row.geodatabase_url),
    ]
    for town_id in without:
        if town_id in shipped:
            row = links[town_id]
            links[town_id] = replace(shipped[town_id], fiscal_year=row.fiscal_year, note=row.note)
    if origin == "live":
        links |= {town_id: shipped[town_id] for town_id in missing}
    return LinksResult(dict(sorted(links.items())), origin, None, drift)


def _about(what: str, town_ids: Sequence[int]) -> list[str]:
    """One sentence naming the first few towns, or none when there are none."""
    if not town_ids:
        return []
    names = {town.town_id: f"{town.name} ({town.town_id})" for town in all_towns()}
    named = ", ".join(names.get(i, str(i)) for i in sorted(town_ids)[:_NAMED_AT_MOST])
    more = len(town_ids) - _NAMED_AT_MOST
    return [f"{what}: {named}{f' and {more} more' if more > 0 else ''}."]


def _moved(
    links: dict[int, TownLinks],
    shipped: dict[int, TownLinks],
    what: str,
    url_of: Callable[[TownLinks], str | None],
) -> list[str]:
    """Files under another name, and files in another place; the bucket's several addresses are one place."""
    renamed: list[int] = []
    elsewhere: dict[str, list[int]] = {}
    for town_id in links.keys() & shipped.keys():
        url, expected = url_of(links[town_id]), url_of(shipped[town_id])
        if url is None or expected is None:
            continue
        (place, name), (usual_place, usual_name) = _place_and_name(url), _place_and_name(expected)
        if name != usual_name:
            renamed.append(town_id)
        elif place != usual_place:
            elsewhere.setdefault(place, []).append(town_id)
    sentences = _about(f"Other {what} file name than the shipped link", renamed)
    for place, town_ids in sorted(elsewhere.items()):
        sentences += _about(f"The {what} is in {place}", town_ids)
    return sentences


def _place_and_name(url: str) -> tuple[str, str]:
    place, _, name = redact_url(url).rpartition("/")
    return place[max(place.find(_BUCKET), 0) :], name
