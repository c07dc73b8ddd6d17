"""The signals of one property at a day, what is known of each group, and whether a score applies at all.

Source: the project's sheet on the distress score, sections 3 and 6; what it leaves open is marked *own*. Only
what could be known at the day is used: a source's later word is carried along as not yet known. Tenure, high
equity and vacant-land use codes are no signals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from leadflow_assets.domain.distress.cases import FORECLOSURE_DEED, NOTICE_DAYS, case_signal
from leadflow_assets.domain.distress.facts import Asked, CaseFact, LienRecord, Notice, PropertyFacts, Sale
from leadflow_assets.domain.distress.signal import Signal
from leadflow_assets.domain.linkage.posterior import CONFIRMED_FROM
from leadflow_assets.domain.loans.balance import PURCHASE_DAYS
from leadflow_assets.domain.loans.equity import ASSUMED, UNKNOWN, Equity, choose_value, estimate_equity

NOT_APPLICABLE_OWNERS: Final = ("bank", "government", "condominium_association")
CONDOMINIUM_MASTER: Final = "condominium_master"
BANK_OWNED: Final = "bank_owned"
# What stays with the land whoever owns it; a sale clears everything else.
STAYS_WITH_LAND: Final = frozenset({"tax_taking", "tax_delinquent_2_years", "tax_delinquent_1_year"})
# An auction counts for less than 60 days after its day and less than a year before it (BatchData's rule).
AUCTION_PAST_DAYS: Final = 60
AUCTION_AHEAD_DAYS: Final = 365
# own: a notice of sale without the auction's day announced one that lay at most a year ahead.
SALE_NOTICE_DAYS: Final = 365
# own: a couple is no sign of anything; three or more persons must agree to sell.
SEVERAL_OWNERS: Final = 3
# Lower bounds of combined loan-to-value, percent, and their factors.
CLTV_BANDS: Final = ((100.0, "cltv_100"), (90.0, "cltv_90"), (80.0, "cltv_80"))
ABSENTEE: Final = ("absentee_out_of_state", "absentee_in_state")
HEIRS_PATTERN: Final = r"\b(?:HEIRS?|DEVISEES?)\b"
ESTATE_PATTERN: Final = r"\b(?:ESTATE|EST|DECEASED|DECD|EXECUTORS?|EXECUTRIX|EXEC|ADMINISTRAT(?:ORS?|RIX))\b"
# Kinds of liens in a file's words -> factor; the first that fits.
LIEN_PATTERNS: Final = (
    (r"MUNICIPAL|TOWN|CITY|TAKING|PROPERTY TAX|REAL ESTATE TAX", "tax_taking"),
    (r"IRS|TAX|REVENUE", "tax_lien"),
    (r"JUDGE?MENT|MECHANIC|EXECUTION|ATTACHMENT", "judgment_lien"),
)
_HEIRS, _ESTATE = re.compile(HEIRS_PATTERN), re.compile(ESTATE_PATTERN)
_LIENS = tuple((re.compile(pattern), factor) for pattern, factor in LIEN_PATTERNS)
NOTICE_FACTORS: Final = {"lis_pendens": "foreclosure_complaint", "default_notice": "default_notice"}


@dataclass(frozen=True, slots=True)
class Derived:
    """What the score is made from. ``known`` names groups and factors whose source was asked and is fresh."""

    signals: tuple[Signal, ...]
    known: frozenset[str]
    not_applicable: str | None
    equity: Equity


def derive(
    facts: PropertyFacts, asof: date, asked: Asked | None = None, cases: Iterable[CaseFact] = ()
) -> Derived:
    """The signals of a property at ``asof`` from its facts and the cases its owners are matched to."""
    asked = asked or Asked()
    matched = tuple(cases)
    sale = last_market_sale((*facts.sales, *_foreclosure_deeds(matched)), asof)
    sold = sale.day if sale else None
    found = estimate_equity(choose_value(facts.values, asof), facts.loans, asof, sold)
    new_owner = _owner_since(facts, sale)
    signals = [
        *_roll_signals(facts, new_owner),
        *(one for notice in facts.notices for one in _notice_signals(facts, notice, asof, sold)),
        *_tax_signals(facts),
        *(
            _sold_after(one, one.event_date, sold)
            for lien in facts.liens
            for one in _lien_signal(facts, lien, asof)
        ),
        *_leverage(found, facts),
        *_case_signals(matched, asof, sold),
    ]
    if facts.vacant:
        vacant = Signal("vacant", facts.vacant_date, 1.0, facts.vacant_source or "", facts.vacant_date)
        signals.append(_sold_after(vacant, vacant.event_date, sold))
    return Derived(
        tuple(signals),
        _known(facts, asked, asof, found, outdated=new_owner is not None),
        not_applicable(facts, asof, sold),
        found,
    )


def not_applicable(facts: PropertyFacts, asof: date, sold: date | None) -> str | None:
    """Why no score applies: bank-owned, government, condominium association; None where one does."""
    if facts.owner_type in NOT_APPLICABLE_OWNERS:
        return facts.owner_type
    if facts.is_condominium_master:
        return CONDOMINIUM_MASTER
    told = facts.foreclosure_date is None or facts.foreclosure_date <= asof
    for notice in facts.notices if told else ():
        day = notice.recorded_on or facts.foreclosure_date
        if notice.stage == BANK_OWNED and (day is None or (day <= asof and (sold is None or sold <= day))):
            return BANK_OWNED
    return None


def last_market_sale(sales: Iterable[Sale], asof: date) -> Sale | None:
    """The last sale by ``asof`` that was not nominal: after a deed for a dollar the owner may be the same."""
    return max(
        (
            sale
            for sale in sales
            if sale.is_market and sale.day <= asof and (sale.known_on is None or sale.known_on <= asof)
        ),
        key=lambda sale: sale.day,
        default=None,
    )


def cltv_factor(cltv: float) -> str | None:
    """The factor of a combined loan-to-value, percent; None under 80."""
    return next((factor for low, factor in CLTV_BANDS if cltv >= low), None)


def _foreclosure_deeds(cases: Sequence[CaseFact]) -> list[Sale]:
    """Deeds that ended the ownership of whoever was foreclosed on; only where the match is confirmed."""
    return [
        Sale(day, True, case.known_on)
        for case in cases
        if case.case_type == FORECLOSURE_DEED
        and case.decision != "rejected"
        and (case.probability >= CONFIRMED_FROM or case.decision)
        and (day := case.recorded_on or case.filed_on) is not None
    ]


def _owner_since(facts: PropertyFacts, sale: Sale | None) -> date | None:
    """The day of a sale that the roll does not show: its owner is an earlier one. None where there is none.

    *own*: the roll's owner stands for 1 January before its fiscal year begins, and its own last sale is known
    to it.
    """
    if sale is None or facts.fiscal_year is None or sale.day <= date(facts.fiscal_year - 1, 1, 1):
        return None
    shown = facts.roll_sale_date
    return sale.day if shown is None or sale.day > shown + timedelta(days=PURCHASE_DAYS) else None


def _roll_signals(facts: PropertyFacts, new_owner: date | None) -> list[Signal]:
    """What the owner's text and mailing address say. A lasting state is dated the day it was last seen."""
    seen = facts.roll_date or facts.roll_seen_on
    told = max((day for day in (facts.roll_date, facts.roll_seen_on) if day), default=None)
    name = (facts.owner_name or "").upper()
    heirs = bool(_HEIRS.search(name))
    estate = facts.owner_type == "estate" and (not heirs or bool(_ESTATE.search(name)))
    several = facts.owner_type == "person" and facts.owner_count >= SEVERAL_OWNERS
    names = [
        *(["estate"] if estate else []),
        *(["heirs"] if heirs or several else []),
        *([facts.occupancy] if facts.occupancy in ABSENTEE else []),
    ]
    cleared = f"sold on {new_owner}, which the roll does not show" if new_owner else ""
    signals = [Signal(n, seen, 1.0, facts.roll_source, told, cleared=cleared) for n in names]
    if facts.owner_tax_title:
        signals.append(
            Signal("tax_taking", seen, 1.0, facts.roll_source, told, note="tax title in the owner's name")
        )
    return signals


