"""Choosing the properties to ask ATTOM about: the most telling first, within a number and a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from leadflow_assets.domain.worth_asking import (
    NOT_ASKED_OWNER_TYPES,
    SIGNALS,
    free_signals,
    points_per_cent,
    settled_groups,
    weight,
)
from leadflow_assets.enrich.batches.making import chosen_endpoints
from leadflow_assets.enrich.choice_room import full_room, rooms
from leadflow_assets.enrich.vendor import prices
from leadflow_assets.errors import UsageError
from leadflow_assets.search.criteria import SearchCriteria

if TYPE_CHECKING:
    from leadflow_assets.enrich.batches.job import BatchPreview
    from leadflow_assets.enrich.batches.service import Batches
    from leadflow_assets.search.engine import Searcher

_COLUMNS = (
    "property_id",
    "town_id",
    "owner_type",
    "owner_tax_title",
    "occupancy",
    "total_value",
    "site_address",
)


@dataclass(frozen=True)
class Candidate:
    """A property that may be asked about, and why it stands where it does; ``total_value`` in dollars.

    ``room``: by how many points the answers could move its score; ``cents``: what they cost at most;
    ``tells``: does any of what is asked tell of a part of the score?
    """

    property_id: str
    signals: tuple[str, ...]
    total_value: int | None
    room: float = 0.0
    cents: Decimal = Decimal(0)
    tells: bool = True

    @property
    def why(self) -> str:
        """The reasons in words."""
        said = [SIGNALS[name][1] for name in self.signals]
        return "; ".join(said) or "no free signal: by assessed value"

    @property
    def worth(self) -> str:
        """What asking may bring, in words."""
        if not self.tells:
            return "no part of the score is told by what is asked"
        if not self.room:
            return "its answers cannot move the score: ATTOM has answered lately, or no score applies"
        per_cent = points_per_cent(self.room, self.cents)
        return f"may add up to {self.room:.0f} points for {self.cents} cents ({per_cent:.2f} points per cent)"


@dataclass(frozen=True)
class Choice:
    """What was chosen, in order, what it would cost, and how many were looked at and left out."""

    chosen: tuple[Candidate, ...]
    preview: BatchPreview | None
    candidates: int
    not_asked: int


def rank(
    searcher: Searcher, criteria: SearchCriteria, endpoints: Sequence[str], cents: Decimal
) -> tuple[list[Candidate], int]:
    """Everything that matches, the most telling first, and how many were left out.

    What the roll shows for nothing comes first; then how many points the answers of ``endpoints``, which cost
    ``cents``, could still add per cent; then the assessed value.

    Left out are owners of :data:`NOT_ASKED_OWNER_TYPES` and properties without an address to ask by.
    """
    searcher.describe(criteria)
    found: list[Candidate] = []
    not_asked = 0
    groups = settled_groups(endpoints)
    known: dict[int, dict[str, float]] = {}
    unscored = full_room(groups)
    with searcher.stream(criteria, columns=_COLUMNS) as batches:
        for batch in batches:
            for row in batch.to_pylist():
                if row["owner_type"] in NOT_ASKED_OWNER_TYPES or not row["site_address"]:
                    not_asked += 1
                    continue
                signals = free_signals(row["owner_type"], bool(row["owner_tax_title"]), row["occupancy"])
                town, property_id = row["town_id"], row["property_id"]
                if town not in known:
                    known[town] = rooms(searcher.lake, [town], endpoints)
                points = known[town].get(property_id, unscored)
                found.append(Candidate(property_id, signals, row["total_value"], points, cents, bool(groups)))
    found.sort(
        key=lambda c: (
            -weight(c.signals),
            -points_per_cent(c.room, c.cents),
            -(c.total_value or 0),
            c.property_id,
        )
    )
    return found, not_asked


def choose(
    batches: Batches,
    searcher: Searcher,
    criteria: SearchCriteria,
    *,
    top: int | None = None,
    max_cents: Decimal | None = None,
    endpoints: Sequence[str] | None = None,
) -> Choice:
    """The first ``top`` properties whose questions cost at most ``max_cents``; kept answers cost nothing.

    Raises:
        UsageError: nothing matches, or not even one property fits into the sum.
    """
    price = prices(searcher.lake.settings)
    names = chosen_endpoints(searcher.lake.settings, endpoints)
    full = sum((price.cents(name) for name in names), Decimal(0))
    ranked, not_asked = rank(searcher, criteria, names, full)
    if not ranked:
        raise UsageError("There is no property to ask about.", "Widen the choice: another town or list.")
    wanted = ranked if top is None else ranked[:top]
    preview = batches.preview_properties([c.property_id for c in wanted], endpoints=endpoints)
    if max_cents is not None and preview.most_cents > max_cents:
        wanted, preview = _within(batches, wanted, max_cents, endpoints, full)
    return Choice(tuple(wanted), preview, len(ranked), not_asked)


def _within(
    batches: Batches,
    ranked: list[Candidate],
    max_cents: Decimal,
    endpoints: Sequence[str] | None,
    full_price: Decimal,
) -> tuple[list[Candidate], BatchPreview]:
    """A beginning of the order that costs at most so much: kept answers make room for more.

    ``full_price`` is what one property costs of which nothing is kept: whatever is left buys so many more.
    """
    count = min(len(ranked), int(max_cents // full_price))
    if not count:
        raise UsageError(
            f"Not even one property can be asked about for {max_cents} cents: one costs {full_price}.",
            "Raise --max-cents, or ask fewer --endpoints.",
        )
    while True:
        preview = batches.preview_properties([c.property_id for c in ranked[:count]], endpoints=endpoints)
        more = min(len(ranked) - count, int((max_cents - preview.most_cents) // full_price))
        if more <= 0:
            return ranked[:count], preview
        count += more
