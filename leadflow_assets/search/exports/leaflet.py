"""Leaflet for pages that load nothing: its files come with the nicegui wheel, which is not imported."""

from __future__ import annotations

import base64
import importlib.util
import mimetypes
import re
from functools import cache
from pathlib import Path

from leadflow_assets.errors import NotConfiguredError

_FOLDER = Path("leaflet") / "dist"
_EXPORT = re.compile(r"export\s*\{\s*([\w$]+)\s+as\s+leaflet\s*\};?")
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_CSS_URL = re.compile(r"""url\(\s*['"]?(?!data:|#)([^'")]+)['"]?\s*\)""")


@cache
def leaflet_script() -> str:
    """Leaflet as the text of a module that sets ``globalThis.L``.

    Raises:
        NotConfiguredError: it is not installed, or in a form that is not known here.
    """
    text = _SOURCE_MAP.sub("", _read("index.js").decode("utf-8"))
    script, changed = _EXPORT.subn(r"globalThis.L = \1;", text)
    if changed != 1:
        raise NotConfiguredError(
            "The Leaflet of the installed nicegui has a form that the map page does not know.",
            "Install the versions of requirements.lock.",
        )
    return script


@cache
def leaflet_style() -> str:
    """Leaflet's style sheet with its pictures inside.

    Raises:
        NotConfiguredError: it is not installed.
    """
    folder = Path("leaflet")
    style = _read(str(folder / "leaflet.css")).decode("utf-8")
    return _CSS_URL.sub(lambda found: f"url({_data_uri(folder / found[1])})", style)


def _data_uri(file: Path) -> str:
    media, _ = mimetypes.guess_type(file.name)
    return f"data:{media};base64,{base64.b64encode(_read(str(file))).decode('ascii')}"


def _read(name: str) -> bytes:
    try:
        return (elements_folder() / _FOLDER / name).read_bytes()
    except FileNotFoundError:
        raise _not_installed() from None


def elements_folder() -> Path:
    """Where the nicegui wheel keeps the libraries it brings: Leaflet, Leaflet.draw, AG Grid.

    Raises:
        NotConfiguredError: it is not installed.
    """
    # Finding a top-level package does not run it: importing nicegui would start half a web server.
    spec = importlib.util.find_spec("nicegui")
    if spec is None or not spec.submodule_search_locations:
        raise _not_installed()
    return Path(spec.submodule_search_locations[0]) / "elements"


def _not_installed() -> NotConfiguredError:
    return NotConfiguredError(
        "Maps need Leaflet, which comes with nicegui, and that is not installed.",
        "pip install nicegui==3.18.0",
    )
