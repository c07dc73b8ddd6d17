"""Core tables of MassGIS: one per member table of a package. Columns keep the source's names.

``docs/tables/`` is generated from these classes. Order of columns is the order in the files.
"""

from __future__ import annotations

from pandera.typing import Series

from leadflow_assets.domain import sales, use_codes
from leadflow_assets.lake.columns import (
    Bbox,
    Bool,
    Date,
    Double,
    Int32,
    Int64,
    TableModel,
    Text,
    Wkb,
    column,
)

POLY_TYPES = ("FEE", "TAX", "ROW", "PRIV_ROW", "RAIL_ROW", "WATER")
PARCEL_MATCHES = ("matched", "loc_id_null", "loc_id_dangling")
DISPOSITIONS = ("dropped", "kept")


class Parcels(TableModel):
    """One TaxPar polygon of any POLY_TYPE."""

    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    loc_id: Series[Text] = column("LOC_ID: id made from a point inside the polygon; not permanent")
    poly_type: Series[Text] = column("FEE, TAX, ROW, PRIV_ROW, RAIL_ROW, WATER", isin=POLY_TYPES)
    map_par_id: Series[Text] = column("Id on the assessor's map; null for TAX", nullable=True)
    map_no: Series[Text] = column("Assessor's map sheet", nullable=True)
    source: Series[Text] = column("ASSESS, SUBDIV, ANR, ROAD_LAYOUT, OTHER", nullable=True)
    plan_id: Series[Text] = column("Plan reference", nullable=True)
    last_edit_raw: Series[Text] = column("LAST_EDIT as published, YYYYMMDD", nullable=True)
    last_edit: Series[Date] = column("Day of the polygon's last edit", nullable=True)
    bnd_chk: Series[Text] = column("Boundary check: null, CC, NR, OK", nullable=True)
    no_match: Series[Text] = column("Y: left out of match rates on purpose; else N", nullable=True)
    town_id_in_row: Series[Int32] = column("TOWN_ID as it stands in the row (352: Devens)", nullable=True)
    loc_id_letter: Series[Text] = column("F: survey feet, M: metres; null if malformed", nullable=True)
    loc_id_inside: Series[Bool] = column("Does LOC_ID's point lie in the polygon?", nullable=True)
    geometry_repair: Series[Text] = column("What was invalid before repair; null if valid", nullable=True)
    area_m2: Series[Double] = column("Planar area, square metres", ge=0)
    perimeter_m: Series[Double] = column("Perimeter, metres", ge=0)
    point_x: Series[Double] = column("A point inside the polygon, EPSG:26986 metres east")
    point_y: Series[Double] = column("A point inside the polygon, EPSG:26986 metres north")
    lon: Series[Double] = column("Longitude of that point, degrees WGS 84", ge=-75, le=-69)
    lat: Series[Double] = column("Latitude of that point, degrees WGS 84", ge=40, le=44)
    fy: Series[Int32] = column("Fiscal year of the package's assessment", ge=2000, le=2100)
    cy: Series[Int32] = column("Calendar year of the package; null in old packages", nullable=True)
    release: Series[Text] = column("Release of the package, for example CY25_FY26")
    bbox: Series[Bbox] = column("Bounding box, EPSG:26986 metres")
    geometry: Series[Wkb] = column("MultiPolygon, EPSG:26986")


