"""Names of events: the same happening has the same name whoever computes it, and when."""

from __future__ import annotations

import hashlib

_SEPARATOR = "\x1f"


def event_id(town_id: int, kind: str, subject: str, happening: str) -> str:
    """The id of an event: town, then 24 hex digits.

    ``subject`` is what it happened to (a property, a parcel), ``happening`` what tells it from another of
    its kind: the day of a sale, the release that shows it, the case. Not the details: a source that later
    corrects one of them does not tell of a second event.
    """
    text = _SEPARATOR.join((str(town_id), kind, subject, happening))
    return f"{town_id:03d}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"
