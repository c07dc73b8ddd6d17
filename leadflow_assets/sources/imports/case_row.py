"""One row of a file of cases: checked, freed of what must not be kept, read into a case and its parties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from leadflow_assets.domain.addresses import state_of_zip, zip5
from leadflow_assets.domain.addresses.places import state_code
from leadflow_assets.domain.courts import kinds
from leadflow_assets.domain.courts.identifiers import holds_identifier, strip_text
from leadflow_assets.domain.courts.imported import IMPORT_KINDS, ImportKind
from leadflow_assets.domain.courts.model import CourtCase, CourtParty, case_id, is_court_id, short_hash
from leadflow_assets.domain.courts.parties import (
    NO_ADDRESS,
    make_party,
    read_role,
    read_written_address,
)
from leadflow_assets.domain.courts.rows import IMPORT, Parsed, RawDocket
from leadflow_assets.sources.imports.case_columns import AMOUNTS, DATES, NAMES
from leadflow_assets.sources.imports.case_values import (
    CellError,
    DateStyle,
    plain_text,
    read_amount,
    read_date,
    read_names,
)

_COURTS: Mapping[str, tuple[str, ...]] = {
    "masslandct": ("land court", "massachusetts land court"),
    "mahousct": ("housing court", "massachusetts housing court"),
    "maprobct": ("probate court", "probate and family court", "probate family court"),
    "masssuperct": ("superior court", "massachusetts superior court"),
    "massdistct": ("district court", "massachusetts district court", "boston municipal court"),
    "mab": ("bankruptcy court", "us bankruptcy court", "u s bankruptcy court"),
    "mad": ("us district court", "u s district court", "federal district court"),
    "registry": ("registry", "registry of deeds"),
}
_CASE_TYPES = {name: (kind.words.lower(),) for name, kind in kinds.CASE_TYPES.items()}
_ADDRESS = ("address", "city", "state", "zip")
_PLAIN = (
    "docket_number", "case_name", "url", "registry", "book", "page", "instrument", "parcel_id", "lien_holder",
    "attorney",
    *_ADDRESS, *(f"mailing_{part}" for part in _ADDRESS),
)  # fmt: skip
# Tenants are not who owns the property, and their names may be sealed later: they are not kept at all.
_TENANTS = frozenset({"defendant", "other_party"})


@dataclass
class CheckedRow:
    """What a row says in one spelling, and what is wrong or odd about it, by part (None: the row)."""

    values: dict[str, Any] = field(default_factory=dict)
    problems: list[tuple[str | None, str]] = field(default_factory=list)
    notes: list[tuple[str | None, str]] = field(default_factory=list)


def check_row(
    cells: Mapping[str, str], kind: ImportKind, styles: Mapping[str, DateStyle], today: date
) -> CheckedRow:
    """Read the cells of a row (part -> text). Identifiers are taken out of each before it is looked at."""
    row = CheckedRow()
    clean = {part: strip_text(cell) for part, cell in cells.items()}
    row.notes += [
        (part, "held an identifier, which was taken out") for part in cells if _was_cut(cells, clean, part)
    ]
    for part in _PLAIN:
        if text := plain_text(clean.get(part, "")):
            row.values[part] = text
    for part in DATES:
        _read(row, part, lambda cell, part=part: read_date(cell, styles[part], today), clean)
    for part in AMOUNTS:
        _read(row, part, read_amount, clean)
    _read_words(row, clean, kind)
    _read_parties(row, clean, kind)
    _check_place(row)
    _check_whole(row, kind)
    return row


def _was_cut(cells: Mapping[str, str], clean: Mapping[str, str], part: str) -> bool:
    return holds_identifier(cells[part]) and clean[part] != cells[part]


def _read(row: CheckedRow, part: str, reader: Any, cells: Mapping[str, str]) -> None:
    try:
        value = reader(cells.get(part, ""))
    except CellError as error:
        row.problems.append((part, str(error)))
        return
    if value is not None:
        row.values[part] = str(value) if isinstance(value, Decimal) else value.isoformat()


def _read_words(row: CheckedRow, cells: Mapping[str, str], kind: ImportKind) -> None:
    """Columns whose words stand for terms; an unknown word of a type is told, never guessed."""
    lists = {
        "action_type": kinds.ACTION_TYPES,
        "case_type": _CASE_TYPES,
        "status": kinds.CASE_STATUSES,
        "lien_type": kinds.LIEN_TYPES,
        "lien_status": kinds.LIEN_STATUSES,
        "court": _COURTS,
    }
    for part, known in lists.items():
        text = plain_text(cells.get(part, ""))
        if text is None or (part in ("case_type", "court") and kind.name != "other"):
            continue
        found = kinds.read_word(text, known)
        if part == "court" and found is None and is_court_id(text.lower()):
            found = text.lower()
        if found is not None:
            row.values[part] = found
        elif part == "action_type":
            terms = ", ".join(kinds.ACTION_TYPES)
            row.problems.append((part, f"is no legal action that is known ({terms})"))
        else:
            row.notes.append((part, "is not a word that is known, and is left out"))
    if chapter := kinds.read_chapter(plain_text(cells.get("chapter", ""))):
        row.values["chapter"] = chapter


def _read_parties(row: CheckedRow, cells: Mapping[str, str], kind: ImportKind) -> None:
    given = plain_text(cells.get("party_role", ""))
    parties: list[list[str]] = []
    dropped = False
    for part in NAMES:
        role = part
        if part == "party":
            role = given or kind.party_role
        elif part == "other_party":
            role = kind.party_role
        for name in read_names(cells.get(part, "")):
            if kind.name == "housing_court" and (
                part in _TENANTS or read_role(role) in ("tenant", "defendant")
            ):
                dropped = True
            else:
                parties.append([role, name])
    if dropped:
        row.notes.append((None, "names of tenants are not kept"))
        # The caption holds them too.
        row.values.pop("case_name", None)
    if parties:
        row.values["parties"] = parties


def _check_place(row: CheckedRow) -> None:
    """The property must lie in Massachusetts; an owner's own address may lie anywhere."""
    values = row.values
    if not any(values.get(part) for part in _ADDRESS):
        return
    found = read_written_address(*(values.get(part) for part in _ADDRESS))
    state = state_code(values["state"]) if values.get("state") else found.state
    by_zip = state_of_zip(zip5(values["zip"])) if values.get("zip") else None
    if values.get("zip") and zip5(values["zip"]) is None:
        row.problems.append(("zip", "is no ZIP code"))
    elif values.get("state") and state is None:
        row.problems.append(("state", "is no state"))
    elif "MA" not in (state, by_zip) and (state or by_zip):
        row.problems.append(("address", "lies outside Massachusetts"))
    elif state and by_zip and state != by_zip:
        row.problems.append(("zip", "belongs to another state"))
    elif values.get("address") and found.town_id is None and found.zip is None:
        row.notes.append(("address", "has neither a town nor a ZIP code, so it cannot be placed"))
    elif values.get("address") and found.line is None:
        row.notes.append(("address", "has no street that can be read"))


