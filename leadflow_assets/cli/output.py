"""Output: results on stdout as tables or JSON, progress on stderr, both plain where nobody looks."""

from __future__ import annotations

import contextlib
import json as jsonlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

# Wide enough never to cut a cell where no terminal sets a width.
_UNLIMITED = 10_000
_PLAIN_SECONDS = 10.0


@dataclass(frozen=True)
class Column:
    """One column of a table: the row's ``key``, its ``title``, how numbers are written, colours by value.

    ``number_format`` is a Python format specification (``,`` for counts and dollars). ``wrap`` lets long
    text use several lines; other columns are cut last. ``min_width`` keeps text readable in a narrow window.
    """

    key: str
    title: str = ""
    number_format: str = ""
    styles: Mapping[str, str] = field(default_factory=dict)
    wrap: bool = True
    min_width: int = 0


@cache
def stdout() -> Console:
    """The console of results."""
    return _console(sys.stdout, stderr=False)


@cache
def stderr() -> Console:
    """The console of progress and remarks."""
    return _console(sys.stderr, stderr=True)


def forget_consoles() -> None:
    """Look at the terminal anew: its width and colours may have changed since the last command."""
    stdout.cache_clear()
    stderr.cache_clear()


def emit_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[Column | str], json: bool) -> None:
    """Print rows: as JSON Lines with every key of each row, as they come; or as one table of ``columns``."""
    if json:
        for row in rows:
            typer.echo(to_json(row))
        return
    shown = [Column(column) if isinstance(column, str) else column for column in columns]
    console = stdout()
    told = list(rows)
    with console.capture() as capture:
        console.print(_fitting(told, shown, console.width))
    # Rich pads every line to the table's width and frames it with empty ones; a row may be empty too.
    lines = "\n".join(line.rstrip() for line in capture.get().splitlines())
    typer.echo(lines.strip("\n"))


def emit_document(document: Any) -> None:
    """Print one JSON document."""
    typer.echo(to_json(document, indent=2))


def note(text: str) -> None:
    """A remark for the person, on stderr; nothing reads it by machine."""
    typer.echo(printable(text), err=True)


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON with ISO dates and times; a number that is none becomes null."""
    return jsonlib.dumps(_plain(value), ensure_ascii=False, indent=indent, allow_nan=False)


def printable(text: str) -> str:
    """``text`` without control characters: names in sources must not steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


class Progress(Protocol):
    """How a command tells what it has done."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """``count`` more are done; ``note`` names the last one."""


@contextlib.contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Progress]:
    """A progress bar on a terminal; elsewhere a line on stderr every ten seconds and at the end."""
    if not _is_terminal(sys.stderr):
        lines = _PlainProgress(title, total)
        yield lines
        lines.finish()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    text = TextColumn("{task.description}", markup=False)
    columns = (text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=stderr(), transient=True) as bar:
        task = bar.add_task(title, total=total)

        def advance(count: int, note: str) -> None:
            described = f"{title}: {printable(note)}" if note else title
            bar.update(task, advance=count, description=described)

        yield _BarProgress(advance)


@dataclass
class _BarProgress:
    _advance: Callable[[int, str], None]

    def advance(self, count: int = 1, note: str = "") -> None:
        self._advance(count, note)


@dataclass
class _PlainProgress:
    title: str
    total: int | None
    done: int = 0
    shown: int = 0
    last: float = field(default_factory=time.monotonic)

    def advance(self, count: int = 1, note: str = "") -> None:
        self.done += count
        if time.monotonic() - self.last >= _PLAIN_SECONDS:
            self._say(note)

    def finish(self) -> None:
        """The last line, unless the work was too short for any."""
        if self.shown and self.shown != self.done:
            self._say("")

    def _say(self, text: str) -> None:
        of = f" of {self.total}" if self.total is not None else ""
        note(f"{self.title}: {self.done}{of}" + (f", {text}" if text else ""))
        self.last, self.shown = time.monotonic(), self.done


def on_terminal() -> bool:
    """Does somebody look at the progress as it goes?"""
    return _is_terminal(sys.stderr)


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _console(stream: TextIO, *, stderr: bool) -> Console:
    from rich.console import Console

    terminal = _is_terminal(stream)
    return Console(
        stderr=stderr,
        force_terminal=terminal,
        no_color=None if terminal else True,
        width=None if terminal or os.environ.get("COLUMNS") else _UNLIMITED,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _fitting(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], width: int) -> Any:
    """A table, or, where its columns do not fit the window, each row as lines of name and value."""
    from leadflow_assets.cli.table_widths import Width, fitted

    texts = [[_text(row.get(column.key), column) for column in columns] for row in rows]
    numeric = [_all_numbers(row.get(column.key) for row in rows) for column in columns]
    wanted = [
        Width([column.title or column.key.replace("_", " "), *(row[place] for row in texts)],
              wrap=column.wrap, numeric=numeric[place], least=column.min_width)
        for place, column in enumerate(columns)
    ]  # fmt: skip
    widths = fitted(wanted, width)
    return _records(texts, columns) if widths is None else _table(texts, columns, numeric, widths)


def _table(
    texts: Sequence[Sequence[str]], columns: Sequence[Column], numeric: Sequence[bool], widths: Sequence[int]
) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column, is_numeric, width in zip(columns, numeric, widths, strict=True):
        table.add_column(
            Text(column.title or column.key.replace("_", " ")),
            justify="right" if is_numeric else "left",
            overflow="fold" if column.wrap else "ellipsis",
            no_wrap=is_numeric or not column.wrap,
            width=width,
        )
    for row in texts:
        pairs = zip(row, columns, strict=True)
        table.add_row(*(Text(text, style=column.styles.get(text, "")) for text, column in pairs))
    return table


def _records(texts: Sequence[Sequence[str]], columns: Sequence[Column]) -> Any:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row in texts:
        for text, column in zip(row, columns, strict=True):
            title = column.title or column.key.replace("_", " ")
            grid.add_row(Text(title, style="bold"), Text(text, style=column.styles.get(text, "")))
        grid.add_row("", "")
    return grid


def _all_numbers(values: Iterable[Any]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in present)


def _text(value: Any, column: Column) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return format(value, column.number_format)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return f"{moment:%Y-%m-%d %H:%M}" + (" UTC" if value.tzinfo else "")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_text(item, column) for item in value)
    return printable(str(value))


def _plain(value: Any) -> Any:
    """The value in JSON's own types."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    # Decimals, UUIDs, intervals and the like: DuckDB's rows hold them.
    return str(value)
