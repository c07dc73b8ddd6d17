"""What a score says of itself: lines that add up, the state of each group, coverage and interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

# A word for what the numbers mean; a property that nothing is known of is unknown, not low.
SCORED, UNKNOWN, NOT_APPLICABLE = "scored", "unknown", "not_applicable"
STATUSES: Final = (SCORED, UNKNOWN, NOT_APPLICABLE)
State = Literal["present", "absent", "partly_known", "unknown"]
PRESENT: Final = "present"
ABSENT: Final = "absent"
PARTLY_KNOWN: Final = "partly_known"
NOT_KNOWN: Final = "unknown"
GROUP_STATES: Final[tuple[State, ...]] = (PRESENT, ABSENT, PARTLY_KNOWN, NOT_KNOWN)
SIGNAL, GROUP_CAP, CLIP, ROUNDING = "signal", "group_cap", "clip_at_100", "rounding"
LINE_KINDS: Final = (SIGNAL, GROUP_CAP, CLIP, ROUNDING)
WEAKER = "weaker"  # a stronger signal of its group or factor counts instead
UNCALIBRATED: Final = "uncalibrated - ordering only"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the explanation; the ``points`` of the counted lines add up to the score.

    ``kind`` is one of :data:`LINE_KINDS`; points have two decimals, decay three. ``why_not`` says why a
    signal is not counted: weaker, or a refusal (cleared, future, not_yet_known, undated, unconfirmed).
    """

    kind: str
    points: float
    counted: bool
    group: str | None = None
    factor: str | None = None
    confidence: float | None = None
    decay: float | None = None
    why_not: str | None = None
    event_date: date | None = None
    source: str = ""
    source_date: date | None = None
    reference: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class GroupState:
    """What is known of a group: its points after the cap, and what the unknown may still add to them."""

    name: str
    state: State
    points: float
    cap: float
    unknown_points: float


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """The score of one property at a day.

    ``score`` is 0 to 100, ``coverage`` 0 to 1: the part of the caps whose sources were asked. [``score``,
    ``high``] is the interval over what was not asked. ``score_if_links_hold`` and ``high_if_links_hold`` are
    the same with every possible link (0.5 to 0.95) taken for certain. All are None where the score does not
    apply; ``reason`` says why. ``faults`` counts signals refused for a fault of their data.
    """

    table_version: str
    table_hash: str
    asof: date
    status: str
    reason: str | None
    score: float | None
    coverage: float | None
    high: float | None
    score_if_links_hold: float | None
    high_if_links_hold: float | None
    groups: tuple[GroupState, ...]
    lines: tuple[Line, ...]
    faults: int

    @property
    def low(self) -> float | None:
        """The low end of the interval: the score itself."""
        return self.score
