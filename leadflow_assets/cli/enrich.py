"""``leadflow enrich``: a batch of the properties most worth paying for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.batch import EndpointsOption, WaitFlag, listed
from leadflow_assets.cli.batch_output import tell_preview
from leadflow_assets.cli.batch_work import finish
from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_document, emit_rows, note

if TYPE_CHECKING:
    from leadflow_assets.enrich.choice import Choice
    from leadflow_assets.search.criteria import SearchCriteria

_WHY = (Column("why"), Column("properties", number_format=","))
_FIRST = (
    Column("property_id", "property", wrap=False),
    Column("total_value", "value $", ","),
    Column("why"),
    Column("worth", "what asking may bring"),
)
_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "enrich",
        epilog=examples(
            "leadflow enrich bellingham --top 50 --dry-run",
            "leadflow enrich bellingham --max-cents 2000",
            "leadflow enrich --list absentee --top 100 --name absentee-november",
        ),
    )(enrich)


def enrich(
    towns: Annotated[list[str] | None, typer.Argument(help="Towns.", metavar="[TOWN]...")] = None,
    list_: Annotated[str | None, typer.Option("--list", help="A saved list instead of towns.")] = None,
    top: Annotated[int | None, typer.Option(min=1, help="At most so many properties.")] = None,
    max_cents: Annotated[int | None, typer.Option(min=1, help="Spend at most so many cents.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What to call the batch.")] = None,
    endpoints: EndpointsOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which, what they cost and what is kept already.")
    ] = False,
    wait: WaitFlag = False,
    json: JsonFlag = False,
) -> None:
    """Ask ATTOM about the properties most worth paying for, as one batch.

    First come those that the assessor's roll itself marks: tax title, estates, owners out of state, owners
    elsewhere in the state. Within each come first those whose score the answers could still move most per
    cent spent, then the higher assessed value. Public bodies, banks and associations are left out.
    Without --dry-run a limit is needed: --top, --max-cents, or both.
    """
    from decimal import Decimal

    from leadflow_assets.enrich.batches.service import Batches
    from leadflow_assets.enrich.choice import choose
    from leadflow_assets.errors import UsageError
    from leadflow_assets.search.engine import open_searcher

    if not dry_run and top is None and max_cents is None:
        raise UsageError("No limit is given.", "Give --top N or --max-cents C, or look with --dry-run.")
    settings = current_settings()
    criteria = _criteria(towns or [], list_)
    batches = Batches(settings)
    with open_searcher(settings) as searcher:
        choice = choose(
            batches,
            searcher,
            criteria,
            top=top,
            max_cents=None if max_cents is None else Decimal(max_cents),
            endpoints=listed(endpoints),
        )
    if dry_run or not json:
        _tell(choice, json)
    if dry_run:
        return
    made = batches.create_from_properties(
        [candidate.property_id for candidate in choice.chosen],
        name=name or f"enrich {list_ or ' '.join(towns or [])}",
        endpoints=listed(endpoints),
    )
    batches.submit(made.job_id)
    finish(batches, made.job_id, wait=wait, json=json)


def _criteria(towns: list[str], list_: str | None) -> SearchCriteria:
    from leadflow_assets.errors import UsageError
    from leadflow_assets.search.criteria import criteria_from

    if bool(towns) == (list_ is not None):
        raise UsageError("Give towns, or --list NAME.", "leadflow enrich bellingham --top 50 --dry-run")
    return criteria_from({"towns": towns} if towns else {"lists": [list_]})


def _tell(choice: Choice, json: bool) -> None:
    first = [_row(candidate) for candidate in choice.chosen]
    if json:
        preview = {k: v for k, v in vars(choice.preview).items() if k != "report"} if choice.preview else None
        emit_document(
            {
                "candidates": choice.candidates,
                "not_asked": choice.not_asked,
                "price": preview,
                "chosen": first,
            }
        )
        return
    counted = Counter(candidate.why for candidate in choice.chosen)
    rows = [{"why": why, "properties": count} for why, count in counted.most_common()]
    emit_rows(rows, _WHY, False)
    note(f"The first {min(_SHOWN, len(first))} of {len(first):,} (of {choice.candidates:,} looked at):")
    emit_rows(first[:_SHOWN], _FIRST, False)
    if choice.not_asked:
        note(f"{choice.not_asked:,} left out: public bodies, banks, associations, or without an address.")
    if choice.preview is not None:
        tell_preview(choice.preview, False)


def _row(candidate: Any) -> dict[str, Any]:
    return {
        "property_id": candidate.property_id,
        "total_value": candidate.total_value,
        "signals": candidate.signals,
        "why": candidate.why,
        "room": candidate.room,
        "worth": candidate.worth,
    }
