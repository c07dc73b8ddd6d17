"""What happened to the building, the use and the assessed value."""

from __future__ import annotations

from leadflow_assets.domain.changes.record import Record
from leadflow_assets.domain.changes.rules import ChangeRules, TownMoves, unusual_move


def building_changes(before: Record, after: Record, town: TownMoves, rules: ChangeRules) -> list[str]:
    """Kinds among built, demolished, renovated, use_changed and value_moved, the most telling first."""
    found = []
    if _is_built(before, after, town, rules):
        found.append("built")
    elif _is_demolished(before, after, rules):
        found.append("demolished")
    elif not town.areas_shifted and _has_grown(before, after, rules):
        found.append("renovated")
    if use_changed(before.use_code, after.use_code, town):
        found.append("use_changed")
    if unusual_move(before.total_value, after.total_value, town, rules):
        found.append("value_moved")
    return found


def use_changed(before: str | None, after: str | None, town: TownMoves) -> bool:
    """Is it another use? The fourth character is local, and a recoding of the town changes no use."""
    if not before or not after:
        return False
    stems = (before[:3], after[:3])
    return stems[0] != stems[1] and stems not in town.recodings


def _is_built(before: Record, after: Record, town: TownMoves, rules: ChangeRules) -> bool:
    """A building value or a recent year where there was none, or a recent year after an older one."""
    value = after.building_value or 0
    if value >= rules.building_dollars and before.building_value == 0:
        return True
    if town.years_shifted or after.year_built is None or after.year_built == before.year_built:
        return False
    recent = after.year_built >= before.fiscal_year - rules.new_building_years
    # A year alone may be a correction; with a building of other worth or size it is a building.
    other = value != (before.building_value or 0) or after.building_sqft != before.building_sqft
    return recent and (before.year_built or 0) < after.year_built and other


def _is_demolished(before: Record, after: Record, rules: ChangeRules) -> bool:
    return (before.building_value or 0) >= rules.building_dollars and after.building_value == 0


def _has_grown(before: Record, after: Record, rules: ChangeRules) -> bool:
    if not before.building_sqft or not after.building_sqft:
        return False
    grown = after.building_sqft - before.building_sqft
    return grown >= max(rules.growth_sqft, rules.growth_share * before.building_sqft)
