"""Occupied, absentee or uncertain: each row of the rule, and what must never decide it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.addresses import parse_address, parse_mailing
from leadflow_assets.domain.occupancy import OCCUPANCIES, REASONS, Occupancy, classify

# A loaded machine must not fail a test by being slow.
patient = settings(deadline=None)
SITE = "12-14 N MAIN ST"


def _classify(
    mailing: str | None,
    city: str | None = "BELLINGHAM",
    state: str | None = "MA",
    zip_code: str | None = "02019",
    *,
    site: str = SITE,
    **more: Any,
) -> tuple[str, str]:
    given: dict[str, Any] = {"site_city": "BELLINGHAM", "site_zip": "02019", "town": "Bellingham", **more}
    found = classify(
        parse_address(site),
        parse_mailing(mailing),
        mailing_city=city,
        mailing_state=state,
        mailing_zip=zip_code,
        **given,
    )
    return found.state, found.reason


@pytest.mark.parametrize(
    ("mailing", "reason"),
    [
        ("12-14 N MAIN ST", "same_address"),
        ("12 North Main Street", "same_address"),
        ("14 NO. MAIN ST APT 2", "same_address"),
        ("13-20 N MAIN ST", "same_address"),
        ("C/O A PERSON 12 N MAIN ST", "same_address"),
        ("12 MAIN ST", "same_address"),
        ("12 N MAIN", "suffix_missing"),
    ],
)
def test_an_owner_with_mail_at_the_property_lives_there(mailing: str, reason: str) -> None:
    assert _classify(mailing) == ("owner_occupied", reason)


@pytest.mark.parametrize(
    ("site", "mailing", "reason"),
    [
        (SITE, "12 N MAIN AVE", "other_suffix"),
        (SITE, "12 N MAIN ST EXT", "other_suffix"),
        (SITE, "12 S MAIN ST", "other_direction"),
        (SITE, "16 N MAIN ST", "other_number_on_street"),
        (SITE, "PO BOX 9", "post_office_box_local"),
        (SITE, "N MAIN ST", "no_number"),
        ("0 N MAIN ST", "12 N MAIN ST", "no_number"),
        ("0 N MAIN ST", "0 N MAIN ST", "no_number"),
        ("4 WILLOWBROOK LN", "4 WILLOW BROOK LN", "near_equal_street_name"),
        ("4 CHESTNUT ST", "4 CHESNUT ST", "near_equal_street_name"),
        (SITE, "12", "mailing_unreadable"),
    ],
)
def test_what_a_mistake_could_explain_is_uncertain(site: str, mailing: str, reason: str) -> None:
    assert _classify(mailing, site=site) == ("uncertain", reason)


@pytest.mark.parametrize(
    ("site", "mailing"),
    [
        (SITE, "12 ELM ST"),
        ("4 1ST ST", "4 21ST ST"),
        ("4 RTE 12", "4 RTE 126"),
        ("4 CHESTNUT ST", "6 CHESNUT ST"),
    ],
)
def test_another_street_of_the_town_is_elsewhere(site: str, mailing: str) -> None:
    assert _classify(mailing, site=site) == ("absentee_in_state", "elsewhere")


@pytest.mark.parametrize(
    ("city", "state", "zip_code", "expected"),
    [
        ("BELLINGHAM", "MA", "02019", ("owner_occupied", "same_address")),
        ("BELLINGHAM", "MA", None, ("owner_occupied", "same_address")),
        ("Town of Bellingham", None, None, ("owner_occupied", "same_address")),
        ("BELLINGHAM", "MM", "02019-1234", ("owner_occupied", "same_address")),
        (None, "MA", "020191234", ("owner_occupied", "same_address")),
        ("BELINGHAM", "MA", "02019", ("owner_occupied", "zip_match_city_misspelt")),
        ("BELLINGHAM", "MA", "02038", ("owner_occupied", "same_address")),
        ("FRANKLIN", "MA", "02038", ("uncertain", "other_town_same_address")),
        ("WOONSOCKET", "RI", "02895", ("uncertain", "other_town_same_address")),
        # Bellingham in the state of Washington is another town.
        ("BELLINGHAM", "WA", "98225", ("uncertain", "other_town_same_address")),
        ("BELLINGHAM", "WA", None, ("uncertain", "other_town_same_address")),
    ],
)
def test_the_town_or_the_zip_must_agree(
    city: str | None, state: str | None, zip_code: str | None, expected: tuple[str, str]
) -> None:
    assert _classify("12 N MAIN ST", city, state, zip_code) == expected


def test_a_village_and_its_town_are_one_place() -> None:
    assert _classify("12 N MAIN ST", "NO. ATTLEBOROUGH", "MA", None, town="North Attleborough") == (
        "owner_occupied",
        "same_address",
    )
    assert _classify("12 N MAIN ST", "Village", "MA", None, site_city="VILLAGE", town="Bellingham") == (
        "owner_occupied",
        "same_address",
    )


@pytest.mark.parametrize(
    ("state", "zip_code", "expected"),
    [
        ("MA", "01748", ("absentee_in_state", "elsewhere")),
        ("MA", None, ("absentee_in_state", "elsewhere")),
        (None, "05501", ("absentee_in_state", "elsewhere")),
        ("`", "1748", ("absentee_in_state", "elsewhere")),
        ("FL", "33101", ("absentee_out_of_state", "elsewhere")),
        ("Rhode Island", None, ("absentee_out_of_state", "elsewhere")),
        ("MA", "33101", ("absentee_out_of_state", "state_contradicts_zip")),
        ("ME", "01748", ("absentee_in_state", "state_contradicts_zip")),
        ("MM", None, ("uncertain", "state_unknown")),
        (None, "00000", ("uncertain", "state_unknown")),
    ],
)
def test_the_zip_checks_the_state(state: str | None, zip_code: str | None, expected: tuple[str, str]) -> None:
    assert _classify("5 ELM ST", "SOMEWHERE", state, zip_code) == expected


@pytest.mark.parametrize(
    ("city", "state", "zip_code", "expected"),
    [
        ("HOPKINTON", "MA", "01748", ("absentee_in_state", "post_office_box_elsewhere")),
        ("MIAMI", "FL", "33101", ("absentee_out_of_state", "post_office_box_elsewhere")),
        ("VILLAGE", "MA", "02019", ("uncertain", "post_office_box_local")),
    ],
)
def test_a_box_is_no_residence(city: str, state: str, zip_code: str, expected: tuple[str, str]) -> None:
    assert _classify("PO BOX 44", city, state, zip_code) == expected


@pytest.mark.parametrize(
    ("state", "zip_code", "country"),
    [
        ("ON", "K1A 0B6", "CANADA"),
        ("ON", "K1A0B6", None),
        ("QC", None, None),
        (None, "10115", "Germany"),
        ("", "", "IRELAND"),
    ],
)
def test_an_address_abroad_is_out_of_state(
    state: str | None, zip_code: str | None, country: str | None
) -> None:
    for mailing in ("5 ELM ST", "12 N MAIN ST", "PO BOX 5"):
        assert _classify(mailing, "SOMEWHERE", state, zip_code, mailing_country=country) == (
            "absentee_out_of_state",
            "foreign",
        )


@pytest.mark.parametrize("country", ["USA", "us", "U.S.A.", "NORFOLK", "Norfolk County", "02019", "0", " "])
def test_what_stands_in_the_country_column_by_mistake_is_no_country(country: str) -> None:
    for state in ("MA", None):
        assert _classify("5 ELM ST", "HOPKINTON", state, "01748", mailing_country=country) == (
            "absentee_in_state",
            "elsewhere",
        )


@pytest.mark.parametrize("mailing", [None, "", "  ", "SAME", "same as above"])
def test_a_blank_mailing_address_is_the_property(mailing: str | None) -> None:
    assert _classify(mailing, None, None, None) == ("owner_occupied", "no_mailing_address")
    assert _classify(mailing) == ("owner_occupied", "no_mailing_address")
    # A city and ZIP elsewhere contradict it.
    assert _classify(mailing, "MIAMI", "FL", "33101") == ("uncertain", "mailing_unreadable")


def test_a_source_without_mailing_addresses_tells_nothing() -> None:
    assert _classify(None, None, None, None, mailing_given=False) == ("uncertain", "mailing_not_given")


@pytest.mark.parametrize("mailing", ["5 OCEAN DR", None, "PO BOX 5"])
def test_a_declared_exemption_outranks_the_comparison(mailing: str | None) -> None:
    exempt = _classify(mailing, "MIAMI", "FL", "33101", declared_exemption=True)
    assert exempt == ("owner_occupied", "declared_exemption")
    # Not every occupant claims one.
    unclaimed = _classify("12 N MAIN ST", declared_exemption=False)
    assert unclaimed == ("owner_occupied", "same_address")


_short = st.none() | st.text(max_size=12)


@patient
@given(st.text(max_size=30), st.text(max_size=30), *[_short] * 7, st.booleans())
def test_any_texts_get_a_known_state_and_reason(
    site: str,
    mailing: str,
    site_city: str | None,
    site_zip: str | None,
    town: str | None,
    city: str | None,
    state: str | None,
    zip_code: str | None,
    country: str | None,
    declared: bool,
) -> None:
    found = classify(
        parse_address(site),
        parse_mailing(mailing),
        site_city=site_city,
        site_zip=site_zip,
        town=town,
        mailing_city=city,
        mailing_state=state,
        mailing_zip=zip_code,
        mailing_country=country,
        declared_exemption=declared,
    )
    assert isinstance(found, Occupancy)
    assert found.state in OCCUPANCIES
    assert found.reason in REASONS


@patient
@given(st.integers(1, 500), st.integers(0, 20), st.integers(1, 500), st.integers(0, 20))
def test_ranges_that_share_a_number_are_the_same_address_either_way(a: int, m: int, b: int, n: int) -> None:
    site, mailing = f"{a}-{a + m} ELM ST", f"{b}-{b + n} ELM ST"
    shared = bool(set(range(a, a + m + 1)) & set(range(b, b + n + 1)))
    expected = ("owner_occupied", "same_address") if shared else ("uncertain", "other_number_on_street")
    assert _classify(mailing, site=site) == _classify(site, site=mailing) == expected
