"""mart/property_changes: what happened to a property, when, and how it is known."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
import pyarrow as pa
from pandera.typing import Series

from leadflow_assets.domain.changes import KINDS, OWNER_CHANGES, SALE_QUALITIES
from leadflow_assets.domain.changes.kinds import SOURCES, THRESHOLD_DIRECTIONS
from leadflow_assets.domain.courts import kinds as case_kinds
from leadflow_assets.domain.occupancy import OCCUPANCIES
from leadflow_assets.lake.columns import Date, Double, Int32, Int64, Moment, TableModel, Text, column

Texts = Annotated[pd.ArrowDtype, pa.list_(pa.string())]
FOLLOWED_BY = (
    "content",
    "PROP_ID and CAMA_ID",
    "PROP_ID",
    "PROP_ID and place",
    "CAMA_ID and place",
    "address",
    "parcel",
    "ground",
)
TIERS = ("confirmed", "possible")


class PropertyChanges(TableModel):
    """One dated event of one property. Rows are added, never changed; each event is there once, ever.

    ``..._before`` and ``..._after`` hold what two releases say where the event is about it, else null. A
    court case leaves the table when it may no longer be used.
    """

    event_id: Series[Text] = column("Names the event; the same happening always has the same")
    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    property_id: Series[Text] = column(
        "Property as it is called after the event; of one that is gone, before"
    )
    loc_id: Series[Text] = column("LOC_ID of its parcel then", nullable=True)
    site_address: Series[Text] = column("Site address as published", nullable=True)
    kind: Series[Text] = column("What happened", isin=tuple(KINDS))
    includes: Series[Texts] = column("Kinds that went with it and are no events of their own", nullable=True)
    event_date: Series[Date] = column(
        "The source's date of it: day of the sale, day filed, day of the release", nullable=True
    )
    seen_at: Series[Moment] = column("When it was first seen here, UTC")
    from_release: Series[Text] = column(
        "Release it is not in yet; null: no release tells of it", nullable=True
    )
    to_release: Series[Text] = column("Release that shows it", nullable=True)
    followed_by: Series[Text] = column(
        "What ties the two records of the property", nullable=True, isin=FOLLOWED_BY
    )
    owner_change: Series[Text] = column("How the owners differ", nullable=True, isin=OWNER_CHANGES)
    owner_before: Series[Text] = column("Owner as published before", nullable=True, pii=True)
    owner_after: Series[Text] = column("Owner as published after", nullable=True, pii=True)
    mailing_before: Series[Text] = column("Mailing address before, one line", nullable=True, pii=True)
    mailing_after: Series[Text] = column("Mailing address after, one line", nullable=True, pii=True)
    occupancy_before: Series[Text] = column("Who lived there", nullable=True, isin=OCCUPANCIES)
    occupancy_after: Series[Text] = column("Who lives there", nullable=True, isin=OCCUPANCIES)
    sale_quality: Series[Text] = column("What the price can be taken for", nullable=True, isin=SALE_QUALITIES)
    sale_date_before: Series[Date] = column("Last sale before", nullable=True)
    sale_date_after: Series[Date] = column("Last sale after", nullable=True)
    sale_price_before: Series[Int64] = column("Its price, dollars", nullable=True)
    sale_price_after: Series[Int64] = column("Its price, dollars", nullable=True)
    use_code_before: Series[Text] = column("Use code before", nullable=True)
    use_code_after: Series[Text] = column("Use code after", nullable=True)
    value_before: Series[Int64] = column("Assessed total before, dollars", nullable=True)
    value_after: Series[Int64] = column("Assessed total after, dollars", nullable=True)
    value_move: Series[Double] = column("That move as a share: 0.1 is ten percent up", nullable=True)
    town_move: Series[Double] = column("The median move of its class in the town, as a share", nullable=True)
    building_value_before: Series[Int64] = column("Assessed buildings before, dollars", nullable=True)
    building_value_after: Series[Int64] = column("Assessed buildings after, dollars", nullable=True)
    building_sqft_before: Series[Int64] = column("Building area before, square feet", nullable=True)
    building_sqft_after: Series[Int64] = column("Building area after, square feet", nullable=True)
    year_built_before: Series[Int32] = column("Year built before", nullable=True)
    year_built_after: Series[Int32] = column("Year built after", nullable=True)
    loc_ids_before: Series[Texts] = column("Parcels that were split or merged", nullable=True)
    loc_ids_after: Series[Texts] = column("Parcels that came of it", nullable=True)
    property_ids_before: Series[Texts] = column("Properties on those, or the former id", nullable=True)
    property_ids_after: Series[Texts] = column("Properties on these", nullable=True)
    case_id: Series[Text] = column("Case, as in core.court_cases", nullable=True)
    case_type: Series[Text] = column("Type of case", nullable=True, isin=tuple(case_kinds.CASE_TYPES))
    case_tier: Series[Text] = column("How sure the match was", nullable=True, isin=TIERS)
    case_probability: Series[Double] = column("Its probability", nullable=True, ge=0, le=1)
    expires_on: Series[Date] = column("Last day on which it may be used; null: no end", nullable=True)
    score_before: Series[Double] = column("Score before", nullable=True)
    score_after: Series[Double] = column("Score after", nullable=True)
    score_threshold: Series[Double] = column("Threshold that lies between", nullable=True)
    score_direction: Series[Text] = column("up or down", nullable=True, isin=THRESHOLD_DIRECTIONS)
    source: Series[Text] = column("Where it is known from", isin=SOURCES)
    confidence: Series[Double] = column("How sure it is that this happened", ge=0, le=1)
    rules_version: Series[Text] = column("Names the thresholds that were used")
