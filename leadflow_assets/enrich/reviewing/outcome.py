"""What became of a wish to decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """``DONE``: it counts now. ``ALREADY``: the same had been decided. ``OTHERWISE``: somebody decided
    something else that the person had not seen; nothing was changed.
    """

    DONE = "done"
    ALREADY = "already"
    OTHERWISE = "otherwise"


@dataclass(frozen=True)
class Result:
    """``standing`` is the decision that counts now: confirmed, rejected, or a property's id."""

    outcome: Outcome
    standing: str
    by: str
    at: datetime
