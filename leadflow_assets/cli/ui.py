"""``leadflow ui``: the Dagster UI, its daemon and code server, on this machine only."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import leadflow_assets
from leadflow_assets.cli.common import current_settings, examples
from leadflow_assets.cli.output import note
from leadflow_assets.errors import NotConfiguredError

if TYPE_CHECKING:
    from dagster import DagsterInstance

PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ui", epilog=examples("leadflow ui", "leadflow ui --port 3001"))(ui)


def ui(port: PortOption = 3000) -> None:
    """Start the Dagster UI on 127.0.0.1 with sensors and schedules; Ctrl-C ends it.

    Dagster has no login, so it is not offered to other machines; put a proxy with one in front for that.
    """
    home = dagster_home()
    settings = current_settings()
    # Relative folders were meant from here, and Dagster starts in its home.
    os.environ |= {
        "DAGSTER_HOME": str(home),
        "LEADFLOW_DATA_DIR": str(settings.data_dir),
        "LEADFLOW_LAKE": settings.lake_uri,
        "PYTHONWARNINGS": "ignore",
    }
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.chdir(home)
    _prepare_storage()
    note(f"Dagster UI: http://127.0.0.1:{port}   lake: {settings.lake_uri}   Ctrl-C ends it")
    command = [
        sys.executable,
        "-m",
        "dagster",
        "dev",
        "-w",
        "workspace.yaml",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    os.execv(sys.executable, command)


def dagster_home() -> Path:
    """The folder with dagster.yaml and workspace.yaml: here, above, or where this package lies.

    Raises:
        NotConfiguredError: there is none.
    """
    here = Path.cwd()
    package = Path(leadflow_assets.__file__).resolve().parent.parent
    for folder in (here, *here.parents, package):
        if (folder / "dagster.yaml").is_file() and (folder / "workspace.yaml").is_file():
            return folder
    raise NotConfiguredError(
        "No dagster.yaml and workspace.yaml are here or above.", "Run it in the project's folder."
    )


def dagster_storage() -> Path | None:
    """The folder of dagster.yaml if Dagster has already written there; None otherwise."""
    try:
        home = dagster_home()
    except NotConfiguredError:
        return None
    return home if (home / "data" / "dagster" / "storage").is_dir() else None


@contextlib.contextmanager
def opened_instance(home: Path) -> Iterator[DagsterInstance]:
    """Dagster's instance of the project in ``home``; the folders in its dagster.yaml are relative to it."""
    from dagster import DagsterInstance

    os.environ["DAGSTER_HOME"] = str(home)
    here = Path.cwd()
    os.chdir(home)
    try:
        with DagsterInstance.get() as instance:
            yield instance
    finally:
        os.chdir(here)


def _prepare_storage() -> None:
    """Create Dagster's database before several of its processes want to at once."""
    from dagster import DagsterInstance

    for folder in ("storage", "compute_logs", "artifacts"):
        Path("data", "dagster", folder).mkdir(parents=True, exist_ok=True)
    with DagsterInstance.get():
        pass
