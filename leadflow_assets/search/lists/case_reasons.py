"""What changed about the court cases of a property, in words: why it came to a list of cases, or left it.

A list remembers its members' cases as marks (``case_rows.mark``): type, day and tier, of evictions nothing
but that there is one. No name and no number is ever told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.search.case_rows import asked_types
from leadflow_assets.search.criteria import SearchCriteria

# One case of each type, and what happens on its day.
ONE: Final = {
    "bankruptcy_petition": ("a bankruptcy petition", "filed"),
    "adversary_proceeding": ("an adversary proceeding in bankruptcy", "filed"),
    "foreclosure_suit": ("a federal foreclosure suit", "filed"),
    "rent_lease_ejectment": ("a federal rent, lease or ejectment suit", "filed"),
    "torts_to_land": ("a federal suit for torts to land", "filed"),
    "other_real_property": ("a federal real property suit", "filed"),
    "tax_lien_suit": ("a federal tax lien suit", "filed"),
    "other_civil": ("a federal civil case", "filed"),
    "federal_criminal": ("a federal criminal case", "filed"),
    "servicemembers_case": ("a Land Court Servicemembers case", "filed"),
    "tax_lien_case": ("a Land Court tax lien case", "filed"),
    "order_of_notice": ("an order of notice", "recorded"),
    "foreclosure_deed": ("a foreclosure deed", "recorded"),
    "probate": ("a probate case", "filed"),
    "eviction": ("an eviction", "filed"),
    "civil_judgment": ("a civil judgment", "filed"),
    "state_civil": ("a state civil case", "filed"),
    "recorded_lien": ("a lien", "recorded"),
    "other": ("a court case", "filed"),
}
assert ONE.keys() == CASE_TYPES.keys()
_MOST_TOLD = 4


def case_changes(before: Sequence[str], now: Sequence[str], criteria: SearchCriteria) -> str:
    """What came, went or became surer between two lists of marks, of the types asked for if any did."""
    asked = asked_types(criteria)
    mine = [[mark for mark in marks if mark.partition("|")[0] in asked] for marks in (before, now)]
    told = _told(*mine) or _told(before, now)
    more = len(told) - _MOST_TOLD
    return ", ".join(told[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def _told(before: Iterable[str], now: Iterable[str]) -> list[str]:
    gone, came = Counter(before) - Counter(now), Counter(now) - Counter(before)
    told = []
    for mark in sorted(came.elements(), key=_newest_first):
        case_type, day, tier = mark.split("|")
        same = next((old for old in gone.elements() if old.rpartition("|")[0] == f"{case_type}|{day}"), None)
        if same is not None and tier:
            gone -= Counter([same])
            told.append(f"{_named(case_type, day)} is {tier} now, was {same.rpartition('|')[2]}")
        else:
            told.append(_arrival(case_type, day, tier))
    return told + [f"{_named(*mark.split('|')[:2])} is not tied to it any more" for mark in gone.elements()]


def _arrival(case_type: str, day: str, tier: str) -> str:
    words, done = ONE[case_type]
    sure = "" if tier in ("", "confirmed") else f" ({tier} match)"
    return f"{words} was {done} {day}{sure}" if day else f"{words} is tied to it now{sure}"


def _named(case_type: str, day: str) -> str:
    words, done = ONE[case_type]
    return f"{words} {done} {day}" if day else words


def _newest_first(mark: str) -> tuple[int, str]:
    day = mark.split("|")[1].replace("-", "")
    return -int(day or 0), mark
