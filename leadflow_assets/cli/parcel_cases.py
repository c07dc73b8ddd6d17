"""Court cases of a parcel as text: how sure, why, from whom, what warns, and what nothing found means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from leadflow_assets.cli.parcel_layout import heading, line, money

if TYPE_CHECKING:
    from leadflow_assets.search.cases import CaseAtParcel, MatchedParty
    from leadflow_assets.search.parcel.cases import CourtCases

_MOST_CASES = 8


def show_cases(cases: CourtCases) -> None:
    """The section: cases, warnings, then what is known of each type of case."""
    count = f"{len(cases.known)} tied to the owners" if cases.known else "none known here"
    heading(f"Court cases: {count}")
    for case in cases.known[:_MOST_CASES]:
        show_case(case)
    if len(cases.known) > _MOST_CASES:
        line("", f"... and {len(cases.known) - _MOST_CASES} more, in --json")
    if cases.unconfirmed:
        line(
            "Not shown",
            f"{cases.unconfirmed} more likely of namesakes (leadflow cases find TOWN LOC_ID --all)",
        )
    for text in cases.notices:
        line("Warning", text, wide=True)
    found = cases.looked_up
    if found is not None:
        said = {"found": f"{found.cases_found} cases name somebody so called", "nothing": "nothing"}
        part = "" if found.complete else "; not all were read"
        if found.properties < found.of_properties:
            part += f"; {found.properties} of {found.of_properties} properties were ever looked up"
        line(
            "Looked up",
            f"{found.searched_at:%Y-%m-%d} at {found.source} ({found.coverage}), by the owners' names: "
            f"{said.get(found.outcome, found.outcome)}{part}",
        )
    for text in cases.statements:
        line("", text)


def show_case(case: CaseAtParcel) -> None:
    """One case with what ties it to the parcel."""
    for label, text in _lines(case):
        line(label, text)


def _lines(case: CaseAtParcel) -> Iterator[tuple[str, str]]:
    from leadflow_assets.search.parcel.cases import filed_on, notes_of

    number = f" {case.docket_number}" if case.docket_number else ""
    kind = case.case_type.replace("_", " ")
    chapter = f", chapter {case.chapter}" if case.chapter else ""
    decided = next((party for party in case.parties if party.decision), None)
    sure = _decided(decided) if decided else f"probability {case.probability:.2f}"
    yield case.tier.capitalize(), f"{kind}{chapter}{number}, {filed_on(case) or 'no date'} ({sure})"
    yield "", case.case_name or ""
    yield "", "; ".join(_facts(case))
    for party in case.parties:
        yield "", _party(party)
        yield "", "; ".join(party.evidence)
    told = f"; told by {', '.join(case.sources)}" if len(case.sources) > 1 else ""
    stated = f" ({case.stated_source})" if case.stated_source else ""
    until = f"; may be used until {case.expires_on}" if case.expires_on else ""
    yield "", f"[{case.source} {case.court}{stated}, {case.fetched_at:%Y-%m-%d}{told}{until}]"
    for text in notes_of(case):
        yield "", f"! {text}"


def _party(party: MatchedParty) -> str:
    rivals = f"; {party.rivals} other owners fit about as well" if party.rivals else ""
    how = party.method.replace("_", " ")
    title = {"held": "", "unknown": ""}.get(party.title, f"; title {party.title.replace('_', ' ')}")
    return f"{party.party_name} ({party.party_role}), {party.property_id}, by {how}{title}{rivals}"


def _facts(case: CaseAtParcel) -> Iterator[str]:
    if case.status:
        yield case.status
    days = (("closed", case.date_terminated), ("dismissed", case.date_dismissed),
            ("discharged", case.date_discharged), ("released", case.released_on))  # fmt: skip
    for what, day in days:
        if day:
            yield f"{what} {day}"
    if case.lien_type:
        amount = f" {money(round(case.lien_amount))}" if case.lien_amount is not None else ""
        yield f"{case.lien_type.replace('_', ' ')} lien{amount}, {case.lien_status or 'status not told'}"
    if case.amount_claimed is not None:
        yield f"claimed {money(round(case.amount_claimed))}"
    if case.judgment_amount is not None:
        yield f"judgment {money(round(case.judgment_amount))}"
    if case.url:
        yield case.url


def _decided(party: MatchedParty) -> str:
    day = f" on {party.decided_at:%Y-%m-%d}" if party.decided_at else ""
    return f"by {party.decided_by or 'a person'}{day}"
