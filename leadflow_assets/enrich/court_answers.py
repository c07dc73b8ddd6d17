"""Answers of CourtListener between their arrival and the day's publishing.

With 125 calls a day an answer must survive the end of the process that fetched it: each is written to the
lake's store before it is read, and forgotten once its dockets are published in raw/court_dockets. After that
nothing of a person lies here, so that a purge need not look.
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Protocol

from leadflow_assets.errors import StoreError
from leadflow_assets.sources.courtlistener.answers import About, Answer

FOLDER = "_answers/courtlistener"


class AnswerStore(Protocol):
    """The part of the lake's store that is needed here."""

    def put_new(self, key: str, source: bytes) -> bool:
        """Create an object; False if it exists."""

    def read(self, key: str) -> bytes:
        """Its bytes."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Keys below a prefix, in order."""

    def delete(self, key: str) -> None:
        """Remove it if it is there."""


class CourtAnswers:
    """The answers that wait to be published."""

    def __init__(self, store: AnswerStore) -> None:
        self._store = store

    def keep(self, answer: Answer) -> None:
        """Write an answer; durable when this returns.

        Raises:
            StoreError: it cannot be written.
        """
        facts = asdict(answer) | {"fetched_at": answer.fetched_at.isoformat()}
        if answer.about is not None and answer.about.date_filed is not None:
            facts["about"]["date_filed"] = answer.about.date_filed.isoformat()
        moment = answer.fetched_at.astimezone(UTC)
        key = f"{FOLDER}/{moment:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}.gz"
        packed = gzip.compress(json.dumps(facts, sort_keys=True).encode(), compresslevel=6, mtime=0)
        if not self._store.put_new(key, packed):
            raise StoreError("An answer of CourtListener could not be kept: its name is taken.", "")

    def waiting(self) -> list[tuple[str, Answer]]:
        """Keys and answers, the oldest first."""
        return [(key, self._read(key)) for key in self._store.list(f"{FOLDER}/")]

    def forget(self, keys: Iterable[str]) -> None:
        """The answers are published: remove them."""
        for key in keys:
            self._store.delete(key)

    def _read(self, key: str) -> Answer:
        facts = json.loads(gzip.decompress(self._store.read(key)))
        about = facts.pop("about")
        if about is not None:
            filed = about["date_filed"]
            about = About(about["court"], about["docket_id"], date.fromisoformat(filed) if filed else None)
        return Answer(**{**facts, "fetched_at": datetime.fromisoformat(facts["fetched_at"])}, about=about)
