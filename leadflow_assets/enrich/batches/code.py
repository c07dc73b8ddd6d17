"""A version for the code that makes ATTOM's tables: the hash of its own files.

Towns are not made anew because a parser of ATTOM changed, nor the other way round.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

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
    root = resources.files("leadflow_assets")
    files = [(f"{place}/{f.name}", f) for place in _PLACES for f in root.joinpath(place).iterdir()]
    files += [(name, root.joinpath(name)) for name in _FILES]
    digest = hashlib.sha256()
    for name, file in sorted(files, key=lambda pair: pair[0]):
        if file.is_file() and name.endswith(".py"):
            digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
