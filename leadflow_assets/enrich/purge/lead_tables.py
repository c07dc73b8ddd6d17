"""Rows of mart/leads without purged owners and cases; the states of purged owners' leads go with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import pyarrow as pa

from leadflow_assets.domain.purging import Purged, address_place, property_place
from leadflow_assets.enrich.purge.tables import Cleaned
from leadflow_assets.enrich.purge.traces import Traces
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, leads

# What tells whose lead it is.
OF_LEAD: Final = ("lead_id", "owner_name", "owner_care_of", "mailing_key", "properties")


def is_of_purged(purged: Purged, lead: Mapping[str, Any]) -> bool:
    """Is it the lead of an owner who was purged? ``lead`` has the columns of :data:`OF_LEAD`."""
    places = [property_place(own["property_id"]) for own in lead["properties"]]
    if lead["mailing_key"]:
        places.append(address_place(lead["mailing_key"]))
    return purged.mentions(f"{lead['owner_name'] or ''} ; {lead['owner_care_of'] or ''}", places)


class Leads:
    """The rule of mart/leads. ``forgotten`` counts changes of status and additions that left."""

    def __init__(
        self,
        settings: Settings,
        purged: Callable[[], Purged],
        own: Purged,
        traces: Callable[[], Traces],
        *,
        dry_run: bool,
    ) -> None:
        self._settings = settings
        self._purged = purged
        self._own = own
        self._traces = traces
        self._dry_run = dry_run
        self._seen: set[str] = set()
        # Leads of others: only their score counted a purged case.
        self._others: set[str] = set()
        self.forgotten = 0

    def clean(self, rows: pa.Table) -> Cleaned | None:
        """The rows of everybody else, made without purged cases. A lead goes as a whole."""
        kept, gone = [], set()
        for number, row in enumerate(rows.select([*OF_LEAD, "as_of"]).to_pylist()):
            if is_of_purged(self._purged(), row):
                gone.add(row["lead_id"])
            elif self._counts_purged(row):
                self._others.add(row["lead_id"])
            else:
                kept.append(number)
        if len(kept) == rows.num_rows:
            return None
        # First, so that a kill leaves rows by which it is found again.
        self._forget(gone, ())
        return Cleaned(rows.take(pa.array(kept, pa.int64())), rows.num_rows - len(kept), 0)

    def _counts_purged(self, row: Mapping[str, Any]) -> bool:
        """Was one of its scores made when a purged case counted there?"""
        if not self._traces().days:
            return False
        days = (self._traces().since(own["property_id"]) for own in row["properties"])
        return any(day is not None and day <= row["as_of"] for day in days)

    def forget_places(self, published: Callable[[], Collection[str]]) -> None:
        """Forget additions of withheld properties, and leads there that are not ``published`` any more."""
        with database.session(self._settings) as session:
            added = [one for one in leads.additions(session) if self._own.places([property_place(one)])]
            there = {
                lead_id
                for lead_id, property_id in leads.places(session)
                if self._own.places([property_place(property_id)])
            }
        gone = there - self._others - set(published()) if there else there
        self._forget(gone, added)

    def _forget(self, lead_ids: Collection[str], property_ids: Collection[str]) -> None:
        new = set(lead_ids) - self._seen
        self._seen |= new
        if not new and not property_ids:
            return
        with database.session(self._settings) as session:
            self.forgotten += leads.forget(session, new, property_ids)
            if self._dry_run:
                session.rollback()
            else:
                session.commit()
