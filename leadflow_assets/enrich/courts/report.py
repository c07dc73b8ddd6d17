"""What a refresh, a landing and an import did, in figures that hold nothing of a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class CourtStep:
    """What happens now, in words, and how many calls were made. ``waiting``: it waits for a window."""

    text: str
    calls: int
    waiting: bool = False


Progress = Callable[[CourtStep], None]
Stop = Callable[[], bool]


def tell_nobody(_: CourtStep) -> None:
    """Progress that nobody wants to hear of."""


def never() -> bool:
    """Go on to the end."""
    return False


@dataclass(frozen=True)
class LandReport:
    """What a landing published. Counts of rows but for ``answers``.

    ``new``, ``changed``, ``unchanged`` and ``expired`` are rows of raw/court_dockets; ``moved`` those that
    went to another month with their docket. ``partitions`` are the raw ones that were published anew,
    ``rebuilt`` those of the core. ``cases`` and ``parties`` stand in the rebuilt partitions; ``problems``
    counts, by reason, what could not be used there.
    """

    answers: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    moved: int = 0
    expired: int = 0
    withheld: int = 0
    partitions: tuple[str, ...] = ()
    rebuilt: tuple[str, ...] = ()
    cases: int = 0
    parties: int = 0
    problems: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: LandReport) -> LandReport:
        """Both, one after the other."""
        problems = {
            reason: self.problems.get(reason, 0) + other.problems.get(reason, 0)
            for reason in sorted({*self.problems, *other.problems})
        }
        return LandReport(
            answers=self.answers + other.answers,
            new=self.new + other.new,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            moved=self.moved + other.moved,
            expired=self.expired + other.expired,
            withheld=self.withheld + other.withheld,
            partitions=tuple(sorted({*self.partitions, *other.partitions})),
            rebuilt=tuple(sorted({*self.rebuilt, *other.rebuilt})),
            cases=self.cases + other.cases,
            parties=self.parties + other.parties,
            problems=problems,
        )


@dataclass
class CourtDone:
    """One court in a refresh: pages read, cases in them, how far it is covered.

    ``undated`` dockets without a day were asked again, ``parties`` cases for their parties.
    """

    court: str
    pages: int = 0
    cases: int = 0
    undated: int = 0
    parties: int = 0
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class CourtsReport:
    """What a refresh did. ``more``: the backfill or questions about parties go on another day."""

    courts: tuple[CourtDone, ...] = ()
    calls: int = 0
    calls_left: int | None = None
    landed: LandReport = LandReport()
    more: bool = False
    stopped: bool = False
    resumes_at: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or would do (``dry_run``).

    ``columns`` tells which part each column plays, ``unused`` which are not read; ``problems`` and ``notes``
    name rows and columns, never what stands in them. ``cases`` and ``parties`` are those of the usable rows;
    ``landed`` counts rows.
    """

    file: str
    kind: str
    stated_source: str | None
    format: str
    rows_read: int
    rows: int
    bad_rows: int
    duplicates: int
    cases: int
    parties: int
    first: date | None
    last: date | None
    expires_on: date | None
    landed: LandReport
    dry_run: bool
    columns: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
