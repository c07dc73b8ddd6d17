"""What the parcel page lays out: the report, arranged; nothing is found out here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import shapely

from leadflow_assets.domain.distress import load_table
from leadflow_assets.domain.towns import Town
from leadflow_assets.search.parcel.holdings import OwnerHoldings
from leadflow_assets.search.parcel.model import Unit
from leadflow_assets.search.parcel.report import ParcelReport
from leadflow_assets.search.parcel.score_lines import reason_lines
from leadflow_assets.search.parcel.surroundings import AROUND_METRES, Neighbour
from leadflow_assets.search.parcel.words import GROUP_SETTLED_BY, GROUP_STATES, NOT_APPLICABLE, WHY_NOT
from leadflow_assets.web.drawings import outline, values
from leadflow_assets.web.drawings.score_bar import ScoreBar, score_bar
from leadflow_assets.web.rendering import number, percent

ABSENTEE = ("absentee_in_state", "absentee_out_of_state")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Badge:
    """A short mark; ``kind`` is a colour of style.css or nothing."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class ScoreView:
    """One property's score: ``row`` of mart/distress_scores, its lines in words, its groups, its bar."""

    row: Row
    bar: ScoreBar | None
    counted: Sequence[Row]
    others: Sequence[Row]
    groups: Sequence[Row]
    not_applicable: str

    @property
    def property_id(self) -> str:
        """Whose score it is."""
        return str(self.row["property_id"])


@dataclass(frozen=True)
class ParcelView:
    """The page's parts. ``whole`` are shown in full; ``scores`` are theirs, ``more_scores`` others'."""

    report: ParcelReport
    town: Town
    place: str
    address: str
    use: str
    badges: tuple[Badge, ...]
    units: tuple[Unit, ...]
    masters: tuple[Unit, ...]
    whole: tuple[Unit, ...]
    uses: tuple[tuple[str, int], ...]
    owner_types: tuple[tuple[str, int], ...]
    occupancies: tuple[tuple[str, int], ...]
    drawing: outline.Drawing | None
    holdings: tuple[OwnerHoldings, ...]
    years: tuple[values.YearOfValue, ...]
    chart: values.Chart | None
    scores: tuple[ScoreView, ...]
    more_scores: tuple[ScoreView, ...]


def place_of(report: ParcelReport) -> str:
    """What a page is found by: the LOC_ID, or the id of a record that has none."""
    if report.parcel is not None:
        return report.parcel.loc_id
    if report.units and report.units[0].parcel_match == "loc_id_null":
        return report.units[0].property_id
    # A LOC_ID that records name, but no polygon has.
    return report.asked.strip()


def parcel_view(
    report: ParcelReport, town: Town, neighbours: Iterable[Neighbour], named: str | None
) -> ParcelView:
    """The report as the page shows it; ``named`` is the property to show in full where there are several."""
    units = tuple(unit for unit in report.units if not unit.is_condominium_master)
    whole = tuple(u for u in report.units if len(report.units) == 1 or u.property_id == named)
    # One unit with its master record is one property.
    whole = whole or (units if len(units) == 1 else ())
    years = values.years_of(whole or units, report.releases)
    scores = tuple(score_view(row) for row in report.scores)
    shown = {unit.property_id for unit in whole}
    own = tuple(score for score in scores if score.property_id in shown)
    return ParcelView(
        report=report,
        town=town,
        place=place_of(report),
        address=_address(report, whole),
        use=_use(whole or units),
        badges=tuple(_badges(report, whole or units, own)),
        units=units,
        masters=tuple(unit for unit in report.units if unit.is_condominium_master),
        whole=whole,
        uses=_counted(unit.use_description or unit.use_code or "unknown" for unit in units),
        owner_types=_counted(unit.owners.type for unit in units),
        occupancies=_counted(unit.owners.occupancy_meaning for unit in units),
        drawing=_drawing(report, neighbours),
        holdings=_holdings(report, shown),
        years=years,
        chart=values.chart(years),
        scores=own,
        more_scores=tuple(score for score in scores if score.property_id not in shown),
    )


