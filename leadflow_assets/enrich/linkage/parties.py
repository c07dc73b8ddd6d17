"""The parties of court cases as rows to compare: one per name of each person or organisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from leadflow_assets.domain.linkage.captions import CaseName, read_case_party
from leadflow_assets.domain.linkage.debtor_address import DebtorPlace, read_debtor_place
from leadflow_assets.domain.linkage.names import name_forms
from leadflow_assets.domain.linkage.organisations import organisation_forms
from leadflow_assets.domain.towns import town_by_id

PARTIES_SCHEMA = pa.schema(
    [
        pa.field("party_id", pa.string(), nullable=False),
        # Parties of one case share it; a joint debtor is evidence for the other.
        pa.field("case_id", pa.string(), nullable=False),
        # As the court writes it.
        pa.field("name", pa.string()),
        pa.field("filed", pa.date32()),
        # Address as the court writes it, in lines or one; what it does not tell may stand in the next two.
        pa.field("address", pa.string()),
        pa.field("city", pa.string()),
        pa.field("zip", pa.string()),
        # Counties of the court's division, for a party whose address is not known.
        pa.field("counties", pa.list_(pa.string())),
    ]
)
_SEEKERS = pa.schema(
    [
        ("seeker", pa.int32()),
        ("party_id", pa.string()),
        ("case_id", pa.string()),
        ("filed", pa.date32()),
        ("town_id", pa.int32()),
        ("county", pa.string()),
        ("zip", pa.string()),
        ("elsewhere", pa.bool_()),
        ("counties", pa.list_(pa.string())),
        ("keys", pa.list_(pa.string())),
    ]
)
_NAMES = pa.schema(
    [
        ("variant", pa.int32()),
        ("seeker", pa.int32()),
        ("alias", pa.string()),
        ("last", pa.string()),
        ("parts", pa.list_(pa.string())),
        ("first", pa.string()),
        ("middle", pa.string()),
        ("suffix", pa.string()),
    ]
)
_FIRMS = pa.schema(
    [
        ("variant", pa.int32()),
        ("seeker", pa.int32()),
        ("alias", pa.string()),
        ("words", pa.list_(pa.string())),
        ("numbers", pa.list_(pa.string())),
        ("form", pa.string()),
    ]
)


@dataclass(frozen=True)
class ReadParties:
    """Parties read: who is looked for (``seekers``), their names as persons and as organisations."""

    seekers: pa.Table
    names: pa.Table
    firms: pa.Table


def read_parties(parties: pa.Table) -> ReadParties:
    """Read the names and addresses of parties (PARTIES_SCHEMA; the order of columns is free).

    Parties that are nobody (John Doe) or never linked (banks, governments) are left out.
    """
    rows = parties.select(PARTIES_SCHEMA.names).cast(PARTIES_SCHEMA).to_pylist()
    seekers: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    firms: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: (row["party_id"], row["case_id"])):
        party = read_case_party(row["name"])
        if not party.is_linkable:
            continue
        place = read_debtor_place(row["address"], row["city"], row["zip"])
        for member in sorted({name.member for name in party.names}):
            seeker = len(seekers)
            seekers.append(_seeker(seeker, row, place))
            _add_names([n for n in party.names if n.member == member], seeker, names, firms)
    return ReadParties(
        pa.Table.from_pylist(seekers, schema=_SEEKERS),
        pa.Table.from_pylist(names, schema=_NAMES),
        pa.Table.from_pylist(firms, schema=_FIRMS),
    )


def _seeker(number: int, row: dict[str, Any], place: DebtorPlace) -> dict[str, Any]:
    counties: Sequence[str] = row["counties"] or ()
    town = town_by_id(place.town_id) if place.town_id is not None else None
    return {
        "seeker": number,
        **{name: row[name] for name in ("party_id", "case_id", "filed")},
        "town_id": place.town_id,
        # Whose shares of names count: the town's county, or the one county the court's division has.
        "county": town.county if town else counties[0] if len(counties) == 1 else None,
        "zip": place.zip_code,
        "elsewhere": place.elsewhere,
        "counties": sorted(counties),
        "keys": sorted(place.keys),
    }


def _add_names(
    found: Sequence[CaseName], seeker: int, names: list[dict[str, Any]], firms: list[dict[str, Any]]
) -> None:
    for name in found:
        identity = {"variant": len(names) + len(firms), "seeker": seeker, "alias": name.alias}
        if name.party.is_person:
            forms = name_forms(name.party)
            if forms.last and forms.first:
                names.append({**identity, **{key: getattr(forms, key) for key in _NAMES.names[3:]}})
        else:
            firm = organisation_forms(name.party.name)
            if firm.words or firm.numbers:
                firms.append({**identity, **{key: getattr(firm, key) for key in _FIRMS.names[3:]}})
