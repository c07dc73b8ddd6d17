"""Is the last sale that a later release records a newer one?"""

from __future__ import annotations

from datetime import date

from leadflow_assets.domain.changes.record import Record
from leadflow_assets.domain.changes.rules import ChangeRules
from leadflow_assets.domain.sales import NOMINAL_BELOW


def sale_change(before: Record, after: Record, rules: ChangeRules) -> str | None:
    """``sale`` for a newer sale, ``sale_corrected`` for another one that is no news, else None.

    A record that loses its date says nothing. A first or later date far back is history filled in.
    """
    if after.sale_date is None:
        return None
    if after.sale_date == before.sale_date:
        return "sale_corrected" if _price(after) != _price(before) else None
    oldest = date(before.fiscal_year - rules.late_sale_years, 1, 1)
    newer = before.sale_date is None or after.sale_date > before.sale_date
    return "sale" if newer and after.sale_date >= oldest else "sale_corrected"


def sale_quality(record: Record) -> str:
    """One of ``SALE_QUALITIES``; the rules are those of ``domain.sales``."""
    if record.sale_bulk:
        return "bulk"
    price = _price(record)
    if not price:
        return "no_price"
    return "nominal" if price < NOMINAL_BELOW else "market"


def _price(record: Record) -> int:
    return record.sale_price or 0
