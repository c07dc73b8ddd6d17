"""Where the conversation with a lead stands. Any change is allowed: people correct themselves."""

from __future__ import annotations

from typing import Final

FIRST: Final = "new"
STATUSES: Final = (FIRST, "working", "contacted", "dead", "won")