class Assessments(TableModel):
    """One Assess record of the current release."""

    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    assessment_id: Series[Text] = column("Key of the record: town, release, and hash of its content")
    prop_id: Series[Text] = column("PROP_ID: assessor's property id; not always unique", nullable=True)
    cama_id: Series[Text] = column("Record id in the assessor's system", nullable=True)
    loc_id: Series[Text] = column("LOC_ID of the polygon", nullable=True)
    parcel_match: Series[Text] = column("Is there a polygon for it?", isin=PARCEL_MATCHES)
    bldg_val: Series[Int64] = column("Assessed value of buildings, dollars", nullable=True)
    land_val: Series[Int64] = column("Assessed value of land, dollars", nullable=True)
    other_val: Series[Int64] = column("Assessed value of other structures, dollars", nullable=True)
    total_val: Series[Int64] = column("Assessed total as published, dollars", nullable=True)
    fy: Series[Int32] = column("Fiscal year of the assessment", ge=2000, le=2100)
    cy: Series[Int32] = column("Calendar year of the package; null in old packages", nullable=True)
    release: Series[Text] = column("Release of the package, for example CY25_FY26")
    lot_size: Series[Double] = column("Deed area in lot_units; 0 means not recorded", nullable=True)
    lot_units: Series[Text] = column("S: square feet, A: acres", nullable=True, isin=("S", "A"))
    ls_date_raw: Series[Text] = column("Last sale date as published", nullable=True)
    ls_date: Series[Date] = column("Last sale date where it is one", nullable=True)
    ls_date_status: Series[Text] = column("What the published date is", isin=sales.DATE_STATUSES)
    ls_price: Series[Int64] = column("Last sale price, dollars; 0 means not recorded", nullable=True)
    ls_nominal: Series[Bool] = column("Price below 1,000 dollars: not a market sale", nullable=True)
    ls_deed_rows: Series[Int32] = column("Records of the town on the same deed", nullable=True, ge=1)
    ls_bulk: Series[Bool] = column("Three or more records on one deed: the price is not this record's")
    ls_book: Series[Text] = column("Registry of deeds book", nullable=True)
    ls_page: Series[Text] = column("Registry of deeds page", nullable=True)
    reg_id: Series[Text] = column("Land court or probate reference", nullable=True)
    use_code: Series[Text] = column("Use code, zeros kept, upper case", nullable=True)
    site_addr: Series[Text] = column("Site address as published, single spaces", nullable=True)
    addr_num: Series[Text] = column("Number, range or fraction; null where published as 0", nullable=True)
    full_str: Series[Text] = column("Full street name", nullable=True)
    location: Series[Text] = column("Unit, rear, side", nullable=True)
    city: Series[Text] = column("Site town as published", nullable=True)
    zip: Series[Text] = column("Site ZIP as published", nullable=True)
    owner1: Series[Text] = column("Owner as published", nullable=True, pii=True)
    own_addr: Series[Text] = column("Mailing address; null: same as the site", nullable=True, pii=True)
    own_city: Series[Text] = column("Mailing city", nullable=True, pii=True)
    own_state: Series[Text] = column("Mailing state", nullable=True, pii=True)
    own_zip: Series[Text] = column("Mailing ZIP as published", nullable=True, pii=True)
    own_co: Series[Text] = column("Mailing country as published", nullable=True, pii=True)
    zoning: Series[Text] = column("Zoning code kept by the assessor", nullable=True)
    year_built: Series[Int32] = column("Year built; null: not recorded", nullable=True)
    bld_area: Series[Int64] = column("Building area, square feet; 0: not recorded", nullable=True)
    units: Series[Int32] = column("Units; null: not recorded", nullable=True)
    res_area: Series[Int64] = column("Residential area, square feet; 0: not recorded", nullable=True)
    style: Series[Text] = column("Style, text or code", nullable=True)
    stories: Series[Text] = column("Stories as text (2.75, 2A); a code in some towns", nullable=True)
    num_rooms: Series[Int32] = column("Rooms; null: not recorded", nullable=True)
    town_id_in_row: Series[Int32] = column("TOWN_ID as it stands in the row (352: Devens)", nullable=True)


class AssessmentReleases(Assessments):
    """One Assess record of one release; every release ever ingested stays."""


