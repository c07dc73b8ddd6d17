"""Distress scores of a parcel as text: score, interval, coverage, and every reason that counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadflow_assets.cli.output import Column
from leadflow_assets.cli.parcel_layout import heading, line, table
from leadflow_assets.cli.score_text import headline
from leadflow_assets.search.parcel.score_lines import reason_lines

_SEVERAL = (
    Column("property_id", "property", wrap=False),
    Column("state", wrap=False),
    Column("score", number_format=".1f"),
    Column("high", "up to", ".1f"),
    Column("coverage", "known", ".2f"),
    Column("factors", "reasons"),
)


def show_scores(rows: Sequence[Mapping[str, Any]], whole: Sequence[str]) -> None:
    """The section: ``whole`` are the properties to show line by line, of others a table."""
    if not rows:
        return
    from leadflow_assets.domain.distress import UNCALIBRATED, load_table

    heading(f"Distress score, as of {rows[0]['as_of']} ({UNCALIBRATED})")
    for row in rows:
        if row["property_id"] in whole:
            _show_one(row, load_table(row["version"]))
    others = [dict(row) for row in rows if row["property_id"] not in whole]
    table(others, _SEVERAL, "all in --json")


def _show_one(row: Mapping[str, Any], points: Any) -> None:
    for label, text in headline(row):
        line(label, text)
    counted, _ = reason_lines(row["reasons"], points)
    for one in counted:
        event = f", {one['event_date']}" if one["event_date"] else ""
        source = f" [{one['source']}]" if one["source"] else ""
        line("", f"{one['points']:+.2f} {one['what']}{event}{source}")
    line("", f"line by line: leadflow score explain {row['property_id']}")
