"""What a search for court cases says beside its rows: how many of which type, and what "none" can mean.

No source has all cases of Massachusetts: an answer without its coverage would read as "no case".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from leadflow_assets.domain.court_coverage import Coverage, by_type, coverage, statement
from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.courts.notices import notices
from leadflow_assets.search.case_rows import asked_types
from leadflow_assets.search.court_facts import court_facts
from leadflow_assets.search.results import town_id_of

if TYPE_CHECKING:
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.search.criteria import SearchCriteria
    from leadflow_assets.search.searched_cases import SearchedCases

_DETAILS = "`leadflow cases coverage` tells each source."
# More types than that are told together, not one by one.
_MOST_SINGLE = 3
_NAME_ALONE = (
    "Cases are tied to properties by name, place and dates: possible is no more than that, and confirmed is "
    "the model's or a person's word."
)


def coverage_now(lake: Lake) -> Mapping[str, tuple[Coverage, ...]]:
    """What every type of case is covered by today, under the types."""
    rows = coverage(court_facts(lake.settings, lake), datetime.now(UTC).date())
    return by_type(rows)


def notes_on_cases(lake: Lake, cases: SearchedCases, criteria: SearchCriteria, keys: pa.Array) -> list[str]:
    """The remarks on a search with filters on cases; ``keys`` are its matches."""
    found = cases.count_by_type(criteria, keys)
    told = statements(asked_types(criteria), found, coverage_now(lake))
    if found:
        told += [*notices(found), _NAME_ALONE]
    return [*told, *older_matches(cases)]


def statements(
    case_types: Sequence[str], found: Mapping[str, int], covered: Mapping[str, Sequence[Coverage]]
) -> list[str]:
    """What was found of each type and what its absence means; types alike are told together.

    Types that were found are told even where they are not among ``case_types``.
    """
    wanted = [name for name in CASE_TYPES if name in found or name in case_types]
    told = [statement(name, found[name], covered.get(name, ())) for name in wanted if found.get(name)]
    absent = [name for name in wanted if not found.get(name)]
    if len(absent) <= _MOST_SINGLE:
        return told + [statement(name, 0, covered.get(name, ())) for name in absent]
    groups: dict[str, list[str]] = {}
    unknown = []
    for name in absent:
        rows = covered.get(name, ())
        if any(row.state in ("covered", "stale") for row in rows):
            groups.setdefault(" ".join(row.words for row in rows), []).append(CASE_TYPES[name].words)
        else:
            unknown.append(CASE_TYPES[name].words)
    for sources, words in groups.items():
        told.append(f"None found where it was looked for: {', '.join(words)}. {sources}")
    if unknown:
        told.append(f"Not looked for, so not known: {', '.join(unknown)}. {_DETAILS}")
    return told


def remark_on_columns(cases: SearchedCases) -> list[str]:
    """What must stand with the columns ``case_*`` of rows that were not searched by cases."""
    types = cases.types()
    if not types:
        return [f"No court case is tied to any property here: blank case_* columns say nothing. {_DETAILS}"]
    return [
        f"Blank case_* columns do not say that there is no case. {_DETAILS}",
        *notices(types),
        *older_matches(cases),
    ]


def older_matches(cases: SearchedCases) -> list[str]:
    """For towns whose matches were made by an older version of the program and are not read."""
    if not cases.older:
        return []
    towns = ", ".join(str(town_id_of(name)) for name in cases.older[:6])
    more = len(cases.older) - 6
    count = f"{towns} and {more} more" if more > 0 else towns
    return [f"Court cases not searched, matched by an older version: towns {count}."]
