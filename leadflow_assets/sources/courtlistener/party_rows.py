"""Parties of whom only names are known: the caption's, with their roles, and those a search hit lists."""

from __future__ import annotations

import re
from collections.abc import Iterable

from leadflow_assets.domain.courts import kinds
from leadflow_assets.domain.courts.model import CourtCase, CourtParty
from leadflow_assets.domain.courts.parties import make_party

_TRUSTEE_PREFIX = re.compile(r"^(?:chapter\s+\d+\s+)?trustee\b[\s:-]*", re.IGNORECASE)


def named_parties(case: CourtCase, listed: list[str]) -> Iterable[CourtParty]:
    """Parties of whom only names are known: those of the caption with their role, the others without.

    A petition is named after its debtors; which of the other names is the joint debtor nobody says here.
    """
    with_role = list(_in_caption(case))
    if case.trustee:
        with_role.append((_TRUSTEE_PREFIX.sub("", case.trustee), "trustee"))
    left = dict.fromkeys(listed)
    for name, role in with_role:
        full = next((other for other in left if _same_name(name, other)), None)
        if role == "trustee" and full is None:
            continue
        if full is not None:
            del left[full]
        party = make_party(case, name=full or name, role=role, name_from="caption")
        if party is not None:
            yield party
    for name in left:
        party = make_party(case, name=name, role=None, name_from="search")
        if party is not None:
            yield party


def _in_caption(case: CourtCase) -> Iterable[tuple[str, str]]:
    sides = kinds.caption_sides(case.case_name)
    if sides:
        return [(sides[0], "plaintiff"), (sides[1], "defendant")]
    if case.case_type == "adversary_proceeding":
        return [(kinds.without_adversary_mark(case.case_name), "")]
    if case.case_type != "bankruptcy_petition" or not case.case_name:
        return []
    names = re.split(r"\s+and\s+", case.case_name) if _is_couple(case.case_name) else [case.case_name]
    return [(name, "debtor" if number == 0 else "joint_debtor") for number, name in enumerate(names)]


def _is_couple(name: str) -> bool:
    """``David J. Sample and Karen A. Sample``: two names, each of at least two words and without a firm's."""
    halves = re.split(r"\s+and\s+", name)
    firm = re.search(r"\b(?:inc|llc|corp|co|ltd|lp|llp|trust|company|sons|associates)\b\.?", name, re.I)
    return len(halves) == 2 and not firm and all(len(half.split()) > 1 for half in halves)


def _same_name(caption: str, full: str) -> bool:
    """Is every word of the caption's name in the other? Captions leave out first names."""
    short, long = (set(re.findall(r"[\w']+", text.lower())) for text in (caption, full))
    return bool(short) and short <= long
