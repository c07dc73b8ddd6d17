"""Court cases: types, parties and addresses, several tellings of one, and what an empty answer means."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.domain.court_coverage import SourceFacts, by_type, coverage, statement
from leadflow_assets.domain.courts import kinds
from leadflow_assets.domain.courts.combine import combine, in_force
from leadflow_assets.domain.courts.imported import IMPORT_KINDS
from leadflow_assets.domain.courts.model import CourtCase, CourtParty, case_id, docket_number_key
from leadflow_assets.domain.courts.parties import (
    ROLES,
    is_debtor,
    make_party,
    read_extra_info,
    read_role,
    read_written_address,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TODAY = NOON.date()


def a_case(**changes: Any) -> CourtCase:
    values: dict[str, Any] = {
        "case_id": "mab:26-40123",
        "court": "mab",
        "case_type": "bankruptcy_petition",
        "source": "courtlistener",
        "fetched_at": NOON,
        "docket_id": 7,
        "docket_number": "26-40123",
        "case_name": "Odette Brackenfell",
        "date_filed": date(2026, 10, 5),
    }
    return CourtCase(**{**values, **changes})


def a_party(
    case: CourtCase, name: str = "Odette Brackenfell", role: str = "Debtor", **more: Any
) -> CourtParty:
    party = make_party(case, name=name, role=role, name_from=more.pop("name_from", "parties"), **more)
    assert party is not None
    return party


# --- Kinds of cases


@pytest.mark.parametrize(
    ("name", "nature", "adversary"),
    [
        ("Odette Brackenfell", "", False),
        ("Odette Brackenfell and Otis Brackenfell", "", False),
        ("Odette V. Brackenfell", "", False),
        ("ODETTE V. BRACKENFELL", None, False),
        ("Brackenfell v. Lantern Bank", "", True),
        ("Brackenfell vs. Lantern Bank", "", True),
        ("Odette Brackenfell - Adversary Proceeding", "", True),
        ("ODETTE BRACKENFELL - ADVERSARY PROCEEDING", "", True),
        ("Brackenfell", "426 Dischargeability 523", True),
        ("Brackenfell", "72 Injunctive relief - other", True),
        ("Brackenfell", "Chapter 13", False),
        ("Copper Newt Cafe, Inc.", "", False),
        ("", "", False),
        (None, None, False),
    ],
)
def test_adversary_proceedings_are_told_from_petitions(
    name: str | None, nature: str | None, adversary: bool
) -> None:
    expected = "adversary_proceeding" if adversary else "bankruptcy_petition"
    assert kinds.federal_case_type("mab", name, nature) == expected


@pytest.mark.parametrize(
    ("nature", "cause", "name", "number", "expected"),
    [
        (
            "220 Real Property: Foreclosure",
            "28:1332 Diversity",
            "A v. B",
            "1:26-cv-10001",
            "foreclosure_suit",
        ),
        ("Foreclosure", "", "A v. B", "1:26-cv-10001", "foreclosure_suit"),
        ("230 Rent Lease & Ejectment", "", "A v. B", "", "rent_lease_ejectment"),
        ("Real Property: Rent, Lease & Ejectment", "", "A v. B", "", "rent_lease_ejectment"),
        ("240 Torts to Land", "", "A v. B", "", "torts_to_land"),
        ("290 Other Real Property", "", "A v. B", "", "other_real_property"),
        ("All Other Real Property", "", "A v. B", "", "other_real_property"),
        ("870 Taxes", "26:7401 IRS: Tax Liability", "United States v. Brackenfell", "", "tax_lien_suit"),
        ("870 Taxes", "", "Brackenfell v. United States", "", "other_civil"),
        (
            "Other Statutory Actions",
            "26:7403 Suit to Enforce Federal Tax Lien",
            "A v. B",
            "",
            "tax_lien_suit",
        ),
        (
            "442 Civil Rights: Jobs",
            "42:2000 Job Discrimination (Sex)",
            "A v. B",
            "3:17-cv-12090",
            "other_civil",
        ),
        ("", "", "USA v. Brackenfell", "1:26-cr-10044", "federal_criminal"),
        ("", "", "", "", "other_civil"),
    ],
)
def test_civil_suits_go_by_nature_cause_and_caption(
    nature: str, cause: str, name: str, number: str, expected: str
) -> None:
    assert kinds.federal_case_type("mad", name, nature, cause, number) == expected


def test_every_type_has_the_older_term_of_its_action() -> None:
    assert {kinds.action_type_of(name) for name in kinds.CASE_TYPES} <= {None, *kinds.ACTION_TYPES}
    assert kinds.action_type_of("bankruptcy_petition", "13") == "bankruptcy_ch13"
    assert kinds.action_type_of("bankruptcy_petition", "12") == "other"
    assert set(kinds.CASE_TYPE_OF_ACTION) == set(kinds.ACTION_TYPES)
    assert set(kinds.CASE_TYPE_OF_ACTION.values()) <= set(kinds.CASE_TYPES)


@pytest.mark.parametrize(
    ("given_text", "chapter"),
    [
        ("13", "13"),
        ("Chapter 7", "7"),
        ("ch. 11", "11"),
        ("", None),
        (None, None),
        ("99", None),
        ("137", None),
    ],
)
def test_a_chapter_is_one_of_the_code(given_text: str | None, chapter: str | None) -> None:
    assert kinds.read_chapter(given_text) == chapter


def test_words_stand_for_terms() -> None:
    assert kinds.read_word("Summary Process", kinds.ACTION_TYPES) == "eviction"
    assert kinds.read_word("Mechanic's Lien", kinds.LIEN_TYPES) == "mechanics"
    assert kinds.read_word("TAX_MUNICIPAL", kinds.LIEN_TYPES) == "tax_municipal"
    assert kinds.read_word("Discharge", kinds.LIEN_STATUSES) == "discharged"
    assert kinds.read_word("Redeemed", kinds.LIEN_STATUSES) == "satisfied"
    assert kinds.read_word("Redemption", kinds.CASE_STATUSES) == "settled"
    assert kinds.read_word("nonsense", kinds.LIEN_TYPES) is None
    assert kinds.read_word("", kinds.LIEN_TYPES) is None


@pytest.mark.parametrize(
    ("court", "number", "key"),
    [
        ("mab", "26-40123", "26-40123"),
        ("mab", "4:26-bk-40123", "26-40123"),
        ("mab", "26-40123 Chapter 13", "26-40123"),
        ("mab", "26-01045", "26-01045"),
        ("mab", "1:26-ap-01045", "26-01045"),
        ("mad", "1:26-cv-10234-MGM", "26-cv-10234"),
        ("mad", "1:26-CV-10234", "26-cv-10234"),
        ("mad", "1:26-mc-10234", "26-mc-10234"),
        ("masslandct", "24 SM 001234", "24SM001234"),
        ("mahousct", " 23h79sp001234 ", "23H79SP001234"),
        ("mab", "", None),
        ("mab", None, None),
        ("mab", "--", None),
    ],
)
def test_numbers_of_one_case_have_one_key(court: str, number: str | None, key: str | None) -> None:
    assert docket_number_key(court, number) == key
    assert case_id(court, number, "7") == (f"{court}:{key}" if key else f"{court}:#7")


# --- Parties


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("Debtor", "debtor"),
        ("Joint Debtor", "joint_debtor"),
        ("Debtor 1", "debtor"),
        ("Trustee", "trustee"),
        ("Assistant U.S. Trustee", "us_trustee"),
        ("U.S. Trustee", "us_trustee"),
        ("Counter-Claimant", "counter_claimant"),
        ("Intervenor Defendant", "intervenor"),
        ("3rd Pty Defendant", "defendant"),
        ("Assessed to", "owner"),
        ("Personal Representative", "representative"),
        ("Ombudsman", "other"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_words_for_roles(word: str | None, role: str) -> None:
    assert read_role(word) == role
    assert role in ROLES


def test_only_debtors_are_debtors_and_what_is_not_told_is_not_known() -> None:
    assert is_debtor("debtor") and is_debtor("joint_debtor")
    assert is_debtor("trustee") is False
    assert is_debtor("unknown") is None
    suit = a_case(case_type="adversary_proceeding")
    assert a_party(suit, role="Plaintiff").is_debtor is None
    assert make_party(suit, name=" . ", role="Plaintiff", name_from="parties") is None


@pytest.mark.parametrize(
    ("lines", "text", "care_of", "key"),
    [
        (
            "1 Example Drive\nHolden, MA 01520",
            "1 Example Drive, HOLDEN, MA 01520",
            None,
            "134|1||||||EXAMPLE|DR||",
        ),
        (
            "132 Sample Street, Unit G3\nActon, MA 01720-1234",
            "132 Sample Street, Unit G3, ACTON, MA 01720",
            None,
            "2|132||||||SAMPLE|ST||G3",
        ),
        (
            "c/o Quill & Umber, Esq.\n12 Granite St\n4th Floor\nBoston, MA 02108\n617-555-0100",
            "12 Granite St, 4th Floor, BOSTON, MA 02108",
            "Quill & Umber, Esq.",
            "35|12||||||GRANITE|ST||F4",
        ),
        (
            "Quill & Umber\nSuite 5\n12 Granite St\nBoston, MA 02108",
            "12 Granite St, BOSTON, MA 02108",
            "Quill & Umber, Suite 5",
            "35|12||||||GRANITE|ST||",
        ),
        ("P. O. Box 7\nWorcester, MA 01601", "P. O. Box 7, WORCESTER, MA 01601", None, "348|POBOX 7"),
        (
            "One Granite Place\nPeabody, MA 01960\nESSEX-MA",
            "One Granite Place, PEABODY, MA 01960",
            None,
            "229|1||||||GRANITE|PL||",
        ),
        ("12 Granite St\nNashua, NH 03060", "12 Granite St, NASHUA, NH 03060", None, None),
        ("Washington, DC 20202", "WASHINGTON, DC 20202", None, None),
        ("12 Granite St", "12 Granite St", None, None),
        ("(508) 555-0100\nFax : 508-555-0101\nsomebody@example.org\nPRO SE", None, None, None),
        ("", None, None, None),
        (None, None, None, None),
    ],
)
def test_addresses_under_a_name(
    lines: str | None, text: str | None, care_of: str | None, key: str | None
) -> None:
    found = read_extra_info(lines)
    assert (found.text, found.care_of, found.address_key) == (text, care_of, key)


def test_an_address_in_columns_or_in_one_line() -> None:
    whole = read_written_address("12 Granite St, Bellingham, MA 02019")
    parts = read_written_address("12 Granite St", "Bellingham", "Ma.", "2019")
    assert replace(whole, text=None) == replace(parts, text=None)
    assert (parts.town_id, parts.zip, parts.address_key) == (25, "02019", "25|12||||||GRANITE|ST||")
    assert read_written_address("12 Granite St", "Naples", "FL", "34102").town_id is None
    assert read_written_address(None).text is None


@given(st.text(max_size=80))
def test_reading_an_address_never_raises_and_keeps_its_parts_apart(text: str) -> None:
    found = read_extra_info(text)
    assert (found.address_key is None) or found.town_id is not None
    assert (found.mailing_key is None) or found.zip is not None


# --- Several tellings of one case


def test_the_newest_telling_counts_and_an_older_one_fills_what_it_lacks() -> None:
    first = a_case(chapter="13", trustee="Minerva Tamarden", date_terminated=date(2026, 10, 30))
    later = a_case(fetched_at=NOON + timedelta(days=1), case_name="Odette Q. Brackenfell", date_filed=None)
    (told,) = combine([later, first]).cases
    assert (told.case_name, told.chapter, told.date_filed) == (
        "Odette Q. Brackenfell",
        "13",
        date(2026, 10, 5),
    )
    assert told.date_terminated is None  # opened again


def test_a_docket_that_gets_its_date_and_number_takes_its_parties_along() -> None:
    bare = a_case(case_id="mab:#7", docket_number=None, date_filed=None)
    full = a_case(fetched_at=NOON + timedelta(days=1))
    early, late = (
        a_party(bare, name_from="caption"),
        a_party(full, name="Otis Brackenfell", role="Joint Debtor"),
    )
    both = combine([bare, full], [early, late])
    assert [case.case_id for case in both.cases] == ["mab:26-40123"]
    assert {party.case_id for party in both.parties} == {"mab:26-40123"}
    assert set(both.partitions()) == {("mab", "2026-10")}


def test_names_of_a_caption_go_when_the_docket_lists_its_parties() -> None:
    case = a_case()
    guessed = a_party(case, name="O Brackenfell", name_from="caption")
    listed = a_party(case, name_from="parties")
    assert combine([case], [guessed]).parties == (guessed,)
    assert combine([case], [guessed, listed]).parties == (listed,)


def test_two_sources_of_one_case_stay_two() -> None:
    imported = a_case(source="other", docket_id=None)
    assert len(combine([a_case(), imported]).cases) == 2


@given(st.permutations(range(6)), st.integers(0, 1000))
def test_the_order_of_tellings_does_not_matter(order: list[int], seed: int) -> None:
    dice = random.Random(seed)
    cases = [
        a_case(
            docket_id=dice.choice((7, 8)),
            case_id=dice.choice(("mab:26-40123", "mab:#7")),
            fetched_at=NOON + timedelta(hours=number),
            chapter=dice.choice((None, "7", "13")),
            date_filed=dice.choice((None, date(2026, 10, 5))),
        )
        for number in range(6)
    ]
    parties = [a_party(case, name=f"Name {number % 3}") for number, case in enumerate(cases)]
    expected = combine(cases, parties)
    assert combine([cases[k] for k in order], [parties[k] for k in order]) == expected
    assert combine(expected.cases, expected.parties) == expected
    assert sum(len(cases) for cases, _ in expected.partitions().values()) == len(expected.cases)


def test_rows_end_on_the_day_their_kind_says() -> None:
    eviction = a_case(source="housing_court", expires_on=IMPORT_KINDS["housing_court"].expires_on(TODAY))
    assert in_force([eviction, a_case()], TODAY + timedelta(days=90)) == [eviction, a_case()]
    assert in_force([eviction, a_case()], TODAY + timedelta(days=91)) == [a_case()]
    assert IMPORT_KINDS["housing_court"].keeps_days == min(kind.keeps_days for kind in IMPORT_KINDS.values())


# --- Coverage

FETCHED = SourceFacts("courtlistener", "mab", since=date(2026, 9, 1), last=NOON - timedelta(days=1))


def test_every_type_has_its_coverage_and_none_is_silent() -> None:
    rows = by_type(coverage([], TODAY))
    assert set(rows) == set(kinds.CASE_TYPES)
    for case_type, of_type in rows.items():
        assert all(row.words.endswith(".") for row in of_type)
        assert "is not known" in statement(case_type, 0, of_type)


def test_covered_stale_and_not_available_are_told_apart() -> None:
    rows = coverage([FETCHED, SourceFacts("housing_court", last=NOON - timedelta(days=60))], TODAY)
    state = {(row.case_type, row.source): row.state for row in rows}
    assert state["bankruptcy_petition", "courtlistener"] == "covered"
    assert state["foreclosure_suit", "courtlistener"] == "not_fetched"
    assert state["eviction", "courtlistener"] == "not_available"
    assert state["eviction", "housing_court"] == "stale"
    assert state["probate", "probate"] == "not_available"
    late = coverage([replace(FETCHED, last=NOON - timedelta(days=8))], TODAY)
    assert {row.state for row in late if row.case_type == "bankruptcy_petition"} == {"stale"}
    unset = coverage([replace(FETCHED, configured=False)], TODAY)
    assert {row.state for row in unset if row.case_type == "bankruptcy_petition"} == {"not_configured"}


def test_nothing_found_never_stands_alone() -> None:
    rows = coverage([FETCHED], TODAY)
    none = statement("bankruptcy_petition", 0, rows)
    assert none.startswith("No bankruptcy petitions found where it was looked for.")
    assert "CourtListener (mab): from 2026-09-01 on, last brought up to date on 2026-11-01." in none
    evictions = statement("eviction", 0, rows)
    assert evictions.startswith("Whether there are evictions (summary process) is not known.")
    assert "Not available from CourtListener" in evictions
    assert "None imported" in evictions
    assert statement("bankruptcy_petition", 1200, rows).startswith("Found 1,200 bankruptcy petitions. Court")
    partial = coverage([replace(FETCHED, partial="debtors' addresses for 24 of 600 cases")], TODAY)
    assert "debtors' addresses for 24 of 600 cases." in statement("bankruptcy_petition", 3, partial)
