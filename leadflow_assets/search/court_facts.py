"""What is known of each source of court cases: the facts from which coverage is told."""

from __future__ import annotations

from leadflow_assets.domain.court_coverage import SourceFacts
from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings


def court_facts(settings: Settings, lake: Lake) -> list[SourceFacts]:
    """The courts of LEADFLOW_COURTS at CourtListener, configured or not."""
    configured = settings.courtlistener_api_key is not None
    return [
        SourceFacts(COURTLISTENER, court, configured=configured)
        for court in settings.leadflow_courts.split(",")
    ]
