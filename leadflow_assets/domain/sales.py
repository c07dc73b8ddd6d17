"""The last sale of an assessment record: what its date and price can be taken for.

About a third of deeds carry a nominal price (0, 1, 10, 100 dollars) and some a price for many records at
once; neither says what the property is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NOMINAL_BELOW = 1000  # dollars
EARLIEST = date(1800, 1, 1)
# Systems write these where they know no date.
SENTINELS = ("19000101", "19010101")
BULK_ROWS = 3

DATE_STATUSES = ("ok", "missing", "sentinel", "before_1800", "future", "invalid")


@dataclass(frozen=True)
class SaleDates:
    """Parsed dates (date32, null unless status is ok) and a status of :data:`DATE_STATUSES` each."""

    date: pa.Array
    status: pa.Array


def parse_sale_dates(raw: pa.Array, *, latest: date) -> SaleDates:
    """Parse YYYYMMDD texts. ``latest`` is the day after which a sale lies in the future.

    Eight zeros count as missing. Years beyond 2262 are handled (no nanoseconds are involved).
    """
    text = pc.if_else(pc.equal(raw, "00000000"), pa.scalar(None, pa.string()), raw)
    shaped = pc.fill_null(pc.match_substring_regex(text, r"^\d{8}$"), False)
    parsed = pc.strptime(
        pc.if_else(shaped, text, pa.scalar(None, pa.string())), format="%Y%m%d", unit="s", error_is_null=True
    )
    # strptime takes 31 February for 3 March: only a date that reads back the same is one.
    same = pc.fill_null(pc.equal(pc.strftime(parsed, format="%Y%m%d"), text), False)
    days = pc.cast(parsed, pa.date32())
    status = pc.case_when(
        pc.make_struct(
            pc.is_null(text),
            pc.invert(same),
            pc.is_in(text, value_set=pa.array(SENTINELS)),
            pc.fill_null(pc.less(days, pa.scalar(EARLIEST)), False),
            pc.fill_null(pc.greater(days, pa.scalar(latest)), False),
        ),
        "missing",
        "invalid",
        "sentinel",
        "before_1800",
        "future",
        "ok",
    )
    status = pc.cast(status, pa.string())
    return SaleDates(pc.if_else(pc.equal(status, "ok"), days, pa.scalar(None, pa.date32())), status)


def nominal(price: pa.Array) -> pa.Array:
    """Is the price nominal (below 1,000 dollars)? Null where there is no price."""
    return pc.less(price, NOMINAL_BELOW)


def deed_rows(raw_date: pa.Array, price: pa.Array, book: pa.Array, page: pa.Array) -> pa.Array:
    """How many records of the town share this record's deed: same date, price, book and page (int32).

    Null without a date. Records without book and page share a deed only at a price that is not nominal,
    since a dollar on the same day says nothing.
    """
    parts = [pc.fill_null(pc.cast(part, pa.string()), "") for part in (raw_date, price, book, page)]
    deeds = pc.dictionary_encode(pc.binary_join_element_wise(*parts, "\x1f"))
    deed_of = deeds.indices.to_numpy()
    records = np.bincount(deed_of, minlength=1)[deed_of]
    unregistered = pc.and_(pc.is_null(book), pc.is_null(page))
    worthless = pc.invert(pc.fill_null(pc.greater_equal(price, NOMINAL_BELOW), False))
    alone = pc.and_(unregistered, worthless).to_numpy(zero_copy_only=False)
    undated = pc.is_null(raw_date).to_numpy(zero_copy_only=False)
    return pa.array(np.where(alone, 1, records).astype("int32"), mask=undated)


def bulk(rows_on_deed: pa.Array) -> pa.Array:
    """Is the deed one for many records (three or more), so that its price is not this record's?"""
    return pc.fill_null(pc.greater_equal(rows_on_deed, BULK_ROWS), False)