def _notice_signals(facts: PropertyFacts, notice: Notice, asof: date, sold: date | None) -> list[Signal]:
    """An auction, and the notice itself; by the dated rule of activity they may both be history."""
    begun = notice.recorded_on or notice.auction_on
    auction = notice.auction_on
    past = _auction_is_over(auction, asof)
    found: list[tuple[str, date | None, str]] = []
    if auction is not None:
        found.append(("auction_scheduled", auction, past))
    if notice.stage == "sale_notice":
        history = past if auction is not None else _older(notice.recorded_on, SALE_NOTICE_DAYS, asof)
        found.append(("sale_notice", notice.recorded_on, history))
    elif notice.stage in NOTICE_FACTORS:
        history = _older(notice.recorded_on, NOTICE_DAYS, asof)
        found.append((NOTICE_FACTORS[notice.stage], notice.recorded_on, history))
    source, told = facts.foreclosure_source or "", facts.foreclosure_date
    return [
        _sold_after(Signal(factor, day, 1.0, source, told, notice.reference, history), begun, sold)
        for factor, day, history in found
    ]


def _auction_is_over(auction: date | None, asof: date) -> str:
    if auction is None:
        return ""
    if (asof - auction).days >= AUCTION_PAST_DAYS:
        return f"the auction's day is {AUCTION_PAST_DAYS} days past or more"
    return "the auction's day is a year ahead or more" if (auction - asof).days >= AUCTION_AHEAD_DAYS else ""


