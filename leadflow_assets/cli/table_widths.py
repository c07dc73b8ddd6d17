"""How wide the columns of a table are in a window, so that nothing of a cell is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Between two columns, and at both edges, of the tables that are printed.
_BETWEEN = 3
_EDGES = 2
# Words are kept whole up to the first; where that does not fit, up to the second, and texts are cut to it.
_WORDS = (24, 12)


@dataclass(frozen=True)
class Width:
    """What a column holds: its title and cells, whether it may wrap, and how narrow it may become."""

    texts: Sequence[str]
    wrap: bool
    numeric: bool
    least: int = 0

    def natural(self) -> int:
        """Cells of the terminal that the longest line takes."""
        return max((_cells(line) for text in self.texts for line in text.split("\n")), default=0)

    def smallest(self, longest_word: int, *, cut: bool) -> int:
        """How narrow the column may become; numbers are never cut, and only with ``cut``
        are others, or narrower than ``least``.
        """
        natural = self.natural()
        if self.numeric or (not self.wrap and not cut):
            return natural
        if not self.wrap:
            return min(natural, max(self.least, longest_word))
        word = max((_cells(word) for text in self.texts for word in text.split()), default=0)
        return min(natural, max(0 if cut else self.least, min(word, longest_word)))


def fitted(columns: Sequence[Width], window: int) -> list[int] | None:
    """The width of each column so that the table fits ``window``; None where no way is readable.

    The widest columns give first, none below what it needs.
    """
    room = window - _EDGES - _BETWEEN * (len(columns) - 1)
    natural = [column.natural() for column in columns]
    for number, longest_word in enumerate(_WORDS):
        least = [column.smallest(longest_word, cut=number > 0) for column in columns]
        if sum(least) <= room:
            return _shared(natural, least, room)
    return None


def _shared(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths of at most one common level, raised where a column needs more."""
    for level in range(room, 0, -1):
        widths = [max(low, min(most, level)) for most, low in zip(natural, least, strict=True)]
        if sum(widths) <= room:
            break
    for place, most in enumerate(natural):
        more = min(most - widths[place], room - sum(widths))
        widths[place] += max(0, min(more, 1))
    return widths


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
