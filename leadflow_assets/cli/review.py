"""``leadflow review``: uncertain matches, decided by a person, remembered."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_document, emit_rows, note

_WAITING = (
    Column("attom_id", "ATTOM id", wrap=False),
    Column("town", wrap=False),
    Column("site_address", "address"),
    Column("site_unit", "unit"),
    Column("reason"),
    Column("candidates", "may be"),
)
_SHOWN_CANDIDATES = 3
AttomId = Annotated[int, typer.Argument(help="ATTOM id, as `leadflow review list` shows it.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; default: the user of this machine.")]
Note = Annotated[str, typer.Option("--note", help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    review = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        help="Decide about records of ATTOM that fit several properties of ours, or none for certain.",
        epilog=examples("leadflow review list", "leadflow review confirm 184713191 025-0012-0034-0000"),
    )
    review.command("list", epilog=examples("leadflow review list --json"))(list_)
    review.command("confirm", epilog=examples("leadflow review confirm 184713191 025-0012-0034-0000"))(
        confirm
    )
    review.command("reject", epilog=examples("leadflow review reject 184713191 --note 'demolished'"))(reject)
    app.add_typer(review, name="review")


def list_(json: JsonFlag = False) -> None:
    """List what waits for a decision, with the properties it may be."""
    from leadflow_assets.enrich.unified.reviews import waiting

    found = waiting(current_settings())
    if found or json:
        emit_rows([_row(vars(row), json) for row in found], _WAITING, json)
    if not found:
        note("Nothing waits for a decision.")


def confirm(
    attom_id: AttomId,
    property_id: Annotated[str, typer.Argument(help="Our property that it is.")],
    by: By = None,
    note_: Note = "",
    json: JsonFlag = False,
) -> None:
    """Say which property a record of ATTOM belongs to; the properties of the town are made anew."""
    from leadflow_assets.enrich.unified.reviews import confirm as decide

    done = decide(current_settings(), attom_id, property_id, by=by or getpass.getuser(), note=note_)
    _tell(attom_id, f"is {property_id}", vars(done), json)


def reject(attom_id: AttomId, by: By = None, note_: Note = "", json: JsonFlag = False) -> None:
    """Say that a record of ATTOM belongs to none of our properties."""
    from leadflow_assets.enrich.unified.reviews import reject as decide

    done = decide(current_settings(), attom_id, by=by or getpass.getuser(), note=note_)
    _tell(attom_id, "is none of our properties", vars(done), json)


def _row(waiting: dict[str, Any], json: bool) -> dict[str, Any]:
    """For the screen a few of the candidates, and how many more there are."""
    candidates = waiting["candidates"]
    if json or len(candidates) <= _SHOWN_CANDIDATES:
        return waiting
    more = f"and {len(candidates) - _SHOWN_CANDIDATES} more"
    return {**waiting, "candidates": [*candidates[:_SHOWN_CANDIDATES], more]}


def _tell(attom_id: int, what: str, merged: dict[str, object], json: bool) -> None:
    if json:
        emit_document({"attom_id": attom_id, "decision": what, "merge": merged})
    else:
        note(f"ATTOM {attom_id} {what}; remembered.")
