"""``leadflow parcel``: everything known of a parcel and its units, with sources, and what is not known."""

from __future__ import annotations

from typing import Annotated

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import emit_document

TownArgument = Annotated[str, typer.Argument(help="Id, name or key: 25, bellingham.")]
LocIdArgument = Annotated[str, typer.Argument(help="LOC_ID, such as F_667198_2853392.")]
UnitOption = Annotated[
    str | None, typer.Option("--unit", help="Of many: the property to show whole and to compare with sales.")
]
AsOfOption = Annotated[str | None, typer.Option(help="As the data was on that day: 2026-11-22.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = examples(
        "leadflow parcel bellingham F_667198_2853392",
        "leadflow parcel 25 F_667198_2853392 --json",
        "leadflow parcel 25 F_667198_2853392 --unit 025-0053-0009-0012",
        "leadflow parcel 25 F_667198_2853392 --as-of 2026-11-01",
    )
    app.command("parcel", epilog=epilog)(parcel)


def parcel(
    town: TownArgument,
    loc_id: LocIdArgument,
    unit: UnitOption = None,
    as_of: AsOfOption = None,
    json: JsonFlag = False,
) -> None:
    """Show a parcel: units, values by release, sale, loans, owners, holdings, interests, comparables.

    Every group of fields names its source; what is unknown is listed with the reason. A record without a
    LOC_ID is shown by its property_id. --json prints everything; the text shortens long tables.
    """
    from leadflow_assets.cli.parcel_text import show
    from leadflow_assets.domain.towns import find_town
    from leadflow_assets.search.parcel.report import as_document, parcel_report

    settings = current_settings()
    report = parcel_report(settings, find_town(town), loc_id, as_of=as_of, unit=unit)
    if json:
        emit_document(as_document(report))
        return
    show(report, unit)
