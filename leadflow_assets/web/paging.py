"""Pages of a long table: which rows are shown, and where the others are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

PAGE_ROWS = 100
PageNumber = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]


@dataclass(frozen=True)
class Paging:
    """Page ``number`` (from 1) of ``total`` rows, ``rows`` on each."""

    number: int
    total: int
    rows: int = PAGE_ROWS

    @classmethod
    def of(cls, number: int, total: int, rows: int = PAGE_ROWS) -> Paging:
        """That page, or the last one where there are fewer."""
        return cls(min(number, max(1, -(-total // rows))), total, rows)

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.rows

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // self.rows))

    @property
    def first(self) -> int:
        """Number of the first row shown; 0 where there is none."""
        return self.offset + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return min(self.offset + self.rows, self.total)
