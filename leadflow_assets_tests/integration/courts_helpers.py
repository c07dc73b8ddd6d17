"""What the tests of court cases share: a clock of both sides, the service by it, tables as others read."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import SecretStr

from leadflow_assets.enrich.courts.service import Courts
from leadflow_assets.lake.tables import COURT_CASES, COURT_DOCKETS, COURT_PARTIES, Table
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets_tests.vendors.courtlistener import TOKEN, CourtListenerServer
from leadflow_assets_tests.vendors.courtlistener_cases import SampleCase

MONDAY = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
# An identifier in the form in which courts print it, masked or not.
_FORM = re.compile(rb"(?<![0-9a-f])(?:[x\d]{3}-[x\d]{2}-[0-9]{4}|[0-9]{2}-[0-9]{7})(?![0-9a-f])")


class Clock:
    """The clock of both sides; only sleeping moves it."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def court_settings(folder: Path, server: CourtListenerServer | None, **more: Any) -> Settings:
    """Settings of a lake of its own that asks ``server``, with the limits of a free account."""
    values: dict[str, Any] = {
        "courtlistener_api_key": SecretStr(TOKEN),
        "leadflow_courtlistener_url": server.base if server else "http://127.0.0.1:9/api/rest/v4",
        "leadflow_courts": "mab",
    }
    return load_settings(leadflow_data_dir=folder / "data", **{**values, **more})


def with_clock(settings: Settings, clock: Clock, **options: Any) -> Courts:
    """The service by the clock: it never really waits."""
    return Courts(settings, now=clock, sleep=clock.sleep, **options)


def rows_of(settings: Settings, table: Table) -> list[dict[str, Any]]:
    """A whole table as a stranger reads it: the current files."""
    files = sorted(Path(settings.lake_uri, table.name).rglob("*.parquet"))
    return [row for path in files for row in pq.ParquetFile(path).read().to_pylist()]


def dockets(settings: Settings) -> list[dict[str, Any]]:
    return rows_of(settings, COURT_DOCKETS)


def cases(settings: Settings) -> list[dict[str, Any]]:
    return rows_of(settings, COURT_CASES)


def parties(settings: Settings) -> list[dict[str, Any]]:
    return rows_of(settings, COURT_PARTIES)


def asked(server: CourtListenerServer) -> list[tuple[Any, ...]]:
    """The questions that reached the vendor, api-usage left out."""
    return [
        (call.path, *sorted(call.parameters.items())) for call in server.calls if call.path != "api-usage"
    ]


def asked_twice(server: CourtListenerServer) -> dict[tuple[Any, ...], int]:
    """The questions that reached the vendor more than once."""
    return {question: count for question, count in Counter(asked(server)).items() if count > 1}


def dated(some: Iterable[SampleCase]) -> set[int]:
    return {case.docket_id for case in some if case.date_filed}


def numbers(settings: Settings) -> dict[str, int]:
    """The number of the newest snapshot of each table: equal where nothing was published."""
    from leadflow_assets.lake.lake import Lake

    lake = Lake(settings)
    return {table.name: lake.snapshot(table).number for table in (COURT_DOCKETS, COURT_CASES, COURT_PARTIES)}


def filed(year: int, month: int, day: int) -> date:
    return date(year, month, day)


def assert_no_identifier(folder: Path, identifiers: Iterable[str]) -> int:
    """No file below the folder holds one of them, packed or not, nor anything of their form; files read."""
    wanted = {identifier.encode() for identifier in identifiers}
    count = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        count += 1
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = str(pq.read_table(path, partitioning=None).to_pylist()).encode()
        elif path.suffix == ".gz":
            content = gzip.decompress(content)
        found = set(_FORM.findall(content))
        assert not found & wanted, f"{path.relative_to(folder)} holds an identifier"
        if path.suffix in {".parquet", ".gz", ".json"}:
            assert not found, f"{path.relative_to(folder)} holds something of an identifier's form"
    return count
