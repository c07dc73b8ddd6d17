"""Units of area: what the state publishes in metres and acres, people read in square feet."""

from __future__ import annotations

from typing import Final

SQUARE_FEET_PER_ACRE: Final = 43_560.0
# The international foot of 0.3048 m.
SQUARE_FEET_PER_SQUARE_METRE: Final = 10.763910416709722
