"""How court cases are shown: what a refresh and an import did, coverage in words, lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from leadflow_assets.cli.output import Column, emit_document, emit_rows, note

if TYPE_CHECKING:
    from leadflow_assets.domain.court_coverage import Coverage
    from leadflow_assets.enrich.courts.listing import CaseList
    from leadflow_assets.enrich.courts.report import CourtsReport

_COURTS = (
    Column("court", wrap=False),
    Column("pages", number_format=","),
    Column("cases", "cases read", number_format=","),
    Column("parties", "parties asked", number_format=","),
    Column("since", "covered since", wrap=False),
    Column("until", wrap=False),
)
_STATES = {
    "covered": "green",
    "stale": "yellow",
    "not available": "dim",
    "not configured": "yellow",
    "not fetched": "yellow",
}
_COVERAGE = (
    Column("case_type", "case type", wrap=False),
    Column("state", styles=_STATES, wrap=False),
    Column("words", "source, since when, and what that means"),
)
_CASES = (
    Column("date_filed", "filed", wrap=False),
    Column("case_id", "case", wrap=False),
    Column("case_type", "type", min_width=11),
    Column("chapter", "ch."),
    Column("case_name", "name", min_width=16),
    Column("source"),
)
_MOST_TOLD = 10


def tell_refresh(report: CourtsReport, json: bool) -> None:
    """What a refresh did, court by court, and what it published."""
    if json:
        emit_document(asdict(report))
        return
    if report.courts:
        emit_rows([asdict(court) for court in report.courts], _COURTS, json)
    landed = report.landed
    note(
        f"{report.calls:,} calls; {landed.new:,} rows new, {landed.changed:,} changed, "
        f"{landed.unchanged:,} as before; {len(landed.partitions):,} months published"
        + (f"; {landed.expired:,} rows expired" if landed.expired else "")
    )
    if report.calls_left is not None:
        more = "; there is more to ask for on another day" if report.more else ""
        note(f"{report.calls_left:,} calls are left today{more}.")
    for reason, count in landed.problems.items():
        note(f"{count:,} times: {reason}.")
    for text in report.notes:
        note(text)


def tell_import(report: Mapping[str, Any], json: bool) -> None:
    """What an import did, or would do."""
    if json:
        emit_document(report)
        return
    landed = report["landed"]
    would = "would be " if report["dry_run"] else ""
    rows = [
        ("file", f"{report['file']} ({report['format']})"),
        ("kind", f"{report['kind']}; stated source: {report['stated_source'] or 'none'}"),
        ("rows", f"{report['rows_read']:,} read, {report['rows']:,} usable, {report['bad_rows']:,} not"),
        ("columns", ", ".join(f"{name} = {part}" for part, name in report["columns"].items())),
        ("not read", ", ".join(report["unused"])),
        ("cases", f"{report['cases']:,} with {report['parties']:,} parties"),
        ("filed or recorded", _between(report["first"], report["last"])),
        ("kept until", str(report["expires_on"] or "no end")),
        (
            f"{would}imported",
            f"{landed['new']:,} new, {landed['changed']:,} renewed, {landed['unchanged']:,} as before",
        ),
    ]
    emit_rows([{"what": what, "value": value} for what, value in rows if value], ("what", "value"), json)
    for kind, texts in (("cannot be used", report["problems"]), ("note", report["notes"])):
        for text in texts[:_MOST_TOLD]:
            note(f"{kind}: {text}")
        if len(texts) > _MOST_TOLD:
            note(f"... and {len(texts) - _MOST_TOLD:,} more ({kind}).")
    if report["dry_run"]:
        note("Nothing was changed: this was a dry run.")


def tell_coverage(rows: Sequence[Coverage], json: bool) -> None:
    """One row per case type and source, in words."""
    shown = [asdict(row) for row in rows]
    if not json:
        shown = [{**row, "state": row["state"].replace("_", " ")} for row in shown]
    emit_rows(shown, _COVERAGE, json)


def tell_cases(found: CaseList, case_type: str | None, coverage: Sequence[Coverage], json: bool) -> None:
    """The cases, and what their number can and cannot mean."""
    from leadflow_assets.domain.court_coverage import statement

    if found.rows or json:
        rows = [{**row, "date_filed": row["date_filed"] or row["recorded_on"]} for row in found.rows]
        emit_rows(found.rows if json else rows, _CASES, json)
    if found.total > len(found.rows):
        note(f"{len(found.rows):,} of {found.total:,} cases shown; --limit shows more.")
    if case_type is not None:
        note(statement(case_type, found.total, coverage))
    else:
        note(f"{found.total:,} cases found. What is not covered is told by `leadflow cases coverage`.")


def _between(first: object, last: object) -> str:
    return f"{first} to {last}" if first != last else str(first or "")
