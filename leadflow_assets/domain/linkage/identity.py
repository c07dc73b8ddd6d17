"""When two homes of one name are one person's, so that both compete as one.

Owners are told apart by name and mailing address. Some have parcels billed to different addresses, and would
otherwise compete with themselves. Two homes of one full name with one middle initial are taken for one
person's where fewer namesakes are expected by chance than owners with two addresses.
"""

from __future__ import annotations

from leadflow_assets.domain.linkage.weights import INITIALS

# Of the names of owners in one real town, 1.3 percent stand at more than one mailing address. Of pairs of its
# homes with one full name and initial there were 31, where chance expects 3.
SECOND_HOMES = 0.013


def expected_with_initial(
    surname_share: float, given_share: float, persons: int, place_share: float = 1.0
) -> float:
    """Other owners with a full name and a given middle initial; within a place by its share of all owners."""
    return persons * surname_share * given_share * place_share / INITIALS


def are_one_person(expected: float) -> bool:
    """Do two homes of one full name and initial belong to one, so many others being expected by chance?"""
    return expected <= SECOND_HOMES