class ParcelInterests(TableModel):
    """One OthLeg polygon: an easement, restriction or other legal interest, or a part of a TAX parcel."""

    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    interest_id: Series[Text] = column("Key: hash of what the row says and where it lies to ten metres")
    legal_type: Series[Text] = column("EASE, CR, APR, FEE, PRIV_ROW, ROW_OVER ...", nullable=True)
    legal_type_description: Series[Text] = column("Meaning from the package's code table", nullable=True)
    map_par_id: Series[Text] = column("Id on the assessor's map", nullable=True)
    taxpar_id: Series[Text] = column("LOC_ID of the TAX polygon this FEE piece belongs to", nullable=True)
    ls_book: Series[Text] = column("Registry of deeds book", nullable=True)
    ls_page: Series[Text] = column("Registry of deeds page", nullable=True)
    reg_id: Series[Text] = column("Land court or probate reference", nullable=True)
    town_id_in_row: Series[Int32] = column("TOWN_ID as it stands in the row", nullable=True)
    geometry_repair: Series[Text] = column("What was invalid before repair; null if valid", nullable=True)
    area_m2: Series[Double] = column("Planar area, square metres", ge=0)
    release: Series[Text] = column("Release of the package, for example CY25_FY26")
    bbox: Series[Bbox] = column("Bounding box, EPSG:26986 metres")
    geometry: Series[Wkb] = column("MultiPolygon, EPSG:26986")


class MiscFeatures(TableModel):
    """One Misc polygon: wetland, island, water and the like."""

    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    feature_id: Series[Text] = column("Key: hash of what the row says and where it lies to ten metres")
    misc_type: Series[Text] = column(
        "WETLAND, ISLAND, TRAFFIC_ISLAND, WATER, OUTSIDE, BLDG ...", nullable=True
    )
    misc_type_description: Series[Text] = column("Meaning from the package's code table", nullable=True)
    town_id_in_row: Series[Int32] = column("TOWN_ID as it stands in the row", nullable=True)
    geometry_repair: Series[Text] = column("What was invalid before repair; null if valid", nullable=True)
    area_m2: Series[Double] = column("Planar area, square metres", ge=0)
    release: Series[Text] = column("Release of the package, for example CY25_FY26")
    bbox: Series[Bbox] = column("Bounding box, EPSG:26986 metres")
    geometry: Series[Wkb] = column("MultiPolygon, EPSG:26986")


class UseCodes(TableModel):
    """One use code of a town's table or records, with what it means there."""

    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    use_code: Series[Text] = column("Use code, zeros kept, upper case")
    description: Series[Text] = column("What the code means in this town", nullable=True)
    resolved_from: Series[Text] = column("Where the meaning came from", isin=use_codes.SOURCES)
    category: Series[Text] = column("Class by the first digit", isin=use_codes.CATEGORIES)
    state_description: Series[Text] = column("The state's meaning", nullable=True)
    local_description: Series[Text] = column("The town's own meaning", nullable=True)
    units_low: Series[Int32] = column("Fewest dwelling units the code implies", nullable=True)
    units_high: Series[Int32] = column("Most dwelling units the code implies; null: no limit", nullable=True)
    records: Series[Int32] = column("Assess records of the town with this code", ge=0)
    release: Series[Text] = column("Release of the package, for example CY25_FY26")


class Quarantine(TableModel):
    """One row of a source that was dropped, or kept with a reservation, and why."""

    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    member: Series[Text] = column("Member table of the package: TaxPar, Assess, OthLeg, Misc, UC_LUT")
    row_number: Series[Int64] = column("Row in the member, from 1", ge=1)
    reason: Series[Text] = column("Why, as a stable word")
    disposition: Series[Text] = column("dropped, or kept in the clean table", isin=DISPOSITIONS)
    dollars: Series[Int64] = column("Assessed total of the row, dollars", nullable=True)
    detail: Series[Text] = column("More about the reason", nullable=True)
    release: Series[Text] = column("Release of the package, for example CY25_FY26")
    raw_values: Series[Text] = column("The row as read, JSON without geometry", pii=True)
