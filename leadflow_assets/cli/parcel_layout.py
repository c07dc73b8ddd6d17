"""The look of a parcel report on a terminal: which columns its tables show, labels, money, wrapped lines."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import typer

from leadflow_assets.cli.output import Column, emit_rows, printable

_LABEL = 16
_MOST_ROWS = 12
# Numbers are never folded: at 80 columns these still stand whole, with room for the texts beside them.
UNITS = (
    Column("property_id", "property", wrap=False),
    Column("address"),
    Column("owner"),
    Column("occupancy"),
    Column("total_value", "value $", ","),
    Column("sale_date", "last sale", wrap=False),
)
VALUES = (
    Column("fiscal_year", "FY"),
    Column("land_value", "land $", ","),
    Column("building_value", "building $", ","),
    Column("other_value", "other $", ","),
    Column("total_value", "total $", ","),
    Column("total_change_percent", "change %", "+.1f"),
    Column("changes", "new since"),
)
SUMS = (
    Column("release", wrap=False),
    Column("records", "properties followed", ","),
    Column("total", "sum of totals $", ","),
    Column("owners_changed", "owner changed", ","),
)
HOLDINGS = (
    Column("property_id", "property", wrap=False),
    Column("town", wrap=False),
    Column("site_address", "address"),
    Column("use_description", "use"),
    Column("total_value", "value $", ","),
)
AT_ADDRESS = (
    Column("property_id", "property", wrap=False),
    Column("town", wrap=False),
    Column("site_address", "address"),
    Column("owner_name", "owner"),
    Column("total_value", "value $", ","),
)
SALES = (
    Column("site_address", "address"),
    Column("distance_miles", "miles", ".2f"),
    Column("sale_date", "sold", wrap=False),
    Column("sale_price", "price $", ","),
    Column("building_sqft", "sq ft", ","),
    Column("price_per_sqft", "$/sq ft", ".0f"),
    Column("price_to_assessed", "price/value", ".2f"),
)
INTERESTS = (
    Column("meaning", "interest"),
    Column("overlap_sqft", "sq ft on it", ",.0f"),
    Column("share_percent", "% of parcel", ".2f"),
    Column("mean_width_ft", "width ft", ".1f"),
    Column("deed", "book/page"),
    Column("remark"),
)
SOURCES = (
    Column("fields"),
    Column("source"),
    Column("release", wrap=False),
    Column("source_date", "source's date", wrap=False),
    Column("fetched_on", "fetched", wrap=False),
)


def heading(text: str) -> None:
    """The title of a section, after an empty line."""
    typer.echo(f"\n{printable(text)}")


def line(label: str, value: str | None, *, wide: bool = False) -> None:
    """A label and its value, wrapped below itself; nothing where there is no value."""
    if not value:
        return
    width = max(80, min(120, shutil.get_terminal_size((110, 24)).columns))
    head = f"  {label}: " if wide else f"  {label:<{_LABEL}} "
    indent = " " * (4 if wide else _LABEL + 3)
    lines = textwrap.wrap(
        printable(value), width, initial_indent=head, subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    typer.echo("\n".join(lines))


def table(
    rows: Sequence[dict[str, Any]], columns: Sequence[Column], hint: str, total: int | None = None
) -> None:
    """A table of the first rows, and how many more there are."""
    if not rows:
        return
    emit_rows(rows[:_MOST_ROWS], columns, False)
    more = (len(rows) if total is None else total) - min(len(rows), _MOST_ROWS)
    if more > 0:
        typer.echo(f"  ... and {more:,} more" + (f"; {hint}" if hint else ""))


def counted(words: Iterable[str]) -> str:
    """The commonest words with their counts."""
    return ", ".join(f"{count:,} {word}" for word, count in Counter(words).most_common(6))


def money(dollars: int, sign: str = "") -> str:
    """Dollars with commas; ``sign`` goes before an amount that is not negative."""
    text = f"{abs(dollars):,}"
    return f"-${text}" if dollars < 0 else f"{sign}${text}"
