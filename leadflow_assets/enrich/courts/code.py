"""A version for the code that makes the tables of court cases: the hash of its own files."""

from __future__ import annotations

from functools import cache

from leadflow_assets.refresh.code import hash_of_code

_PLACES = ("domain/courts", "domain/addresses")
_FILES = (
    "enrich/court_rows.py",
    "enrich/courts/core.py",
    "lake/columns.py",
    "lake/schemas/courts.py",
    "sources/courtlistener/parse.py",
    "sources/courtlistener/party_rows.py",
    "sources/courtlistener/values.py",
    "sources/imports/case_row.py",
)


@cache
def courts_code_version() -> str:
    """Twelve hex digits that change when any of those files does."""
    return hash_of_code(_PLACES, _FILES)
