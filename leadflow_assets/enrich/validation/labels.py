"""What happened afterwards, each label by itself: never one blended outcome.

A label is True, False, or not observed. False needs a source that would have shown the event:

- ``transfer``: an arms-length sale. A roll shows each property's last sale, and all of them until the
  1 January that it is made for (M.G.L. c. 59, s. 2A); the first release that far behind the window decides.
  Nominal and bulk deeds, deeds between namesakes, and sales dated after their own release are no transfer. A
  later sale hides whether there was one in the window: not observed.
- ``foreclosure``: a foreclosure deed, or an auction's day. Nothing open lists them for Massachusetts. Not
  there means no only where ATTOM was asked after the window, or where somebody states that the imported deeds
  are complete for a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadflow_assets.domain.distress.cases import FORECLOSURE_DEED
from leadflow_assets.enrich.scores.inputs import Inputs, relation
from leadflow_assets.enrich.validation.cohorts import Release

DAYS_PER_MONTH: Final = 30.4375
OBSERVED_NO, OBSERVED_YES, NOT_OBSERVED = 0, 1, -1
Outcomes = NDArray[np.int8]


@dataclass(frozen=True)
class Label:
    """One outcome within so many months; ``words`` is what it means."""

    name: str
    kind: str
    months: int
    words: str

    def window(self, asof: date) -> tuple[date, date]:
        """The days that count: after the first, up to the second."""
        return asof, asof + timedelta(days=round(self.months * DAYS_PER_MONTH))


TRANSFER_12 = Label("transfer_12", "transfer", 12, "arms-length sale within 12 months")
TRANSFER_24 = Label("transfer_24", "transfer", 24, "arms-length sale within 24 months")
FORECLOSURE_12 = Label("foreclosure_12", "foreclosure", 12, "foreclosure deed or auction within 12 months")
LABELS: Final = (FORECLOSURE_12, TRANSFER_12, TRANSFER_24)


@dataclass(frozen=True)
class Later:
    """A later release as the labels need it: by property its last sale and its owners.

    ``rows`` has property_id, last_sale_date, sale_is_nominal, sale_is_bulk and owners.
    """

    release: Release
    rows: pa.Table

    @property
    def complete_until(self) -> date:
        """Sales until the day before this one are all in the roll."""
        return date(self.release.fiscal_year - 1, 1, 1)


def transfers(label: Label, asof: date, rows: pa.Table, later: Sequence[Later]) -> Outcomes:
    """The outcome of each of ``rows`` (of a cohort), from the releases after it, oldest first."""
    start, end = label.window(asof)
    outcomes = np.full(len(rows), NOT_OBSERVED, np.int8)
    deciding = next((one for one in later if one.complete_until > end), None)
    if deciding is None:
        return outcomes
    with duckdb.connect(config={"threads": 1}) as connection:
        # Each release up to the deciding one: a sale may be hidden in it by one after the window.
        for one in later[: later.index(deciding) + 1]:
            found = _sales(connection, rows, one, start, end)
            decided = outcomes != OBSERVED_YES
            outcomes[decided & (found == OBSERVED_YES)] = OBSERVED_YES
            if one is deciding:
                outcomes[(outcomes != OBSERVED_YES) & (found == OBSERVED_NO)] = OBSERVED_NO
    return outcomes


# The sale of the later release judged for the window; rows of the cohort in their order.
_SALES: Final = """
WITH judged AS (
    SELECT c.row,
        l.property_id IS NOT NULL AS followed,
        l.last_sale_date AS day,
        coalesce(l.sale_is_nominal, true) OR l.sale_is_bulk AS no_price,
        list_has_any(
            list_transform(c.owners, lambda o: o.last), list_transform(l.owners, lambda o: o.last)
        ) AS namesakes
    FROM cohort AS c LEFT JOIN later AS l USING (property_id)
)
SELECT CASE
    WHEN NOT followed THEN -1
    WHEN day IS NULL OR day <= $start THEN 0
    WHEN day > $known THEN -1
    WHEN day > $end THEN -1
    WHEN no_price OR coalesce(namesakes, false) THEN 0
    ELSE 1 END AS outcome
FROM judged ORDER BY row
"""


def _sales(
    connection: duckdb.DuckDBPyConnection, rows: pa.Table, later: Later, start: date, end: date
) -> Outcomes:
    numbered = rows.select(["property_id", "owners"]).append_column("row", pa.array(range(len(rows))))
    connection.register("cohort", numbered)
    # An id that stands twice in a roll is followed nowhere: it may be either.
    connection.register("later_in", later.rows)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE later AS FROM later_in "
        "QUALIFY count(*) OVER (PARTITION BY property_id) = 1"
    )
    found = connection.execute(
        _SALES, {"start": start, "end": end, "known": later.release.known_on}
    ).fetchnumpy()
    return np.asarray(found["outcome"], np.int8)


@dataclass(frozen=True)
class Foreclosures:
    """What is known of foreclosures: their days by property, and until when nothing would be missing.

    ``asked`` is the last day on which ATTOM was asked about a property; ``complete`` the days for which the
    imported deeds are stated to be complete.
    """

    events: Mapping[str, tuple[date, ...]]
    asked: Mapping[str, date]
    complete: tuple[date, date] | None = None


_EVENTS: Final = """
SELECT property_id, coalesce(recorded_on, date_filed) AS day FROM {matches}
WHERE case_type = '{deed}' AND tier IN ('confirmed', 'possible')
"""
_AUCTIONS: Final = """
SELECT property_id, unnest(foreclosure_records).auction_date AS day FROM {records}
WHERE property_id IS NOT NULL AND foreclosure_records IS NOT NULL
"""


def read_foreclosures(
    reader: duckdb.DuckDBPyConnection, inputs: Inputs, asked: pa.Table, complete: tuple[date, date] | None
) -> Foreclosures:
    """What the lake knows today; ``asked`` is ``read_asked``."""
    events: dict[str, set[date]] = {}
    for query, name, entries in (
        (_EVENTS, "matches", inputs.matches.values()),
        (_AUCTIONS, "records", inputs.records.values()),
    ):
        source = relation(inputs.lake, entries)
        if source is None:
            continue
        text = query.format(**{name: source, "deed": FORECLOSURE_DEED})
        for property_id, day in reader.execute(text).fetchall():
            if day is not None:
                events.setdefault(property_id, set()).add(day)
    days = zip(asked["property_id"].to_pylist(), asked["foreclosure"].to_pylist(), strict=True)
    return Foreclosures(
        {name: tuple(sorted(found)) for name, found in events.items()},
        {name: day for name, day in days if day is not None},
        complete,
    )


def foreclosures(label: Label, asof: date, property_ids: Sequence[str], known: Foreclosures) -> Outcomes:
    """The outcome of each property."""
    start, end = label.window(asof)
    whole = known.complete is not None and known.complete[0] <= start and end <= known.complete[1]
    outcomes = np.full(len(property_ids), NOT_OBSERVED, np.int8)
    for place, property_id in enumerate(property_ids):
        asked = known.asked.get(property_id)
        if not (whole or (asked is not None and asked > end)):
            continue  # an event alone would make a set of nothing but events
        happened = any(start < day <= end for day in known.events.get(property_id, ()))
        outcomes[place] = OBSERVED_YES if happened else OBSERVED_NO
    return outcomes
