"""What ATTOM was asked about a parcel's properties, and what waits for a person: why something is unknown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from leadflow_assets.lake.tables import ATTOM_RESULTS, PROPERTY_RECORDS
from leadflow_assets.search.parcel.lookup import TownFiles

# Group of facts -> the endpoints that give it; files only where there is none.
_ENDPOINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "mortgages": ("detailmortgageowner", "expandedprofile"),
    "equity": ("homeequity",),
    "tax": ("expandedprofile", "assessmentdetail"),
    "foreclosure": ("preforeclosuredetails", "expandedhistory"),
    "valuation": ("attomavm",),
    "propensity": (),
    "liens": (),
}
_SAID: Final = {
    "returned": "ATTOM was asked{when} and says nothing of it",
    "no_match": "ATTOM was asked{when} and knows no such property",
    "ambiguous": "ATTOM was asked{when} and answered with several properties",
    "error": "ATTOM was asked{when} and the answer was an error",
    "pending": "ATTOM is asked, the answer is pending",
}


@dataclass(frozen=True)
class Asked:
    """One question to ATTOM about a property, and how it ended."""

    endpoint: str
    outcome: str
    day: date | None


@dataclass(frozen=True)
class Inquiries:
    """What was asked, by property; what waits for a person, by property; and whether there is a key."""

    has_key: bool = False
    asked: Mapping[str, Sequence[Asked]] = field(default_factory=dict)
    waiting: Mapping[str, str] = field(default_factory=dict)

    def why_unknown(self, property_id: str, group: str) -> str:
        """Why a group of facts of a property is not known."""
        if property_id in self.waiting:
            reason = self.waiting[property_id].replace("_", " ")
            return f"a record of ATTOM that may be this property waits for a person ({reason})"
        endpoints = _ENDPOINTS[group]
        asked = [one for one in self.asked.get(property_id, ()) if one.endpoint in endpoints]
        if asked:
            last = max(asked, key=lambda one: (one.day or date.min, one.endpoint))
            return _SAID[last.outcome].format(when=f" on {last.day}" if last.day else "")
        if not endpoints:
            return "it comes in ATTOM's files only, and none that is here speaks of it"
        if not self.has_key:
            return "ATTOM was not asked: ATTOM_API_KEY is not set"
        return "ATTOM was not asked about it"


def inquiries_about(files: TownFiles, property_ids: Sequence[str], as_of: str | None) -> Inquiries:
    """Read from raw/attom_results and mart/property_records what happened to these properties."""
    settings = files.lake.settings
    has_key = settings.attom_api_key is not None
    if not property_ids:
        return Inquiries(has_key)
    return Inquiries(has_key, _asked(files, property_ids, as_of), _waiting(files, property_ids, as_of))


def _asked(files: TownFiles, property_ids: Sequence[str], as_of: str | None) -> dict[str, list[Asked]]:
    batches = files.lake.snapshot(ATTOM_RESULTS, as_of).partitions
    found: dict[str, list[Asked]] = defaultdict(list)
    if not batches:
        return found
    rows = files.query(
        "SELECT property_id, endpoint, outcome, epoch_ms(fetched_at) AS fetched_ms "
        "FROM read_parquet($files, hive_partitioning = false, union_by_name = true) "
        "WHERE property_id IN (SELECT unnest($ids))",
        files=[files.file(entry) for entry in batches.values()],
        ids=list(property_ids),
    )
    for row in rows:
        day = _day(row["fetched_ms"])
        found[row["property_id"]].append(Asked(row["endpoint"], row["outcome"], day))
    return found


def _day(milliseconds: int | None) -> date | None:
    """The day (UTC) of a moment."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).date()


def _waiting(files: TownFiles, property_ids: Sequence[str], as_of: str | None) -> dict[str, str]:
    partition = PROPERTY_RECORDS.partition(files.town.town_id)
    entry = files.lake.snapshot(PROPERTY_RECORDS, as_of).partitions.get(partition)
    if entry is None or not entry.facts.get("review"):
        return {}
    rows = files.query(
        "SELECT DISTINCT unnest(candidates) AS property_id, match_reason "
        "FROM read_parquet($file, hive_partitioning = false) "
        "WHERE match_status = 'review' AND list_has_any(candidates, $ids::VARCHAR[]) ORDER BY ALL",
        file=files.file(entry),
        ids=list(property_ids),
    )
    wanted = set(property_ids)
    return {row["property_id"]: row["match_reason"] for row in rows if row["property_id"] in wanted}
