"""Who was purged, for a refresh: read when a town is made, so that what was asked meanwhile counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc

from leadflow_assets.domain.purging import Purged
from leadflow_assets.lake import tables
from leadflow_assets.pipeline.core import CoreTables
from leadflow_assets.pipeline.withheld import withheld_assessments, without_assessment_owners
from leadflow_assets.settings import Settings


def load_purged(settings: Settings) -> Purged | None:
    """Who was purged; None where nobody was. Without a state database it costs nothing."""
    url = settings.state_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        return None
    # Imported late: SQLAlchemy costs a third of a second, and a refresh from a file needs no state.
    from leadflow_assets.state import database, purges

    with database.session(settings) as session:
        return purges.load(session) or None


def without_owners(core: CoreTables, purged: Purged | None, withheld: frozenset[str]) -> CoreTables:
    """The clean tables without the owners who were purged; ``withheld`` are records known to be theirs."""
    if purged is None:
        return core
    clean = core.tables[tables.ASSESSMENTS]
    mask = withheld_assessments(purged, clean.rows, withheld)
    if not pc.any(mask).as_py():
        return core
    made = replace(clean, rows=without_assessment_owners(clean.rows, mask))
    return CoreTables(core.release, {**core.tables, tables.ASSESSMENTS: made})
