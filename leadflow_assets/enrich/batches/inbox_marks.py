"""What became of files in the inbox, remembered in the lake: for all machines, and found by one listing.

``<results>/_inbox/<state of a file>/`` holds one entry for each dataset of it that was taken, or one that it
was refused by this version of the program: a later one may know it. ``bytes/`` says which batches have bytes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from leadflow_assets import __version__
from leadflow_assets.enrich.batches.inbox_places import InboxFile
from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake.store import Store

_FOLDER = "_inbox"
_BYTES = "bytes"
_REFUSED = f"refused-{__version__}.json"


class InboxMarks:
    """The marks as they were when this was made; ``results`` is the folder of deliveries in the lake."""

    def __init__(self, store: Store, results: str) -> None:
        self._store = store
        self._prefix = f"{results}/{_FOLDER}/"
        self._found: dict[str, set[str]] = defaultdict(set)
        for key in store.list(self._prefix):
            mark, _, entry = key.removeprefix(self._prefix).partition("/")
            self._found[mark].add(entry)

    def is_done(self, file: InboxFile) -> bool:
        """Is there nothing left to take from this state of the file?"""
        entries = self._found.get(file.mark, set())
        taken = [entry for entry in entries if entry.startswith("taken-")]
        return _REFUSED in entries or bool(taken and len(taken) >= int(taken[0].split("-")[1]))

    def is_taken(self, file: InboxFile, dataset: str) -> bool:
        """Was this dataset of the file taken?"""
        return any(entry.endswith(f"-{dataset}.json") for entry in self._found.get(file.mark, ()))

    def batches_of(self, sha256: str, dataset: str) -> list[str]:
        """The batches that these bytes are archived for, wherever they lay."""
        start = f"{sha256}-{dataset}/"
        entries = sorted(self._found.get(_BYTES, ()))
        return [e.removeprefix(start).removesuffix(".json") for e in entries if e.startswith(start)]

    def archived(self, sha256: str, dataset: str, batch_id: str) -> None:
        """Remember that a batch has these bytes."""
        self._store.put_new(f"{self._prefix}{_BYTES}/{sha256}-{dataset}/{batch_id}.json", b"{}")

    def take(self, file: InboxFile, dataset: str, datasets: int, batch_id: str) -> None:
        """Remember that one of its ``datasets`` is a batch now."""
        self._write(file, f"taken-{datasets}-{dataset}.json", {"batch": batch_id})

    def refuse(self, file: InboxFile, problem: LeadflowError) -> None:
        """Remember that it was told what is wrong with it."""
        self._write(file, _REFUSED, {"problem": problem.message, "hint": problem.hint})

    def _write(self, file: InboxFile, entry: str, facts: dict[str, Any]) -> None:
        content = {"file": file.location, "modified": file.modified.isoformat(), **facts}
        self._store.put_new(f"{self._prefix}{file.mark}/{entry}", json.dumps(content).encode())
        self._found[file.mark].add(entry)
