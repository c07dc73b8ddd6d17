"""``leadflow config``: every setting, its effective value and where it came from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_rows

if TYPE_CHECKING:
    from leadflow_assets.settings import Settings

_MASK = "***"
_UNSET = "unset"
_COLUMNS = (
    Column("name", "setting", wrap=False),
    Column("value", styles={_UNSET: "dim", _MASK: "yellow"}),
    Column("origin", wrap=False, styles={"default": "dim"}),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "config",
        epilog=examples(
            "leadflow config",
            "leadflow config --json",
            "LEADFLOW_LAKE=s3://bucket/lake leadflow config",
        ),
    )(config)


def config(json: JsonFlag = False) -> None:
    """Show the effective settings and where each came from.

    Secrets are masked. Order, later wins: default, leadflow.toml, .env, environment. docs/settings.md
    says what each one means.
    """
    rows = setting_rows(current_settings())
    if not json:
        rows = [{**row, "value": _as_written(row["value"])} for row in rows]
    emit_rows(rows, _COLUMNS, json)


def setting_rows(settings: Settings) -> list[dict[str, Any]]:
    """One row per setting: name, value (masked; None when unset), secret, origin."""
    from leadflow_assets.settings import is_secret, origins

    # What follows from several settings is shown as it is used, not as it was written.
    derived = {"leadflow_lake": settings.lake_uri, "leadflow_data_dir": str(settings.data_dir)}
    rows = []
    for name, origin in origins(settings).items():
        value = derived.get(name, getattr(settings, name))
        secret = is_secret(name)
        shown = (_MASK if value else None) if secret else _without_login(value)
        rows.append({"name": name.upper(), "value": shown, "secret": secret, "origin": origin})
    return rows


def _without_login(value: Any) -> Any:
    """Mask user and password inside an address; None for an empty text."""
    if not isinstance(value, str):
        return value
    return re.sub(r"://[^/?#]*@", f"://{_MASK}@", value) or None


def _as_written(value: Any) -> str:
    """The value as one would write it in leadflow.toml, without quotes."""
    if value is None:
        return _UNSET
    return str(value).lower() if isinstance(value, bool) else str(value)