def _older(day: date | None, days: int, asof: date) -> str:
    return (
        f"{days // 365} year{'s' if days > 365 else ''} old or older"
        if day and (asof - day).days >= days
        else ""
    )


def _tax_signals(facts: PropertyFacts) -> list[Signal]:
    """Unpaid tax by its latest unpaid year. *own*: it is dated the end of that year, or the source's day.

    Two years or more: the source still tells of it in the second year after.
    """
    year = facts.tax_delinquent_year
    if year is None:
        return []
    last_day = date(year, 12, 31) if 1 <= year <= 9999 else None
    told = facts.tax_date
    event = min(last_day, told) if last_day and told and told.year >= year else last_day
    long = told is not None and told.year - year >= 2
    factor = "tax_delinquent_2_years" if long else "tax_delinquent_1_year"
    return [Signal(factor, event, 1.0, facts.tax_source or "", told, note=f"tax of {year}")]


def _lien_signal(facts: PropertyFacts, lien: LienRecord, asof: date) -> list[Signal]:
    kind = (lien.kind or "").upper()
    factor = next((name for pattern, name in _LIENS if pattern.search(kind)), None)
    if factor is None:
        return []
    released = lien.released_on
    history = f"released on {released}" if released is not None and released <= asof else ""
    source, told = facts.liens_source or "", facts.liens_date
    return [Signal(factor, lien.recorded_on, 1.0, source, told, lien.reference, history)]


def _leverage(found: Equity, facts: PropertyFacts) -> list[Signal]:
    """The band of the middle of combined loan-to-value; where the ends lie in others, the note says so."""
    if found.cltv_mid is None or found.cltv_low is None or found.cltv_high is None or found.method == ASSUMED:
        return []
    factor = cltv_factor(found.cltv_mid)
    if factor is None:
        return []
    value = found.value.source if found.value else ""
    note = (
        f"{found.cltv_mid:.0f} % ({found.cltv_low:.0f} to {found.cltv_high:.0f} %), {found.method} on {value}"
    )
    if cltv_factor(found.cltv_low) != cltv_factor(found.cltv_high):
        note += "; low and high fall in different bands"
    return [Signal(factor, None, 1.0, found.loan_source or "", _loans_told(facts, found), note=note)]


def _loans_told(facts: PropertyFacts, found: Equity) -> date | None:
    return next((loan.known_on for loan in facts.loans if loan.source == found.loan_source), None)


def _case_signals(cases: Iterable[CaseFact], asof: date, sold: date | None) -> list[Signal]:
    found = (case_signal(case, asof) for case in cases)
    return [_sold_after(one, one.event_date, sold) for one in found if one is not None]


def _sold_after(signal: Signal, begun: date | None, sold: date | None) -> Signal:
    """History where the property was sold after the event: that was an earlier owner's."""
    stays = signal.cleared or signal.factor in STAYS_WITH_LAND
    if stays or begun is None or sold is None or sold <= begun:
        return signal
    return replace(signal, cleared=f"sold on {sold}")


def _known(
    facts: PropertyFacts, asked: Asked, asof: date, found: Equity, *, outdated: bool
) -> frozenset[str]:
    """Groups and factors whose source was asked and is fresh; silence of the others says nothing."""

    def fresh(day: date | None, days: int) -> bool:
        return day is not None and timedelta(0) <= asof - day <= timedelta(days=days)

    def attom(group: str, day: date | None) -> bool:
        return any(fresh(one, asked.attom_fresh_days) for one in (asked.attom.get(group), day))

    roll = fresh(facts.roll_date or facts.roll_seen_on, asked.roll_fresh_days)
    seen = facts.roll_seen_on is None or facts.roll_seen_on <= asof
    located = facts.occupancy in ("owner_occupied", *ABSENTEE)
    known = {
        "foreclosure": attom("foreclosure", facts.foreclosure_date if facts.foreclosure_source else None)
        or "servicemembers_case" in asked.covered,
        "tax": attom("tax", facts.tax_date if facts.tax_file else None),
        "bankruptcy": "bankruptcy_petition" in asked.covered,
        "tax_lien": attom("liens", facts.liens_date if facts.liens_source else None),
        "judgment_lien": attom("liens", facts.liens_date if facts.liens_source else None),
        "leverage": found.method not in (UNKNOWN, ASSUMED) and attom("loans", _loans_told(facts, found)),
        "absentee_out_of_state": roll and seen and located and not outdated,
        "absentee_in_state": roll and seen and located and not outdated,
        "vacant": facts.vacant is not None and fresh(facts.vacant_date, asked.attom_fresh_days),
        "eviction_plaintiff": "eviction" in asked.covered,
    }
    return frozenset(name for name, is_known in known.items() if is_known)
