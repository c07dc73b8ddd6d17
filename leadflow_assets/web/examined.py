"""What was seen of every integration when it was last examined: to examine all of them takes seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from leadflow_assets.enrich.checks import examine_all
from leadflow_assets.refresh.doctor import Finding
from leadflow_assets.settings import Settings

Examination = tuple[datetime, Sequence[Finding]]
# What is older is shown once more, with its moment, and examined anew behind the page.
_FRESH_SECONDS = 300.0


class Examined:
    """The last examination of one running page."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._found: Examination | None = None
        self._ended = 0.0

    def latest(self, settings: Settings) -> Examination:
        """What was found, and when it was looked for; the first time somebody asks it is looked for now."""
        found = self._found
        if found is None:
            with self._one_at_a_time:
                return self._found or self._look(settings)
        if time.monotonic() - self._ended > _FRESH_SECONDS and not self._one_at_a_time.locked():
            threading.Thread(target=self.again, args=(settings,), daemon=True).start()
        return found

    def again(self, settings: Settings) -> Examination:
        """Look now."""
        with self._one_at_a_time:
            return self._look(settings)

    def _look(self, settings: Settings) -> Examination:
        at = datetime.now(UTC)
        self._found = (at, tuple(examine_all(settings)))
        self._ended = time.monotonic()
        return self._found
