"""How common a name is: counted among owners, steadied by the next wider place, at last by the Census.

A table of few owners says little about a rare name, so counts are mixed with what the wider place says,
as if that had been seen in :data:`PRIOR_PERSONS` persons more. The Census of 1990 stands behind the state;
names it does not list get their share from the owners, never from a floor alone once one of them bears it.
"""

from __future__ import annotations

PRIOR_PERSONS = 20_000
# Local shares are kept from this many bearers on: below, they are a family.
FEWEST_LOCAL_BEARERS = 5


def mixed_share(bearers: int, persons: int, wider_share: float) -> float:
    """Share (0 to 1) of a name borne by ``bearers`` of ``persons``, given its share in the wider place."""
    return (bearers + PRIOR_PERSONS * wider_share) / (persons + PRIOR_PERSONS)
