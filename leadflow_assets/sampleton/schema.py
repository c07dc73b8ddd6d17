"""What the tables of an L3 shapefile package look like: names, order, types and widths of the columns.

Taken from the MassGIS standard and a real package. Text is ``C``, whole numbers ``N``, and the three
measures ``F`` (19 characters, 11 decimals, written as Esri does: ``  1.23456789012e+03``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Cell = str | int | float
Point = tuple[float, float]
Ring = tuple[Point, ...]
Shape = tuple[Ring, ...]


@dataclass(frozen=True)
class Field:
    """One DBF column. ``width`` is in bytes; ``decimals`` is not 0 for ``F`` only."""

    name: str
    kind: Literal["C", "N", "F"]
    width: int
    decimals: int = 0


def _fields(text: str) -> tuple[Field, ...]:
    """Fields from ``NAME=C26 OTHER=N5``; ``F`` stands for F19.11."""
    made = []
    for item in text.split():
        name, kind = item.split("=")
        if kind == "F":
            made.append(Field(name, "F", 19, 11))
        else:
            made.append(Field(name, "C" if kind[0] == "C" else "N", int(kind[1:])))
    return tuple(made)


TAXPAR = _fields(
    "SHAPE_Leng=F SHAPE_Area=F MAP_PAR_ID=C26 LOC_ID=C18 POLY_TYPE=C15 MAP_NO=C4 SOURCE=C15 PLAN_ID=C40"
    " LAST_EDIT=N10 BND_CHK=C2 NO_MATCH=C1 TOWN_ID=N5"
)
OTHLEG = _fields(
    "SHAPE_Leng=F SHAPE_Area=F MAP_PAR_ID=C26 LEGAL_TYPE=C15 TAXPAR_ID=C18 LS_BOOK=C16 LS_PAGE=C14"
    " REG_ID=C15 TOWN_ID=N5"
)
MISC = _fields("SHAPE_Leng=F SHAPE_Area=F MISC_TYPE=C15 TOWN_ID=N5")
ASSESS = _fields(
    "PROP_ID=C30 LOC_ID=C18 BLDG_VAL=N10 LAND_VAL=N10 OTHER_VAL=N10 TOTAL_VAL=N10 FY=N5 LOT_SIZE=F"
    " LS_DATE=C8 LS_PRICE=N10 USE_CODE=C4 SITE_ADDR=C80 ADDR_NUM=C12 FULL_STR=C60 LOCATION=C60 CITY=C25"
    " ZIP=C10 OWNER1=C80 OWN_ADDR=C80 OWN_CITY=C25 OWN_STATE=C2 OWN_ZIP=C10 OWN_CO=C30 LS_BOOK=C16"
    " LS_PAGE=C14 REG_ID=C15 ZONING=C8 YEAR_BUILT=N5 BLD_AREA=N10 UNITS=N5 RES_AREA=N10 STYLE=C20"
    " STORIES=C6 NUM_ROOMS=N5 LOT_UNITS=C1 CAMA_ID=N10 TOWN_ID=N5"
)
LUT = _fields("TOWN_ID=N5 FIELD_NM=C10 CODE=C20 CODE_DESC=C80")
UC_LUT = _fields("TOWN_ID=N5 USE_CODE=C4 USE_DESC=C150")


class Table:
    """Rows kept as one list per column, so that whole columns are cheap and single cells can change."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = tuple(fields)
        self.columns: dict[str, list[Cell]] = {field.name: [] for field in fields}
        self._blank: dict[str, Cell] = {f.name: "" if f.kind == "C" else 0 for f in fields}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.columns[self.fields[0].name])

    def extend(self, count: int, columns: Mapping[str, Sequence[Cell]]) -> None:
        """Append ``count`` rows; columns that are not given become blank or 0."""
        for name, cells in self.columns.items():
            given = columns.get(name)
            cells.extend([self._blank[name]] * count if given is None else given)

    def add(self, **cells: Cell) -> int:
        """Append one row and return its index; cells that are not given become blank or 0."""
        for name, column in self.columns.items():
            column.append(cells.get(name, self._blank[name]))
        return len(self) - 1

    def row(self, index: int) -> dict[str, Cell]:
        """One row as a dict."""
        return {name: column[index] for name, column in self.columns.items()}

    def text(self, index: int, name: str) -> str:
        """A text cell."""
        return str(self.columns[name][index])

    def number(self, index: int, name: str) -> int:
        """A number cell, as a whole number."""
        return int(self.columns[name][index])

    def update(self, index: int, **cells: Cell) -> None:
        """Change cells of one row."""
        for name, value in cells.items():
            self.columns[name][index] = value

    def drop(self, rows: set[int]) -> None:
        """Remove rows by index; the indexes of later rows shift."""
        for name, column in self.columns.items():
            self.columns[name] = [cell for index, cell in enumerate(column) if index not in rows]


class Layer(Table):
    """A table with one polygon per row. A shape is a tuple of closed rings, outer rings clockwise."""

    def __init__(self, fields: Sequence[Field]) -> None:
        super().__init__(fields)
        self.shapes: list[Shape] = []

    def add_shape(self, shape: Shape, **cells: Cell) -> int:
        """Append one polygon with its row and return the index."""
        self.shapes.append(shape)
        return self.add(**cells)

    def drop(self, rows: set[int]) -> None:
        """Remove polygons and rows by index."""
        super().drop(rows)
        self.shapes = [shape for index, shape in enumerate(self.shapes) if index not in rows]
