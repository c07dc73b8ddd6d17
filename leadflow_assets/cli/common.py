"""What every command shares: the settings, the --json flag, the look of examples."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leadflow_assets.search.exports.formats import Export
    from leadflow_assets.settings import Settings

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def current_settings() -> Settings:
    """The effective settings, read now.

    Raises:
        UsageError: a setting is wrong; names it.
    """
    # Imported late: pydantic costs a quarter of a second, and --help needs no settings.
    from leadflow_assets.settings import load_settings

    return load_settings()


def note_export(settings: Settings, what: str, filters: Mapping[str, Any], done: Export) -> None:
    """Leave a line in the log of exports, under the name of this machine's user."""
    import getpass

    from leadflow_assets.search.exports.log import log_export

    log_export(settings, getpass.getuser(), "command line", what, filters, done)


@contextlib.contextmanager
def without_pandas() -> Iterator[None]:
    """Keep DuckDB from importing pandas at its first query with parameters: a third of a search's time.

    It does so only to recognize pandas' kinds of null among the parameters; ours never hold any. Where
    pandas is loaded already, nothing changes.
    """
    if "pandas" in sys.modules:
        yield
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]  # what Python takes as "there is none"
    try:
        yield
    finally:
        if sys.modules.get("pandas", True) is None:
            del sys.modules["pandas"]


def examples(*lines: str) -> str:
    """An Examples section for ``epilog=``; each line stays a line."""
    # \b is click's mark for a paragraph that must not be rewrapped.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
