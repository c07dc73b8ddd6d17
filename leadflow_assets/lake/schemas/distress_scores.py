"""mart/distress_scores: what points to trouble at each property, how much could be known, and why."""

from __future__ import annotations

from typing import Annotated, Final

import pandas as pd
import pyarrow as pa
from pandera.typing import Series

from leadflow_assets.domain.distress import record
from leadflow_assets.domain.loans import equity
from leadflow_assets.lake.columns import Date, Double, Int32, TableModel, Text, column

_text, _double, _date = pa.string(), pa.float64(), pa.date32()
# One line of the explanation, as domain.distress.record.Line.
REASON_TYPE: Final = pa.struct(
    [
        ("kind", _text),
        ("points", _double),
        ("counted", pa.bool_()),
        ("group", _text),
        ("factor", _text),
        ("confidence", _double),
        ("decay", _double),
        ("why_not", _text),
        ("event_date", _date),
        ("source", _text),
        ("source_date", _date),
        ("record", _text),
        ("note", _text),
    ]
)
GROUP_TYPE: Final = pa.struct(
    [
        ("group", _text),
        ("state", _text),
        ("points", _double),
        ("cap", _double),
        ("unknown_points", _double),
    ]
)
Reasons = Annotated[pd.ArrowDtype, pa.list_(REASON_TYPE)]
Groups = Annotated[pd.ArrowDtype, pa.list_(GROUP_TYPE)]
Names = Annotated[pd.ArrowDtype, pa.list_(_text)]
WHY_UNKNOWN: Final = equity.REASONS


class DistressScores(TableModel):
    """The distress score of one property at a day, with everything that it was made from.

    Uncalibrated: it orders properties and is no probability, and it must never serve credit, tenant or job
    screening. Score and coverage are two numbers: what nobody was asked about is unknown, not zero. The
    points of the counted lines of ``reasons`` add up to ``score``. [``score``, ``high``] is the interval over
    what is unknown. The vendor's propensity stands beside the score and never enters it.
    """

    property_id: Series[Text] = column("Id in mart.properties")
    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    loc_id: Series[Text] = column("LOC_ID of its parcel; not permanent", nullable=True)
    version: Series[Text] = column("Version of the table of points")
    table_hash: Series[Text] = column("First 12 hex digits of the SHA-256 of that table")
    as_of: Series[Date] = column("Day for which it is reckoned")
    state: Series[Text] = column(
        "scored; unknown: no group is known, which is not low; not_applicable", isin=record.STATUSES
    )
    not_applicable_reason: Series[Text] = column("Why there is no score", nullable=True)
    score: Series[Double] = column("0 to 100; null where it does not apply", nullable=True, ge=0, le=100)
    coverage: Series[Double] = column(
        "Part of the points whose sources were asked and are fresh, 0 to 1", nullable=True, ge=0, le=1
    )
    low: Series[Double] = column("Low end of the interval: the score", nullable=True, ge=0, le=100)
    high: Series[Double] = column(
        "High end: were everything that is unknown there", nullable=True, ge=0, le=100
    )
    score_if_links_hold: Series[Double] = column(
        "The score with every possible link taken for certain", nullable=True, ge=0, le=100
    )
    high_if_links_hold: Series[Double] = column("The high end likewise", nullable=True, ge=0, le=100)
    signals: Series[Int32] = column("Signals that count", nullable=True, ge=0)
    factors: Series[Names] = column("Their factors, in the order of the table of points", nullable=True)
    faults: Series[Int32] = column("Signals refused for a fault of their data", ge=0)
    reasons: Series[Reasons] = column("Lines of the explanation; the counted ones add up to the score")
    groups: Series[Groups] = column(
        "Per group: present, absent (asked, and nothing), partly_known or unknown; its points, its cap, and "
        "what the unknown may add",
        nullable=True,
    )
    equity_method: Series[Text] = column("How equity was found", isin=equity.METHODS)
    equity_why_unknown: Series[Text] = column("Why it is unknown", nullable=True, isin=WHY_UNKNOWN)
    equity_low: Series[Double] = column("Value less loans, dollars, low end", nullable=True)
    equity_mid: Series[Double] = column("Value less loans, dollars", nullable=True)
    equity_high: Series[Double] = column("Value less loans, dollars, high end", nullable=True)
    cltv_low: Series[Double] = column("Loans over value, percent, low end", nullable=True)
    cltv_mid: Series[Double] = column("Loans over value, percent", nullable=True)
    cltv_high: Series[Double] = column("Loans over value, percent, high end", nullable=True)
    value_source: Series[Text] = column("Whose value that is", nullable=True, isin=equity.VALUE_SOURCES)
    loan_source: Series[Text] = column("Whose loans those are", nullable=True)
    propensity_score: Series[Double] = column(
        "ATTOM's propensity to default within a year, 0 to 100: theirs, and no part of the score",
        nullable=True,
    )
    propensity_group: Series[Text] = column("Its group", nullable=True)
    propensity_source_date: Series[Date] = column("Its day", nullable=True)
