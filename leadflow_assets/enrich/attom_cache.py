"""Kept answers of ATTOM: the bodies in the lake's archive, the index in the state database.

A body is archived under the id of its charge before anything reads it, with the facts of the call in front.
The index can be made again from the archive; the archive can be made again from nothing, so it is written
once and never changed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from leadflow_assets.errors import NotConfiguredError, SourceAnswerError, StoreError
from leadflow_assets.sources.attom.answers import Answer
from leadflow_assets.sources.attom.client import judged
from leadflow_assets.sources.attom.endpoints import (
    Endpoint,
    Identity,
    PropertyQuery,
    find_endpoint,
    identities,
)
from leadflow_assets.sources.attom.prices import Prices
from leadflow_assets.state.ledger import Ledger
from leadflow_assets.state.vendor_answers import Freshness, IndexedAnswer, VendorAnswers

VENDOR = "attom"
FOLDER = "_answers/attom"
# Facts of the call that stand in front of the archived body.
_FACTS = ("request_id", "endpoint", "identity", "request_hash", "http_status", "content_type")


class Archive(Protocol):
    """The part of the lake's store that an archive needs."""

    def put_new(self, key: str, source: bytes) -> bool:
        """Create an object; False if it exists."""

    def read(self, key: str) -> bytes:
        """Its bytes. Raises: FileNotFoundError."""


@dataclass(frozen=True)
class CachePlan:
    """What a batch need not pay for. ``fresh`` holds (query, endpoint) pairs that are kept."""

    to_ask: tuple[tuple[PropertyQuery, Endpoint], ...]
    fresh: tuple[tuple[PropertyQuery, Endpoint], ...]
    saved_cents: Decimal


def archive_key(request_id: str) -> str:
    """Where an answer's body lies in the lake."""
    return f"{FOLDER}/{request_id[:2]}/{request_id}.gz"


def _now() -> datetime:
    return datetime.now(UTC)


