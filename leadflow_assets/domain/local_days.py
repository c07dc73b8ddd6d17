"""Days in Massachusetts: a moment of the evening is already tomorrow in UTC, and would be the future here."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

ZONE: Final = "America/New_York"


def local_day(moment: datetime) -> date:
    """The day it was in Massachusetts at an aware moment."""
    return moment.astimezone(ZoneInfo(ZONE)).date()


def end_of_day(day: date) -> datetime:
    """The last moment of a day in Massachusetts, UTC."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(ZONE))
    return midnight.astimezone(UTC) - timedelta(microseconds=1)
