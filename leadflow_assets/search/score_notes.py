"""What must stand with results that were searched or sorted by distress scores."""

from __future__ import annotations

from collections.abc import Sequence

from leadflow_assets.domain.distress.record import UNCALIBRATED
from leadflow_assets.lake.tables import DISTRESS_SCORES, PROPERTIES
from leadflow_assets.search.results import TownFreshness
from leadflow_assets.search.searched_scores import SearchedScores

_MOST_NAMED = 6
_MAKE = "`leadflow score run` makes them."


def notes_on_scores(
    scores: SearchedScores, here: Sequence[TownFreshness], filters: Sequence[str] = ()
) -> list[str]:
    """What the scores of the searched towns are worth, how much of them is known, and where there are none.

    ``filters`` are those on scores that are set.
    """
    entries = {
        town: scores.snapshot.partitions[DISTRESS_SCORES.partition(town.town_id)]
        for town in here
        if DISTRESS_SCORES.partition(town.town_id) in scores.snapshot.partitions
    }
    missing = [town.town for town in here if town not in entries]
    told = []
    if missing:
        what = f"{', '.join(filters)} needs distress scores," if filters else "Distress scores are"
        nothing = ": nothing could match" if filters and not entries else ""
        told.append(f"{what} missing for {_named(missing)}{nothing}. {_MAKE}")
    if not entries:
        return told
    old = [town.town for town, entry in entries.items() if entry.inputs.get(PROPERTIES.name) != town.sha256]
    if old:
        told.append(f"Distress scores are older than the properties of {_named(old)}. {_MAKE}")
    rows = sum(entry.data.rows for entry in entries.values())
    unknown = sum(entry.facts["unknown"] for entry in entries.values())
    known = sum(entry.facts["scored"] * entry.facts["coverage"] for entry in entries.values())
    share = known / max(sum(entry.facts["scored"] for entry in entries.values()), 1)
    days = sorted(entry.facts["as_of"] for entry in entries.values())
    span = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    told.append(
        f"Distress scores: {UNCALIBRATED}; as of {span}. Of {rows:,} properties {unknown:,} have none, since "
        f"nothing is known of them; {100 * share:.0f} % of the others' points could be known, on average."
    )
    return told


def _named(towns: Sequence[str]) -> str:
    more = len(towns) - _MOST_NAMED
    return ", ".join(towns[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