class AttomCache:
    """Answers kept for all users; properties for ``max_age_days``, all else for ``negative_max_age_days``."""

    def __init__(
        self,
        index: VendorAnswers,
        archive: Archive,
        *,
        max_age_days: int,
        negative_max_age_days: int,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._index = index
        self._archive = archive
        self._ages = (timedelta(days=max_age_days), timedelta(days=negative_max_age_days))
        self._now = now

    def find(self, endpoint: Endpoint, names: list[Identity]) -> Answer | None:
        """The fresh answer under the first name that has one; a property goes before "no match"."""
        found = self._index.find([(endpoint.name, name.key) for name in names], self._freshness())
        kept = [
            (name, found[endpoint.name, name.key]) for name in names if (endpoint.name, name.key) in found
        ]
        kept.sort(key=lambda pair: pair[1].outcome == "no_match")
        for name, entry in kept:
            answer = self.load(entry.request_id)
            # An answer whose archive was taken away is no answer any more.
            if answer is not None:
                return replace(answer, identity=name.key, from_cache=True)
        return None

    def archive(self, answer: Answer, identity: Identity, body: bytes) -> None:
        """Write the bytes with the facts of the call; durable when this returns.

        Raises:
            StoreError: it cannot be written.
        """
        facts = {name: getattr(answer, name) for name in _FACTS}
        facts |= {
            "fetched_at": answer.fetched_at.isoformat(),
            "kind": identity.kind,
            "parameters": dict(identity.parameters),
        }
        head = json.dumps(facts, sort_keys=True).encode()
        packed = gzip.compress(head + b"\n" + body, compresslevel=6, mtime=0)
        if not self._archive.put_new(archive_key(answer.request_id), packed):
            raise StoreError(f"The answer {answer.request_id} is archived already.", "Run `leadflow doctor`.")

    def keep(self, answer: Answer) -> None:
        """Index the answer under the name that was asked, and under ATTOM's id where it gives one."""
        names = [answer.identity]
        if answer.attom_id is not None and f"attom:{answer.attom_id}" != answer.identity:
            names.append(f"attom:{answer.attom_id}")
        self._index.put(
            [
                IndexedAnswer(
                    answer.endpoint,
                    name,
                    answer.request_id,
                    answer.outcome,
                    answer.reports,
                    answer.fetched_at,
                    archive_key(answer.request_id),
                )
                for name in names
            ]
        )

    def load(self, request_id: str) -> Answer | None:
        """An archived answer, read and judged anew; None if there is none."""
        try:
            packed = self._archive.read(archive_key(request_id))
        except FileNotFoundError:
            return None
        head, _, body = gzip.decompress(packed).partition(b"\n")
        facts = json.loads(head)
        endpoint = find_endpoint(facts["endpoint"])
        name = Identity(facts.pop("kind"), facts["identity"], facts.pop("parameters"))
        answer = Answer(
            **{**facts, "fetched_at": datetime.fromisoformat(facts["fetched_at"])},
            message=None,
            transaction_id=None,
            outcome="error",
            reason=None,
            reports=0,
            attom_id=None,
            body=body.decode("utf-8-sig", errors="replace"),
        )
        return judged(endpoint, name, answer)

    def plan(
        self, queries: Sequence[PropertyQuery], endpoints: Iterable[Endpoint], prices: Prices
    ) -> CachePlan:
        """Split a batch into what must be asked and what is fresh, and say how many cents that saves."""
        pairs = [(query, endpoint) for endpoint in endpoints for query in queries]
        named = {id(pair): identities(pair[1], pair[0]) for pair in pairs}
        asked = [(pair[1].name, name.key) for pair in pairs for name in named[id(pair)]]
        found = self._index.find(asked, self._freshness())
        to_ask: list[tuple[PropertyQuery, Endpoint]] = []
        fresh: list[tuple[PropertyQuery, Endpoint]] = []
        saved = Decimal(0)
        for pair in pairs:
            endpoint = pair[1]
            kept = [found.get((endpoint.name, name.key)) for name in named[id(pair)]]
            matched = next((entry for entry in kept if entry and entry.outcome != "no_match"), None)
            # "No match" ends the matter only when every name of the property was tried.
            if matched is None and not all(kept):
                to_ask.append(pair)
                continue
            fresh.append(pair)
            saved += prices.cents(endpoint.name) * (matched.units if matched else 0)
        return CachePlan(tuple(to_ask), tuple(fresh), saved)

    def drop_stale(self, archive_delete: Callable[[str], None], *, before: datetime) -> int:
        """Forget answers fetched before a moment, bodies included; returns how many bodies went."""
        keys = self._index.drop_before(before)
        for key in keys:
            archive_delete(key)
        return len(keys)

    def count_before(self, moment: datetime) -> int:
        """How many answers :meth:`drop_stale` would forget."""
        return self._index.count_before(moment)

    def _freshness(self) -> Freshness:
        now = self._now()
        return Freshness(now - self._ages[0], now - self._ages[1])


_FROM_ARCHIVE = "settled from the archived answer"


def recover(ledger: Ledger, cache: AttomCache) -> list[str]:
    """Settle unknown charges whose answer is in the archive: a process died after it had the answer.

    Returns their ids. What has no archived answer stays unknown.
    """
    recovered = []
    for charge in ledger.unknown():
        try:
            answer = cache.load(charge.charge_id)
        except (NotConfiguredError, SourceAnswerError):
            # Turned away for the key or the contract: answered, and not billed.
            ledger.settle(charge.charge_id, 0, _FROM_ARCHIVE)
        else:
            if answer is None:
                continue
            if answer.http_status == 200 or answer.outcome == "no_match":
                cache.keep(answer)
            ledger.settle(charge.charge_id, answer.reports, _FROM_ARCHIVE)
        recovered.append(charge.charge_id)
    return recovered
