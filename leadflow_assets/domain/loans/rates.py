"""The rate of a loan whose rate nobody tells: Freddie Mac's monthly average for the month it was recorded.

The table is the mean of the weekly values of the Primary Mortgage Market Survey (PMMS; FRED series
MORTGAGE30US and MORTGAGE15US), in percent a year. Rule and measured error: the project's sheet on the
distress score, section 8.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Final

THIRTY_YEARS: Final = 360
FIFTEEN_YEARS: Final = 180
# own: the sheet says "about 180 months"; a year more or less is a fifteen-year loan written differently.
ABOUT_FIFTEEN: Final = range(168, 193)

STATED, PMMS_30Y, PMMS_15Y = "stated", "pmms_30y", "pmms_15y"
RATE_SOURCES: Final = (STATED, PMMS_30Y, PMMS_15Y)

# The 95th percentile of the balance's error when only the rate is missing, in percent of the original loan,
# by the year the loan was made. Measured as of the end of 2025 on loans of thirty years.
MISSING_RATE_ERRORS: Final = ((2020, 1.1), (2010, 2.6), (2000, 2.8), (1996, 1.5))
# own: older loans were not measured; the widest that was.
UNMEASURED_ERROR: Final = 2.8


@dataclass(frozen=True, slots=True)
class Rate:
    """A note rate, percent a year, and where it comes from: one of :data:`RATE_SOURCES`.

    ``month`` (YYYY-MM) is the month of the survey; ``after_table``: the loan is younger than the table, whose
    last month stands in.
    """

    percent: float
    source: str
    month: str | None = None
    after_table: bool = False


@cache
def survey() -> Mapping[str, tuple[float, float | None]]:
    """Month (YYYY-MM) -> the averages of 30-year and 15-year loans, percent; the latter from 1991-08 on."""
    packaged = resources.files("leadflow_assets.domain").joinpath("reference/mortgage_rates.csv")
    rows = csv.DictReader(packaged.read_text(encoding="utf-8").splitlines())
    return {
        row["month"]: (
            float(row["rate_30y_percent"]),
            float(row["rate_15y_percent"]) if row["rate_15y_percent"] else None,
        )
        for row in rows
    }


def loan_rate(stated: float | None, recorded_on: date, term_months: int | None = None) -> Rate | None:
    """The rate to amortize with: the stated one, else the survey's of the month of recording.

    The 15-year average serves where the term is known to be about 180 months and the month has one. None
    before the survey began (April 1971): no estimate.
    """
    if stated is not None:
        return Rate(stated, STATED)
    months = survey()
    last = max(months)
    wanted = f"{recorded_on:%Y-%m}"
    month = min(wanted, last)
    if month not in months:
        return None
    thirty, fifteen = months[month]
    if term_months in ABOUT_FIFTEEN and fifteen is not None:
        return Rate(fifteen, PMMS_15Y, month, wanted > last)
    return Rate(thirty, PMMS_30Y, month, wanted > last)


def missing_rate_error(recorded_on: date) -> float:
    """How far a balance may be off when its rate is the survey's: percent of the loan, either way."""
    return next((e for year, e in MISSING_RATE_ERRORS if recorded_on.year >= year), UNMEASURED_ERROR)
