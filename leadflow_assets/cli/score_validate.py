"""``leadflow score validate``: how the score did on past days, and what nobody can tell yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings
from leadflow_assets.cli.output import Column, emit_document, emit_rows
from leadflow_assets.cli.parcel_layout import heading, line

if TYPE_CHECKING:
    from leadflow_assets.enrich.validation.report import LabelReport, ValidationReport
    from leadflow_assets.enrich.validation.statistics import Estimate, Figures

_FIGURES = (
    Column("what", "", wrap=False),
    Column("properties", number_format=","),
    Column("events", number_format=","),
    Column("rate", "rate %", ".2f"),
    Column("auc", "AUC", wrap=False),
    Column("lift_1", "lift, top 1 %", wrap=False),
    Column("lift_10", "lift, top 10 %", wrap=False),
)
_BINS = (
    Column("scores", wrap=False),
    Column("properties", number_format=","),
    Column("events", number_format=","),
    Column("rate", "rate %", wrap=False),
)
_FACTORS = (
    Column("factor", wrap=False),
    Column("properties", number_format=","),
    Column("events", number_format=","),
    Column("ratio", "times as often", wrap=False),
)
TownArguments = Annotated[list[str] | None, typer.Argument(help="Ids, names or keys; none: all.")]
KnownOption = Annotated[
    str,
    typer.Option(
        "--known-from",
        help="ingested: releases count from the day they came here. published: from their source's day.",
    ),
]
DeedsOption = Annotated[
    str | None,
    typer.Option(
        "--deeds-complete",
        help="The imported foreclosure deeds list every one of these days.",
        metavar="FROM:TO",
    ),
]
TableOption = Annotated[
    str | None, typer.Option("--table", help="Version of the table of points.", metavar="VERSION")
]


def validate(
    towns: TownArguments = None,
    known_from: KnownOption = "ingested",
    deeds_complete: DeedsOption = None,
    table: TableOption = None,
    json: JsonFlag = False,
) -> None:
    """Compare the scores of past days with what happened afterwards, each outcome by itself.

    A release's scores are made from what was known on its day and from nothing later. Where a source that
    would have shown an event is missing, the report says so and gives no figure. Nothing is changed.
    """
    from typing import cast

    from leadflow_assets.domain.towns import find_town
    from leadflow_assets.enrich.validation.cohorts import KnownFrom
    from leadflow_assets.enrich.validation.service import validate as validated

    settings = current_settings()
    chosen = [find_town(name, demo=settings.demo_on).town_id for name in towns] if towns else None
    report = validated(
        settings,
        towns=chosen,
        known_from=cast("KnownFrom", known_from),
        table_version=table,
        deeds_complete=_span(deeds_complete),
    )
    if json:
        emit_document(_document(report))
        return
    _show(report)


def _span(text: str | None) -> Any:
    from datetime import date

    from leadflow_assets.errors import UsageError

    if text is None:
        return None
    first, _, last = text.partition(":")
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise UsageError(
            f"--deeds-complete {text!r} is no time.", "Write it as 2020-01-01:2025-12-31."
        ) from None


def _document(report: ValidationReport) -> dict[str, Any]:
    labels = [{**asdict(one), "passes": one.passes} for one in report.labels]
    return {**asdict(report), "labels": labels}


def _show(report: ValidationReport) -> None:
    typer.echo(f"Validation of {report.version} (table {report.table_hash}): {report.label}")
    line("Known from", f"{report.known_from} day of each release")
    line("Scored", f"{report.cohorts} releases, {report.properties:,} properties")
    for one in report.labels:
        _show_label(one)
    heading("What this cannot tell")
    for text in report.notes:
        line("", text)


def _show_label(one: LabelReport) -> None:
    heading(f"{one.label.name}: {one.label.words}")
    line("Observed", f"{one.observed:,} properties; {one.not_observed:,} looks had no observable outcome")
    if one.cohorts:
        line("Scored on", ", ".join(day.isoformat() for day in one.cohorts))
    if one.figures is None or one.figures.auc is None:
        line("Cannot tell", one.why_not)
        return
    rows = [_row("all", one.figures), *(_row(f"{s.by}: {s.name}", s.figures) for s in one.slices)]
    emit_rows(rows, _FIGURES, False)
    heading("  Rate by score (95 % intervals)")
    emit_rows(list(_bins(one)), _BINS, False)
    if one.factors:
        heading("  How much more often with a factor than without")
        emit_rows([{**asdict(f), "ratio": _told(f.ratio)} for f in one.factors], _FACTORS, False)
    for gate in one.gates:
        words = {True: "passed", False: "FAILED", None: "cannot tell"}[gate.passed]
        line("Gate", f"{words}: {gate.name}; {gate.told}")


def _row(what: str, found: Figures) -> dict[str, Any]:
    return {
        "what": what,
        "properties": found.properties,
        "events": found.events,
        "rate": 100 * found.base_rate,
        "auc": _told(found.auc, 3),
        "lift_1": _told(found.lift[0.01] if found.lift else None),
        "lift_10": _told(found.lift[0.1] if found.lift else None),
    }


def _bins(one: LabelReport) -> Iterator[dict[str, Any]]:
    for found in one.deciles:
        rate = found.rate
        yield {
            "scores": f"{found.lowest:.1f} to {found.highest:.1f}",
            "properties": found.properties,
            "events": found.events,
            "rate": f"{100 * rate.value:.2f} ({100 * rate.low:.2f} to {100 * rate.high:.2f})",
        }


def _told(estimate: Estimate | None, digits: int = 2) -> str:
    if estimate is None:
        return "too few"
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"
