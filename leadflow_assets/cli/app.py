"""The Typer application: one module per command, each with ``register(app)``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import Annotated

import click
import typer

from leadflow_assets import __version__
from leadflow_assets.cli import (
    batch,
    cases,
    changes,
    cleanup,
    config,
    demo,
    doctor,
    enrich,
    errors,
    leads,
    lists,
    output,
    parcel,
    purge,
    refresh,
    review,
    score,
    search,
    spend,
    sql,
    towns,
    ui,
    web,
)
from leadflow_assets.cli.common import examples

# In the order of the help. A module here is imported at every start: heavy imports go inside its commands.
COMMAND_MODULES = (
    demo,
    doctor,
    config,
    towns,
    refresh,
    search,
    parcel,
    lists,
    changes,
    batch,
    enrich,
    cases,
    review,
    score,
    leads,
    purge,
    spend,
    sql,
    cleanup,
    web,
    ui,
)


def build_app() -> typer.Typer:
    """The application with every command."""
    app = typer.Typer(
        name="leadflow",
        add_completion=False,
        no_args_is_help=True,
        # Plain help: it keeps line breaks, and does not cost the import of rich.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog=examples("leadflow doctor", "leadflow config --json"),
    )
    app.callback()(_root)
    for module in COMMAND_MODULES:
        module.register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: this process's) and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    output.forget_consoles()
    return errors.run(_command(), given)


@cache
def _command() -> click.Command:
    """What Typer makes of the application. A call keeps nothing in it, and all its signatures take long."""
    return typer.main.get_command(build_app())


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"leadflow {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Massachusetts parcels as checked, versioned GeoParquet.

    Results go to stdout, progress and logs to stderr. Exit codes: 0 done, 1 something failed,
    2 wrong usage, 3 not configured, 4 budget reached.
    """
