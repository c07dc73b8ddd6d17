"""What every command shares: the settings, the --json flag, the look of examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
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


def examples(*lines: str) -> str:
    """An Examples section for ``epilog=``; each line stays a line."""
    # \b is click's mark for a paragraph that must not be rewrapped.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
