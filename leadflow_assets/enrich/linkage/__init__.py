"""Court parties linked to the owners of a whole state, in DuckDB: frequencies, candidates, probabilities."""

from __future__ import annotations

from leadflow_assets.enrich.linkage.frequencies import FREQUENCIES_SCHEMA, Frequencies, build_frequencies
from leadflow_assets.enrich.linkage.link import MATCHES_SCHEMA, link
from leadflow_assets.enrich.linkage.owners import OWNER_COLUMNS
from leadflow_assets.enrich.linkage.parties import PARTIES_SCHEMA

__all__ = [
    "FREQUENCIES_SCHEMA",
    "MATCHES_SCHEMA",
    "OWNER_COLUMNS",
    "PARTIES_SCHEMA",
    "Frequencies",
    "build_frequencies",
    "link",
]
