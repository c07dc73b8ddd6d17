"""The US Census Bureau's geocoder: free, without a key, by address ranges along streets.

One request per address, as its documentation describes "onelineaddress". The address leaves this
computer, so nothing asks it unless a setting says so.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from leadflow_assets.errors import SourceAnswerError
from leadflow_assets.sources.http import (
    make_client,
    page_kind,
    raise_for_answer,
    read_limited,
    redact_url,
    send,
)

DEFAULT_URL = "https://geocoding.geo.census.gov/geocoder"
BENCHMARK = "Public_AR_Current"
MAX_ANSWER_BYTES = 1_000_000
MAX_ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class CensusMatch:
    """One address the geocoder matched: its normalized text, the point (degrees), and where it lies."""

    address: str
    lon: float
    lat: float
    city: str
    state: str
    zip: str


class CensusGeocoder:
    """Asks the geocoder at ``base_url``; ``timeout`` in seconds, for each of the attempts."""

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        timeout: float = 10.0,
        client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/locations/onelineaddress"
        self._timeout = timeout
        self._client = client
        self._sleep = sleep

    def find(self, address: str) -> tuple[CensusMatch, ...]:
        """The matches for an address in one line; none is an answer too.

        Raises:
            SourceUnavailableError: no answer, or a passing fault.
            SourceAnswerError: the answer is not the geocoder's JSON.
        """
        if self._client is not None:
            return self._ask(self._client, address)
        with make_client(self._timeout) as client:
            return self._ask(client, address)

    def _ask(self, client: httpx.Client, address: str) -> tuple[CensusMatch, ...]:
        query = urlencode({"address": address, "benchmark": BENCHMARK, "format": "json"})
        with send(
            client, "GET", f"{self._url}?{query}", timeout=self._timeout, sleep=self._sleep
        ) as response:
            raise_for_answer(response)
            body = read_limited(response, max_bytes=MAX_ANSWER_BYTES, seconds=MAX_ANSWER_SECONDS)
            content_type = response.headers.get("Content-Type", "")
        shown = redact_url(self._url)
        page = page_kind(body[:512], content_type)
        if page:
            raise SourceAnswerError(f"{shown} sent {page} instead of JSON.", "Check CENSUS_GEOCODER_URL.")
        return parse_answer(body, shown)


def parse_answer(body: bytes, name: str) -> tuple[CensusMatch, ...]:
    """The matches in an answer; ``name`` is for messages only.

    Raises:
        SourceAnswerError: not JSON, or not of the geocoder's form.
    """
    try:
        answer = json.loads(body)
        return tuple(_match(entry) for entry in answer["result"]["addressMatches"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # The cause is cut off: its text may quote the address.
        raise SourceAnswerError(
            f"{name} sent something that is not its JSON ({type(error).__name__}).",
            "Check CENSUS_GEOCODER_URL.",
        ) from None


def _match(entry: dict[str, Any]) -> CensusMatch:
    parts = entry["addressComponents"]
    point = entry["coordinates"]
    lon, lat = float(point["x"]), float(point["y"])
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise ValueError("a coordinate is not a number")
    return CensusMatch(
        address=str(entry["matchedAddress"]),
        lon=lon,
        lat=lat,
        city=str(parts.get("city") or ""),
        state=str(parts.get("state") or ""),
        zip=str(parts.get("zip") or ""),
    )
