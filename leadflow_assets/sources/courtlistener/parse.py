"""From kept rows to cases and parties. Every field may be missing; nothing here raises over one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from leadflow_assets.domain.courts import kinds
from leadflow_assets.domain.courts.model import (
    CourtCase,
    CourtParty,
    case_id,
    is_bankruptcy_court,
)
from leadflow_assets.domain.courts.parties import make_party, read_extra_info
from leadflow_assets.domain.courts.rows import (
    BANKRUPTCY_INFORMATION,
    DOCKET_FILE,
    DOCKETS,
    PARTIES,
    SEARCH,
    Parsed,
    Problem,
    RawDocket,
)
from leadflow_assets.sources.courtlistener.party_rows import named_parties
from leadflow_assets.sources.courtlistener.values import (
    as_date,
    as_int,
    as_items,
    as_lines,
    as_text,
    as_texts,
    id_in_url,
)

SITE = "https://www.courtlistener.com"
# Roles of attorneys who do not act any more: self-terminated, terminated, suspended, inactive, disbarred.
_FORMER_ATTORNEYS = frozenset({5, 6, 7, 8, 9})
_PRO_SE = re.compile(r"\bpro[\s-]?se\b", re.IGNORECASE)


def parse_rows(rows: Iterable[RawDocket]) -> Parsed:
    """Cases and parties of kept rows of CourtListener and of docket files, in any order.

    Parties and bankruptcy information know their docket by its id only: its number comes from the other
    rows, so rows of one court are best read together.
    """
    cases: list[CourtCase] = []
    parties: list[CourtParty] = []
    problems: list[Problem] = []
    later: list[RawDocket] = []
    for row in rows:
        if row.endpoint in (PARTIES, BANKRUPTCY_INFORMATION):
            later.append(row)
            continue
        reader = _READERS.get(row.endpoint)
        document = row.document
        if reader is None or not isinstance(document, dict):
            problems.append(Problem(row.record_id, "no docket of a known form"))
            continue
        found = reader(row, document)
        cases += found.cases
        parties += found.parties
        problems += found.problems
    of_docket = {case.docket_id: case for case in sorted(cases, key=lambda one: one.fetched_at)}
    for row in later:
        case = of_docket.get(row.docket_id) or _bare_case(row)
        if row.endpoint == PARTIES:
            found = _parties_page(row, case)
            parties += found.parties
            problems += found.problems
        elif isinstance(row.document, dict):
            cases.append(_with_bankruptcy(case, row.document, row.fetched_at))
    return Parsed(tuple(cases), tuple(parties), tuple(problems))


def _search_hit(row: RawDocket, hit: Mapping[str, Any]) -> Parsed:
    number, name = as_text(hit.get("docketNumber")), as_text(hit.get("caseName"))
    case = _case(
        row,
        number=number,
        name=name or as_text(hit.get("case_name_full")),
        nature=as_text(hit.get("suitNature")),
        cause=as_text(hit.get("cause")),
        fields={
            "date_filed": as_date(hit.get("dateFiled")),
            "date_terminated": as_date(hit.get("dateTerminated")),
            "chapter": kinds.read_chapter(as_text(hit.get("chapter"))),
            "trustee": as_text(hit.get("trustee_str")),
            "pacer_case_id": as_text(hit.get("pacer_case_id")),
            "url": _url(hit.get("docket_absolute_url")),
        },
    )
    listed = as_texts(hit.get("party"))
    problems = [] if name else [Problem(row.record_id, "a case without a name")]
    given = hit.get("party")
    if isinstance(given, list) and len(listed) < len(given):
        problems.append(Problem(row.record_id, "a party without a name"))
    return Parsed((case,), tuple(named_parties(case, listed)), tuple(problems))


def _docket(row: RawDocket, docket: Mapping[str, Any]) -> Parsed:
    name = as_text(docket.get("case_name")) or as_text(docket.get("case_name_full"))
    case = _case(
        row,
        number=as_text(docket.get("docket_number")),
        name=name,
        nature=as_text(docket.get("nature_of_suit")),
        cause=as_text(docket.get("cause")),
        fields={
            "date_filed": as_date(docket.get("date_filed")),
            "date_terminated": as_date(docket.get("date_terminated")),
            "pacer_case_id": as_text(docket.get("pacer_case_id")),
            "url": _url(docket.get("absolute_url")),
        },
    )
    problems = () if name else (Problem(row.record_id, "a case without a name"),)
    information = docket.get("bankruptcy_information")
    if isinstance(information, dict):
        case = _with_bankruptcy(case, information, row.fetched_at)
    return Parsed((case,), tuple(named_parties(case, [])), problems)


def _docket_file(row: RawDocket, docket: Mapping[str, Any]) -> Parsed:
    """A docket report as juriscraper reads it: the form in which CourtListener takes dockets in."""
    entries = [as_text(entry.get("description")) or "" for entry in as_items(docket.get("docket_entries"))]
    name = as_text(docket.get("case_name"))
    bankruptcy = is_bankruptcy_court(row.court)
    case = _case(
        row,
        number=as_text(docket.get("docket_number")),
        name=name,
        nature=as_text(docket.get("nature_of_suit")),
        cause=as_text(docket.get("cause")),
        fields={
            "date_filed": as_date(docket.get("date_filed")),
            "date_terminated": as_date(docket.get("date_terminated")),
            "date_converted": as_date(docket.get("date_converted")),
            "date_discharged": as_date(docket.get("date_discharged")),
            "chapter": kinds.read_chapter(as_text(docket.get("chapter")))
            or (kinds.chapter_in_entries(entries) if bankruptcy else None),
            "trustee": as_text(docket.get("trustee_str")),
        },
    )
    parties: dict[str, CourtParty] = {}
    problems = [] if name else [Problem(row.record_id, "a case without a name")]
    for given in as_items(docket.get("parties")):
        attorneys = as_items(given.get("attorneys"))
        party = make_party(
            case,
            name=as_text(given.get("name")),
            role=as_text(given.get("type")),
            address=read_extra_info(as_lines(given.get("extra_info"))),
            name_from="docket",
            date_terminated=as_date(given.get("date_terminated")),
            attorneys=_acting(attorneys),
        )
        if party is None:
            problems.append(Problem(row.record_id, "a party without a name"))
        else:
            parties[party.party_id] = party
    return Parsed((case,), tuple(parties.values()), tuple(problems))


def _parties_page(row: RawDocket, case: CourtCase) -> Parsed:
    parties: dict[str, CourtParty] = {}
    problems: list[Problem] = []
    for given in as_items(row.document.get("results")):
        mine = [kind for kind in as_items(given.get("party_types")) if _of_docket(kind, row.docket_id)]
        attorneys = {
            as_int(one.get("attorney_id")) or id_in_url(one.get("attorney"))
            for one in as_items(given.get("attorneys"))
            if _of_docket(one, row.docket_id) and as_int(one.get("role")) not in _FORMER_ATTORNEYS
        }
        for kind in mine or [{}]:
            party = make_party(
                replace(case, fetched_at=row.fetched_at),
                name=as_text(given.get("name")),
                role=as_text(kind.get("name")),
                address=read_extra_info(as_lines(kind.get("extra_info"))),
                name_from="parties",
                date_terminated=as_date(kind.get("date_terminated")),
                attorneys=len(attorneys),
            )
            if party is None:
                problems.append(Problem(row.record_id, "a party without a name"))
            elif mine:
                parties[party.party_id] = party
            else:
                problems.append(Problem(row.record_id, "a party of another docket"))
    return Parsed((), tuple(parties.values()), tuple(problems))


_READERS = {SEARCH: _search_hit, DOCKETS: _docket, DOCKET_FILE: _docket_file}


def _of_docket(nested: Mapping[str, Any], docket_id: int | None) -> bool:
    """Nested lists hold other cases of the party, unless the filter was obeyed."""
    found = as_int(nested.get("docket_id")) or id_in_url(nested.get("docket"))
    return found is None or found == docket_id


def _case(
    row: RawDocket,
    *,
    number: str | None,
    name: str | None,
    nature: str | None,
    cause: str | None,
    fields: Mapping[str, Any],
) -> CourtCase:
    case_type = kinds.federal_case_type(row.court, name, nature, cause, number)
    return CourtCase(
        case_id=case_id(row.court, number, str(row.docket_id or row.record_id)),
        court=row.court,
        case_type=case_type,
        action_type=kinds.action_type_of(case_type, fields.get("chapter")),
        source=row.source,
        fetched_at=row.fetched_at,
        docket_id=row.docket_id,
        docket_number=number,
        case_name=name,
        nature_of_suit=nature,
        cause=cause,
        stated_source=row.stated_source,
        source_file=row.source_file,
        source_sha256=row.source_sha256,
        row_number=row.row_number,
        expires_on=row.expires_on,
        **fields,
    )


def _bare_case(row: RawDocket) -> CourtCase:
    """A docket of which nothing but parties or bankruptcy information is here."""
    return _case(row, number=None, name=None, nature=None, cause=None, fields={"date_filed": row.date_filed})


def _with_bankruptcy(case: CourtCase, information: Mapping[str, Any], fetched_at: datetime) -> CourtCase:
    chapter = kinds.read_chapter(as_text(information.get("chapter"))) or case.chapter
    return replace(
        case,
        fetched_at=max(case.fetched_at, fetched_at),
        chapter=chapter,
        action_type=kinds.action_type_of(case.case_type, chapter),
        trustee=as_text(information.get("trustee_str")) or case.trustee,
        date_converted=as_date(information.get("date_converted")) or case.date_converted,
        date_dismissed=as_date(information.get("date_debtor_dismissed")) or case.date_dismissed,
    )


def _acting(attorneys: list[dict[str, Any]]) -> int:
    """Attorneys of a docket report who still act; a party who acts alone is listed as its own, PRO SE."""
    names = set()
    for one in attorneys:
        name, contact = as_text(one.get("name")), as_lines(one.get("contact")) or ""
        ended = any("TERMINATED" in role.upper() for role in as_texts(one.get("roles")))
        if name and not ended and not _PRO_SE.search(contact):
            names.add(name)
    return len(names)


def _url(path: Any) -> str | None:
    text = as_text(path)
    if not text:
        return None
    return text if text.startswith(f"{SITE}/") else f"{SITE}{text}" if text.startswith("/") else None
