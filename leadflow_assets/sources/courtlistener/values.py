"""Reading fields that may be missing, empty, or of another type than documented."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any


def as_text(value: Any) -> str | None:
    """Text with single blanks; None for what is empty or no text. Numbers become text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return " ".join(str(value).split()) or None


def as_lines(value: Any) -> str | None:
    """Text with its lines; None for what is empty or no text."""
    return value.strip() or None if isinstance(value, str) else None


def as_int(value: Any) -> int | None:
    """A whole number that fits 64 bits, given as one or as its digits."""
    found: int | None = None
    if isinstance(value, str):
        text = value.strip()
        found = int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20 else None
    elif isinstance(value, float):
        found = int(value) if math.isfinite(value) and value == int(value) else None
    elif isinstance(value, int) and not isinstance(value, bool):
        found = value
    return found if found is not None and -(2**63) <= found < 2**63 else None


def as_date(value: Any) -> date | None:
    """The day of an ISO date or time; None for anything else."""
    text = as_text(value)
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def as_moment(value: Any) -> datetime | None:
    """An ISO time with a zone; None for anything else."""
    text = as_text(value)
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def as_items(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; what is no object is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_texts(value: Any) -> list[str]:
    """The texts of a list."""
    return [text for item in value if (text := as_text(item))] if isinstance(value, list) else []


def id_in_url(value: Any) -> int | None:
    """The number at the end of a resource's URL: ``…/dockets/123/``."""
    text = as_text(value)
    return as_int(text.rstrip("/").rpartition("/")[2]) if text else None
