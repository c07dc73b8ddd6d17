"""A version for the code that makes tables: the hash of its own files.

A hand-kept number would be forgotten one day and leave stale tables that look fresh; this cannot be.
"""

from __future__ import annotations

import hashlib
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
    root = resources.files("leadflow_assets")
    digest = hashlib.sha256()
    files = [(f"{place}/{f.name}", f) for place in _PLACES for f in root.joinpath(place).iterdir()]
    files += [(name, root.joinpath(name)) for name in _FILES]
    for name, file in sorted(files, key=lambda pair: pair[0]):
        if file.is_file() and name.endswith(_ENDINGS):
            digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