def score_view(row: Row) -> ScoreView:
    """A row of mart/distress_scores with its lines and groups in the words of its table."""
    table = load_table(row["version"])
    counted, others = reason_lines(row["reasons"] or (), table)
    words = {group.name: group.words for group in table.groups}
    reason = row["not_applicable_reason"]
    return ScoreView(
        row=row,
        bar=score_bar(row, counted),
        counted=counted,
        others=[{**one, "why": WHY_NOT.get(one["why_not"], one["why_not"])} for one in others],
        groups=[
            {
                **group,
                "words": words[group["group"]],
                "said": GROUP_STATES[group["state"]],
                "settled_by": GROUP_SETTLED_BY.get(group["group"], "") if group["unknown_points"] else "",
            }
            for group in row["groups"] or ()
        ],
        not_applicable=NOT_APPLICABLE.get(reason, reason or ""),
    )


def _holdings(report: ParcelReport, shown: Set[str]) -> tuple[OwnerHoldings, ...]:
    """Those of the owners of the properties ``shown``; of all owners those who have more, the most first."""
    of_these = [held for held in report.holdings if not shown or shown & set(held.properties_here)]
    if len(of_these) > 1:
        of_these = [held for held in of_these if held.same_owner_total or held.same_address_total]
    return tuple(sorted(of_these, key=lambda held: -held.same_owner_total))


def _counted(texts: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(texts).most_common(6))


def _address(report: ParcelReport, whole: Sequence[Unit]) -> str:
    if whole:
        unit = whole[0]
        text = ", ".join(filter(None, (unit.site_address, unit.unit and f"unit {unit.unit}")))
        return text or "No address on record"
    found = _counted(unit.site_address for unit in report.units if unit.site_address)
    if found:
        return found[0][0] if len(found) == 1 else f"{found[0][0]} and others"
    return report.parcel.poly_type_meaning.capitalize() if report.parcel else "No address on record"


def _use(units: Sequence[Unit]) -> str:
    found = _counted(unit.use_description or unit.use_code or "" for unit in units)
    named = [text for text, _ in found if text]
    return "; ".join(named[:2]) + (" and others" if len(named) > 2 else "") if named else "use unknown"


def _badges(report: ParcelReport, units: Sequence[Unit], scores: Sequence[ScoreView]) -> Iterable[Badge]:
    if len(report.units) > 1:
        every = sum(not unit.is_condominium_master for unit in report.units)
        yield Badge(f"1 of {every} properties" if len(units) < every else f"{every} properties", "accent")
    yield from (_score_badge(score) for score in scores[:1])
    owners = [unit.owners for unit in units]
    absentee = sum(owner.occupancy in ABSENTEE for owner in owners)
    if absentee:
        out = any(owner.occupancy == "absentee_out_of_state" for owner in owners)
        where = "absentee owner" + (", out of state" if out and len(owners) == 1 else "")
        yield Badge(where if len(owners) == 1 else f"{absentee} of {len(owners)} absentee", "warn")
    elif owners and all(owner.occupancy == "owner_occupied" for owner in owners):
        yield Badge("owner occupied", "good")
    for text, kind, count in (
        ("tax title", "bad", sum(owner.tax_title for owner in owners)),
        ("life estate", "", sum(owner.life_estate for owner in owners)),
        ("owner deceased", "warn", sum(owner.type == "estate" for owner in owners)),
        ("foreclosure notice on record", "warn", sum(unit.vendor.foreclosure is not None for unit in units)),
    ):
        if count:
            yield Badge(text if len(units) == 1 else f"{text} ({count})", kind)
    confirmed = sum(case.tier == "confirmed" for case in report.cases.known)
    if confirmed:
        yield Badge(f"{confirmed} court case{'s' if confirmed > 1 else ''}", "bad")
    if report.parcel is None:
        yield Badge("no polygon")


def _score_badge(score: ScoreView) -> Badge:
    row = score.row
    if score.bar is None:
        return Badge("no score applies")
    known = f"{percent(row['coverage'])} known"
    if not score.bar.known:
        return Badge(f"score unknown, {known}")
    return Badge(f"score {number(row['score'], 1)}, {known}", "accent")


def _drawing(report: ParcelReport, neighbours: Iterable[Neighbour]) -> outline.Drawing | None:
    if report.parcel is None:
        return None
    return outline.draw(shapely.from_wkb(report.parcel.outline_wkb), neighbours, margin=AROUND_METRES)
