"""From answers and docket files to cases and parties: real samples, and fields not as documented."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.courts.combine import combine
from leadflow_assets.domain.courts.identifiers import strip_body
from leadflow_assets.domain.courts.model import CourtCase, CourtParty
from leadflow_assets.domain.courts.rows import ENDPOINTS, RawDocket, settle
from leadflow_assets.enrich.court_rows import from_rows, to_rows
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.audit import schema_problems
from leadflow_assets.lake.tables import COURT_CASES, COURT_DOCKETS, COURT_PARTIES
from leadflow_assets.sources.courtlistener import queries
from leadflow_assets.sources.courtlistener.answers import About, Answer, read_usage
from leadflow_assets.sources.courtlistener.docket_file import read_docket_file
from leadflow_assets.sources.courtlistener.errors import CourtListenerAnswerError
from leadflow_assets.sources.courtlistener.parse import parse_rows
from leadflow_assets.sources.courtlistener.queries import PARAMETERS, Request, SearchQuery
from leadflow_assets.sources.courtlistener.raw import raw_dockets
from leadflow_assets_tests.vendors import courtlistener_cases as shapes
from leadflow_assets_tests.vendors.courtlistener_cases import SampleCase, sample_month

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def answered(endpoint: str, document: Any, about: About | None = None, status: int = 200) -> Answer:
    body = strip_body(json.dumps(document).encode()).decode()
    return Answer(endpoint, "0" * 64, status, NOON, body, about)


def hits(*given_hits: dict[str, Any]) -> list[RawDocket]:
    return raw_dockets(answered("search", {"results": list(given_hits), "next": None}))


# --- The real samples


def test_the_real_dockets_are_read(shared_courtlistener: Path) -> None:
    paths = sorted((shared_courtlistener / "dockets").glob("*.json"))
    rows = [read_docket_file(path, imported_at=NOON) for path in paths]
    parsed = parse_rows(rows)
    both = combine(parsed.cases, parsed.parties)
    told = {case.case_id: (case.case_type, case.chapter, case.filed_month) for case in both.cases}
    assert told == {
        "mab:05-01653": ("adversary_proceeding", None, "2005-12"),
        "mab:08-42671": ("bankruptcy_petition", "13", "2008-08"),
        "mab:09-43171": ("bankruptcy_petition", "13", "2009-08"),
        "mab:09-01397": ("adversary_proceeding", None, "2009-12"),
        "mad:17-cv-12090": ("other_civil", None, "2017-10"),
    }
    roles = {
        case_id: sorted(party.role for party in both.parties if party.case_id == case_id) for case_id in told
    }
    assert roles["mab:08-42671"] == ["debtor", "joint_debtor", "trustee", "us_trustee"]
    assert [len(roles[case_id]) for case_id in told] == [8, 4, 3, 3, 3]
    assert parsed.problems == ()


def test_the_real_debtors_have_addresses_counsel_and_no_identifier(shared_courtlistener: Path) -> None:
    paths = sorted((shared_courtlistener / "dockets").glob("bankruptcy_mab_*.json"))
    rows = [read_docket_file(path, imported_at=NOON) for path in paths]
    debtors = [party for party in parse_rows(rows).parties if party.is_debtor]
    assert [(party.town_id, party.care_of, party.represented_by_counsel) for party in debtors] == [
        (134, None, True),
        (134, None, True),
        (2, None, True),
    ]
    assert debtors[2].unit == "G3"
    assert {party.address_key for party in debtors[:2]} == {debtors[0].address_key}
    for row in rows:
        assert not re.search(r"(?i)xxx-xx|SSN|[0-9]{2}-[0-9]{7}", row.body)


def test_the_other_real_samples_are_read_without_a_case_lost(shared_courtlistener: Path) -> None:
    for name in ("recorded/search_type_r_flock_safety_2026-08-20_partial.json",
                 "recorded/search_party_name_wells_fargo_trimmed.json",
                 "reconstructed/search_type_r_bankruptcy_hit.json"):  # fmt: skip
        document = json.loads((shared_courtlistener / name).read_text(encoding="utf-8"))
        rows = raw_dockets(answered("search", document))
        located = [hit for hit in document["results"] if "court_id" in hit]
        assert len(rows) == len(located)
        assert len(parse_rows(rows).cases) == len(located)
    docket = json.loads((shared_courtlistener / "docs_examples/docket_4214664.json").read_text("utf-8"))
    (case,) = parse_rows(raw_dockets(answered("dockets", docket))).cases
    assert (case.case_id, case.date_filed) == ("dcd:16-cv-00745", date(2016, 4, 21))
    parties = json.loads(
        (shared_courtlistener / "docs_examples/parties_docket_4214664.json").read_text("utf-8")
    )
    about = About("dcd", 123)
    (party,) = parse_rows(raw_dockets(answered("parties", parties, about))).parties
    assert (party.role, party.attorneys, party.address) == ("plaintiff", 1, None)


def test_only_documented_parameters_are_sent(shared_courtlistener: Path) -> None:
    with (shared_courtlistener / "filters_selected_endpoints.csv").open(encoding="utf-8") as file:
        documented = {(row["endpoint"], row["filter"]) for row in csv.DictReader(file)}
    for endpoint in ("dockets", "parties"):
        for name in PARAMETERS[endpoint] - {"order_by"}:
            assert (
                endpoint,
                name.partition("__")[0] if name != "filter_nested_results" else name,
            ) in documented


# --- Answers


def test_a_hit_gives_a_case_and_the_parties_that_its_names_tell() -> None:
    parties = (
        shapes.SampleParty("Odette Q. Brackenfell", "Debtor"),
        shapes.SampleParty("Otis Brackenfell", "Joint Debtor"),
        shapes.SampleParty("Minerva Tamarden", "Trustee"),
        shapes.SampleParty("Orla Vesperby", "U.S. Trustee"),
    )
    name, trustee = "Odette Brackenfell and Otis Brackenfell", "Minerva Tamarden"
    case = SampleCase(7, "mab", "26-40007", name, date(2026, 10, 5), "13", trustee, parties=parties)
    parsed = parse_rows(hits(shapes.hit(case)))
    (told,) = parsed.cases
    assert (told.chapter, told.action_type, told.trustee) == ("13", "bankruptcy_ch13", "Minerva Tamarden")
    assert told.url == "https://www.courtlistener.com/docket/7/odette-brackenfell-and-otis-brackenfell/"
    assert {(party.name, party.role, party.is_debtor) for party in parsed.parties} == {
        ("Odette Q. Brackenfell", "debtor", True),
        ("Otis Brackenfell", "joint_debtor", True),
        ("Minerva Tamarden", "trustee", False),
        ("Orla Vesperby", "unknown", None),
    }
    assert {party.represented_by_counsel for party in parsed.parties} == {None}


def test_a_caption_with_two_sides_gives_them_their_roles() -> None:
    case = SampleCase(
        8,
        "mad",
        "1:26-cv-10008",
        "United States v. Brackenfell",
        date(2026, 10, 5),
        nature_of_suit="870 Taxes",
        cause="26:7401 IRS: Tax Liability",
        parties=(
            shapes.SampleParty("Odette Brackenfell", ""),
            shapes.SampleParty("United States of America", ""),
        ),
    )
    parsed = parse_rows(hits(shapes.hit(case)))
    assert parsed.cases[0].case_type == "tax_lien_suit"
    assert {(party.name, party.role) for party in parsed.parties} == {
        ("United States of America", "plaintiff"),
        ("Odette Brackenfell", "defendant"),
    }


def test_a_docket_without_a_date_waits_for_it_and_then_moves(tmp_path: Path) -> None:
    undated = SampleCase(7, "mab", "26-40007", "Odette Brackenfell", None)
    dated = SampleCase(7, "mab", "26-40007", "Odette Brackenfell", date(2026, 10, 5), "7")
    first = raw_dockets(answered("dockets", shapes.docket(undated, "https://example.org")))
    parties = raw_dockets(answered("parties", {"results": []}, About("mab", 7)))
    assert {row.filed_month for row in (*first, *parties)} == {"unknown"}
    later = hits(shapes.hit(dated))
    settled = settle([*first, *parties, *later])
    assert [row.filed_month for row in settled] == ["2026-10"] * 3
    assert settle(reversed(settled)) == settled
    both = combine(parse_rows(settled).cases)
    assert [case.filed_month for case in both.cases] == ["2026-10"]


def test_a_later_telling_replaces_an_earlier_one_of_its_kind() -> None:
    case = SampleCase(7, "mab", "26-40007", "Odette Brackenfell", date(2026, 10, 5))
    (first,) = hits(shapes.hit(case))
    (second,) = raw_dockets(
        Answer("search", "1" * 64, 200, NOON + timedelta(days=1), json.dumps({"results": [shapes.hit(case)]}))
    )
    assert settle([second, first]) == [second]


junk = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.lists(st.none(), max_size=2)
)


nested = st.sampled_from(
    ["results", "name", "party_types", "attorneys", "extra_info", "docket_id", "docket", "role"]
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(shapes.hit(sample_month(count=1)[0][0]))), junk))
def test_no_field_of_a_hit_can_stop_the_reading(wrong: dict[str, Any]) -> None:
    hit = {**shapes.hit(sample_month(count=1)[0][0]), **wrong}
    rows = hits(hit)
    parsed = parse_rows(rows)
    assert len(parsed.cases) == len(rows)
    assert schema_problems(to_rows(parsed.cases, CourtCase), _model(COURT_CASES)) == []
    assert schema_problems(to_rows(parsed.parties, CourtParty), _model(COURT_PARTIES)) == []


@settings(deadline=None)
@given(
    st.recursive(
        junk,
        lambda inner: st.dictionaries(nested, inner) | st.lists(inner, max_size=3),
        max_leaves=8,
    )
)
def test_no_page_of_parties_can_stop_the_reading(results: Any) -> None:
    rows = raw_dockets(answered("parties", {"results": results}, About("mab", 7, date(2026, 10, 5))))
    parse_rows(rows)


def test_a_case_or_a_party_without_a_name_is_a_problem_and_not_lost() -> None:
    case = SampleCase(7, "mab", "26-40007", "", date(2026, 10, 5))
    parsed = parse_rows(hits({**shapes.hit(case), "party": ["", "Odette Brackenfell", None]}))
    assert len(parsed.cases) == 1
    assert [party.name for party in parsed.parties] == ["Odette Brackenfell"]
    assert {problem.reason for problem in parsed.problems} == {
        "a case without a name",
        "a party without a name",
    }


# --- Questions


def test_a_question_has_one_hash_whatever_the_order_of_its_parameters() -> None:
    one = Request("dockets", "https://example.org/dockets/", (("court", "mab"), ("order_by", "-id")))
    two = Request("dockets", "https://example.org/dockets/", (("order_by", "-id"), ("court", "mab")))
    other = Request("dockets", "https://example.org/dockets/", (("order_by", "-id"), ("court", "mad")))
    assert one.hash == two.hash != other.hash
    with pytest.raises(UsageError, match="limit"):
        Request("dockets", "https://example.org/dockets/", (("limit", "100"),))
    with pytest.raises(UsageError, match="docket"):
        Request("bankruptcy-information", "https://example.org/", (("docket", "7"),))


@pytest.mark.parametrize(
    ("courts", "days"),
    [((), ()), (("MAB",), ()), (("mab mad",), ()), (("mab",), (date(2026, 2, 1), date(2026, 1, 1)))],
)
def test_a_senseless_search_is_refused(courts: tuple[str, ...], days: tuple[date, ...]) -> None:
    with pytest.raises(UsageError):
        SearchQuery(courts, *days)


def test_usage_takes_the_users_windows_only() -> None:
    entry = {"scope": "user", "rate": "5/min", "used": 2, "limit": 5, "window_seconds": 60, "blocked": False}
    other = {**entry, "scope": "api_usage", "used": 9, "limit": 10}
    usage = read_usage({"current_usage": [other, entry, {"scope": "user", "used": "x"}]})
    assert (usage.windows, usage.blocked) == ({timedelta(seconds=60): (2, 5)}, False)
    for wrong in ({}, [], {"current_usage": []}, {"current_usage": [other]}):
        with pytest.raises(CourtListenerAnswerError):
            read_usage(wrong)


# --- Docket files and rows of the tables


def test_a_file_that_is_no_docket_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text in ("", "[]", "{}", '{"court_id": "mab"}', "not JSON"):
        path.write_text(text)
        with pytest.raises(UsageError, match=r"x\.json is no docket file"):
            read_docket_file(path, imported_at=NOON)
    with pytest.raises(UsageError, match="Cannot read"):
        read_docket_file(tmp_path / "none.json", imported_at=NOON)


def _model(table: Any) -> Any:
    assert table.model is not None
    return table.model


def test_rows_of_the_tables_come_back_as_they_went() -> None:
    cases, _ = sample_month(count=40)
    rows = hits(*[shapes.hit(case) for case in cases])
    parsed = parse_rows(rows)
    cases_told = [replace(parsed.cases[0], lien_amount=Decimal("1234.56")), *parsed.cases[1:]]
    for records, kind, table in (
        (rows, RawDocket, COURT_DOCKETS),
        (cases_told, CourtCase, COURT_CASES),
        (list(parsed.parties), CourtParty, COURT_PARTIES),
    ):
        written = to_rows(records, kind)  # type: ignore[type-var, arg-type]
        assert schema_problems(written, _model(table)) == []
        assert from_rows(written, kind) == records  # type: ignore[type-var, comparison-overlap]
        assert to_rows([], kind).num_rows == 0  # type: ignore[type-var]
        names = {field.name for field in fields(kind)} | {"filed_month"}
        assert set(table.schema.names) == names


def test_what_is_personal_is_marked() -> None:
    assert {"name", "address", "care_of", "address_line"} <= COURT_PARTIES.pii
    assert {"case_name", "site_address", "trustee", "url"} <= COURT_CASES.pii
    assert COURT_DOCKETS.pii == {"body"}
    assert set(queries.PARAMETERS) - {"api-usage"} <= set(ENDPOINTS)
