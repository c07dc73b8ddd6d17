"""Scripts and styles of others: Leaflet, Leaflet.draw and AG Grid, as they lie in the nicegui wheel."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from leadflow_assets.search.exports.leaflet import elements_folder

# Address below /libraries/ -> folder or file below nicegui/elements.
_PLACES = {
    "leaflet.js": "leaflet/dist/index.js",
    "leaflet": "leaflet/dist/leaflet",
    "leaflet-draw": "leaflet/dist/leaflet-draw",
    "ag-grid.js": "aggrid/dist/index.js",
}


@lru_cache(maxsize=100)
def library_file(name: str) -> Path | None:
    """Where a library's file lies: ``leaflet.js``, ``leaflet/leaflet.css``; None where there is none.

    Raises:
        NotConfiguredError: the wheel they come in is not installed.
    """
    first, _, rest = name.partition("/")
    if first not in _PLACES:
        return None
    root = (elements_folder() / _PLACES[first]).resolve()
    try:
        found = (root / rest).resolve() if rest else root
        return found if found.is_file() and found.is_relative_to(root) else None
    except (OSError, ValueError):  # no name that a file can have
        return None
