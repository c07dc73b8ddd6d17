"""``leadflow towns``: which release of which town is here, how old and how good it is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_rows, note

_COLUMNS = (
    Column("town_id", "id"),
    Column("town", wrap=False),
    Column(
        "status",
        styles={"current": "green", "new release": "yellow", "stale": "yellow", "not fetched": "dim"},
    ),
    Column("release", wrap=False),
    Column("age_days", "age, days"),
    Column("polygons", number_format=","),
    Column("records", number_format=","),
    Column("dropped", number_format=","),
    Column("kept_with_reservation", "noted", number_format=","),
    Column("matched_percent", "matched %", number_format=".2f"),
    Column("below_standard", "below the standard"),
    Column("remark"),
)
HeldFlag = Annotated[bool, typer.Option("--held", help="Only towns that are in the lake.")]
NameArguments = Annotated[list[str] | None, typer.Argument(help="Ids, names or keys; none: all.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "towns", epilog=examples("leadflow towns", "leadflow towns --held", "leadflow towns 25 --json")
    )(towns)


def towns(names: NameArguments = None, held: HeldFlag = False, json: JsonFlag = False) -> None:
    """List the 351 towns: release here, age, polygons, records, rejects and match with the standard."""
    from leadflow_assets.domain.towns import find_town
    from leadflow_assets.domain.towns import towns as known_towns
    from leadflow_assets.refresh.overview import town_overviews

    settings = current_settings()
    demo = settings.demo_on
    chosen = [find_town(name, demo=demo) for name in names] if names else list(known_towns(demo=demo))
    overviews = town_overviews(settings, chosen)
    here = [o for o in overviews if o.status != "not fetched"]
    emit_rows([asdict(o) for o in (here if held else overviews)], _COLUMNS, json)
    if not json:
        note(f"{len(here)} of {len(overviews)} towns are in the lake at {settings.lake_uri}.")
