"""What a parcel report holds: plain frozen values, every figure with its unit, nothing computed here.

Dollars, years and square feet unless a name says otherwise. None means not known; why it is not stands
among the report's unknowns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from leadflow_assets.search.parcel.vendor import VendorFacts
from leadflow_assets.search.parcel.worth import Worth


@dataclass(frozen=True)
class ParcelFacts:
    """The polygon. ``outline_wkb`` is a MultiPolygon in EPSG:26986 metres."""

    loc_id: str
    map_par_id: str | None
    map_no: str | None
    poly_type: str
    poly_type_meaning: str
    area_sqft: float
    area_acres: float
    perimeter_ft: float
    lon: float
    lat: float
    point_x: float
    point_y: float
    loc_id_inside: bool | None
    geometry_repair: str | None
    polygon_source: str | None
    plan_id: str | None
    last_edit: date | None
    release: str
    outline_wkb: bytes


@dataclass(frozen=True)
class Piece:
    """One of the deeded pieces that a TAX parcel dissolves."""

    map_par_id: str | None
    area_sqft: float
    deed_book: str | None
    deed_page: str | None
    registry_id: str | None


@dataclass(frozen=True)
class PastValue:
    """A property in one release. ``matched_by`` says how it was recognised there.

    ``owner_changed``, ``sale_changed`` and ``total_change`` (dollars) compare with the release before;
    None in the first one.
    """

    release: str
    fiscal_year: int
    loc_id: str | None
    land_value: int | None
    building_value: int | None
    other_value: int | None
    total_value: int | None
    total_change: int | None
    total_change_percent: float | None
    owner_changed: bool | None
    sale_date: date | None
    sale_price: int | None
    sale_changed: bool | None
    matched_by: str


@dataclass(frozen=True)
class Sale:
    """The last sale. ``verdict`` is market, nominal, bulk or unknown; ``why`` says it in words.

    ``annual_rate`` is percent a year; ``definition`` says from when to when.
    """

    sale_date: date | None
    date_status: str
    price: int | None
    verdict: str
    why: str
    records_on_deed: int | None
    deed_book: str | None
    deed_page: str | None
    registry_id: str | None
    tenure_years: float | None
    value_change: int | None
    value_change_percent: float | None
    annual_rate: float | None
    definition: str


@dataclass(frozen=True)
class OwnerParty:
    """One party of the owner's text, with its role and how sure the reading is (0 to 1)."""

    name: str
    role: str
    is_person: bool
    confidence: float | None


@dataclass(frozen=True)
class Mailing:
    """Where the tax bill goes. ``is_site``: none was given, so by the standard it goes to the property."""

    address: str | None
    city: str | None
    state: str | None
    zip: str | None
    country: str | None
    is_site: bool


@dataclass(frozen=True)
class Ownership:
    """Who owns, as published and as read. ``type_rule`` is the number of the rule that decided."""

    name: str | None
    type: str
    type_meaning: str
    type_rule: int
    parties: tuple[OwnerParty, ...]
    care_of: str | None
    co_owner_missing: bool
    life_estate: bool
    trustee: bool
    tax_title: bool
    mailing: Mailing
    occupancy: str
    occupancy_meaning: str
    occupancy_reason: str
    occupancy_why: str


@dataclass(frozen=True)
class Unit:
    """One assessment record on the parcel: what is assessed, who owns it, its last sale, its history."""

    property_id: str
    prop_id: str | None
    cama_id: str | None
    parcel_match: str
    is_condominium_master: bool
    site_address: str | None
    unit: str | None
    city: str | None
    zip: str | None
    category: str
    use_code: str | None
    use_description: str | None
    use_resolved_from: str | None
    total_value: int | None
    total_value_is_sum: bool
    land_value: int | None
    building_value: int | None
    other_value: int | None
    lot_acres: float | None
    lot_sqft: float | None
    lot_to_parcel_ratio: float | None
    building_sqft: int | None
    residential_sqft: int | None
    year_built: int | None
    units: int | None
    units_source: str | None
    units_low: int | None
    units_high: int | None
    rooms: int | None
    style: str | None
    stories: str | None
    zoning: str | None
    fiscal_year: int
    release: str
    owners: Ownership
    sale: Sale
    vendor: VendorFacts
    worth: Worth
    value_history: tuple[PastValue, ...]


@dataclass(frozen=True)
class Interest:
    """A legal interest whose area overlaps the parcel (touching edges do not count)."""

    interest_id: str
    legal_type: str | None
    meaning: str
    overlap_sqft: float
    share_percent: float
    mean_width_ft: float
    map_par_id: str | None
    deed_book: str | None
    deed_page: str | None
    registry_id: str | None
    geometry_repair: str | None
    remark: str


@dataclass(frozen=True)
class Comparable:
    """A neighbour's market sale. ``difference`` is what the order is by: 0 would be the very same house."""

    property_id: str
    town: str
    loc_id: str | None
    site_address: str | None
    use_code: str | None
    same_parcel: bool
    distance_m: float
    distance_miles: float
    sale_date: date
    sale_price: int
    building_sqft: int | None
    building_difference_percent: float | None
    price_per_sqft: float | None
    price_to_assessed: float | None
    year_built: int | None
    difference: float


@dataclass(frozen=True)
class Estimate:
    """What neighbours' sales suggest: median with quartiles, dollars. Not an appraisal.

    ``by_assessed_value`` is the second opinion: median ratio of price to assessed value, times this one's.
    """

    label: str
    value: int
    low: int
    high: int
    sales: int
    method: str
    median_rate: float
    by_assessed_value: int | None


@dataclass(frozen=True)
class Comparables:
    """Neighbours' sales for one property of the parcel, how they were chosen, and what they suggest."""

    subject: str | None
    subject_is: str
    searched: str = "nothing"
    widened: tuple[str, ...] = ()
    sales_after: date | None = None
    sales_until: date | None = None
    newest_sale_known: date | None = None
    candidates: int = 0
    sales: tuple[Comparable, ...] = ()
    estimate: Estimate | None = None
    no_estimate_because: str = ""
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unknown:
    """Something the report cannot say, why, and what would fill it.

    ``properties`` are the ones concerned; empty: the whole parcel.
    """

    what: str
    why: str
    filled_by: str
    properties: tuple[str, ...] = ()
