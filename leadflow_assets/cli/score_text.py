"""A distress score as text: what counts, what does not and why, what is unknown, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from leadflow_assets.cli.output import Column, emit_rows
from leadflow_assets.cli.parcel_layout import heading, line, money
from leadflow_assets.search.parcel.score_lines import reason_lines
from leadflow_assets.search.parcel.words import (
    EQUITY_METHODS,
    GROUP_STATES,
    NOT_APPLICABLE,
    VALUE_SOURCES,
    WHY_NO_EQUITY,
    WHY_NOT,
)

if TYPE_CHECKING:
    from leadflow_assets.enrich.scores.explain import Explanation

_LINES = (
    Column("points", number_format=".2f"),
    Column("what", min_width=18),
    Column("event_date", "event", wrap=False),
    Column("decay", "left", ".3f"),
    Column("confidence", "sure", ".2f"),
    Column("from", "source, its day, record", min_width=17),
)
_GROUPS = (
    Column("words", "group", min_width=16),
    Column("state", wrap=False),
    Column("points", number_format=".2f"),
    Column("cap", number_format="g"),
    Column("unknown_points", "may add", "g"),
)


def show(explained: Explanation) -> None:
    """Print the whole explanation."""
    row, table = explained.row, explained.table
    typer.echo(f"Distress score of {row['property_id']}, as of {row['as_of']}")
    for label, text in headline(row):
        line(label, text)
    line("Worth", f"{explained.label}; {row['version']}, table {row['table_hash']}")
    published = explained.published
    if published is not None and (published.asof, published.score) != (row["as_of"], row["score"]):
        said = f"{published.score:.1f}" if published.score is not None else "not applicable"
        line("In the mart", f"{said}, as of {published.asof}")
    counted, others = reason_lines(row["reasons"], table)
    if counted:
        heading("What counts")
        emit_rows(counted, _LINES, False)
        line("Sum", f"{sum(one['points'] for one in counted):.2f}")
    if others:
        heading("What does not count")
        for one in others:
            line("", _uncounted(one))
    if row["groups"]:
        heading("What is known")
        words = {group.name: group.words for group in table.groups}
        rows = [
            {**group, "words": words[group["group"]], "state": GROUP_STATES[group["state"]]}
            for group in row["groups"]
        ]
        emit_rows(rows, _GROUPS, False)
    for text in _about_courts(explained.courts_covered):
        line("", text)
    heading("Beside the score")
    line("Equity", equity_text(row))
    line("Vendor", propensity_text(row))


def headline(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """State, score, interval and coverage as labelled lines."""
    if row["state"] == "not_applicable":
        reason = row["not_applicable_reason"]
        yield "Score", f"does not apply: {NOT_APPLICABLE.get(reason, reason)}"
        return
    interval = f"{row['low']:.1f} to {row['high']:.1f}"
    if row["state"] == "unknown":
        yield "Score", "unknown: no group is known, which does not mean that it is low"
        yield "Interval", f"{interval}: anything is possible"
    else:
        yield "Score", f"{row['score']:.1f} of 100"
        yield "Interval", f"{interval}, were everything that is unknown there"
    yield "Coverage", f"{row['coverage']:.2f}: the part of the points whose sources were asked"
    if row["score_if_links_hold"] != row["score"]:
        yield "If links hold", f"{row['score_if_links_hold']:.1f} to {row['high_if_links_hold']:.1f}"
    if row["faults"]:
        yield "Faults", f"signals refused for a fault of their data: {row['faults']}"


def equity_text(row: Mapping[str, Any]) -> str:
    """Equity as an interval with method and sources, or why it is unknown."""
    if row["equity_method"] == "unknown":
        return f"unknown: {WHY_NO_EQUITY.get(row['equity_why_unknown'], row['equity_why_unknown'])}"
    low, mid, high = (money(round(row[f"equity_{end}"])) for end in ("low", "mid", "high"))
    cltv = (
        f"loans are {row['cltv_mid']:.0f} % of the value ({row['cltv_low']:.0f} to {row['cltv_high']:.0f} %)"
    )
    value = VALUE_SOURCES[row["value_source"]]
    how = EQUITY_METHODS[row["equity_method"]]
    return f"{mid} ({low} to {high}); {cltv}; {how}: {row['loan_source']}, on {value}"


def propensity_text(row: Mapping[str, Any]) -> str:
    """The vendor's own number, and that it is none of ours."""
    if row["propensity_score"] is None:
        return "no propensity to default is known"
    group = f", {row['propensity_group']}" if row["propensity_group"] else ""
    day = f" of {row['propensity_source_date']}" if row["propensity_source_date"] else ""
    return (
        f"ATTOM's propensity to default{day}: {row['propensity_score']:g} of 100{group}; no part of the score"
    )


def _uncounted(one: Mapping[str, Any]) -> str:
    from leadflow_assets.domain.courts.imported import source_in_words

    why = WHY_NOT.get(one["why_not"], one["why_not"])
    note = f" ({one['note']})" if one["note"] else ""
    event = f", {one['event_date']}" if one["event_date"] else ""
    source = (
        f" [{source_in_words(one['source'])} {one['source_date'] or ''}".rstrip() + "]"
        if one["source"]
        else ""
    )
    return f"{one['what']}{event}: {why}{note}{source}"


def _about_courts(covered: Sequence[str] | None) -> Iterator[str]:
    if covered is None:
        yield "How far courts had been asked on that day is not known: they count as not asked."
    elif "bankruptcy_petition" not in covered:
        yield "Bankruptcies are not known far enough back to say that there is none: leadflow cases coverage."
    yield "Divorces and evictions have no complete source in Massachusetts: they stay unknown."
