"""How a request ends, by one rule; how a property is named to ATTOM."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.enrich.batches.job import Outcomes, RequestAnswer
from leadflow_assets.enrich.batches.naming import query_of_record, query_of_row
from leadflow_assets.enrich.batches.outcome import overall
from leadflow_assets.search.lists.file import read_list_file
from leadflow_assets.sources.attom.endpoints import EXPANDED_PROFILE, identities

ASKED = ("expandedprofile", "homeequity", "attomavm")
ENDINGS = (
    ("returned", None),
    ("no_match", None),
    ("no_match", "unknown_to_profile"),
    ("ambiguous", "several_properties"),
    ("error", "malformed"),
    ("error", "unsettled"),
    ("error", "not_in_plan"),
)


def answers(**ended: tuple[str, str | None]) -> list[RequestAnswer]:
    return [
        RequestAnswer(1, endpoint, outcome, reason)  # type: ignore[arg-type]
        for endpoint, (outcome, reason) in ended.items()
    ]


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ({}, ("pending", None)),
        ({"homeequity": ("returned", None)}, ("returned", None)),
        ({"homeequity": ("no_match", None)}, ("returned", None)),
        ({"homeequity": ("error", "malformed")}, ("returned", "incomplete")),
        ({"homeequity": ("ambiguous", "weak_match")}, ("returned", "incomplete")),
        ({"homeequity": ("error", "not_in_plan")}, ("returned", None)),
        ({"homeequity": ("error", "unsettled")}, ("error", "unsettled")),
        ({"expandedprofile": ("error", "unsettled")}, ("error", "unsettled")),
        ({"expandedprofile": ("error", "not_in_plan")}, ("returned", None)),
    ],
)
def test_one_endpoint_beside_others_that_found_the_property(
    ended: dict[str, tuple[str, str | None]], expected: tuple[str, str | None]
) -> None:
    found = dict.fromkeys(ASKED, ("returned", None)) | ended if ended else {}
    assert overall(ASKED, answers(**found)) == expected


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (("no_match", "unknown_to_profile"), ("no_match", None)),
        (("ambiguous", "several_properties"), ("ambiguous", "several_properties")),
        (("error", "another_property"), ("error", "another_property")),
        (("error", "not_in_plan"), ("error", "not_in_plan")),
    ],
)
def test_all_endpoints_alike(ending: tuple[str, str | None], expected: tuple[str, str | None]) -> None:
    assert overall(ASKED, answers(**dict.fromkeys(ASKED, ending))) == expected


def test_what_stands_in_for_the_profile_counts_instead_of_it() -> None:
    ended = answers(
        expandedprofile=("error", "not_in_plan"),
        detail=("no_match", None),
        homeequity=("no_match", "unknown_to_profile"),
        attomavm=("no_match", "unknown_to_profile"),
    )
    assert overall(ASKED, ended) == ("no_match", None)


@given(st.lists(st.sampled_from(ENDINGS), min_size=3, max_size=3), st.permutations(range(3)))
def test_the_rule_is_total_and_does_not_depend_on_the_order(
    endings: list[tuple[str, str | None]], order: list[int]
) -> None:
    ended = answers(**dict(zip(ASKED, endings, strict=True)))
    outcome, reason = overall(ASKED, ended)
    again = overall(ASKED, [ended[place] for place in order])
    assert outcome == again[0] != "pending"
    assert (reason == "unsettled") == (again[1] == "unsettled") == (("error", "unsettled") in endings)
    assert overall(ASKED, ended[:2]) == ("pending", None)


def test_outcomes_add_up() -> None:
    counted = Outcomes.of(itertools.chain(["returned"] * 3, ["pending"], ["error"] * 2))
    assert (counted.total, counted.answered, counted.returned) == (6, 5, 3)


RECORD = {
    "property_id": "190-1",
    "town_id": 190,
    "town": "Monroe",
    "site_address": "12  SAMPLE ST",
    "unit": None,
    "zip": "01350",
}


@pytest.mark.parametrize(
    ("changes", "line", "place"),
    [
        ({}, "12 SAMPLE ST", "Monroe, MA 01350"),
        ({"zip": None}, "12 SAMPLE ST", "Monroe, MA"),
        ({"unit": "3B"}, "12 SAMPLE ST UNIT 3B", "Monroe, MA 01350"),
        ({"site_address": "12 SAMPLE ST #3B", "unit": "3B"}, "12 SAMPLE ST UNIT 3B", "Monroe, MA 01350"),
    ],
)
def test_a_property_of_ours_is_named_by_its_address(
    changes: dict[str, str | None], line: str, place: str
) -> None:
    query, problem = query_of_record({**RECORD, **changes})
    assert (query.address1, query.address2, problem) == (line, place, "")
    assert (query.property_id, query.fips, query.apn) == ("190-1", "25011", None)


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        (None, "no street"),
        ("SAMPLE ST", "no house number"),
        ("0 SAMPLE ST", "no house number"),
        ("LOT 4 SAMPLE ST", "no house number"),
        ("PO BOX 12", "P.O. box"),
    ],
)
def test_what_an_answer_could_not_be_held_against_is_not_asked(site: str | None, problem: str) -> None:
    query, told = query_of_record({**RECORD, "site_address": site})
    assert problem in told and query.address1 is None


def row(tmp_path: Path, text: str) -> tuple[str | None, str | None, str]:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    query, problem = query_of_row(read_list_file(path), 0, default_state="MA")
    return query.address1, query.address2, problem


@pytest.mark.parametrize(
    "text",
    [
        "Address,City,State,Zip\n12 Sample Street,Monroe,MA,01350\n",
        "Property Street,Property City,Property State,Property Zip Code\n12 Sample St.,Monroe,ma,1350\n",
        "Number,Street,Town,Zip\n12,Sample St,Monroe,01350-1234\n",
        "Site Address;ZIP\n12 Sample St, Monroe, MA;01350\n",
        "PropertyAddressFull\tPropertyAddressCity\tPropertyAddressZIP\n12 SAMPLE ST\tMonroe\t01350\n",
        'Full Address\n"12 Sample St, Monroe, MA 01350"\n',
    ],
)
def test_any_sensible_header_names_the_same_property(tmp_path: Path, text: str) -> None:
    line, place, problem = row(tmp_path, text)
    assert problem == "" and line == "12 SAMPLE ST"
    assert place is not None and place.upper() == "MONROE, MA 01350"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Address,Zip\n12 Sample St,01350\n", ("12 SAMPLE ST", "MA 01350", "")),
        ("Address,City\n12 Sample St,Monroe\n", ("12 SAMPLE ST", "Monroe, MA", "")),
        ("Address\n12 Sample St Monroe\n", ("12 SAMPLE ST", "Monroe, MA", "")),
        ("Address,City,State\n12 Elm St,Keene,NH\n", ("12 ELM ST", "Keene, NH", "")),
        ("Address,Unit,Zip\n12 Sample St,#4,01350\n", ("12 SAMPLE ST UNIT 4", "MA 01350", "")),
        ("Address\n12 Sample St\n", (None, None, "neither a town nor a ZIP")),
        ("Address,Zip\nPO Box 12,01350\n", (None, None, "a P.O. box is no property")),
        ("Address,Zip\nSample St,01350\n", (None, None, "no house number")),
        ("Parcel ID,Zip\n12-3,01350\n", (None, None, "the row has no address")),
    ],
)
def test_a_row_is_named_by_what_it_says(
    tmp_path: Path, text: str, expected: tuple[str | None, str | None, str]
) -> None:
    assert row(tmp_path, text) == expected


def test_two_spellings_are_one_question(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Address,City,Zip\n12 Sample Street,MONROE,01350\n12 sample st.,Monroe,01350\n")
    file = read_list_file(path)
    queries = [query_of_row(file, n, default_state="MA")[0] for n in range(2)]
    first, second = (identities(EXPANDED_PROFILE, query)[0].key for query in queries)
    assert first == second
