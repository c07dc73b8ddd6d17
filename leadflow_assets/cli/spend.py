"""``leadflow spend``: the ledger of what vendors were paid, what counts against the caps, what is unknown."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_document, emit_rows, note

_DAYS = (
    Column("day", wrap=False),
    Column("vendor", wrap=False),
    Column("calls", number_format=","),
    Column("units", "reports", ","),
    Column("settled_cents", "settled $", wrap=False),
    Column("reserved_cents", "reserved $", wrap=False),
    Column("unknown_cents", "unknown $", wrap=False),
    Column("unknown_charges", "unknown", ","),
)
_UNKNOWN = (
    Column("charge_id", "charge", wrap=False),
    Column("day", wrap=False),
    Column("endpoint", wrap=False),
    Column("batch_id", "batch"),
    Column("cents", "$", wrap=False),
    Column("note"),
)
_MONEY = ("settled_cents", "reserved_cents", "unknown_cents")
Days = Annotated[int, typer.Option(min=1, max=3660, help="How many days back, today included (UTC).")]


def register(app: typer.Typer) -> None:
    """Add the command and its subcommand."""
    spend = typer.Typer(
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog=examples(
            "leadflow spend --days 7", "leadflow spend resolve 0f3c9a... --reports 1", "leadflow spend --json"
        ),
    )
    spend.callback(invoke_without_command=True)(show)
    spend.command("resolve", epilog=examples("leadflow spend resolve 0f3c9a... --reports 0"))(resolve)
    app.add_typer(spend, name="spend")


def show(context: typer.Context, days: Days = 30, json: JsonFlag = False) -> None:
    """Show what was spent per vendor and day, what is set aside, and what counts against the caps.

    An unknown charge is a call that broke off after it was sent: it may have been billed. It counts
    against the cap, and its question is not asked again until `leadflow spend resolve` says what it cost.
    """
    if context.invoked_subcommand is not None:
        return
    from datetime import UTC, datetime

    from leadflow_assets.enrich.vendor import open_ledger
    from leadflow_assets.state.spend import first_day, spend_by_day

    settings = current_settings()
    ledger = open_ledger(settings)
    unknown = [vars(charge) for charge in ledger.unknown()]
    found = spend_by_day(settings, since=first_day(datetime.now(UTC).date(), days))
    budget = ledger.budget()
    if json:
        rows = [{**vars(day), "counted_cents": day.counted_cents} for day in found]
        caps = {**vars(budget), "left_cents": budget.left_cents}
        emit_document({"days": rows, "budgets": [caps], "unknown_charges": unknown})
        return
    if found:
        emit_rows([_in_dollars(vars(day)) for day in found], _DAYS, False)
    else:
        note(f"Nothing was spent in the last {days} days.")
    used, cap = dollars(budget.counted_cents), dollars(budget.cap_cents)
    note(f"{budget.vendor} today: {used} of {cap} counted, {dollars(budget.left_cents)} left (days are UTC).")
    if budget.month_cap_cents is not None:
        month = f"{dollars(budget.month_counted_cents)} of {dollars(budget.month_cap_cents)}"
        note(f"{budget.vendor} this month: {month}.")
    if unknown:
        note(f"\n{len(unknown)} charges are unknown: their calls broke off and may have been billed.")
        emit_rows([{**charge, "cents": dollars(charge["cents"])} for charge in unknown], _UNKNOWN, False)
        note("Look them up at the vendor, then: leadflow spend resolve CHARGE --reports N")


def resolve(
    charge: Annotated[str, typer.Argument(help="Id of the unknown charge, or its beginning.")],
    reports: Annotated[int, typer.Option(min=0, help="How many reports the vendor billed for it.")],
    json: JsonFlag = False,
) -> None:
    """Say what an unknown charge cost; its question may then be asked again."""
    from leadflow_assets.enrich.vendor import open_ledger
    from leadflow_assets.errors import UsageError

    ledger = open_ledger(current_settings())
    found = [each for each in ledger.unknown() if each.charge_id.startswith(charge)]
    if len(found) != 1:
        what = "are several unknown charges that begin" if found else "is no unknown charge that begins"
        raise UsageError(f"There {what} with {charge!r}.", "`leadflow spend` lists them.")
    ledger.resolve(found[0].charge_id, reports)
    if json:
        emit_document({"charge_id": found[0].charge_id, "reports": reports})
    else:
        note(f"Charge {found[0].charge_id} is settled at {reports} reports.")


def dollars(cents: float) -> str:
    """Cents as dollars: $1,234.50; a fraction of a cent is shown."""
    whole = f"${cents / 100:,.4f}"
    return whole[:-2] if whole.endswith("00") else whole


def _in_dollars(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **{name: dollars(row[name]) for name in _MONEY}}
