"""Rounding of arrays exactly as Python rounds a number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def round_as_python(values: Doubles, digits: int) -> Doubles:
    """``round(value, digits)`` of each value.

    NumPy multiplies and rounds the product, which differs where the value lies next to a tie (0.35): those
    few are rounded by Python itself.
    """
    scale = 10.0**digits
    rounded = np.rint(values * scale) / scale
    near_tie = np.abs(np.abs(values * scale - np.floor(values * scale)) - 0.5) < 1e-6
    if near_tie.any():
        found, place = np.unique(values[near_tie], return_inverse=True)
        rounded[near_tie] = np.array([round(value, digits) for value in found.tolist()])[place]
    return rounded
