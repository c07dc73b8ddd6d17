"""mart/leads: the owners most worth a conversation, one row per owner and mailing address, and why."""

from __future__ import annotations

from typing import Annotated, Final

import pandas as pd
import pyarrow as pa
from pandera.typing import Series

from leadflow_assets.domain import leads
from leadflow_assets.domain.loans import equity
from leadflow_assets.domain.occupancy import OCCUPANCIES
from leadflow_assets.domain.owners import OWNER_TYPES
from leadflow_assets.lake.columns import Bool, Date, Double, Int32, Int64, TableModel, Text, column

_text, _double = pa.string(), pa.float64()
MEMBER_TYPE: Final = pa.struct(
    [
        ("property_id", _text),
        ("town_id", pa.int32()),
        ("town", _text),
        ("site_address", _text),
        ("score", _double),
        ("coverage", _double),
        ("total_value", pa.int64()),
    ]
)
Members = Annotated[pd.ArrowDtype, pa.list_(MEMBER_TYPE)]
Texts = Annotated[pd.ArrowDtype, pa.list_(_text)]


class Leads(TableModel):
    """One owner with one mailing address, and the properties there are of them, in whatever towns.

    A lead is an owner at one of whose properties something counts, or whom a person or a batch added. It
    lives in the town of its best property: highest score, then coverage, then id. Owners to whom no score
    applies, and owners who asked to be left out, are none. Where the conversation stands is in the state
    database (view mart.leads_ranked shows both).
    """

    lead_id: Series[Text] = column("Id made from owner and mailing address: the same in every rebuild")
    town_id: Series[Int32] = column("MassGIS town id of its best property", ge=1)
    town: Series[Text] = column("Town of its best property")
    property_id: Series[Text] = column("Its best property")
    loc_id: Series[Text] = column("LOC_ID of that parcel; not permanent", nullable=True)
    site_address: Series[Text] = column("Site address of that property as published", nullable=True)
    zip: Series[Text] = column("Site ZIP of that property", nullable=True)
    owner_name: Series[Text] = column("Owner as published", nullable=True, pii=True)
    owner_type: Series[Text] = column("Kind of owner", isin=OWNER_TYPES)
    owner_key: Series[Text] = column("Normalized owner", pii=True)
    owner_care_of: Series[Text] = column("Care of whom", nullable=True, pii=True)
    mailing_address: Series[Text] = column("Mailing address", nullable=True, pii=True)
    mailing_city: Series[Text] = column("Mailing city", nullable=True, pii=True)
    mailing_state: Series[Text] = column("Mailing state", nullable=True, pii=True)
    mailing_zip: Series[Text] = column("Mailing ZIP as published", nullable=True, pii=True)
    mailing_country: Series[Text] = column("Mailing country as published", nullable=True, pii=True)
    mailing_key: Series[Text] = column(
        "Normalized mailing address; null: none, so the property stands for it", nullable=True, pii=True
    )
    occupancy: Series[Text] = column("Does the owner live at the best property?", isin=OCCUPANCIES)
    properties: Series[Members] = column("All their properties, the best first")
    property_count: Series[Int32] = column("How many those are", ge=1)
    town_count: Series[Int32] = column("In how many towns", ge=1)
    total_value: Series[Int64] = column("Assessed total of all of them, dollars", nullable=True)
    grade: Series[Text] = column(leads.RULE, isin=leads.GRADES)
    score: Series[Double] = column("Distress score of the best property, 0 to 100", ge=0, le=100)
    coverage: Series[Double] = column("Part of its points that were asked about, 0 to 1", ge=0, le=1)
    high: Series[Double] = column("High end of its interval", ge=0, le=100)
    signals: Series[Int32] = column("Signals that count there", ge=0)
    factors: Series[Texts] = column("Their factors")
    why: Series[Texts] = column("The reasons in words, the strongest first")
    notices: Series[Texts] = column("What must be minded: " + ", ".join(leads.NOTICES))
    opportunity: Series[Text] = column(
        "Equity, who decides, and reach together; never part of the grade", isin=leads.OPPORTUNITIES
    )
    equity_band: Series[Text] = column(
        "By loans over value at the cautious end: large below 60 %, some below 80, thin below 100, negative",
        isin=leads.EQUITY_BANDS,
    )
    equity_low: Series[Double] = column("Equity of the best property, dollars, low end", nullable=True)
    equity_mid: Series[Double] = column("Equity, dollars", nullable=True)
    equity_high: Series[Double] = column("Equity, dollars, high end", nullable=True)
    equity_method: Series[Text] = column("How equity was found", isin=equity.METHODS)
    reach: Series[Text] = column(
        "How post reaches them: home, post (elsewhere), site_assumed, abroad, incomplete", isin=leads.REACHES
    )
    is_added: Series[Bool] = column("A person or a batch made it a lead")
    version: Series[Text] = column("Version of the table of points")
    table_hash: Series[Text] = column("First 12 hex digits of the SHA-256 of that table")
    as_of: Series[Date] = column("Day of the score")
