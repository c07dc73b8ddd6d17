"""Records as the rules compare them, read from the columns of a release. Equal texts are read once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadflow_assets.domain.addresses import Address, parse_address, parse_mailing
from leadflow_assets.domain.changes import Mailing, Record
from leadflow_assets.domain.occupancy import classify
from leadflow_assets.domain.owners import Owner, parse_owner

_MOST_TEXTS = 200_000
Row = Mapping[str, Any]


class RecordReader:
    """Makes a :class:`Record` of one side (``old_`` or ``new_``) of a row."""

    def __init__(self) -> None:
        self._owners: dict[str, Owner] = {}
        self._sites: dict[str | None, Address] = {}
        self._mailings: dict[str, Address] = {}

    def record(self, row: Row, side: str, town: str, *, with_occupancy: bool) -> Record:
        """The record; its occupancy only where it is asked for, since it takes longest."""
        site = self._site(row[f"{side}site_addr"])
        mailing = self._mailing(row, side, town, site)
        return Record(
            fiscal_year=row[f"{side}fy"],
            owner=self._owner(row[f"{side}owner1"]),
            mailing=mailing,
            occupancy=self._occupancy(row, side, town, site, mailing) if with_occupancy else None,
            sale_date=row[f"{side}ls_date"],
            sale_price=row[f"{side}ls_price"],
            sale_bulk=bool(row[f"{side}ls_bulk"]),
            use_code=row[f"{side}use_code"],
            total_value=row[f"{side}total_value"],
            building_value=row[f"{side}bldg_val"],
            building_sqft=row[f"{side}bld_area"] or None,
            year_built=row[f"{side}year_built"] or None,
        )

    def _owner(self, text: str | None) -> Owner | None:
        if not text:
            return None
        if text not in self._owners:
            _make_room(self._owners)
            self._owners[text] = parse_owner(text)
        return self._owners[text]

    def _site(self, text: str | None) -> Address:
        if text not in self._sites:
            _make_room(self._sites)
            self._sites[text] = parse_address(text)
        return self._sites[text]

    def _mailing(self, row: Row, side: str, town: str, site: Address) -> Mailing | None:
        """As in mart/properties: where no line is given, the property's own address.

        Of an owner who is not told, or who asked to be left out, nothing is known: that is no address.
        """
        line = row[f"{side}own_addr"]
        if line is None and not row[f"{side}owner1"]:
            return None
        if line is None:
            city = row[f"{side}own_city"] or row[f"{side}city"] or town
            zip_code = row[f"{side}own_zip"] or row[f"{side}zip"]
            return Mailing(site, city, row[f"{side}own_state"] or "MA", zip_code)
        if line not in self._mailings:
            _make_room(self._mailings)
            self._mailings[line] = parse_mailing(line, None)
        places = (row[f"{side}{name}"] for name in ("own_city", "own_state", "own_zip"))
        return Mailing(self._mailings[line], *places)

    def _occupancy(
        self, row: Row, side: str, town: str, site: Address, mailing: Mailing | None
    ) -> str | None:
        if mailing is None:
            return None
        given = row[f"{side}own_addr"] is not None
        return classify(
            site,
            mailing.address,
            site_city=row[f"{side}city"],
            site_zip=row[f"{side}zip"],
            town=town,
            mailing_city=row[f"{side}own_city"],
            mailing_state=row[f"{side}own_state"],
            mailing_zip=row[f"{side}own_zip"],
            mailing_country=row[f"{side}own_co"],
            mailing_given=given,
        ).state


def _make_room(texts: dict[Any, Any]) -> None:
    if len(texts) >= _MOST_TEXTS:
        texts.clear()


def mailing_line(row: Row, side: str) -> str | None:
    """Line, city, state and ZIP in one text; None where nothing is known."""
    line = row[f"{side}own_addr"] or row[f"{side}site_addr"]
    parts = (line, *(row[f"{side}{name}"] for name in ("own_city", "own_state", "own_zip")))
    return ", ".join(part for part in parts if part) or None
