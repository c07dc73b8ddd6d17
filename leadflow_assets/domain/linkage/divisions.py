"""Where a debtor lives, as far as the number of the petition tells: the division of the court.

The Bankruptcy Court for Massachusetts sits in three divisions by the debtor's home (its Local Rule 5001-1)
and numbers their cases apart: of the five digits behind the year the first is 1 in Boston, 3 in Springfield
and 4 in Worcester (the real dockets beside this project agree). Counties that two divisions share count in
both.
"""

from __future__ import annotations

import re

_EASTERN = (
    "Barnstable",
    "Bristol",
    "Dukes",
    "Essex",
    "Middlesex",
    "Nantucket",
    "Norfolk",
    "Plymouth",
    "Suffolk",
)
_WESTERN = ("Berkshire", "Franklin", "Hampden", "Hampshire")
_CENTRAL = ("Essex", "Middlesex", "Norfolk", "Worcester")
# (court, first of the five digits) -> counties
COUNTIES = {("mab", "1"): _EASTERN, ("mab", "3"): _WESTERN, ("mab", "4"): _CENTRAL}
_NUMBER = re.compile(r"(?:\d:)?\d{2}-(?:bk-)?(\d)\d{4}(?:\D.*)?", re.IGNORECASE)


def counties_of_petition(court: str, docket_number: str | None) -> tuple[str, ...]:
    """Counties of the division of a petition's number; none where the number does not tell."""
    found = _NUMBER.fullmatch((docket_number or "").strip())
    return COUNTIES.get((court, found[1]), ()) if found else ()
