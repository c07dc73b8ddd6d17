"""Searchers kept open between requests: opening one costs more than most searches."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import CASE_MATCHES, DISTRESS_SCORES, PROPERTIES
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.index import index_path
from leadflow_assets.settings import Settings

# Two cores: more searches at once only take each other's time and memory.
MOST_AT_ONCE = 2
# What was published is seen after so long; asking the lake at every click would slow each of them down.
_SECONDS_BETWEEN_LOOKS = 2.0


class Searchers:
    """Gives each request a searcher of its own over what is published now; the others wait their turn."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turns = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._lock = threading.Lock()
        self._idle: list[Searcher] = []
        self._seen: tuple[object, ...] = ()
        self._looked_at = 0.0

    @contextlib.contextmanager
    def take(self) -> Iterator[Searcher]:
        """A searcher for one request.

        Raises:
            LeadflowError: the lake cannot be read.
        """
        with self._turns:
            searcher, seen = self._ready()
            try:
                yield searcher
            except BaseException:
                # Whatever went wrong: the next request gets a fresh one.
                searcher.close()
                raise
            with self._lock:
                if seen == self._seen:
                    self._idle.append(searcher)
                    return
            searcher.close()

    def warm(self) -> None:
        """Read what the first searches would wait for: cases and scores of all properties."""
        with contextlib.ExitStack() as stack:
            for _ in range(MOST_AT_ONCE):
                searcher = stack.enter_context(self.take())
                if searcher.snapshot.partitions:
                    searcher.cases.load()
                    searcher.scores.load()

    def close(self) -> None:
        """Close those that are open and not in use."""
        with self._lock:
            self._drop()

    def _ready(self) -> tuple[Searcher, tuple[object, ...]]:
        with self._lock:
            if time.monotonic() - self._looked_at > _SECONDS_BETWEEN_LOOKS:
                now = self._published()
                if now != self._seen:
                    self._drop()
                self._seen, self._looked_at = now, time.monotonic()
            seen = self._seen
            if self._idle:
                return self._idle.pop(), seen
        return open_searcher(self._settings), seen

    def _published(self) -> tuple[object, ...]:
        lake = Lake(self._settings)
        snapshots = tuple(
            lake.snapshot(table).number for table in (PROPERTIES, CASE_MATCHES, DISTRESS_SCORES)
        )
        link = index_path(self._settings)
        beside = tuple(sorted((f.name, f.stat().st_mtime_ns) for f in link.parent.glob("*.arrow")))
        return (*snapshots, link.readlink() if link.is_symlink() else None, beside)

    def _drop(self) -> None:
        for searcher in self._idle:
            searcher.close()
        self._idle.clear()
