"""What a parcel report cannot say, why not, and what would fill it. Nothing found is not nothing there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leadflow_assets.domain.purging import WITHHELD
from leadflow_assets.domain.towns import HIGHEST_TOWN_ID
from leadflow_assets.search.parcel import words as words
from leadflow_assets.search.parcel.asked import Inquiries
from leadflow_assets.search.parcel.model import ParcelFacts, Unit, Unknown

_ASSESSOR = "the assessor's next release, or the assessor's property card"
_LENGTHY = "a title search at the registry of deeds"
# What no assessor's roll says of any property.
_ALWAYS = (
    Unknown("vacancy", "nobody counts empty buildings in the roll; a vacant-land use code is not vacancy",
            "ATTOM data, or a visit"),
    Unknown("phone numbers and e-mail of owners", "the roll has none", "skip tracing, once it is connected"),
    Unknown("sales before the last one", "the roll keeps one sale per record", _LENGTHY),
)  # fmt: skip
_ATTOM = "ATTOM data (`leadflow enrich` with ATTOM_API_KEY, or ATTOM's files)"
# What ATTOM may say: the group it belongs to, whether it is known, what it is, what would fill it.
_OF_ATTOM: tuple[tuple[str, Callable[[Unit], bool], str, str], ...] = (
    ("mortgages", lambda unit: unit.vendor.mortgages is not None, "mortgages", _ATTOM),
    ("equity", lambda unit: unit.vendor.equity is not None, "loans and equity", _ATTOM),
    (
        "tax",
        lambda unit: unit.vendor.tax is not None and unit.vendor.tax.delinquent_year is not None,
        "unpaid taxes",
        "the town's collector, or ATTOM's files",
    ),
    (
        "foreclosure",
        lambda unit: unit.vendor.foreclosure is not None,
        "foreclosure notices (none reported is not none)",
        _ATTOM,
    ),
    ("valuation", lambda unit: unit.vendor.valuation is not None, "a market value by a model", _ATTOM),
    ("propensity", lambda unit: unit.vendor.propensity is not None, "propensity to default", "ATTOM's files"),
    ("liens", lambda unit: unit.vendor.liens is not None, "liens and judgments", "ATTOM's files"),
)
_Test = Callable[[Unit], bool]


def _has_building(unit: Unit) -> bool:
    return (unit.building_value or 0) > 0


# What may be missing in a record: the test, what, why, what would fill it.
_OF_UNITS: tuple[tuple[_Test, str, str, str], ...] = (
    (
        lambda unit: unit.parcel_match != "matched",
        "where it lies",
        "the record has no polygon: its LOC_ID is missing or matches none",
        "the town's next package, or the assessor's map",
    ),
    (
        lambda unit: unit.owners.name is None and not unit.is_condominium_master,
        "the owner",
        "no owner is published for the record",
        _ASSESSOR,
    ),
    (
        lambda unit: unit.owners.name == WITHHELD,
        "the owner, the mailing address and whether the owner lives there",
        WITHHELD,
        "nothing: it stays withheld",
    ),
    (
        lambda unit: unit.owners.co_owner_missing,
        "a second owner",
        "the name ends in & or +: the source cut the second owner off",
        "the deed at the registry",
    ),
    (
        lambda unit: unit.owners.mailing.is_site,
        "a mailing address of its own",
        "none is published; by the standard the property's own address stands for it",
        _ASSESSOR,
    ),
    (
        lambda unit: unit.owners.occupancy == "uncertain" and unit.owners.name != WITHHELD,
        "whether the owner lives there",
        "the two addresses are alike but not equal, or one cannot be read",
        "the town's residential exemptions, or a visit",
    ),
    (lambda unit: unit.zip is None, "the ZIP", "blank or not five digits in the source", "geocoding"),
    (lambda unit: unit.site_address is None, "the site address", "blank in the source", _ASSESSOR),
    (
        lambda unit: unit.year_built is None and _has_building(unit),
        "the year built",
        "0, blank or impossible in the source",
        _ASSESSOR,
    ),
    (
        lambda unit: unit.building_sqft is None and _has_building(unit),
        "the building's size",
        "0 in the source, which means not recorded",
        _ASSESSOR,
    ),
    (
        lambda unit: unit.lot_acres is None and not unit.is_condominium_master,
        "the deeded lot size",
        "0 in the source, which means not recorded (usual for condominium units); see the polygon's area",
        "the deed or plan at the registry",
    ),
    (
        lambda unit: unit.units is None and unit.category in ("residential", "mixed") and _has_building(unit),
        "how many dwelling units",
        "0 in the source, and the use code does not fix a number",
        _ASSESSOR,
    ),
    (
        lambda unit: unit.use_description is None,
        "what the use code means",
        "neither the town's table nor the state's has the code",
        "the assessor's office",
    ),
    (
        lambda unit: unit.sale.sale_date is None and not unit.is_condominium_master,
        "when it was last sold",
        "no usable date in the source",
        _LENGTHY,
    ),
    (
        lambda unit: unit.sale.verdict != "market" and not unit.is_condominium_master,
        "what it was last bought for on the market",
        "the last transfer is no market sale, or its price or date is missing",
        _LENGTHY,
    ),
    (
        lambda unit: unit.sale.deed_book is None and not unit.is_condominium_master,
        "the deed",
        "no book and page are published",
        "the registry of deeds, by name",
    ),
)


def unknowns_of(
    parcel: ParcelFacts | None,
    units: Sequence[Unit],
    inquiries: Inquiries,
    cases: Sequence[Unknown],
    *,
    releases: int,
    towns_held: int,
) -> tuple[Unknown, ...]:
    """Everything that is missing, the parcel's own gaps first, what no source here has last.

    ``cases`` are the gaps that court cases leave.
    """
    told = list(_of_parcel(parcel, units))
    for test, what, why, filled_by in _OF_UNITS:
        concerned = tuple(unit.property_id for unit in units if test(unit))
        if concerned:
            told.append(Unknown(what, _why(why, units, concerned), filled_by, concerned))
    if units and releases <= 1:
        told.append(
            Unknown(
                "earlier assessed values and owners",
                "only one release of the town is here",
                "later releases as they are published, or an older package with `leadflow refresh --from`",
            )
        )
    if towns_held < HIGHEST_TOWN_ID:
        told.append(
            Unknown(
                "holdings and sales in other towns",
                f"{towns_held} of {HIGHEST_TOWN_ID} towns are in the lake",
                "leadflow refresh TOWN for the towns around, or --all",
            )
        )
    return (*told, *_of_attom(units, inquiries), *cases, *_ALWAYS)


def _of_attom(units: Sequence[Unit], inquiries: Inquiries) -> list[Unknown]:
    """What ATTOM does not say, each with why: not asked, no key, no match, or nothing to tell."""
    ours = [unit for unit in units if not unit.is_condominium_master]
    told = []
    for group, is_known, what, filled_by in _OF_ATTOM:
        if not ours:
            told.append(Unknown(what, "no record that ATTOM could be asked about is here", filled_by))
        reasons: dict[str, list[str]] = {}
        for unit in ours:
            if not is_known(unit):
                reasons.setdefault(_why_not(unit, group, inquiries), []).append(unit.property_id)
        told += [
            Unknown(what, _why(why, units, concerned), filled_by, tuple(concerned))
            for why, concerned in reasons.items()
        ]
    return told


def _why_not(unit: Unit, group: str, inquiries: Inquiries) -> str:
    if group == "tax" and unit.vendor.tax is not None:
        return f"{unit.vendor.tax.source} names no unpaid year, which does not say that all is paid"
    return inquiries.why_unknown(unit.property_id, group)


def _why(why: str, units: Sequence[Unit], concerned: Sequence[str]) -> str:
    return why if len(units) == 1 else f"{why} ({len(concerned)} of {len(units)} records)"


def _of_parcel(parcel: ParcelFacts | None, units: Sequence[Unit]) -> list[Unknown]:
    told = []
    if parcel is None:
        reason = words.PARCEL_MATCHES[units[0].parcel_match]
        told.append(
            Unknown(
                "outline, area, interests on it and neighbors",
                f"there is no polygon: {reason}",
                "the town's next package, or the assessor's map",
            )
        )
    elif not units:
        told.append(
            Unknown(
                "owner, value, use and sale",
                f"no assessment record names this polygon ({parcel.poly_type_meaning})",
                "the assessor's office; roads and water usually have none",
            )
        )
    if parcel is not None and parcel.loc_id_inside is None:
        told.append(
            Unknown("whether the LOC_ID fits the place", "the LOC_ID is malformed", "the town's next package")
        )
    return told
