"""How leads are shown: a ranked page, one lead with its reasons, what making them changed."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import typer

from leadflow_assets.cli.output import Column, emit_document, emit_rows, note, printable, stdout

if TYPE_CHECKING:
    from leadflow_assets.enrich.leads.adding import Added
    from leadflow_assets.enrich.leads.reading import LeadPage
    from leadflow_assets.enrich.leads.service import LeadReport

_LEADS: Final = (
    Column("rank", "#", ","),
    Column("grade", wrap=False),
    Column("score", number_format=".1f"),
    Column("coverage", "known", ".0%"),
    Column("opportunity", "opport.", wrap=False),
    Column("owner_name", "owner", min_width=12),
    Column("place", "best property", min_width=12),
    Column("reasons", "why", min_width=14),
    Column("status", wrap=False),
    Column("lead_id", "lead", wrap=False),
)
# What fits a narrow window: `leadflow leads show` tells the rest.
_LEADS_NARROW: Final = (
    *_LEADS[:4],
    Column("who", "owner, best property, lead", min_width=26),
    Column("reasons", "why", min_width=18),
)
_WIDE: Final = 130
_PROPERTIES: Final = (
    Column("property_id", "property", wrap=False),
    Column("site_address", "address"),
    Column("town"),
    Column("score", number_format=".1f"),
    Column("coverage", "known", ".0%"),
    Column("total_value", "value $", ","),
)
_HISTORY: Final = (
    Column("changed_at", "when"),
    Column("status"),
    Column("changed_by", "by"),
    Column("note"),
)


def tell_page(page: LeadPage, offset: int, json: bool) -> None:
    """A page of leads; as JSON Lines with every column."""
    rows = page.rows.to_pylist()
    if json:
        emit_rows(rows, (), True)
        return
    if not rows:
        note(_why_none(page, offset))
        return
    shown = [
        {
            **row,
            "place": _place(row),
            "who": "\n".join((row["owner_name"], _place(row), row["lead_id"], *_told_state(row))),
            "reasons": "; ".join(row["why"]) or "added by hand or batch",
        }
        for row in rows
    ]
    emit_rows(shown, _LEADS if stdout().width >= _WIDE else _LEADS_NARROW, False)
    note(
        f"{offset + 1:,} to {offset + len(rows):,} of {page.total:,} leads, scores as of {rows[0]['as_of']}: "
        "uncalibrated, for ordering only. known: how much of the points was asked about."
    )


def _place(row: Mapping[str, Any]) -> str:
    """The address of the property that makes the lead; and how many more there are."""
    more = f" (+{row['property_count'] - 1:,})" if row["property_count"] > 1 else ""
    return f"{row['site_address'] or row['property_id']}, {row['town']}{more}"


def _told_state(row: Mapping[str, Any]) -> Sequence[str]:
    """Where the conversation stands, once there is one."""
    return () if row["status"] == "new" else (row["status"],)


def _why_none(page: LeadPage, offset: int) -> str:
    if not page.inputs.published:
        return "There are no leads yet: `leadflow score run`, then `leadflow leads run` makes them."
    if page.total:
        return f"{page.total:,} leads match; --offset {offset:,} is behind the last."
    return "No lead matches."


def tell_report(report: LeadReport) -> None:
    """What making leads did."""
    from leadflow_assets.domain.towns import town_by_id

    if report.needs_score:
        names = ", ".join(report.needs_score[:5])
        note(f"Without scores, so without leads: {names}. Run `leadflow score run`.")
    if not report.made:
        typer.echo(f"Nothing has changed: {report.leads:,} leads.")
        return
    grades = ", ".join(f"{count:,} {grade}" for grade, count in report.grades.items())
    names = ", ".join(town_by_id(town).name for town in report.towns_changed[:5]) or "none"
    more = f" and {len(report.towns_changed) - 5} more" if len(report.towns_changed) > 5 else ""
    typer.echo(f"{report.leads:,} leads ({grades}). Towns published: {names}{more}.")


def tell_lead(lead_id: str, lead: Mapping[str, Any] | None, history: Sequence[Mapping[str, Any]]) -> None:
    """One lead; one that is gone has only its history."""
    from leadflow_assets.domain.leads import NOTICES, REACH_WORDS

    if lead is None:
        note(f"{lead_id} is no lead any more: sold, or nothing counts now. Its history is kept.")
    else:
        _say(f"{lead['owner_name']} ({lead['owner_type'].replace('_', ' ')}), {lead_id}")
        _say(
            f"Grade {lead['grade']}: score {lead['score']:.1f} of 100, at most {lead['high']:.1f}; "
            f"{lead['coverage']:.0%} of it was asked about (as of {lead['as_of']}, {lead['version']}, "
            "uncalibrated: ordering only)"
        )
        for line in lead["why"] or ["Nothing counts: added by hand or by a batch."]:
            _say(f"  {line}")
        for name in lead["notices"]:
            _say(f"Mind: {NOTICES[name]}")
        post = REACH_WORDS[lead["reach"]]
        _say(f"Opportunity {lead['opportunity']}: equity {lead['equity_band']}, post {post}")
        region = " ".join(filter(None, (lead["mailing_state"], lead["mailing_zip"])))
        care_of = lead["owner_care_of"] and f"c/o {lead['owner_care_of']}"
        parts = (care_of, lead["mailing_address"], lead["mailing_city"], region)
        country = lead["mailing_country"]
        _say(f"Mail to: {', '.join(part for part in (*parts, country) if part) or 'unknown'}")
        # Of what nobody was asked about nothing is known: that is not a score of zero.
        own = [{**one, "score": one["score"] if one["coverage"] else None} for one in lead["properties"]]
        emit_rows(own, _PROPERTIES, False)
        _say(f"Status: {lead['status']}")
    if history:
        emit_rows(history, _HISTORY, False)


def _say(text: str) -> None:
    """A line, wrapped between words; what follows the first is indented."""
    indent = " " * (len(text) - len(text.lstrip()) + 4)
    wrapped = textwrap.wrap(printable(text), stdout().width, subsequent_indent=indent, break_long_words=False)
    typer.echo("\n".join(wrapped))


def tell_added(added: Added, leads: Mapping[str, str], json: bool) -> None:
    """Which leads the properties belong to now."""
    if json:
        emit_document({"added": added.added, "leads": leads})
        return
    rows = [{"property": property_id, "lead": leads.get(property_id)} for property_id in added.property_ids]
    emit_rows(rows, (Column("property", wrap=False), Column("lead", wrap=False)), False)
    note(f"{added.added:,} added, {len(added.property_ids) - added.added:,} were added before.")
