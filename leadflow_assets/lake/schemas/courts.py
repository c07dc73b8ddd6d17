"""Tables of court cases: dockets as received, cases, and their parties.

The columns are the fields of ``RawDocket``, ``CourtCase`` and ``CourtParty``; a test compares them. Every
row names its source: an API and imported files stand side by side. Amounts are dollars.
"""

from __future__ import annotations

from pandera.typing import Series

from leadflow_assets.domain.courts import kinds
from leadflow_assets.domain.courts.imported import IMPORT_KINDS
from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.domain.courts.parties import ROLES
from leadflow_assets.domain.courts.rows import ENDPOINTS
from leadflow_assets.lake.columns import (
    Bool,
    Date,
    Double,
    Int32,
    Int64,
    Moment,
    TableModel,
    Text,
    column,
)

SOURCES = (COURTLISTENER, *IMPORT_KINDS)
NAMES_FROM = ("parties", "docket", "import", "caption", "search")
_CASE_TYPES, _ACTION_TYPES = tuple(kinds.CASE_TYPES), tuple(kinds.ACTION_TYPES)
_STATUSES, _LIEN_TYPES = tuple(kinds.CASE_STATUSES), tuple(kinds.LIEN_TYPES)
_LIEN_STATUSES = tuple(kinds.LIEN_STATUSES)


class CourtDockets(TableModel):
    """One docket as it was told once, identifiers stripped before; the core can be made anew from it."""

    record_id: Series[Text] = column("Names the telling: a later one of the same docket replaces it")
    court: Series[Text] = column("CourtListener's id of the court; registry, other")
    filed_month: Series[Text] = column("Month filed, YYYY-MM; unknown without a date")
    endpoint: Series[Text] = column("What told it", isin=ENDPOINTS)
    source: Series[Text] = column("courtlistener, or the kind of the imported file", isin=SOURCES)
    docket_id: Series[Int64] = column("CourtListener's id of the docket", nullable=True)
    date_filed: Series[Date] = column("Day filed", nullable=True)
    request_hash: Series[Text] = column("Names the question of an answer", nullable=True)
    http_status: Series[Int32] = column("HTTP status of the answer", nullable=True)
    fetched_at: Series[Moment] = column("When it was fetched or imported, UTC")
    stated_source: Series[Text] = column(
        "Where an imported file comes from, in its user's words", nullable=True
    )
    source_file: Series[Text] = column("Name of the imported file", nullable=True)
    source_sha256: Series[Text] = column("SHA-256 of the imported file", nullable=True)
    row_number: Series[Int64] = column("Row of the imported file", nullable=True, ge=1)
    expires_on: Series[Date] = column("Last day on which it may be used", nullable=True)
    body: Series[Text] = column("What was told, JSON without identifiers", pii=True)


