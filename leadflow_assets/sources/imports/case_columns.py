"""What people call the columns of a file of cases, and which column plays which part."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadflow_assets.errors import UsageError

# Part -> names in lower case with single blanks for everything but letters and digits.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "docket_number": (
        "docket number", "docket no", "docket", "case number", "case no", "case id", "file number",
    ),
    "case_name": ("case name", "caption", "case title", "case caption", "style"),
    "court": ("court", "court id", "court name"),
    "case_type": ("case type", "type of case"),
    "action_type": ("action type", "legal action", "legal action type", "type of action"),
    "status": ("status", "case status", "disposition"),
    "chapter": ("chapter", "bankruptcy chapter"),
    "date_filed": (
        "date filed", "filed", "filing date", "file date", "filed date", "filed on", "date opened", "date",
    ),
    "date_terminated": ("date closed", "closed", "date terminated", "closed date", "disposition date"),
    "plaintiff": (
        "plaintiff", "plaintiffs", "lender", "mortgagee", "landlord", "creditor", "foreclosing party",
        "plaintiff name",
    ),
    "petitioner": ("petitioner", "petitioners"),
    "defendant": (
        "defendant", "defendants", "respondent", "mortgagor", "mortgagors", "borrower", "tenant", "tenants",
        "defendant name",
    ),
    "owner": ("owner", "owners", "owner name", "assessed to", "taxpayer", "record owner"),
    "debtor": ("debtor", "debtor name"),
    "decedent": ("decedent", "decedent name", "deceased", "estate of"),
    "representative": ("personal representative", "executor", "administrator", "representative"),
    "grantor": ("grantor", "grantors"),
    "grantee": ("grantee", "grantees", "buyer"),
    "party": ("party", "party name", "name", "full name"),
    "party_role": ("party role", "role", "party type"),
    "other_party": ("other party", "co owner", "second owner", "co defendant", "joint debtor", "party 2"),
    "attorney": ("attorney", "attorneys", "counsel", "attorney name", "defendant attorney"),
    "address": (
        "address", "property address", "site address", "street address", "premises", "locus", "location",
        "situs address", "full address", "property",
    ),
    "city": (
        "city", "town", "municipality", "city town", "town city", "site city", "property city", "city name",
    ),
    "state": ("state", "st", "property state", "site state"),
    "zip": ("zip", "zip code", "zipcode", "zip5", "postal code", "property zip", "site zip"),
    "mailing_address": ("mailing address", "mail address", "owner address", "party address"),
    "mailing_city": ("mailing city", "mail city", "owner city"),
    "mailing_state": ("mailing state", "mail state", "owner state"),
    "mailing_zip": ("mailing zip", "mail zip", "owner zip", "mailing zip code"),
    "parcel_id": ("parcel id", "parcel", "loc id", "prop id", "map lot", "map parcel", "apn"),
    "lien_type": ("lien type", "type of lien"),
    "lien_status": ("lien status",),
    "amount": ("amount", "amount due"),
    "lien_amount": ("lien amount", "amount of lien", "tax owed"),
    "lien_holder": ("lien holder", "lienholder", "lienor", "holder"),
    "recorded_on": ("recorded", "recorded on", "recording date", "date recorded", "record date"),
    "released_on": ("released", "released on", "release date", "date released", "discharge date"),
    "registry": ("registry", "registry of deeds", "registry district", "county"),
    "book": ("book", "book number", "registry book"),
    "page": ("page", "page number", "registry page"),
    "instrument": (
        "instrument", "instrument number", "instrument no", "document number", "document no", "doc number",
    ),
    "amount_claimed": ("amount claimed", "claim amount"),
    "judgment_amount": ("judgment amount", "judgement amount"),
    "url": ("url", "link", "source url"),
}  # fmt: skip
NAMES = (
    "plaintiff",
    "petitioner",
    "defendant",
    "owner",
    "debtor",
    "decedent",
    "representative",
    "grantor",
    "grantee",
    "party",
    "other_party",
)
DATES = ("date_filed", "date_terminated", "recorded_on", "released_on")
AMOUNTS = ("amount", "lien_amount", "amount_claimed", "judgment_amount")
_PARTS = {alias: part for part, aliases in ALIASES.items() for alias in (part.replace("_", " "), *aliases)}
HEADER_WITHIN = 10


@dataclass(frozen=True)
class Header:
    """The row that names the columns: its place among the rows, and part -> column."""

    row: int
    parts: Mapping[str, int]


def known_columns(cells: Sequence[str]) -> int:
    """How many of the cells name a part."""
    return len(_parts(cells))


def find_header(rows: Sequence[Sequence[str]], mapping: Mapping[str, str] | None, where: str) -> Header:
    """The header among the first rows, with the user's own mapping (part -> column name) laid over it.

    Raises:
        UsageError: no row names a name column, or the mapping names a part or a column that is not there.
    """
    wrong = sorted(set(mapping or {}) - set(ALIASES))
    if wrong:
        raise UsageError(f"There is no column part {wrong[0]!r}.", f"Parts: {', '.join(ALIASES)}.")
    first = range(min(len(rows), HEADER_WITHIN))
    best = max(first, key=lambda row: (_fit(rows[row], mapping), -row), default=None)
    if best is None or _fit(rows[best], mapping) == 0:
        raise UsageError(
            f"{where} has no row that names its columns.",
            "Name at least a column of names (owner, plaintiff, defendant, party ...), or map them: "
            "see docs/templates.",
        )
    parts = _parts(rows[best])
    by_name = {_plain(name): place for place, name in reversed(list(enumerate(rows[best])))}
    for part, name in (mapping or {}).items():
        place = by_name.get(_plain(name))
        if place is None:
            shown = ", ".join(cell.strip() for cell in rows[best] if cell.strip())
            raise UsageError(f"{where} has no column {name!r}.", f"Its columns: {shown}.")
        parts = {other: column for other, column in parts.items() if column != place}
        parts[part] = place
    if not set(parts) & set(NAMES):
        raise UsageError(
            f"{where} has no column of names that is known.",
            "Map one: --map owner=COLUMN (or plaintiff, defendant, decedent, grantor, party).",
        )
    return Header(best, parts)


def _fit(cells: Sequence[str], mapping: Mapping[str, str] | None) -> int:
    plain = {_plain(cell) for cell in cells}
    mapped = sum(_plain(name) in plain for name in (mapping or {}).values())
    return len(_parts(cells)) + 2 * mapped


def _parts(cells: Sequence[str]) -> dict[str, int]:
    """Of columns with the same part the first counts."""
    parts: dict[str, int] = {}
    for place, name in enumerate(cells):
        part = _PARTS.get(_plain(name))
        if part is not None:
            parts.setdefault(part, place)
    return parts


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
