"""What a refresh does to a list: who stays, comes, goes, has another id or is lost, each with its reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from leadflow_assets.lake.lake import Lake
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.lists.data import Earlier, Present
from leadflow_assets.search.lists.follow import Followed, follow
from leadflow_assets.search.lists.parcels import parcels_from_lake
from leadflow_assets.search.lists.reasons import change_reason, failing_filters, remembered, to_json
from leadflow_assets.state.saved_lists import Event, Member, SavedList

FIRST_SAVE = "first save of the list"
_DEPENDS = "its record is as it was: the filters depend on today's date or on another list"


@dataclass
class Plan:
    """Changes of a list that are written together: members out and in, lines of the log, list fields."""

    revision: int
    now: datetime
    removed: list[str] = field(default_factory=list)
    added: list[Member] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def tell(
        self, property_id: str, event: str, reason: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Write one line of the diff log."""
        line = Event(self.revision, self.now, property_id, event, reason, to_json(detail or {}))
        self.events.append(line)


def plan_refresh(
    saved: SavedList, members: Sequence[Member], present: Present, earlier: Earlier, now: datetime
) -> Plan:
    """What a refresh of the list changes, given its members as they stand.

    Raises:
        LeadflowError: the lake is empty.
        UsageError: the criteria name a list that is not there.
    """
    plan = Plan(saved.revision + 1, now)
    plan.fields = {"refreshed_at": now, "refresh_no": plan.revision, "data_json": present.mark()}
    followed = follow(
        present.searcher.connection,
        members,
        present.releases,
        earlier=earlier.rows,
        parcels=parcels_from_lake(Lake(present.searcher.lake.settings), earlier.as_of),
    )
    _note_absent(plan, followed)
    followed = _without_doubles(plan, followed)
    if saved.kind == "dynamic":
        criteria = SearchCriteria.model_validate_json(saved.criteria_json or "{}")
        followed = _keep_matches(plan, followed, criteria, present, earlier)
    _renew(plan, followed, present)
    return plan


def _note_absent(plan: Plan, followed: Sequence[Followed]) -> None:
    absent = Counter(f.member.town_id for f in followed if f.how == "town not here")
    if absent:
        towns = ", ".join(str(town_id) for town_id in sorted(absent))
        plan.notes.append(
            f"{absent.total():,} members stay as they were: their towns are not in the lake ({towns})."
        )


def _without_doubles(plan: Plan, followed: Sequence[Followed]) -> list[Followed]:
    """Drop members whose property another member is already: two parcels merged into one."""
    taken: dict[str, str] = {}
    kept = []
    # Who kept its id has the first claim; then the order of ids.
    for found in sorted(followed, key=lambda f: (f.how != "same", f.member.property_id)):
        if found.target is None or found.target not in taken:
            kept.append(found)
            if found.target is not None:
                taken[found.target] = found.member.property_id
            continue
        plan.removed.append(found.member.property_id)
        reason = f"{found.reason}, which is on the list already"
        plan.tell(found.member.property_id, "went", reason, {**found.detail, "into": found.target})
    return kept


def _keep_matches(
    plan: Plan,
    followed: Sequence[Followed],
    criteria: SearchCriteria,
    present: Present,
    earlier: Earlier,
) -> list[Followed]:
    """Of a dynamic list: members that still match; the others go, and who matches now comes."""
    matches = set(present.searcher.ids(criteria))
    kept, gone = [], []
    for found in followed:
        if found.how == "town not here" or found.target in matches:
            kept.append(found)
        elif found.target is None:
            plan.removed.append(found.member.property_id)
            plan.tell(found.member.property_id, "went", found.reason, found.detail)
        else:
            gone.append(found)
    _tell_gone(plan, gone, criteria, present)
    # By what members are now: an id that one of them had may belong to another property today.
    came = sorted(matches - {found.target for found in kept})
    plan.added += present.members(came, origin="criteria", now=plan.now).values()
    _tell_came(plan, came, criteria, present, earlier)
    return kept


def _tell_gone(plan: Plan, gone: Sequence[Followed], criteria: SearchCriteria, present: Present) -> None:
    targets = [str(found.target) for found in gone]
    failing = failing_filters(present.searcher, criteria, targets)
    rows = _rows(present, targets)
    for found in gone:
        target = str(found.target)
        plan.removed.append(found.member.property_id)
        before = json.loads(found.member.values_json)
        names = failing.get(target, [])
        if names:
            reason, detail = change_reason("no longer matches", names, criteria, before, rows[target])
        else:
            reason, detail = f"no longer matches: {_DEPENDS}", {}
        if found.reason:
            reason = f"{found.reason}; {reason}"
        plan.tell(found.member.property_id, "went", reason, {**found.detail, **detail})


def _tell_came(
    plan: Plan, came: Sequence[str], criteria: SearchCriteria, present: Present, earlier: Earlier
) -> None:
    if not came:
        return
    towns = {member.property_id: member.town_id for member in plan.added}
    rows = _rows(present, came)
    before = {name: remembered(row) for name, row in earlier.rows(came).items()}
    failed = failing_filters(earlier.searcher, criteria, list(before)) if earlier.searcher else {}
    unknown = 0
    for property_id in came:
        town = present.towns[towns[property_id]]
        detail: dict[str, Any] = {}
        if town.town_id not in earlier.towns:
            reason = f"{town.town} came to the lake with release {town.release}"
        elif town.town_id not in earlier.kept_towns:
            unknown += 1
            reason = f"matches in release {town.release}; its earlier record is not kept any more"
        elif property_id not in before:
            reason = f"new record in release {town.release}"
        elif failed[property_id]:
            names = failed[property_id]
            reason, detail = change_reason(
                "now matches", names, criteria, before[property_id], rows[property_id]
            )
        else:
            reason = f"now matches: {_DEPENDS}"
        plan.tell(property_id, "came", reason, detail)
    if unknown:
        why = earlier.why_not or "other data were published in between"
        plan.notes.append(f"What changed for {unknown:,} that came cannot be told: {why}")


def _rows(present: Present, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {name: remembered(row) for name, row in present.rows(ids).items()}


def _renew(plan: Plan, followed: Sequence[Followed], present: Present) -> None:
    """Members that stay: with their present values, their new id, or marked as lost."""
    targets = [found.target for found in followed if found.target is not None]
    now = present.members(targets, origin="added", now=plan.now)
    for found in followed:
        old = found.member
        if found.target is None:
            status = "lost" if found.how == "lost" else "town not here"
            new = replace(old, status=status, status_reason=found.reason)
            if status == "lost" and old.status != "lost":
                plan.tell(old.property_id, "lost", found.reason, found.detail)
        else:
            new = replace(now[found.target], origin=old.origin, added_at=old.added_at)
            if found.target != old.property_id:
                plan.tell(found.target, "followed", found.reason, found.detail)
            elif old.status == "lost":
                release = present.releases[old.town_id]
                plan.tell(found.target, "followed", f"is there again in release {release}")
        if new != old:
            plan.removed.append(old.property_id)
            plan.added.append(new)
