"""What a search must say beside its rows: what was not searched, and which filters nothing can answer yet."""

from __future__ import annotations

from collections.abc import Sequence

from leadflow_assets.domain.towns import HIGHEST_TOWN_ID, Town, find_town
from leadflow_assets.errors import LeadflowError
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.statement import NEEDS_LOANS, NEEDS_SCORES

_MOST_NAMED = 6
_NEEDS = (
    (NEEDS_LOANS, "ATTOM data", "set ATTOM_API_KEY or deliver ATTOM's files"),
    (NEEDS_SCORES, "distress scores", "scores are made from ATTOM and court data"),
)


def older_versions(towns: Sequence[Town]) -> tuple[str, ...]:
    """For towns whose tables were made by an older version of the program and lack columns."""
    if not towns:
        return ()
    names = named([town.name for town in towns])
    again = " ".join(town.key[4:] for town in towns[:_MOST_NAMED])
    return (f"Not searched, made by an older version: {names}. Make anew with: leadflow refresh {again}",)


def nothing_here(absent: Sequence[str], notes: Sequence[str]) -> LeadflowError:
    """The error for a search over towns of which none has data."""
    if notes:
        return LeadflowError("None of the towns asked for can be searched.", " ".join(notes))
    if absent:
        first = find_town(absent[0]).key[4:]
        return LeadflowError(
            f"There is no data for {named(absent)}, so nothing was searched.",
            f"Fetch it first: leadflow refresh {first}",
        )
    return LeadflowError(
        "There is no data at all yet, so nothing was searched.",
        "Run `leadflow demo` for the sample town or `leadflow refresh TOWN` for a real one.",
    )


def coverage(criteria: SearchCriteria, here: Sequence[str], absent: Sequence[str]) -> list[str]:
    """Towns that were asked for and are not here; filters that need what no town has."""
    told = []
    if absent:
        key = find_town(absent[0]).key[4:]
        told.append(f"Not searched, for want of data: {named(absent)}. Fetch with: leadflow refresh {key}")
    set_filters = criteria.filters()
    for fields, what, remedy in _NEEDS:
        used = [name for name in fields if name in set_filters]
        if used:
            count = f"{len(here)} of {len(here)} towns" if len(here) > 1 else here[0]
            told.append(
                f"{', '.join(used)} needs {what}, which is missing for {count}: nothing could match. "
                f"To get it, {remedy}."
            )
    return told


def partial_state(held: int) -> list[str]:
    """For an area without towns: it may reach into towns that are not here."""
    if held >= HIGHEST_TOWN_ID:
        return []
    return [f"{held} of {HIGHEST_TOWN_ID} towns are here; parts of the area in other towns are not covered."]


def named(towns: Sequence[str]) -> str:
    """A few names, and how many more."""
    shown = ", ".join(towns[:_MOST_NAMED])
    more = len(towns) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
