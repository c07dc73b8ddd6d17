"""The layouts of ATTOM's delivered files: which columns make which field, and how a file is recognised.

Column names are plain keys (no case, no punctuation); several are alternatives, the first present wins.
RT... names are the 2018 RealtyTrac layout. No layout of propensity and lien files is public: their columns
are found by the words such columns carry, and everything else stays in ``other_columns``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadflow_assets.sources.attom.keys import plain_key

ATTOM_ID = ("attomid", "attompropertyid", "rtpropertyuniqueidentifier")
TRANSACTION_ID = ("transactionid", "rtuniquefcidentifier", "foreclosureid", "lienid", "recordid")
DELETED_ON = "dbdeletedate"
UPDATED_ON = ("dbupdatedate", "recordlastupdated", "lastupdated", "publicationdate")


@dataclass(frozen=True)
class Column:
    """A field made from the first of some columns, read as one of the kinds of :mod:`bulk_values`."""

    field: str
    kind: str
    names: tuple[str, ...]


def _column(target: str, kind: str, *names: str) -> Column:
    return Column(target, kind, names)


@dataclass(frozen=True)
class Layout:
    """One kind of file. ``wants`` tells it: all of one of the sets must be in the header.

    ``columns`` make fields of the property itself. ``records`` make the entries of a list, one per row, named
    in ``record_list``; the newest by ``newest_by`` also fills the property's own fields in ``current``.
    """

    name: str
    groups: tuple[str, ...]
    wants: tuple[frozenset[str], ...]
    columns: tuple[Column, ...] = ()
    records: tuple[Column, ...] = ()
    record_list: str = ""
    newest_by: tuple[str, ...] = ()
    current: Mapping[str, str] = field(default_factory=dict)

    @property
    def many_rows(self) -> bool:
        """May a property have several rows?"""
        return bool(self.records)


_PLACE = (
    _column("fips", "text", "situsstatecountyfips"),
    _column("apn", "text", "parcelnumberraw", "apnoriginal", "parcelnumberformatted", "apnformatted"),
    _column("site_address", "text", "propertyaddressfull"),
    _column("site_unit", "text", "propertyaddressunitvalue"),
    _column("site_city", "text", "propertyaddresscity"),
    _column("site_state", "text", "propertyaddressstate"),
    _column("site_zip", "text", "propertyaddresszip"),
    _column("municipality", "text", "propertyjurisdictionname"),
    _column("county", "text", "situscounty"),
    _column("longitude", "number", "propertylongitude", "longitude"),
    _column("latitude", "number", "propertylatitude", "latitude"),
    _column("location_accuracy", "text", "geoquality", "geoqualitycode"),
)
TAX_ASSESSOR = Layout(
    "TAX_ASSESSOR",
    ("property", "owner", "tax", "sale"),
    (frozenset({"taxassessedvaluetotal"}), frozenset({"partyowner1namefull", "statusowneroccupiedflag"})),
    (
        *_PLACE,
        _column("property_class", "text", "propertyusegroup"),
        _column("property_use", "text", "propertyusestandardized"),
        _column("category_code", "text", "propertyusestandardized"),
        _column("local_use_code", "text", "propertyusemuni"),
        _column("zoning", "text", "zonedcodelocal"),
        _column("legal_description", "text", "legaldescription"),
        _column("year_built", "year", "yearbuilt"),
        _column("year_built_effective", "year", "yearbuilteffective"),
        _column("lot_acres", "number", "arealotacres"),
        _column("lot_sqft", "number", "arealotsf"),
        _column("building_sqft", "amount", "areabuilding", "areagross"),
        _column("bedrooms", "amount", "bedroomscount"),
        _column("bathrooms", "number", "bathcount"),
        _column("rooms", "amount", "roomscount"),
        _column("stories", "number", "storiescount"),
        _column("units", "amount", "unitscount"),
        _column("owner_1", "text", "partyowner1namefull"),
        _column("owner_2", "text", "partyowner2namefull"),
        _column("owner_3", "text", "partyowner3namefull"),
        _column("owner_4", "text", "partyowner4namefull"),
        _column("owner_is_company", "flag", "companyflag"),
        _column("owner_type", "text", "ownertypedescription1"),
        _column("owner_relationship", "text", "ownershipvestingrelationcode"),
        _column("mailing_address", "text", "contactownermailaddressfull"),
        _column("mailing_city", "text", "contactownermailaddresscity"),
        _column("mailing_state", "text", "contactownermailaddressstate"),
        _column("mailing_zip", "text", "contactownermailaddresszip"),
        _column("owner_occupied", "occupied", "statusowneroccupiedflag"),
        _column("no_solicitation", "mark", "contactownermailinfoprivacy", "propertyaddressinfoprivacy"),
        _column("assessed_total", "amount", "taxassessedvaluetotal"),
        _column("assessed_land", "amount", "taxassessedvalueland"),
        _column("assessed_improvements", "amount", "taxassessedvalueimprovements"),
        _column("assessed_year", "year", "taxyearassessed"),
        _column("market_total", "amount", "taxmarketvaluetotal"),
        _column("market_land", "amount", "taxmarketvalueland"),
        _column("market_improvements", "amount", "taxmarketvalueimprovements"),
        _column("tax_amount", "number", "taxbilledamount"),
        _column("tax_year", "year", "taxfiscalyear"),
        _column("tax_delinquent_year", "year", "taxdelinquentyear"),
        _column("last_sale_date", "day", "deedlastsaledate", "assessorlastsaledate"),
        _column("last_sale_price", "amount", "deedlastsaleprice", "assessorlastsaleamount"),
        _column("last_sale_document_number", "text", "deedlastdocumentnumber"),
    ),
)
_LOAN = (
    ("original_amount", "amount", "openloanamount"),
    ("recording_date", "day", "openloanrecordingdate"),
    ("kind", "text", "openloantype"),
    ("lender", "text", "openloanlendernamefirst"),
    ("lender_last", "text", "openloanlendernamelast"),
    ("rate", "rate", "openloaninterestrate"),
    ("document_number", "text", "openloandocumentnumberformatted"),
)
POSITIONS = ("first", "second", "third")
LOAN_MODEL = Layout(
    "LOAN_MODEL",
    ("equity",),
    (frozenset({"currentfirstpositionopenloanamount"}),),
    (
        _column("loan_to_value", "number", "ltv"),
        _column("available_equity", "signed0", "availableequity"),
        _column("lendable_equity", "signed0", "lendableequity"),
        # Parts of open_loans, put together afterwards.
        *(
            _column(f"{position}.{part}", kind, f"current{position}position{name}")
            for position in POSITIONS
            for part, kind, name in _LOAN
        ),
    ),
)
AVM = Layout(
    "AVM",
    ("avm",),
    (frozenset({"estimatedvalue", "confidencescore"}), frozenset({"estimatedvalue", "valuationdate"})),
    (
        _column("avm_value", "amount", "estimatedvalue"),
        _column(
            "avm_low", "amount", "estimatedminvalue", "estimatedlowvalue", "estimatedvaluelow", "lowvalue"
        ),
        _column(
            "avm_high", "amount", "estimatedmaxvalue", "estimatedhighvalue", "estimatedvaluehigh", "highvalue"
        ),
        _column("avm_score", "amount", "confidencescore"),
        _column("avm_date", "day", "valuationdate"),
    ),
)
# The vendor names the product "propensity to default"; no layout of it is public.
_PROPENSITY_SCORE = (
    "propensityscore",
    "propensitytodefaultscore",
    "propensitytodefaultscore12months",
    "propensitytodefault",
    "defaultpropensityscore",
    "ptdscore",
    "defaultscore",
)
PROPENSITY = Layout(
    "PROPENSITY",
    ("propensity",),
    tuple(frozenset({name}) for name in _PROPENSITY_SCORE),
    (
        _column("propensity_score", "number0", *_PROPENSITY_SCORE),
        _column(
            "propensity_group",
            "text",
            "propensitygroup",
            "propensitytodefaultgroup",
            "propensitytodefaultdecile",
            "propensitycategory",
            "defaultpropensitygroup",
            "ptdgroup",
            "defaultgroup",
        ),
    ),
)
PREFORECLOSURE = Layout(
    "PREFORECLOSURE",
    ("foreclosure",),
    (
        frozenset({"recordtype", "foreclosurerecordingdate"}),
        frozenset({"recordtype", "borrowernameowner"}),
        frozenset({"recordtype", "auctiondate"}),
        frozenset({"fcdocrecordingdate"}),
    ),
    records=(
        _column("foreclosure_id", "text", *TRANSACTION_ID),
        _column("record_type", "text", "recordtype", "rtrecordtype", "fcdoctype"),
        _column("loan_number", "text", "originalloanloannumber"),
        _column(
            "recording_date",
            "day",
            "foreclosurerecordingdate",
            "fcdocrecordingdate",
            "recordingdate",
            "foreclosureinstrumentdate",
        ),
        _column("auction_date", "day", "auctiondate", "fcauctiondate"),
        _column("auction_time", "text", "auctiontime"),
        _column("auction_address", "text", "auctionaddress"),
        _column("judgment_date", "day", "judgmentdate"),
        _column("judgment_amount", "amount", "judgmentamount"),
        _column("default_amount", "amount", "defaultamount"),
        _column("opening_bid", "amount", "recordedauctionopeningbid", "recordedopeningbid"),
        _column("original_loan_amount", "amount", "originalloanamount"),
        _column("original_loan_date", "day", "originalloanrecordingdate"),
        _column("loan_balance", "amount", "loanbalance"),
        _column("case_number", "text", "casenumber"),
        _column("document_number", "text", "foreclosureinstrumentnumber", "foreclosurebookpage"),
        _column("lender", "text", "lendernamefullstandardized", "lendername"),
        _column("trustee", "text", "trusteename"),
        _column("borrower", "text", "borrowernameowner"),
        _column("updated_on", "day", "recordlastupdated"),
    ),
    record_list="foreclosure_records",
    newest_by=("recording_date", "auction_date", "judgment_date", "updated_on"),
    current={
        f"foreclosure_{name}": name
        for name in (
            "record_type",
            "stage",
            "creditor_kind",
            "recording_date",
            "auction_date",
            "judgment_date",
            "judgment_amount",
            "default_amount",
            "opening_bid",
            "case_number",
        )
    },
)
_MORTGAGE = (
    ("amount", "amount", ("amount",)),
    ("rate", "rate", ("interestrate",)),
    ("rate_type", "text", ("interestratetype",)),
    ("lender", "text", ("lendernamefullstandardized", "lendernamelast")),
    ("term", "amount", ("term",)),
    ("term_type", "text", ("termtype",)),
    ("date", "day", ("recordingdate",)),
    ("due_date", "day", ("termdate",)),
    ("loan_type", "text", ("type",)),
    ("document_number", "text", ("documentnumberformatted", "instrumentnumber")),
)
RECORDER = Layout(
    "RECORDER",
    ("sale", "mortgage"),
    (frozenset({"transactionid", "transferamount"}), frozenset({"documenttypecode", "grantor1namefull"})),
    records=(
        _column("sale_date", "day", "instrumentdate", "recordingdate"),
        _column("recording_date", "day", "recordingdate"),
        _column("price", "amount", "transferamount"),
        _column("kind", "text", "documenttypecode"),
        _column("document_number", "text", "documentnumberformatted", "instrumentnumber"),
        _column("quitclaim", "flag", "quitclaimflag"),
        _column("seller", "text", "grantor1namefull"),
        _column("buyer", "text", "grantee1namefull"),
        *(
            _column(f"mortgage{n}.{part}", kind, *(f"mortgage{n}{name}" for name in names))
            for n in (1, 2)
            for part, kind, names in _MORTGAGE
        ),
    ),
    record_list="sale_history",
    newest_by=("sale_date", "recording_date"),
    current={
        "last_sale_date": "sale_date",
        "last_sale_recording_date": "recording_date",
        "last_sale_price": "price",
        "last_sale_kind": "kind",
        "last_sale_document_number": "document_number",
        "last_sale_is_nominal": "is_nominal",
        "last_seller": "seller",
        "last_buyer": "buyer",
    },
)
LIENS = Layout(
    "LIENS",
    ("liens",),
    (
        frozenset({"lientype"}),
        frozenset({"lienamount"}),
        frozenset({"liendate"}),
        frozenset({"lienrecordingdate"}),
        frozenset({"judgmentamount", "creditorname"}),
        frozenset({"judgmentamount", "plaintiffname"}),
    ),
    records=(
        _column("kind", "text", "lientype", "documenttypecode", "judgmenttype"),
        _column("amount", "amount", "lienamount", "judgmentamount", "amount"),
        _column("recording_date", "day", "lienrecordingdate", "liendate", "recordingdate", "judgmentdate"),
        _column(
            "creditor", "text", "creditorname", "lienholdername", "lienholder", "creditor", "plaintiffname"
        ),
        _column("debtor", "text", "debtorname", "debtor", "defendantname", "ownername"),
        _column("document_number", "text", "liendocumentnumber", "documentnumber", "documentnumberformatted"),
        _column("released_on", "day", "releasedate", "lienreleasedate"),
    ),
    record_list="lien_records",
    newest_by=("recording_date",),
)
# The most telling first: a preforeclosure file too has an estimated value and a transaction id.
LAYOUTS = (TAX_ASSESSOR, LOAN_MODEL, PREFORECLOSURE, RECORDER, PROPENSITY, LIENS, AVM)
# What file names say, the longer words first: a list of deletions has no columns that tell its dataset.
_NAMES = {
    "taxassessor": TAX_ASSESSOR,
    "preforeclosure": PREFORECLOSURE,
    "foreclosure": PREFORECLOSURE,
    "loanmodel": LOAN_MODEL,
    "recorder": RECORDER,
    "assessor": TAX_ASSESSOR,
    "propensity": PROPENSITY,
    "lien": LIENS,
    "avm": AVM,
}


def dataset_named(name: str) -> str | None:
    """The dataset that a file name speaks of; None where it names none."""
    words = plain_key(name)
    return next((layout.name for word, layout in _NAMES.items() if word in words), None)
