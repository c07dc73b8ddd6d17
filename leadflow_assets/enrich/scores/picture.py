"""A small picture of how the scores of a town lie: bars by steps of five points, the highest step in red."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw

from leadflow_assets.refresh.picture import Picture

WIDTH: Final = 480  # pixels
HEIGHT: Final = 200
_MARGIN: Final = 24
_BACKGROUND = (250, 250, 248)
_AXIS = (120, 120, 115)
_LOW, _HIGH = (247, 220, 150), (200, 60, 50)


def distribution(counts: Sequence[int], step: int) -> Picture:
    """Bars of ``counts`` of scores above 0, each of ``step`` points; their heights are square roots.

    Few properties have high scores, and with heights in proportion these would not be seen.
    """
    # Twice the size, then halved: thin lines become smooth.
    image = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), _BACKGROUND)
    pen = ImageDraw.Draw(image)
    highest = max(counts, default=0) or 1
    room = (2 * WIDTH - 4 * _MARGIN, 2 * HEIGHT - 4 * _MARGIN)
    floor = 2 * HEIGHT - 2 * _MARGIN
    wide = room[0] / max(len(counts), 1)
    for place, count in enumerate(counts):
        left = 2 * _MARGIN + place * wide
        if count:
            top = floor - max(4.0, room[1] * (count / highest) ** 0.5)
            pen.rectangle((left + 3, top, left + wide - 3, floor), fill=_colour(place / len(counts)))
        if place % 4 == 0:
            pen.text((left, floor + 8), str(place * step), fill=_AXIS, font_size=22)
    pen.line((2 * _MARGIN, floor, 2 * WIDTH - 2 * _MARGIN, floor), fill=_AXIS, width=3)
    title = f"{sum(counts):,} properties with a signal, by score; most in a bar: {max(counts, default=0):,}"
    pen.text((2 * _MARGIN, 14), title, fill=_AXIS, font_size=24)
    out = io.BytesIO()
    image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).quantize(48).save(out, "PNG", optimize=True)
    return Picture(out.getvalue(), "distribution of the scores")


def _colour(share: float) -> tuple[int, int, int]:
    """From pale to red as scores rise."""
    mixed = [round(low + (high - low) * share) for low, high in zip(_LOW, _HIGH, strict=True)]
    return mixed[0], mixed[1], mixed[2]
