"""One way to read ATTOM's keys: without regard to case and punctuation, along alternative paths.

Two families of casing exist (``lotSize1`` and ``lotsize1``), files write ``[ATTOM ID]`` for ``ATTOMID``,
and the same fact moves between places: ``owner`` and ``assessment.owner``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import TypeVar

from leadflow_assets.sources.attom import values

T = TypeVar("T")


@lru_cache(maxsize=8_192)
def plain_key(name: str) -> str:
    """A key without case and punctuation: ``[ATTOM ID]``, ``attomId`` and ``ATTOM_ID`` are one."""
    return "".join(c for c in name.lower() if c.isalnum())


class Keys:
    """A JSON object read by plain keys. Anything that is not an object reads as an empty one.

    Paths are dotted (``assessment.owner.owner1.fullName``); of several, the first that holds a value wins.
    """

    def __init__(self, value: object) -> None:
        entries = value.items() if isinstance(value, Mapping) else ()
        # Where two spellings of a key meet, one that says something wins.
        self._entries: dict[str, object] = {}
        for name, entry in entries:
            key = plain_key(str(name))
            if self._entries.get(key) in (None, "", {}):
                self._entries[key] = entry

    def __bool__(self) -> bool:
        return bool(self._entries)

    def value(self, path: str) -> object:
        """What stands at a path; None where nothing does."""
        *parents, last = path.split(".")
        node = self
        for parent in parents:
            node = Keys(node._entries.get(plain_key(parent)))
        return node._entries.get(plain_key(last))

    def holds(self, *paths: str) -> bool:
        """Is there a key at one of the paths, even if it says null?"""
        for path in paths:
            parent, _, last = path.rpartition(".")
            node = Keys(self.value(parent)) if parent else self
            if plain_key(last) in node._entries:
                return True
        return False

    def child(self, *paths: str) -> Keys:
        """The first object at one of the paths that is not empty; an empty one otherwise."""
        return next((node for path in paths if (node := Keys(self.value(path)))), Keys(None))

    def children(self, *paths: str) -> list[Keys]:
        """The objects of the first list found; a single object counts as a list of one."""
        for path in paths:
            found = self.value(path)
            listed = found if isinstance(found, list) else [found]
            nodes = [node for entry in listed if (node := Keys(entry))]
            if nodes:
                return nodes
        return []

    def _first(self, read: Callable[[object], T | None], paths: tuple[str, ...]) -> T | None:
        found: Iterator[T | None] = (read(self.value(path)) for path in paths)
        return next((value for value in found if value is not None), None)

    def text(self, *paths: str) -> str | None:
        """See :func:`values.text`."""
        return self._first(values.text, paths)

    def number(self, *paths: str, zero: bool = False) -> float | None:
        """See :func:`values.number`."""
        return self._first(lambda value: values.number(value, zero=zero), paths)

    def integer(self, *paths: str, zero: bool = False) -> int | None:
        """See :func:`values.integer`."""
        return self._first(lambda value: values.integer(value, zero=zero), paths)

    def amount(self, *paths: str, zero: bool = False) -> int | None:
        """See :func:`values.amount`."""
        return self._first(lambda value: values.amount(value, zero=zero), paths)

    def rate(self, *paths: str) -> float | None:
        """See :func:`values.rate`."""
        return self._first(values.rate, paths)

    def year(self, *paths: str) -> int | None:
        """See :func:`values.year`."""
        return self._first(values.year, paths)

    def day(self, *paths: str) -> date | None:
        """See :func:`values.day`."""
        return self._first(values.day, paths)

    def flag(self, *paths: str) -> bool | None:
        """See :func:`values.flag`."""
        return self._first(values.flag, paths)

    def owner_occupied(self, *paths: str) -> bool | None:
        """See :func:`values.owner_occupied`."""
        return self._first(values.owner_occupied, paths)
