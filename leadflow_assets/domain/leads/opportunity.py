"""Opportunity: a second axis beside the grade, never in it. High equity is no distress.

Three facts, each shown by itself: how much equity (an interval, its cautious end counts), whether a person
decides, and whether post reaches them.
"""

from __future__ import annotations

from typing import Final

EQUITY_UNKNOWN: Final = "unknown"
# Band and the loans over value (percent) below which it holds, most equity first.
_BANDS: Final = (("large", 60.0), ("some", 80.0), ("thin", 100.0))
NEGATIVE: Final = "negative"
EQUITY_BANDS: Final = (*(name for name, _ in _BANDS), NEGATIVE, EQUITY_UNKNOWN)
HOME, POST, SITE_ASSUMED, ABROAD, INCOMPLETE = "home", "post", "site_assumed", "abroad", "incomplete"
REACHES: Final = (HOME, POST, SITE_ASSUMED, ABROAD, INCOMPLETE)
# What post does, after "post".
REACH_WORDS: Final = {
    HOME: "reaches them at the property",
    POST: "reaches them elsewhere",
    SITE_ASSUMED: "goes to the property, for want of another address",
    ABROAD: "goes abroad",
    INCOMPLETE: "does not reach them: the address is incomplete",
}
OPPORTUNITIES: Final = ("high", "medium", "low", "unknown")
# A person decides by themselves or with few others: elsewhere a board or an officer does.
_PEOPLE: Final = frozenset({"person", "life_estate", "estate", "trust"})
_HERE: Final = frozenset({"US", "USA", "U S A", "U.S.", "U.S.A.", "UNITED STATES"})


def equity_band(cltv_low: float | None, cltv_high: float | None) -> str:
    """The band of :data:`EQUITY_BANDS`; ``cltv_*``: loans over value, percent. The cautious end decides.

    large: loans below 60 % of the value; some: below 80; thin: below 100; negative: more than the value.
    """
    ends = [end for end in (cltv_low, cltv_high) if end is not None]
    if not ends:
        return EQUITY_UNKNOWN
    return next((name for name, below in _BANDS if max(ends) < below), NEGATIVE)


def reach(
    address: str | None, city: str | None, state: str | None, zip_: str | None, country: str | None,
    *, is_site: bool, occupancy: str,
) -> str:  # fmt: skip
    """How post reaches the owner, one of :data:`REACHES`.

    ``is_site``: no mailing address was given, so the site's stands for it. Unless somebody lives there, that
    it reaches the owner is only assumed.
    """
    if not address or not (zip_ or (city and state)):
        return INCOMPLETE
    if country and country.strip().upper() not in _HERE:
        return ABROAD
    if occupancy == "owner_occupied":
        return HOME
    return SITE_ASSUMED if is_site else POST


def opportunity(band: str, owner_type: str, reached: str) -> str:
    """high, medium or low; unknown where equity is.

    high: large equity, a person decides, and post reaches them at home or elsewhere. low: thin or negative
    equity, or an incomplete address. Everything else is medium.
    """
    if reached == INCOMPLETE or band in ("thin", NEGATIVE):
        return "low"
    if band == EQUITY_UNKNOWN:
        return "unknown"
    certain = reached in (HOME, POST)
    return "high" if band == "large" and owner_type in _PEOPLE and certain else "medium"
