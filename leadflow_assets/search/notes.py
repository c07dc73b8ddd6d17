"""What a search must say beside its rows: what was not searched, and which filters nothing can answer yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadflow_assets.domain.towns import HIGHEST_TOWN_ID, Town, find_town
from leadflow_assets.errors import LeadflowError
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.results import TownFreshness
from leadflow_assets.search.statement import NEEDS_LOANS

_MOST_NAMED = 6
_GET_LOANS = "To get it, ask ATTOM (ATTOM_API_KEY, `leadflow enrich`) or load its files."


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


def coverage(
    criteria: SearchCriteria,
    here: Sequence[TownFreshness],
    absent: Sequence[str],
    known: Mapping[int, Mapping[str, int]],
) -> list[str]:
    """Towns that were asked for and are not here; filters that need what only some properties have, or none.

    ``known`` says per town how many properties have a value in a column of ATTOM's.
    """
    told = []
    if absent:
        key = find_town(absent[0]).key[4:]
        told.append(f"Not searched, for want of data: {named(absent)}. Fetch with: leadflow refresh {key}")
    set_filters = criteria.filters()
    loans = [name for name in NEEDS_LOANS if name in set_filters]
    if loans:
        columns = {NEEDS_LOANS[name] for name in loans}
        counts = {
            town.town_id: min(known.get(town.town_id, {}).get(column, 0) for column in columns)
            for town in here
        }
        told.append(f"{', '.join(loans)} needs ATTOM data, {_how_much(here, counts)}")
    return told


def _how_much(here: Sequence[TownFreshness], counts: Mapping[int, int]) -> str:
    """For how many properties it is known, and for which towns not at all."""
    without = [town.town for town in here if not counts[town.town_id]]
    if len(without) == len(here):
        return f"missing for {_of_all(without, len(here))}: nothing could match. {_GET_LOANS}"
    total = sum(town.records for town in here if counts[town.town_id])
    share = f"known for {sum(counts.values()):,} of {total:,} properties"
    if not without:
        return f"{share}; the others cannot match. {_GET_LOANS}"
    rest = "the other" if len(here) - len(without) == 1 else "the others"
    return f"missing for {_of_all(without, len(here))}; {share} in {rest}. {_GET_LOANS}"


def _of_all(towns: Sequence[str], total: int) -> str:
    return f"{len(towns)} of {total} towns ({named(towns)})" if total > 1 else towns[0]


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
