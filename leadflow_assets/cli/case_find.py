"""``leadflow cases find``: the court cases of a parcel's owners, why they are believed, what is not known."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import emit_document, note, printable

if TYPE_CHECKING:
    from leadflow_assets.search.cases import CaseAtParcel, MatchedParty

TownArgument = Annotated[str, typer.Argument(help="Id, name or key: 25, bellingham.")]
LocIdArgument = Annotated[str, typer.Argument(help="LOC_ID of the parcel, or the id of one property.")]
AllFlag = Annotated[
    bool, typer.Option("--all", help="Also cases that are more likely a namesake's (below 50 %).")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = examples(
        "leadflow cases find bellingham F_667198_2853392",
        "leadflow cases find 25 F_667198_2853392 --all",
        "leadflow cases find 25 025-0053-0009-0012 --json",
    )
    app.command("find", epilog=epilog)(find)


def find(town: TownArgument, loc_id: LocIdArgument, all_: AllFlag = False, json: JsonFlag = False) -> None:
    """Show the court cases matched to a parcel, with their evidence, and where was looked for what."""
    from leadflow_assets.domain.court_coverage import by_type, coverage, statement
    from leadflow_assets.domain.courts.kinds import CASE_TYPES
    from leadflow_assets.domain.towns import find_town
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.search.case_notes import statements as together
    from leadflow_assets.search.cases import cases_of, properties_at
    from leadflow_assets.search.court_facts import court_facts

    settings = current_settings()
    lake, place, today = Lake(settings), find_town(town), datetime.now(UTC).date()
    properties, parcel = properties_at(lake, place, loc_id)
    found = cases_of(lake, place.town_id, properties, loc_id=parcel, unconfirmed=all_, today=today)
    rows = coverage(court_facts(settings, lake), today)
    counts = {name: sum(case.case_type == name for case in found) for name in CASE_TYPES}
    statements = {name: statement(name, count, rows) for name, count in counts.items()}
    if json:
        document = {
            "town_id": place.town_id,
            "loc_id": parcel,
            "properties": properties,
            "cases": [_document(case) for case in found],
            "coverage": statements,
        }
        emit_document(document)
        return
    for case in found:
        _show(case)
    if not found:
        note("No case is matched here. What that means, type by type:")
    for text in together(tuple(CASE_TYPES), counts, by_type(rows)):
        typer.echo(text)


def _document(case: CaseAtParcel) -> dict[str, Any]:
    return {**vars(case), "parties": [vars(party) for party in case.parties]}


def _show(case: CaseAtParcel) -> None:
    """One case in a few lines."""
    day = case.date_filed or case.recorded_on
    head = [case.case_type.replace("_", " ")]
    head += [f"chapter {case.chapter}"] if case.chapter else []
    head += [case.docket_number or "", f"filed {day}" if day else "no date yet"]
    head += [] if case.is_open else ["ended"]
    chance = _chance(case.tier, case.probability, case.parties[0].decision)
    typer.echo(printable(f"{', '.join(part for part in head if part)}: {chance}"))
    told = case.stated_source or case.source
    typer.echo(
        printable(
            f"  source: {told}, {case.fetched_at:%Y-%m-%d}, court {case.court}{_until(case.expires_on)}"
        )
    )
    for label, value in (("amount claimed", case.amount_claimed), ("judgment", case.judgment_amount)):
        if value is not None:
            typer.echo(f"  {label}: ${value:,.0f}")
    if case.lien_type:
        amount = f" of ${case.lien_amount:,.0f}" if case.lien_amount is not None else ""
        typer.echo(f"  lien: {case.lien_type}{amount}, {case.lien_status or 'status unknown'}")
    for party in case.parties:
        _show_party(party)
    for text in case.notes:
        typer.echo(f"  note: {text}")
    if case.url:
        typer.echo(f"  {printable(case.url)}")
    typer.echo("")


def _show_party(party: MatchedParty) -> None:
    chance = _chance(party.tier, party.probability, party.decision)
    typer.echo(
        printable(
            f"  {party.party_name} ({party.party_role.replace('_', ' ')}) at {party.property_id}: {chance}"
            f" [{party.match_id}, {party.source}]"
        )
    )
    for sentence in party.evidence:
        typer.echo(printable(f"    {sentence}"))
    if party.rivals:
        typer.echo(f"    {party.rivals} other owners fit about as well")


def _chance(tier: str, probability: float, decision: str | None) -> str:
    if decision is not None:
        return f"{tier} by a person"
    # Cut, not rounded: the model is never quite sure.
    return {"possible": "possible match"}.get(tier, tier) + f", {min(int(probability * 100), 99)}%"


def _until(day: date | None) -> str:
    return f", may be used until {day}" if day else ""