def _check_whole(row: CheckedRow, kind: ImportKind) -> None:
    values = row.values
    wrong = {part for part, _ in row.problems}
    if not values.get("parties"):
        who = "landlord (plaintiff)" if kind.name == "housing_court" else "party"
        row.problems.append((None, f"no {who} is named"))
    dates = {part: values.get(part) for part in ("date_filed", "recorded_on")}
    if not any(dates.values()) and not wrong & set(dates):
        row.problems.append((None, "no date filed or recorded"))
    if kind.needs_number and not values.get("docket_number"):
        row.problems.append((None, "no case number"))
    for later, earlier in (("date_terminated", "date_filed"), ("released_on", "recorded_on")):
        if values.get(later) and values.get(earlier) and values[later] < values[earlier]:
            row.problems.append((later, f"lies before {earlier}"))


def number_of(values: Mapping[str, Any]) -> str | None:
    """What numbers the row: the case, else the instrument, else book and page.

    Registries count each for itself: their numbers carry the registry's name, or the town's without one.
    """
    if values.get("docket_number"):
        return str(values["docket_number"])
    number = values.get("instrument")
    if not number and values.get("book") and values.get("page"):
        number = f"book {values['book']} page {values['page']}"
    where = values.get("registry") or values.get("city")
    return f"{where} {number}" if number and where else str(number) if number else None


