"""A version for the code that makes tables: the hash of its own files.

A hand-kept number would be forgotten one day and leave stale tables that look fresh; this cannot be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

# Everything that decides what stands in a table. Orchestration and storage do not.
_PLACES = (
    "domain",
    "domain/addresses",
    "domain/owners",
    "domain/reference",
    "pipeline",
    "lake/schemas",
)
_FILES = ("lake/columns.py", "lake/geoparquet.py", "sources/massgis/reader.py", "sources/massgis/package.py")
_ENDINGS = (".py", ".sql", ".csv")


@cache
def code_version() -> str:
    """Twelve hex digits that change when any of those files does."""
    return hash_of_code(_PLACES, _FILES, _ENDINGS)


def hash_of_code(
    places: Sequence[str], files: Sequence[str] = (), endings: tuple[str, ...] = (".py",)
) -> str:
    """Twelve hex digits of the files of whole folders, and of single ones, that have one of the endings."""
    root = resources.files("leadflow_assets")
    found = [(f"{place}/{f.name}", f) for place in places for f in root.joinpath(place).iterdir()]
    found += [(name, root.joinpath(name)) for name in files]
    digest = hashlib.sha256()
    for name, file in sorted(found, key=lambda pair: pair[0]):
        if file.is_file() and name.endswith(endings):
            digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
