"""Which parties of a case may own the property that it is about, by their role and the type of the case."""

from __future__ import annotations

# The likelier owner first.
OWNER_ROLES = (
    "owner",
    "debtor",
    "joint_debtor",
    "decedent",
    "grantor",
    "defendant",
    "respondent",
    "third_party_defendant",
    "cross_defendant",
    "counter_defendant",
)
# The plaintiff owns here: as landlord; as the one whose land was harmed; and, since Massachusetts forecloses
# without a court (the project's sheet on compliance, section 5), as the owner who sues the lender.
PLAINTIFF_OWNS = frozenset(
    {"eviction", "rent_lease_ejectment", "torts_to_land", "foreclosure_suit", "other_real_property"}
)
PLAINTIFFS = ("plaintiff", "petitioner", "third_party_plaintiff", "counter_claimant", "cross_claimant")
# The defendant rents here, and must not be taken for the owner.
DEFENDANT_RENTS = frozenset({"eviction", "rent_lease_ejectment"})
_DEFENDANTS = frozenset({"defendant", "third_party_defendant", "cross_defendant", "counter_defendant"})
# Cases about the one property they name. Others (a bankruptcy, an estate, a judgment) touch all that the
# owner has.
ABOUT_ONE_PROPERTY = frozenset(
    {
        "eviction",
        "foreclosure_deed",
        "foreclosure_suit",
        "order_of_notice",
        "rent_lease_ejectment",
        "servicemembers_case",
        "tax_lien_case",
    }
)
LIENS_ON_ONE_PROPERTY = frozenset({"mortgage", "tax_municipal", "mechanics", "hoa"})


def may_own(role: str, case_type: str, is_debtor: bool | None) -> bool:
    """May a party with this role own the property? Trustees, attorneys, creditors and tenants never do."""
    if is_debtor and role in PLAINTIFFS:
        return True  # the debtor of the bankruptcy that an adversary proceeding belongs to
    if role == "plaintiff" and case_type in PLAINTIFF_OWNS:
        return True
    return role in OWNER_ROLES and not (role in _DEFENDANTS and case_type in DEFENDANT_RENTS)


def is_about_one_property(case_type: str, lien_type: str | None) -> bool:
    """Is the case about the property it names, and about no other of its owner's?"""
    return case_type in ABOUT_ONE_PROPERTY or (
        case_type == "recorded_lien" and lien_type in LIENS_ON_ONE_PROPERTY
    )
