"""A parcel report as text: one section after the other, long tables shortened, nothing left unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadflow_assets.cli import parcel_layout as tables
from leadflow_assets.cli.output import emit_rows, note
from leadflow_assets.cli.parcel_cases import show_cases
from leadflow_assets.cli.parcel_layout import counted, heading, line, money, table
from leadflow_assets.cli.parcel_scores import show_scores
from leadflow_assets.cli.parcel_vendor import show_vendor, show_vendor_counts
from leadflow_assets.cli.parcel_worth import show_worth

if TYPE_CHECKING:
    from leadflow_assets.search.parcel.holdings import OwnerHoldings
    from leadflow_assets.search.parcel.model import Unit
    from leadflow_assets.search.parcel.report import ParcelReport

_MOST_OWNERS = 3


def show(report: ParcelReport, named: str | None) -> None:
    """Print the report; ``named`` is the property to show whole where there are several."""
    _parcel(report)
    whole = [u for u in report.units if len(report.units) == 1 or u.property_id == named]
    if len(report.units) > 1:
        _units(report)
    for unit in whole:
        _unit(unit)
        show_vendor(unit)
        show_worth(unit)
    _values(report, whole)
    _holdings(report)
    _interests(report)
    show_scores(report.scores, [unit.property_id for unit in whole])
    show_cases(report.cases)
    _comparables(report)
    _sources(report)
    heading("Not known")
    for gap in report.unknowns:
        line(gap.what[0].upper() + gap.what[1:], f"{gap.why}. To fill it: {gap.filled_by}.", wide=True)
    for text in report.notes:
        note(text)


def _parcel(report: ParcelReport) -> None:
    found = report.parcel
    if found is None:
        heading(f"Record without a polygon, {report.town}")
        return
    heading(f"Parcel {found.loc_id}, {report.town}")
    line("Type", f"{found.poly_type}: {found.poly_type_meaning}")
    sheet = f", sheet {found.map_no}" if found.map_no else ""
    line("Assessor's map", f"{found.map_par_id}{sheet}" if found.map_par_id else None)
    line("Area", f"{found.area_sqft:,.0f} sq ft = {found.area_acres:,.2f} acres, from the polygon")
    line("Place", f"{found.lat:.6f}, {found.lon:.6f} (latitude, longitude)")
    inside = {True: "lies in it", False: "does not lie in it", None: "is malformed"}[found.loc_id_inside]
    edited = f"last edited {found.last_edit}; " if found.last_edit else ""
    repaired = f"; repaired: {found.geometry_repair}" if found.geometry_repair else ""
    line("Outline", f"{edited}LOC_ID's point {inside}{repaired}; as WKB in --json")
    if report.pieces:
        pieces = [f"{p.map_par_id or 'no id'} ({p.area_sqft:,.0f} sq ft)" for p in report.pieces]
        line("Deeded pieces", f"{len(pieces)}: {', '.join(pieces)}")
    if not report.units:
        line("Records", "none: no assessment record names this polygon")


def _units(report: ParcelReport) -> None:
    units = [unit for unit in report.units if not unit.is_condominium_master]
    masters = [unit.property_id for unit in report.units if unit.is_condominium_master]
    heading(f"{len(report.units)} assessment records on the parcel")
    line("Assessed", f"{money(sum(unit.total_value or 0 for unit in units))} in all")
    line("Uses", counted(unit.use_description or unit.use_code or "unknown" for unit in units))
    line("Owners", counted(unit.owners.type for unit in units))
    line("Occupancy", counted(unit.owners.occupancy for unit in units))
    show_vendor_counts(report.units)
    line("Master records", f"{', '.join(masters)}: no value and no owner, not units" if masters else None)
    rows = [
        {
            "property_id": unit.property_id,
            "address": " ".join(filter(None, (unit.site_address, unit.unit and f"unit {unit.unit}"))),
            "owner": "(master record)" if unit.is_condominium_master else unit.owners.name,
            "occupancy": unit.owners.occupancy.replace("_", " "),
            "total_value": unit.total_value,
            "sale_date": unit.sale.sale_date,
        }
        for unit in report.units
    ]
    table(rows, tables.UNITS, "--unit PROPERTY shows one whole, --json all")


def _unit(unit: Unit) -> None:
    master = ", master record: no value, no owner, not a unit" if unit.is_condominium_master else ""
    heading(f"Property {unit.property_id}{master}")
    town = " ".join(filter(None, (unit.city, unit.zip)))
    line("Address", ", ".join(filter(None, (unit.site_address, unit.unit and f"unit {unit.unit}", town))))
    line("Use", f"{unit.use_code or 'no code'}: {unit.use_description or 'unknown'} ({unit.category})")
    built = [
        f"{unit.building_sqft:,} sq ft" if unit.building_sqft else "",
        f"built {unit.year_built}" if unit.year_built else "",
        f"{unit.units} dwelling unit{'s' if unit.units > 1 else ''}" if unit.units else "",
        f"{unit.rooms} rooms" if unit.rooms else "",
        f"{unit.stories} stories" if unit.stories else "",
        unit.style or "",
    ]
    line("Building", ", ".join(filter(None, built)) or "none recorded")
    lot = f"{unit.lot_acres:,.2f} acres by deed" if unit.lot_acres else "no deeded size recorded"
    ratio = unit.lot_to_parcel_ratio
    if ratio is not None and not 0.7 <= ratio <= 1.4:
        lot += f", {ratio:.2f} times the polygon (0.7 to 1.4 is usual: one of the two may be wrong)"
    line("Lot", lot + (f", zoned {unit.zoning}" if unit.zoning else ""))
    if unit.total_value_is_sum:
        line(
            "Assessed",
            f"{money(unit.total_value or 0)}: the sum of its parts (total published as 0)",
        )
    _owners(unit)
    _sale(unit)


def _owners(unit: Unit) -> None:
    from leadflow_assets.search.parcel.words import ROLES

    owners = unit.owners
    line("Owner", owners.name or "not published")
    line(
        "Read as",
        "; ".join(f"{party.name} ({ROLES.get(party.role, party.role)})" for party in owners.parties),
    )
    line("Owner type", f"{owners.type} (rule {owners.type_rule}: {owners.type_meaning})")
    flags = {
        "a second owner was cut off by the source": owners.co_owner_missing,
        "life estate": owners.life_estate,
        "held by a trustee": owners.trustee,
        "TAX TITLE: the town has or seeks the title for unpaid taxes": owners.tax_title,
    }
    line("Marks", "; ".join(text for text, on in flags.items() if on))
    line("Care of", owners.care_of)
    mail = owners.mailing
    sent = ", ".join(filter(None, (mail.address, mail.city, mail.state, mail.zip, mail.country)))
    line("Mail goes to", sent + (" (none published: the property's own)" if mail.is_site else ""))
    line("Occupancy", f"{owners.occupancy_meaning}: {owners.occupancy_why}")


def _sale(unit: Unit) -> None:
    sale = unit.sale
    held = f" ({sale.tenure_years:g} years ago)" if sale.tenure_years is not None else ""
    price = money(sale.price) if sale.price is not None else "no price"
    line("Last sale", f"{sale.sale_date or 'no date'}{held}, {price}: {sale.verdict}")
    line("", sale.why)
    deed = f"book {sale.deed_book}, page {sale.deed_page or '?'}" if sale.deed_book else "not published"
    line("Deed", deed + (f", registry id {sale.registry_id}" if sale.registry_id else ""))
    if sale.value_change is not None:
        rate = f", {sale.annual_rate:+.2f} % a year" if sale.annual_rate is not None else ""
        share = f" ({sale.value_change_percent:+.1f} %{rate})"
        line("Since then", f"{money(sale.value_change, '+')}{share}: {sale.definition}")


def _values(report: ParcelReport, whole: Sequence[Unit]) -> None:
    if not report.units:
        return
    heading(f"Assessed values: {report.history}")
    for unit in whole:
        changes = (("owner", "owner_changed"), ("sale", "sale_changed"))
        rows = [
            {**vars(past), "changes": [word for word, name in changes if getattr(past, name)]}
            for past in unit.value_history
        ]
        emit_rows(rows, tables.VALUES, False)
    if whole or len(report.releases) < 2:
        return
    past = [value for unit in report.units for value in unit.value_history]
    sums = []
    for release in report.releases:
        there = [value for value in past if value.release == release]
        changed = [value.owner_changed for value in there if value.owner_changed is not None]
        total = sum(value.total_value or 0 for value in there)
        count = sum(changed) if changed else None
        sums.append({"release": release, "records": len(there), "total": total, "owners_changed": count})
    emit_rows(sums, tables.SUMS, False)


def _holdings(report: ParcelReport) -> None:
    if not report.holdings:
        return
    searched = f"{report.towns_searched} town{'s' if report.towns_searched > 1 else ''} searched"
    heading(f"Other holdings of the owners ({searched})")
    several = len(report.holdings) > 1
    with_more = [held for held in report.holdings if held.same_owner_total or held.same_address_total]
    if several:
        line(
            "Owners",
            f"{len(report.holdings)} here; {len(with_more)} of them share a mailing address elsewhere",
        )
    shown = sorted(with_more, key=lambda held: (-held.same_owner_total, -held.same_address_total))
    for held in shown[:_MOST_OWNERS] if several else report.holdings:
        if several:
            line("Owner", f"{held.owner_name or 'not published'} ({len(held.properties_here)} here)")
        _holdings_of(held)
    if len(shown) > _MOST_OWNERS:
        line("", f"... and {len(shown) - _MOST_OWNERS} other owners, in --json")


def _holdings_of(held: OwnerHoldings) -> None:
    worth = f", assessed {money(held.same_owner_value)}" if held.same_owner_total else ""
    line("Same owner", f"{held.same_owner_total:,} more under the same name and mailing address{worth}")
    table([vars(row) for row in held.same_owner], tables.HOLDINGS, "more in --json", held.same_owner_total)
    line("Same address", f"{held.same_address_total:,} under other names at that mailing address")
    if held.same_address:
        rows = [vars(row) for row in held.same_address]
        table(rows, tables.AT_ADDRESS, "more in --json", held.same_address_total)
    line("Same name", f"{held.same_name_elsewhere:,} at other addresses: a name alone proves nothing")
    line("Remark", held.remark)


def _interests(report: ParcelReport) -> None:
    if report.parcel is None:
        return
    heading("Easements, restrictions and other interests")
    if not report.interests:
        line("None mapped", "the town's package has none here; the registry may", wide=True)
        return
    rows = []
    for found in report.interests:
        deed = "/".join(filter(None, (found.deed_book, found.deed_page))) or "not given"
        rows.append({**vars(found), "deed": deed})
    table(rows, tables.INTERESTS, "more in --json")


def _comparables(report: ParcelReport) -> None:
    found = report.comparables
    heading("Neighbours' market sales")
    if found.subject:
        line("Compared", f"{found.subject}, {found.subject_is}")
    if found.sales_until:
        line("Searched", f"{found.searched}; sold {found.sales_after} to {found.sales_until}")
        line("Widened", "; ".join(found.widened))
        line("Newest known", f"{found.newest_sale_known}, the newest market sale in the town's data here")
    if found.sales:
        rows = [vars(sale) for sale in found.sales]
        table(rows, tables.SALES, "", found.candidates)
    worth = found.estimate
    if worth is None:
        line("No estimate", found.no_estimate_because)
        return
    line("Estimate", f"{money(worth.value)} ({money(worth.low)} to {money(worth.high)}), {worth.sales} sales")
    line("", f"{worth.label}: {worth.method}")
    if worth.by_assessed_value is not None:
        line(
            "By assessed",
            f"{money(worth.by_assessed_value)}, by the median ratio to assessed values",
        )
    for text in found.cautions:
        line("", text)


def _sources(report: ParcelReport) -> None:
    heading("Sources")
    rows = [
        {**vars(fact), "fetched_on": fact.fetched_at.date() if fact.fetched_at else None}
        for fact in report.sources
    ]
    emit_rows(rows, tables.SOURCES, False)
    receipt = report.receipt
    if receipt:
        line(
            "Package", f"{receipt['file_name']}, sha256 {str(receipt['sha256'])[:16]}, from {receipt['url']}"
        )
        line("Kept at", str(receipt["stored_at"]))
