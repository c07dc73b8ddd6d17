"""A version for the code that makes ATTOM's tables: the hash of its own files.

Towns are not made anew because a parser of ATTOM changed, nor the other way round.
"""

from __future__ import annotations

from functools import cache

from leadflow_assets.refresh.code import hash_of_code

_PLACES = ("sources/attom",)
_FILES = (
    "enrich/batches/batch_rows.py",
    "enrich/batches/delivered.py",
    "enrich/batches/landing.py",
    "lake/columns.py",
    "lake/schemas/attom.py",
)


@cache
def attom_code_version() -> str:
    """Twelve hex digits that change when any of those files does."""
    return hash_of_code(_PLACES, _FILES)
