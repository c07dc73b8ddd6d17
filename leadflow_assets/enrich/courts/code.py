"""A version for the code that makes the tables of court cases: the hash of its own files."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

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
    root = resources.files("leadflow_assets")
    files = [(f"{place}/{f.name}", f) for place in _PLACES for f in root.joinpath(place).iterdir()]
    files += [(name, root.joinpath(name)) for name in _FILES]
    digest = hashlib.sha256()
    for name, file in sorted(files, key=lambda pair: pair[0]):
        if file.is_file() and name.endswith(".py"):
            digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
