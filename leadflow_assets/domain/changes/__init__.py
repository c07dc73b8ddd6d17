"""What happened to a property between two releases of its town: which differences are events.

Pure rules. A difference is an event where it says something about the property or its owner; another
spelling, another format of the whole town, or a move of all values alike says nothing.
"""

from __future__ import annotations

from leadflow_assets.domain.changes.compare import Change, compare
from leadflow_assets.domain.changes.identity import event_id
from leadflow_assets.domain.changes.kinds import KINDS, OWNER_CHANGES, SALE_QUALITIES
from leadflow_assets.domain.changes.lineage import Lineage, Overlap, trace
from leadflow_assets.domain.changes.record import Mailing, Record
from leadflow_assets.domain.changes.rules import ChangeRules, TownMoves

__all__ = [
    "KINDS",
    "OWNER_CHANGES",
    "SALE_QUALITIES",
    "Change",
    "ChangeRules",
    "Lineage",
    "Mailing",
    "Overlap",
    "Record",
    "TownMoves",
    "compare",
    "event_id",
    "trace",
]
