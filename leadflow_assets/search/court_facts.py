"""What is known of each source of court cases: which courts are asked, with a token or not, since when."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from leadflow_assets.domain.court_coverage import SourceFacts
from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import COURT_CASES
from leadflow_assets.settings import Settings


def court_facts(settings: Settings, lake: Lake) -> list[SourceFacts]:
    """The facts of CourtListener at each court of LEADFLOW_COURTS; no query and no network."""
    published: dict[str, list[datetime]] = defaultdict(list)
    for name, entry in lake.snapshot(COURT_CASES).partitions.items():
        court = name.partition("/")[0].removeprefix("court=")
        published[court].append(datetime.fromisoformat(entry.published_at))
    configured = settings.courtlistener_api_key is not None
    return [
        SourceFacts(COURTLISTENER, court, configured=configured, last=max(published[court], default=None))
        for court in settings.leadflow_courts.split(",")
    ]
