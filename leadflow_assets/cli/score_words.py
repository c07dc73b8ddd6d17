"""Factors of a distress score in the words of its table."""

from __future__ import annotations

from functools import cache


def reasons_text(factors: str | None) -> str | None:
    """``auction_scheduled, absentee_in_state`` in words, one line each; None where nothing counts."""
    if not factors:
        return None
    words = _words()
    return "\n".join(words.get(name, name.replace("_", " ")) for name in factors.split(", "))


@cache
def _words() -> dict[str, str]:
    from leadflow_assets.domain.distress import CURRENT, load_table

    return {factor.name: factor.words for factor in load_table(CURRENT).factors}
