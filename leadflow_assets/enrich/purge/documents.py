"""Names and numbers out of JSON values, whatever their shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Strip = Callable[[str], str]
# What is left of a value that was nothing but a name.
_GONE: Final = object()
# Keys that say whose object it is: without its name nothing of the object is kept.
_NAME_KEYS: Final = frozenset({"name", "fullname", "full_name", "party_name"})
# Objects that are about an owner as a whole.
_OWNER_KEYS: Final = frozenset({"owner", "owners"})
# Fields over which sources spread one name; read together.
_MOST_FIELDS: Final = 12


def stripped(value: Any, strip: Strip) -> Any:
    """A JSON value without what ``strip`` takes out of its texts; None where nothing of it is left.

    An item of a list that was only a name goes, and so does an object whose name it was.
    """
    result = _stripped(value, strip)
    return None if result is _GONE else result


def _stripped(value: Any, strip: Strip) -> Any:
    if isinstance(value, str):
        text = strip(value)
        return value if text == value else text or _GONE
    if isinstance(value, list):
        return _list(value, strip)
    if isinstance(value, dict):
        return _object(value, strip)
    return value


def _list(items: list[Any], strip: Strip) -> Any:
    clean = [_stripped(item, strip) for item in items]
    # Of pairs such as [role, name] one without the name is nothing.
    pairs = all(isinstance(item, list) and len(item) == 2 for item in items)
    return [
        after
        for item, after in zip(items, clean, strict=True)
        if after is not _GONE and not (pairs and len(after) < len(item))
    ]


def _object(item: dict[str, Any], strip: Strip) -> Any:
    if _spread_name(item, strip):
        return _GONE
    result: dict[str, Any] = {}
    for key, value in item.items():
        after = _stripped(value, strip)
        if after is _GONE and key.lower() in _NAME_KEYS:
            return _GONE
        if key.lower() in _OWNER_KEYS and isinstance(value, dict) and after != value:
            # Whoever owns it is withheld as a whole: co-owner and mailing address too.
            after = {}
        # Keys may be names as well (captions as keys, say).
        name = strip(key)
        result[name or "removed"] = None if after is _GONE else after
    return result


def _spread_name(item: dict[str, Any], strip: Strip) -> bool:
    """Is a name spread over fields of this object (first and last name)?"""
    names = [v for k, v in item.items() if isinstance(v, str) and v and "name" in k.lower()]
    if not 1 < len(names) <= _MOST_FIELDS or any(strip(name) != name for name in names):
        return False
    return strip(" ".join(names)) != " ".join(names)