def identity(values: Mapping[str, Any], kind: ImportKind) -> tuple[str, str]:
    """Court and case id of a row."""
    court = str(values.get("court") or kind.court)
    names = sorted(name for _, name in values.get("parties", ()))
    when = values.get("date_filed") or values.get("recorded_on")
    amount = values.get("lien_amount") or values.get("amount")
    otherwise = short_hash(when, values.get("address"), values.get("lien_type"), amount, *names)
    return court, case_id(court, number_of(values), otherwise)


def parse_imported(raw: RawDocket) -> Parsed:
    """The case and the parties of a kept row of an import."""
    kind, values = IMPORT_KINDS[raw.source], raw.document
    court, number = identity(values, kind)
    case = _case(raw, kind, values, court, number)
    parties: dict[str, CourtParty] = {}
    owner = read_role(kind.party_role)
    mailing = read_written_address(*(values.get(f"mailing_{part}") for part in _ADDRESS))
    for role, name in values.get("parties", ()):
        mine = read_role(role) == owner
        party = make_party(
            case,
            name=name,
            role=role,
            name_from=IMPORT,
            address=mailing if mine else NO_ADDRESS,
            attorneys=1 if mine and values.get("attorney") else None,
        )
        if party is not None:
            parties[party.party_id] = party
    return Parsed((case,), tuple(parties.values()))


def _case(raw: RawDocket, kind: ImportKind, values: Mapping[str, Any], court: str, number: str) -> CourtCase:
    site = read_written_address(*(values.get(part) for part in _ADDRESS))
    action = values.get("action_type")
    case_type = _case_type(kind, values)
    is_lien = (
        case_type == "recorded_lien" or kind.name == "land_court_tax_lien" or bool(values.get("lien_type"))
    )
    amount = values.get("amount")
    lien_amount = values.get("lien_amount") or (amount if is_lien else None)
    claimed = values.get("amount_claimed") or (None if is_lien else amount)
    chapter = values.get("chapter") or (
        str(action).removeprefix("bankruptcy_ch") if action in _CHAPTERS else None
    )
    return CourtCase(
        case_id=number,
        court=court,
        case_type=case_type,
        action_type=action or kinds.action_type_of(case_type, chapter),
        source=raw.source,
        fetched_at=raw.fetched_at,
        docket_number=number_of(values),
        case_name=values.get("case_name"),
        status=values.get("status"),
        chapter=chapter,
        date_filed=_day(values.get("date_filed")),
        date_terminated=_day(values.get("date_terminated")),
        amount_claimed=_dollars(claimed),
        judgment_amount=_dollars(values.get("judgment_amount")),
        lien_type=values.get("lien_type")
        or ("tax_municipal" if kind.name == "land_court_tax_lien" else None),
        lien_status=values.get("lien_status") or _lien_status(is_lien, values),
        lien_amount=_dollars(lien_amount),
        lien_holder=values.get("lien_holder"),
        recorded_on=_day(values.get("recorded_on")),
        released_on=_day(values.get("released_on")),
        book=values.get("book"),
        page=values.get("page"),
        instrument=values.get("instrument"),
        site_address=site.text,
        site_address_key=site.address_key,
        site_mailing_key=site.mailing_key,
        site_city=site.city,
        site_state=site.state,
        site_zip=site.zip,
        town_id=site.town_id,
        parcel_id=values.get("parcel_id"),
        url=values.get("url"),
        stated_source=raw.stated_source,
        source_file=raw.source_file,
        source_sha256=raw.source_sha256,
        row_number=raw.row_number,
        expires_on=raw.expires_on,
    )


_CHAPTERS = frozenset({"bankruptcy_ch7", "bankruptcy_ch11", "bankruptcy_ch13"})


def _case_type(kind: ImportKind, values: Mapping[str, Any]) -> str:
    if kind.name != "other":
        return kind.case_type
    if values.get("case_type"):
        return str(values["case_type"])
    if values.get("action_type"):
        return kinds.CASE_TYPE_OF_ACTION[values["action_type"]]
    return "recorded_lien" if values.get("lien_type") else kind.case_type


def _lien_status(is_lien: bool, values: Mapping[str, Any]) -> str | None:
    if not is_lien:
        return None
    return "released" if values.get("released_on") else "active"


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None


def _dollars(text: Any) -> Decimal | None:
    return Decimal(text) if text else None
