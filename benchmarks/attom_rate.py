"""Calls to ATTOM in full clock minutes against the rate that is allowed. Target: at least 95 % of it.

The vendor is the tests' loopback server in a process of its own; what counts are the calls in its log.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.settings import load_settings
from leadflow_assets_tests.vendors.attom import KEY, AttomServer, Call
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty

_RATES = (200, 1200)
_MINUTES = 2


class _Vendor(AttomServer):
    """The loopback vendor with an index of its houses: a list of thousands would be searched at each call."""

    def __init__(self, houses: int) -> None:
        super().__init__([])
        self._by_id = {
            n: SampleProperty(n, line1=f"{n} SAMPLE ST", apn=f"1-{n}") for n in range(1, houses + 1)
        }

    def _found(self, call: Call) -> list[SampleProperty]:
        named = call.parameters.get("attomid") or re.match(r"\d+", call.parameters.get("address1", ""))
        number = int(named if isinstance(named, str) else named[0] if named else 0)
        return [self._by_id[number]] if number in self._by_id else []


def main() -> None:
    """Measure each rate in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=_RATES, help="calls per minute")
    parser.add_argument("--minutes", type=int, default=_MINUTES, help="full minutes that are counted")
    arguments = parser.parse_args()
    for rate in arguments.rates:
        with tempfile.TemporaryDirectory() as folder:
            _measure(rate, arguments.minutes, Path(folder))


def _measure(rate: int, minutes: int, folder: Path) -> None:
    endpoints = 5
    houses = rate * (minutes + 2) // endpoints + 20
    ours, theirs = multiprocessing.Pipe()
    vendor = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, houses))
    vendor.start()
    try:
        settings = load_settings(
            leadflow_data_dir=folder / "data",
            attom_api_key=KEY,
            leadflow_attom_url=ours.recv(),
            leadflow_attom_calls_per_minute=rate,
            daily_cap_attom_cents=10**9,
        )
        file = folder / "houses.csv"
        rows = "".join(f"{n} Sample St,Sampleton,MA,01999\n" for n in range(1, houses + 1))
        file.write_text(f"Address,City,State,Zip\n{rows}", encoding="utf-8")
        batches = Batches(settings)
        job = batches.submit(batches.create(file, name="rate").job_id)
        first = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        ends = first + timedelta(minutes=minutes, seconds=1)
        before = time.process_time()
        batches.run(job.job_id, stop=lambda: datetime.now(UTC) > ends)
        cpu = time.process_time() - before
        ours.send("done")
        calls: Counter[datetime] = ours.recv()
        spent = batches.spent_cents(job.job_id) / 10
    finally:
        vendor.terminate()
        vendor.join()
    counted = [calls[first + timedelta(minutes=n)] for n in range(minutes)]
    share = 100 * sum(counted) / (rate * minutes)
    shown = ", ".join(f"{count:,}" for count in counted)
    print(
        f"{rate:,} calls a minute allowed: {shown} made in full minutes, {share:.1f} % (target: at least 95)"
    )
    print(
        f"  {1000 * cpu / sum(calls.values()):.1f} ms of CPU a call; ledger {spent:,.0f} reports", flush=True
    )


def _serve(connection: Connection, houses: int) -> None:
    with _Vendor(houses) as server:
        connection.send(server.base)
        connection.recv()
        connection.send(Counter(call.minute for call in server.calls))
        connection.recv()


if __name__ == "__main__":
    main()
