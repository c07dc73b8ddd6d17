"""When a daily digest is made: at eight in the morning in Massachusetts, after the night's refresh.

A digest tells what was seen before its hour and not told yet, whenever it is sent: what is seen later in the
day waits for the next one, so that there is one a day and its text does not depend on who asked first.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from leadflow_assets.domain.local_days import ZONE, local_day

DIGEST_HOUR: Final = time(8)


def digest_moment(day: date) -> datetime:
    """When the digest of a day is made, UTC."""
    return datetime.combine(day, DIGEST_HOUR, ZoneInfo(ZONE)).astimezone(UTC)


def last_digest(now: datetime) -> datetime:
    """When the newest digest was due at an aware moment, UTC."""
    today = local_day(now)
    moment = digest_moment(today)
    return moment if moment <= now else digest_moment(today - timedelta(days=1))


def digest_window(day: date) -> tuple[datetime, datetime]:
    """(from, before) what the digest of a day tells, where that of the day before was sent; UTC."""
    return digest_moment(day - timedelta(days=1)), digest_moment(day)
