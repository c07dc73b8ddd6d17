"""mart/case_matches: which party of which case is the owner of which property, how sure, and why."""

from __future__ import annotations

from typing import Annotated, Final

import pandas as pd
import pyarrow as pa
from pandera.typing import Series

from leadflow_assets.domain.courts import kinds
from leadflow_assets.domain.courts.parties import ROLES
from leadflow_assets.lake.columns import Bool, Date, Double, Int32, Int64, Moment, TableModel, Text, column
from leadflow_assets.lake.schemas.courts import SOURCES

TIERS: Final = ("confirmed", "possible", "unconfirmed", "rejected")
MATCH_METHODS: Final = (
    "name",  # a party's name against the owner's, with place, address and dates
    "site_address",  # the case names the property by its address
    "parcel_id",  # the case names the parcel
)
TITLES: Final = ("held", "bought_later", "unclear", "unknown")
DECISIONS: Final = ("confirmed", "rejected")
EVIDENCE_TYPE = pa.list_(
    pa.struct(
        [
            ("term", pa.string()),
            ("outcome", pa.string()),
            ("ours", pa.string()),
            ("theirs", pa.string()),
            ("share", pa.float64()),
            ("bits", pa.float64()),
        ]
    )
)
Evidence = Annotated[pd.ArrowDtype, EVIDENCE_TYPE]


class CaseMatches(TableModel):
    """One party of a case and one property whose owner it may be.

    A name alone is not a match: ``probability`` says how likely it is that the party owned the property when
    the case was filed, ``tier`` what may be done with it, ``evidence`` why. What a person decided outranks
    the model. Facts of the case are repeated here as in core.court_cases, so that a reader needs no join.
    """

    match_id: Series[Text] = column("Names the match: case, source, party and property")
    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    property_id: Series[Text] = column("Id in mart.properties")
    loc_id: Series[Text] = column("LOC_ID of its parcel; not permanent", nullable=True)
    case_id: Series[Text] = column("Case, as in core.court_cases")
    source: Series[Text] = column("courtlistener, or the kind of the imported file", isin=SOURCES)
    stated_source: Series[Text] = column(
        "Where an imported file comes from, in its user's words", nullable=True
    )
    court: Series[Text] = column("CourtListener's id of the court; registry, other")
    filed_month: Series[Text] = column("Month filed, as its case")
    docket_id: Series[Int64] = column("CourtListener's id of the docket", nullable=True)
    docket_number: Series[Text] = column("Number as the source writes it", nullable=True)
    case_name: Series[Text] = column("Caption", nullable=True, pii=True)
    case_type: Series[Text] = column("Type of case", isin=tuple(kinds.CASE_TYPES))
    action_type: Series[Text] = column(
        "Legal action in the older terms", nullable=True, isin=tuple(kinds.ACTION_TYPES)
    )
    status: Series[Text] = column(
        "Where the case stands, if told", nullable=True, isin=tuple(kinds.CASE_STATUSES)
    )
    chapter: Series[Text] = column("Chapter of the bankruptcy code", nullable=True)
    date_filed: Series[Date] = column("Day filed; null where the docket has none yet", nullable=True)
    date_terminated: Series[Date] = column("Day closed", nullable=True)
    date_dismissed: Series[Date] = column("Day the debtor was dismissed", nullable=True)
    date_discharged: Series[Date] = column("Day of the discharge", nullable=True)
    recorded_on: Series[Date] = column("Day recorded at the registry", nullable=True)
    released_on: Series[Date] = column("Day of the release, discharge or satisfaction", nullable=True)
    amount_claimed: Series[Double] = column("Amount claimed, dollars", nullable=True, ge=0)
    judgment_amount: Series[Double] = column("Judgment, dollars", nullable=True, ge=0)
    lien_type: Series[Text] = column("Type of lien", nullable=True, isin=tuple(kinds.LIEN_TYPES))
    lien_status: Series[Text] = column("Does the lien stand?", nullable=True, isin=tuple(kinds.LIEN_STATUSES))
    lien_amount: Series[Double] = column("Amount of the lien, dollars", nullable=True, ge=0)
    url: Series[Text] = column("Page of the case", nullable=True, pii=True)
    expires_on: Series[Date] = column("Last day on which it may be used; null: no end", nullable=True)
    fetched_at: Series[Moment] = column("When the case was fetched or imported, UTC")
    party_id: Series[Text] = column("Party, as in core.court_parties")
    party_name: Series[Text] = column("Name as the source tells it", pii=True)
    party_role: Series[Text] = column("Role in one word", isin=ROLES)
    is_debtor: Series[Bool] = column("Is it a debtor? Null: not told", nullable=True)
    represented_by_counsel: Series[Bool] = column("Has it a lawyer? Null: not told", nullable=True)
    owner_number: Series[Int32] = column("Place of the owner in the property's owners, from 0", nullable=True)
    owner_role: Series[Text] = column("Role of that owner", nullable=True)
    method: Series[Text] = column("What ties the two", isin=MATCH_METHODS)
    title: Series[Text] = column("Did the owner hold title when the case was filed?", isin=TITLES)
    model_probability: Series[Double] = column(
        "What the model says: 0 to 1, that the party owned the property when the case was filed", ge=0, le=1
    )
    probability: Series[Double] = column("That, or 1 or 0 where a person decided", ge=0, le=1)
    tier: Series[Text] = column("confirmed from 0.95, possible from 0.5; by a person: as decided", isin=TIERS)
    weight_bits: Series[Double] = column("Sum of the evidence, bits, before the competition", nullable=True)
    rivals: Series[Int32] = column("Other owners who fit about as well", nullable=True)
    unseen: Series[Double] = column("Persons who compete without being in the owners' table", nullable=True)
    evidence: Series[Evidence] = column("Why: each term with its weight in bits", nullable=True, pii=True)
    evidence_version: Series[Text] = column("Names the table of frequencies and the rules", nullable=True)
    decision: Series[Text] = column("What a person decided", nullable=True, isin=DECISIONS)
    decided_at: Series[Moment] = column("When, UTC", nullable=True)
    decided_by: Series[Text] = column("Who", nullable=True, pii=True)