class CourtCases(TableModel):
    """One case as one source tells it: a docket, an imported case, a recorded document or lien."""

    case_id: Series[Text] = column("Court and number: equal for one case of several sources")
    court: Series[Text] = column("CourtListener's id of the court; registry, other")
    filed_month: Series[Text] = column("Month filed or recorded, YYYY-MM; unknown without a date")
    docket_id: Series[Int64] = column("CourtListener's id of the docket", nullable=True)
    docket_number: Series[Text] = column("Number as the source writes it", nullable=True)
    case_name: Series[Text] = column("Caption", nullable=True, pii=True)
    case_type: Series[Text] = column("Type of case", isin=_CASE_TYPES)
    action_type: Series[Text] = column("Legal action in the older terms", nullable=True, isin=_ACTION_TYPES)
    status: Series[Text] = column("Where the case stands, if told", nullable=True, isin=_STATUSES)
    chapter: Series[Text] = column("Chapter of the bankruptcy code", nullable=True)
    date_filed: Series[Date] = column("Day filed; null where the docket has none yet", nullable=True)
    date_terminated: Series[Date] = column("Day closed", nullable=True)
    date_converted: Series[Date] = column("Day converted to another chapter", nullable=True)
    date_dismissed: Series[Date] = column("Day the debtor was dismissed", nullable=True)
    date_discharged: Series[Date] = column("Day of the discharge", nullable=True)
    trustee: Series[Text] = column("Trustee of a bankruptcy", nullable=True, pii=True)
    nature_of_suit: Series[Text] = column("Nature of suit as told", nullable=True)
    cause: Series[Text] = column("Cause of action as told", nullable=True)
    amount_claimed: Series[Double] = column("Amount claimed, dollars", nullable=True, ge=0)
    judgment_amount: Series[Double] = column("Judgment, dollars", nullable=True, ge=0)
    lien_type: Series[Text] = column("Type of lien", nullable=True, isin=_LIEN_TYPES)
    lien_status: Series[Text] = column("Does the lien stand?", nullable=True, isin=_LIEN_STATUSES)
    lien_amount: Series[Double] = column("Amount of the lien, dollars", nullable=True, ge=0)
    lien_holder: Series[Text] = column("Who holds the lien", nullable=True, pii=True)
    recorded_on: Series[Date] = column("Day recorded at the registry", nullable=True)
    released_on: Series[Date] = column("Day of the release, discharge or satisfaction", nullable=True)
    book: Series[Text] = column("Registry book", nullable=True)
    page: Series[Text] = column("Registry page", nullable=True)
    instrument: Series[Text] = column("Instrument number at the registry", nullable=True)
    site_address: Series[Text] = column("Address of the property, if told", nullable=True, pii=True)
    site_address_key: Series[Text] = column("Key of that address in its town", nullable=True, pii=True)
    site_mailing_key: Series[Text] = column("Key of that address in its ZIP", nullable=True, pii=True)
    site_city: Series[Text] = column("City of the property", nullable=True)
    site_state: Series[Text] = column("State of the property", nullable=True)
    site_zip: Series[Text] = column("ZIP of the property, five digits", nullable=True)
    town_id: Series[Int32] = column("MassGIS town id of the property, 1 to 351", nullable=True, ge=1)
    parcel_id: Series[Text] = column("Parcel as the source names it", nullable=True)
    pacer_case_id: Series[Text] = column("PACER's id of the case", nullable=True)
    url: Series[Text] = column("Page of the case", nullable=True, pii=True)
    source: Series[Text] = column("courtlistener, or the kind of the imported file", isin=SOURCES)
    stated_source: Series[Text] = column(
        "Where an imported file comes from, in its user's words", nullable=True
    )
    source_file: Series[Text] = column("Name of the imported file", nullable=True)
    source_sha256: Series[Text] = column("SHA-256 of the imported file", nullable=True)
    row_number: Series[Int64] = column("Row of the imported file", nullable=True, ge=1)
    fetched_at: Series[Moment] = column("When it was fetched or imported, UTC")
    expires_on: Series[Date] = column("Last day on which it may be used; null: no end", nullable=True)


class CourtParties(TableModel):
    """One party of a case as one source names it, with the address that stands under the name."""

    case_id: Series[Text] = column("Case, as in core.court_cases")
    party_id: Series[Text] = column("Names the party within the case: a hash of role and name")
    court: Series[Text] = column("CourtListener's id of the court; registry, other")
    filed_month: Series[Text] = column("Month filed, as its case")
    docket_id: Series[Int64] = column("CourtListener's id of the docket", nullable=True)
    name: Series[Text] = column("Name as told", pii=True)
    role: Series[Text] = column("Role in one word", isin=ROLES)
    role_given: Series[Text] = column("The source's word for the role", nullable=True)
    is_debtor: Series[Bool] = column("Is it a debtor? Null: not told", nullable=True)
    name_from: Series[Text] = column("Where the name was found", isin=NAMES_FROM)
    date_terminated: Series[Date] = column("Day the party left the case", nullable=True)
    care_of: Series[Text] = column(
        "Whom the address goes through: it may not be their own", nullable=True, pii=True
    )
    address: Series[Text] = column("Address in one line, without care-of", nullable=True, pii=True)
    address_line: Series[Text] = column("Street or box, normalized", nullable=True, pii=True)
    unit: Series[Text] = column("Unit", nullable=True, pii=True)
    city: Series[Text] = column("City", nullable=True, pii=True)
    state: Series[Text] = column("State", nullable=True)
    zip: Series[Text] = column("ZIP, five digits", nullable=True, pii=True)
    town_id: Series[Int32] = column("MassGIS town id of the address, 1 to 351", nullable=True, ge=1)
    address_key: Series[Text] = column("Key of the address in its town", nullable=True, pii=True)
    mailing_key: Series[Text] = column("Key of the address in its ZIP", nullable=True, pii=True)
    represented_by_counsel: Series[Bool] = column("Does an attorney act? Null: not told", nullable=True)
    attorneys: Series[Int32] = column("Attorneys who act", nullable=True, ge=0)
    source: Series[Text] = column("courtlistener, or the kind of the imported file", isin=SOURCES)
    fetched_at: Series[Moment] = column("When it was fetched or imported, UTC")
    expires_on: Series[Date] = column("Last day on which it may be used; null: no end", nullable=True)
