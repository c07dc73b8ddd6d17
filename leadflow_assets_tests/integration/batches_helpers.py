"""What the tests of batches share: files of addresses, the loopback vendor, the bill beside the ledger."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from leadflow_assets.enrich.batches.fan_out import RestTransport
from leadflow_assets.enrich.batches.job import BatchJob
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.vendor import open_cache, open_ledger, prices
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS, Table
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets.sources.attom.client import AttomClient
from leadflow_assets.sources.attom.limiter import MinuteLimiter
from leadflow_assets.sources.http import make_client
from leadflow_assets.state.rate_windows import RateWindow
from leadflow_assets.state.spend import spend_by_day
from leadflow_assets_tests.vendors.attom import KEY, AttomServer
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty

# Two are as good as five where the test is not about them.
ENDPOINTS = ("expandedprofile", "homeequity")
ALL_ENDPOINTS = ("expandedprofile", "detailmortgageowner", "preforeclosuredetails", "homeequity", "attomavm")
NOON = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)


def sample_street(count: int) -> list[SampleProperty]:
    """So many fictional houses in one street; each has an ATTOM id of its own, from 1001."""
    return [SampleProperty(1000 + n, line1=f"{n} SAMPLE ST", apn=f"1-{n}") for n in range(1, count + 1)]


def write_list(path: Path, lines: Sequence[str], header: str = "Property Street,City,State,Zip") -> Path:
    """A file as a person has it; a line that is only a street lies in Sampleton."""
    whole = [line if "," in line else f"{line},Sampleton,MA,01999" for line in lines]
    path.write_text("\n".join([header, *whole]) + "\n", encoding="utf-8")
    return path


def street_list(path: Path, count: int) -> Path:
    """The houses of :func:`sample_street`."""
    return write_list(path, [f"{n} Sample Street" for n in range(1, count + 1)])


def batch_settings(folder: Path, server: AttomServer | None, **more: Any) -> Settings:
    """Settings of a lake of its own that asks ``server``; the limiter lets everything through."""
    values: dict[str, Any] = {
        "attom_api_key": KEY,
        "leadflow_attom_url": server.base if server else "http://127.0.0.1:9",
        "leadflow_attom_calls_per_minute": 100_000,
        "daily_cap_attom_cents": 1_000_000,
        "leadflow_attom_endpoints": ",".join(ENDPOINTS),
    }
    return load_settings(leadflow_data_dir=folder / "data", **{**values, **more})


class Clock:
    """A clock that sleeping moves; all threads share it, and none waits."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += timedelta(seconds=seconds)


def with_clock(settings: Settings, clock: Clock) -> Batches:
    """Batches whose ledger, limiter and pauses live by ``clock``."""

    @contextmanager
    def opened(settings: Settings, lake: Lake, *, sleep: Callable[[float], None]) -> Iterator[AttomClient]:
        def wait(seconds: float) -> None:
            sleep(0.0)
            clock.sleep(seconds)

        key = settings.attom_api_key.get_secret_value() if settings.attom_api_key else None
        with make_client(timeout=10.0) as http:
            yield AttomClient(
                key,
                charges=open_ledger(settings, now=clock),
                answers=open_cache(settings, lake, now=clock),
                limiter=MinuteLimiter(
                    RateWindow(settings, "attom"),
                    settings.leadflow_attom_calls_per_minute,
                    now=clock,
                    sleep=wait,
                ),
                prices=prices(settings),
                http=http,
                base_url=settings.leadflow_attom_url,
                sleep=wait,
            )

    return Batches(settings, {"rest": RestTransport(settings, Lake(settings), client=opened)}, now=clock)


def rows_of(settings: Settings, table: Table, job: BatchJob) -> list[dict[str, Any]]:
    """The published partition of a batch as a stranger reads it: the current file."""
    path = Path(settings.lake_uri, table.name, table.partition(job.job_id), f"{table.short_name}.parquet")
    return [] if not path.exists() else pq.ParquetFile(path).read().to_pylist()


def cents_by_state(settings: Settings) -> dict[str, float]:
    """The ledger of all days; nothing that is zero."""
    days = spend_by_day(settings)
    found = {
        "reserved": sum(day.reserved_cents for day in days),
        "settled": sum(day.settled_cents for day in days),
        "unknown": sum(day.unknown_cents for day in days),
    }
    return {state: cents for state, cents in found.items() if cents}


def assert_accounted(settings: Settings, server: AttomServer, job: BatchJob, *, unknown: int = 0) -> None:
    """Nothing is lost, nothing was paid twice, and the ledger is the vendor's bill.

    ``unknown`` calls broke off: they may be on the bill, and count in the ledger until somebody knows.
    """
    twice = {place: count for place, count in server.billed.items() if count > 1}
    assert twice == {}
    cents = cents_by_state(settings)
    assert cents.get("reserved", 0) == 0, "every charge came to an end"
    assert cents.get("unknown", 0) == 10 * unknown
    settled = cents.get("settled", 0) / 10
    assert settled <= server.reports <= settled + unknown
    outcomes = Batches(settings).outcomes(job.job_id)
    assert outcomes.total == job.total_records
    if job.status in ("downloaded", "processed"):
        results = rows_of(settings, ATTOM_RESULTS, job)
        asked = Counter(row["request_number"] for row in results)
        assert set(asked) == set(range(1, job.total_records + 1))
        assert all(count >= len(job.endpoints) for count in asked.values())
        own = sum(row["reports"] for row in results if not row["from_cache"])
        assert own * 10 == sum(day.settled_cents for day in spend_by_day(settings, batch_id=job.job_id))
    if job.status == "processed":
        found = {row["attom_id"] for row in rows_of(settings, ATTOM_PROPERTIES, job)}
        returned = {row["attom_id"] for row in results if row["outcome"] == "returned"}
        assert found == returned - {None}
