"""What a court case or recorded document says of the owner it is matched to, as a signal of the score.

Source: the project's sheet on the distress score, sections 3 and 6. *own* rules give their reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from leadflow_assets.domain.distress.facts import CaseFact
from leadflow_assets.domain.distress.signal import Signal, link_probability

# A default notice, a lis pendens or a complaint older than this is history (BatchData's published rule).
NOTICE_DAYS: Final = 730
DEFAULTED: Final = frozenset({"servicemembers_case", "order_of_notice", "foreclosure_suit"})
# Roles that a claim is made against. A creditor, a trustee or a tenant of the same name is no sign.
AGAINST: Final = frozenset(
    {
        "defendant",
        "third_party_defendant",
        "respondent",
        "owner",
        "debtor",
        "joint_debtor",
        "grantor",
        "unknown",
    }
)
DEBTORS: Final = frozenset({"debtor", "joint_debtor"})
LANDLORDS: Final = frozenset({"plaintiff", "petitioner"})
DEAD: Final = frozenset({"decedent", "owner", "unknown"})
LIEN_FACTORS: Final[Mapping[str, str]] = {
    "tax_federal": "tax_lien",
    "tax_state": "tax_lien",
    "irs": "tax_lien",
    "judgment": "judgment_lien",
    "mechanics": "judgment_lien",
    # own: in Massachusetts a town records its claim for unpaid tax as an instrument of taking.
    "tax_municipal": "tax_taking",
}
CASE_FACTORS: Final[Mapping[str, str]] = {
    **dict.fromkeys(DEFAULTED, "foreclosure_complaint"),
    "tax_lien_case": "tax_taking",
    "tax_lien_suit": "tax_lien",
    "civil_judgment": "judgment_lien",
}
JUDGED: Final = ("other_civil", "state_civil")
RELEASED: Final = ("released", "discharged", "satisfied")
FORECLOSURE_DEED: Final = "foreclosure_deed"
PARCEL: Final = "parcel_id"


def case_signal(case: CaseFact, asof: date) -> Signal | None:
    """The signal that a case is at ``asof``, cleared where it is history; None where it is none.

    A match whose facts may no longer be used says nothing. What a later sale clears is not decided here.
    """
    factor = case_factor(case)
    if factor is None or (case.expires_on is not None and case.expires_on < asof):
        return None
    event = case.filed_on or case.recorded_on
    sure = 1.0 if case.method == PARCEL else case.probability
    return Signal(
        factor,
        event,
        link_probability(sure, case.decision),
        case.source,
        case.known_on,
        case.reference,
        ended(case, factor, event, asof),
    )


def case_factor(case: CaseFact) -> str | None:
    """The factor that a case of this type is, for a party in this role; None for none."""
    kind, role = case.case_type, case.role
    if kind == "bankruptcy_petition":
        debtor = (
            case.is_debtor or role in DEBTORS or (case.is_debtor is None and role in ("owner", "unknown"))
        )
        return "bankruptcy" if debtor else None
    if kind == "eviction":
        return "eviction_plaintiff" if role in LANDLORDS else None
    if kind == "probate":
        return "estate" if role in DEAD else None
    if role not in AGAINST:
        return None
    if kind in JUDGED:
        judged = case.status == "judgment" or case.judgment_amount is not None
        return "judgment_lien" if judged else None
    if kind == "recorded_lien":
        return LIEN_FACTORS.get(case.lien_type or "")
    return CASE_FACTORS.get(kind)


def ended(case: CaseFact, factor: str, event: date | None, asof: date) -> str:
    """Why the case is history at ``asof``; empty where it is not.

    A dismissal, discharge or release clears its own signal. The end of a case does so for a bankruptcy
    alone: other cases end with what they asked for.
    """
    ends = {
        "dismissed": case.dismissed_on,
        "discharged": case.discharged_on,
        "released": case.released_on,
        "closed": case.terminated_on if factor == "bankruptcy" else None,
    }
    for word, day in ends.items():
        if day is not None and day <= asof:
            return f"{word} on {day}"
    if case.status in ("dismissed", "settled") or (case.status == "closed" and factor == "bankruptcy"):
        return f"{case.status}"
    if case.lien_status in RELEASED:
        return f"lien {case.lien_status}"
    if case.title == "bought_later":
        return "the owner bought after it was filed"
    if case.case_type in DEFAULTED and event is not None and (asof - event).days >= NOTICE_DAYS:
        return "two years old or older"
    return ""
