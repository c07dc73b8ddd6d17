"""Rows of mart/leads without purged owners; their leads' states go with them."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from leadflow_assets.domain.purging import Purged, address_place, property_place
from leadflow_assets.enrich.purge.tables import Cleaned
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, leads

_READ: Final = ["lead_id", "owner_name", "owner_care_of", "mailing_key", "properties"]


class Leads:
    """The rule of mart/leads, and what it found; ``removed`` are ids of leads of purged owners."""

    def __init__(self, purged: Purged) -> None:
        self._purged = purged
        self.removed: set[str] = set()

    def clean(self, rows: pa.Table) -> Cleaned | None:
        """The rows of everybody else. A lead is one owner: it goes as a whole."""
        kept = []
        for number, row in enumerate(rows.select(_READ).to_pylist()):
            places = [property_place(own["property_id"]) for own in row["properties"]]
            if row["mailing_key"]:
                places.append(address_place(row["mailing_key"]))
            text = f"{row['owner_name'] or ''} ; {row['owner_care_of'] or ''}"
            if self._purged.mentions(text, places):
                self.removed.add(row["lead_id"])
            else:
                kept.append(number)
        if len(kept) == rows.num_rows:
            return None
        return Cleaned(rows.take(pa.array(kept, pa.int64())), rows.num_rows - len(kept), 0)

    def forget(self, settings: Settings, *, dry_run: bool) -> int:
        """Take the states of those leads out of the database; returns how many rows."""
        if not self.removed:
            return 0
        with database.session(settings) as session:
            count = leads.forget(session, self.removed)
            if dry_run:
                session.rollback()
            else:
                session.commit()
        return count
