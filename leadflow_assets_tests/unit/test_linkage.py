"""Linkage rule by rule: captions, names, weights as the sheet has them, probabilities (invented names)."""

from __future__ import annotations

import subprocess
import sys
from math import log2
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.linkage import identity, posterior, read_case_party, read_debtor_place, tier
from leadflow_assets.domain.linkage import weights as w
from leadflow_assets.domain.linkage.names import NameForms, name_forms, suffix_form, surname_forms
from leadflow_assets.domain.linkage.nicknames import nicknames
from leadflow_assets.domain.linkage.organisations import (
    REGISTERED_NAME_BITS,
    organisation_bits,
    organisation_forms,
    organisation_outcome,
)
from leadflow_assets.domain.linkage.places import OwnerPlace, PartyPlace, place_outcome
from leadflow_assets.domain.linkage.score import Circumstances, score, weight
from leadflow_assets.domain.linkage.shares import mixed_share
from leadflow_assets.domain.linkage.words import explain

# A loaded machine must not fail a test by being slow.
patient = settings(deadline=None)
ANY_TEXT = st.none() | st.text(max_size=60) | st.text(alphabet="ABDFKNORS/.,&;()' 12\n-", max_size=50)
NAME = st.sampled_from(["", "J", "JOHN", "JON", "ROBERT", "BOB", "MARY", "MARIA", "MARIE", "JOSE", "JOSEPH"])
SURNAME = st.sampled_from(["SMITH", "SMYTH", "SMITHSON", "DOE", "DOE-ROE", "ROE", "OBRIEN", "VAN DONGEN"])
SHARE = st.floats(0, 0.05)


def _names(text: str) -> list[tuple[int, str, str]]:
    return [(name.member, name.alias, name.party.name) for name in read_case_party(text).names]


def _forms(text: str) -> NameForms:
    return name_forms(read_case_party(text).names[0].party)


# --- Captions


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("John A. Smith, Jr.", "person", [(0, "", "John A Smith Jr")]),
        ("Smith, John", "person", [(0, "", "John Smith")]),
        ("Ms.  Sonja Krusic O'Donnell", "person", [(0, "", "Sonja Krusic O'Donnell")]),
        ("In re: John Smith, et al.", "person", [(0, "", "John Smith")]),
        ("Walter Martin, Debtor", "person", [(0, "", "Walter Martin")]),
        ("Robert Smith, M.D.", "person", [(0, "", "Robert Smith")]),
        ("John Smith and Mary Smith", "person", [(0, "", "John Smith"), (1, "", "Mary Smith")]),
        ("John Smith a/k/a Jack Smith", "person", [(0, "", "John Smith"), (0, "aka", "Jack Smith")]),
        ("Mary Jones f/k/a Mary Doe", "person", [(0, "", "Mary Jones"), (0, "fka", "Mary Doe")]),
        ("Mary Jones fka Doe", "person", [(0, "", "Mary Jones"), (0, "fka", "Mary Doe")]),
        ("John Smith aka Johnny", "person", [(0, "", "John Smith"), (0, "aka", "Johnny Smith")]),
        ("Mary Doe née Jones", "person", [(0, "", "Mary Doe"), (0, "fka", "Mary Jones")]),
        ("Mary Nee", "person", [(0, "", "Mary Nee")]),
        ("John Smith d/b/a Smith Painting", "person", [(0, "", "John Smith"), (0, "dba", "Smith Painting")]),
        ("8 Oak Street, L.L.C., et al.", "company", [(0, "", "8 Oak Street, L.L.C")]),
        ("Estate of John Smith", "estate", [(0, "", "John Smith")]),
        ("Acme Higher Loan Agency", "company", [(0, "", "Acme Higher Loan Agency")]),
        (
            "John Smith, individually and as he is Trustee of the Oak Realty Trust",
            "trust",
            [(0, "", "John Smith"), (1, "", "Oak Realty Trust")],
        ),
        ("John Doe 1-10", "placeholder", []),
        ("Jane Doe", "placeholder", []),
        ("Unknown Occupants", "placeholder", []),
        ("", "unknown", []),
        (" , ; ", "unknown", []),
    ],
)
def test_a_caption_names_persons_and_organisations(
    text: str, kind: str, names: list[tuple[int, str, str]]
) -> None:
    read = read_case_party(text)
    assert read.kind == kind
    assert [(number, alias, name.strip(".")) for number, alias, name in _names(text)] == names


def test_jane_doe_with_another_surname_is_a_person() -> None:
    assert _names("Jane Doe-Smith") == [(0, "", "Jane Doe-Smith")]


def test_others_are_noted_and_identifiers_never_read() -> None:
    assert read_case_party("Acme Corp., et al.").et_al
    assert _names("John Smith SSN / ITIN: xxx-xx-0000") == [(0, "", "John Smith")]


@pytest.mark.parametrize("text", ["City of Sampleton", "Wells Fargo Bank, N.A.", "John Doe", ""])
def test_creditors_the_public_and_nobody_are_not_linked(text: str) -> None:
    assert not read_case_party(text).is_linkable


@patient
@given(ANY_TEXT)
def test_any_text_is_read(text: str | None) -> None:
    for name in read_case_party(text).names:
        assert name.party.name.strip()
        name_forms(name.party)
        organisation_forms(name.party.name)
    read_debtor_place(text, text, text)


# --- Names


def test_names_are_compared_in_capital_letters() -> None:
    assert _forms("José A. O'Brien-Ñandú, 3rd") == NameForms(
        "OBRIENNANDU", ("OBRIEN", "NANDU"), "JOSE", "A", "III"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Smith", ("SMITH", ())),
        ("Smith-Jones", ("SMITHJONES", ("SMITH", "JONES"))),
        ("De La Cruz", ("DELACRUZ", ("CRUZ",))),
        ("O'Brien", ("OBRIEN", ())),
        ("", ("", ())),
    ],
)
def test_compound_surnames_keep_their_parts(text: str, expected: tuple[str, tuple[str, ...]]) -> None:
    assert surname_forms(text) == expected


def test_a_title_is_no_generation() -> None:
    assert [suffix_form(text) for text in ("Jr.", "2nd", "Esq", "Jr Esq", "MD", "")] == [
        "JR",
        "II",
        "",
        "JR",
        "",
        "",
    ]


def test_nicknames_go_both_ways_and_not_around() -> None:
    assert "BOB" in nicknames()["ROBERT"]
    assert "ROBERT" in nicknames()["BOB"]
    assert "ROBERT" not in nicknames()["ROBERT"]
    assert all(one in nicknames()[other] for one, others in nicknames().items() for other in others)


def test_the_list_of_nicknames_is_not_loaded_before_it_is_needed() -> None:
    program = "import sys, leadflow_assets.domain.linkage; sys.exit('nicknames' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# --- Weights, in the sheet's numbers


@pytest.mark.parametrize(
    ("outcome", "shares", "bits"),
    [
        (w.EQUAL, (0.01, 0.01), log2(0.90 / 0.01)),
        (w.EQUAL, (0.0, 0.0), log2(0.90 / w.NAME_FLOOR)),
        (w.NEAR, (0.01, 0.001), log2(0.07 / 0.03)),
        (w.NEAR, (0.0, 0.0), log2(0.07 / 3e-5)),
        (w.ALIKE, (0.001, 0.0), 1.0),
        (w.OTHER, (0.01, 0.01), -6.0),
        (w.MISSING, (0.01, 0.01), 0.0),
        (w.NICKNAME, (0.01, 0.002), log2(0.07 / 0.006)),
        (w.NICKNAME, (0.016, 0.0002), log2(0.90 / 0.016)),
    ],
)
def test_a_name_weighs_what_the_sheet_says(outcome: str, shares: tuple[float, float], bits: float) -> None:
    assert w.name_bits(outcome, *shares) == pytest.approx(bits)


def test_the_other_weights_are_the_sheets() -> None:
    assert w.middle_bits(w.AGREE) == pytest.approx(3.43, abs=0.01)
    assert (w.middle_bits(w.MISSING), w.middle_bits(w.CONFLICT)) == (0.0, -5.0)
    assert w.suffix_bits(w.CONFLICT) == -6.0
    assert w.place_bits(w.EQUAL, 0.005) == pytest.approx(log2(0.9 / 0.005))
    assert w.place_bits(w.EQUAL, 0.0) == pytest.approx(log2(0.9 / 1e-4))
    assert (w.place_bits(w.OTHER, 0.5), w.place_bits(w.MISSING, 0.5)) == (-2.0, 0.0)


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ("JOHN", "JOHN", w.EQUAL),
        ("ROBERT", "BOB", w.NICKNAME),
        ("JOSE", "JOSEPH", w.NEAR),
        ("CATHERINE", "KATHERINE", w.NEAR),
        ("MARY", "MARYANN", w.ALIKE),
        ("J", "JOHN", w.INITIAL),
        ("J", "MARY", w.OTHER),
        ("JOHN", "PETER", w.OTHER),
        ("", "JOHN", w.MISSING),
    ],
)
def test_given_names_compare(one: str, other: str, outcome: str) -> None:
    assert w.given_outcome(one, other) == outcome


def test_jose_is_hardly_joseph() -> None:
    shares = (0.004, 0.007)
    assert w.name_bits(w.given_outcome("JOSE", "JOSEPH"), *shares) < w.name_bits(w.EQUAL, *shares) - 4


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ("Smith", "Smith", w.EQUAL),
        ("Smith-Jones", "Jones", w.PART),
        ("Smith-Jones", "Smith-Brown", w.ALIKE),
        ("Smith", "Smyth", w.ALIKE),
        ("Martinez", "Martines", w.NEAR),
        ("Smith-Jones", "Okonkwo-Jones", w.OTHER),
        ("Smith", "Jones", w.OTHER),
    ],
)
def test_surnames_compare_whole_and_by_part(one: str, other: str, outcome: str) -> None:
    both = (NameForms(*surname_forms(name), "JOHN", "", "") for name in (one, other))
    assert w.surname_outcome(*both) == outcome


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ("A", "A", w.AGREE),
        ("A", "ANN", w.AGREE),
        ("ANN", "ANNE", w.AGREE),
        ("ANN", "AGATHA", w.CONFLICT),
        ("A", "B", w.CONFLICT),
        ("", "B", w.MISSING),
    ],
)
def test_middle_names_compare(one: str, other: str, outcome: str) -> None:
    assert w.middle_outcome(one, other) == outcome


def test_father_and_son_conflict_and_jr_may_be_written_ii() -> None:
    outcomes = [w.suffix_outcome(*pair) for pair in (("JR", "SR"), ("JR", "JR"), ("JR", "II"), ("JR", ""))]
    assert outcomes == [w.CONFLICT, w.AGREE, w.MISSING, w.MISSING]


def test_a_surname_that_is_only_alike_never_enters_by_itself() -> None:
    given = (w.NEAR, w.ALIKE, w.INITIAL, w.OTHER, w.MISSING)
    assert not any(w.may_match(w.ALIKE, outcome, at_address=True) for outcome in given)
    assert not w.may_match(w.NEAR, w.NICKNAME, at_address=False)
    assert w.may_match(w.ALIKE, w.EQUAL, at_address=False)
    assert w.may_match(w.NEAR, w.NICKNAME, at_address=True)
    assert not w.may_match(w.EQUAL, w.OTHER, at_address=True)
    assert not w.may_match(w.OTHER, w.EQUAL, at_address=False)
    assert w.may_match(w.OTHER, w.EQUAL, at_address=True)


def test_a_full_name_borne_more_often_than_by_chance_weighs_less() -> None:
    alone, often = (w.full_name_bits(0.001, 0.001, bearers, 2_000_000) for bearers in (2, 50))
    assert often < alone
    assert w.full_name_bits(0.001, 0.001, 50, 2_000_000) == pytest.approx(
        log2(1e-6 / ((4 + 50) / (4 / 1e-6 + 2_000_000)))
    )


def test_an_address_beats_a_name_and_a_family_is_no_proof() -> None:
    address = w.address_bits(w.EQUAL, 2)
    assert address > 20
    # A rare surname at the debtor's own address is mostly a relative's.
    assert w.with_address(15.0, 5.0, w.EQUAL, address) == (1.0, address)
    # In a hamlet a rare surname may tell more than the house; never does an address make a match worse.
    assert w.with_address(18.0, 13.0, w.EQUAL, address) == (18.0, 13.0)
    assert w.with_address(15.0, 5.0, w.OTHER, -2.0) == (15.0, 3.0)


def test_a_share_is_steadied_by_the_wider_place() -> None:
    assert mixed_share(0, 0, 0.01) == pytest.approx(0.01)
    assert mixed_share(1, 7_000, 0.0) == pytest.approx(1 / 27_000)
    assert mixed_share(10_000, 2_000_000, 0.001) == pytest.approx(0.00496, abs=1e-4)


# --- The whole of a pair


def _score(ours: str, theirs: str, known: Circumstances) -> float:
    terms = score(_forms(ours), _forms(theirs), known)
    return weight(terms) if terms else float("-inf")


COMMON = Circumstances((0.01, 0.01), (0.03, 0.03), (0.01, 0.03), 900, 3_000_000)


def test_more_agreement_never_weighs_less() -> None:
    steps = [
        _score("John B. Smith, Sr.", "John A. Smith, Jr.", COMMON),
        _score("John B. Smith", "John A. Smith, Jr.", COMMON),
        _score("John Smith", "John A. Smith, Jr.", COMMON),
        _score("John A. Smith", "John A. Smith, Jr.", COMMON),
        _score("John A. Smith, Jr.", "John A. Smith, Jr.", COMMON),
    ]
    assert steps == sorted(steps)


@patient
@given(SURNAME, SURNAME, NAME, NAME, NAME, NAME, st.tuples(SHARE, SHARE, SHARE, SHARE))
def test_a_pair_weighs_the_same_from_both_sides(
    last: str,
    other_last: str,
    first: str,
    other: str,
    middle: str,
    other_middle: str,
    shares: tuple[float, float, float, float],
) -> None:
    one = NameForms(*surname_forms(last), first, middle, "JR")
    two = NameForms(*surname_forms(other_last), other, other_middle, "SR")
    forth = score(one, two, Circumstances((shares[0], shares[1]), (shares[2], shares[3])))
    back = score(two, one, Circumstances((shares[1], shares[0]), (shares[3], shares[2])))
    assert forth == back


@patient
@given(st.sampled_from([w.EQUAL, w.NEAR, w.ALIKE, w.PART, w.NICKNAME, w.INITIAL]), SHARE, SHARE, SHARE)
def test_a_commoner_name_never_weighs_more(outcome: str, one: float, other: float, more: float) -> None:
    assert w.name_bits(outcome, one + more, other + more) <= w.name_bits(outcome, one, other)


@patient
@given(SHARE, SHARE)
def test_the_better_two_names_agree_the_more_they_weigh(one: float, other: float) -> None:
    equal = w.name_bits(w.EQUAL, max(one, other), max(one, other))
    near, alike = w.name_bits(w.NEAR, one, other), w.name_bits(w.ALIKE, one, other)
    assert equal >= near >= alike >= w.OTHER_BITS
    assert equal >= w.name_bits(w.NICKNAME, one, other)


@patient
@given(SHARE, SHARE, st.integers(1, 500), st.integers(1, 500), st.integers(1_000, 3_000_000))
def test_more_bearers_of_a_full_name_never_raise_it(
    surname: float, first: float, bearers: int, more: int, persons: int
) -> None:
    few = w.full_name_bits(surname, first, bearers, persons)
    assert w.full_name_bits(surname, first, bearers + more, persons) < few


@patient
@given(st.floats(-6, 20), st.floats(-2, 13.2), st.integers(1, 50))
def test_an_equal_address_never_makes_a_pair_less_likely(surname: float, place: float, there: int) -> None:
    equal = sum(w.with_address(surname, place, w.EQUAL, w.address_bits(w.EQUAL, there)))
    assert equal >= sum(w.with_address(surname, place, w.MISSING, 0.0))


# --- Places and addresses


def test_the_finest_place_both_know_decides() -> None:
    owner = OwnerPlace({25, 35}, {"Norfolk", "Suffolk"}, "02019")
    assert place_outcome(PartyPlace(25), owner) == (w.EQUAL, "town")
    assert place_outcome(PartyPlace(None, "02019"), owner) == (w.EQUAL, "zip")
    assert place_outcome(PartyPlace(26, "02019"), owner) == (w.EQUAL, "zip")
    assert place_outcome(PartyPlace(26, None, ("Norfolk",)), owner) == (w.OTHER, "town")
    assert place_outcome(PartyPlace(None, "01520"), owner) == (w.OTHER, "zip")
    assert place_outcome(PartyPlace(None, None, ("Norfolk",)), owner) == (w.EQUAL, "county")
    assert place_outcome(PartyPlace(None, None, ("Essex",)), owner) == (w.OTHER, "county")
    assert place_outcome(PartyPlace(elsewhere=True), owner) == (w.OTHER, "town")
    assert place_outcome(PartyPlace(), owner) == (w.MISSING, "")


def test_a_debtors_address_is_written_as_properties_write_theirs() -> None:
    place = read_debtor_place("27 Forest Drive\nHolden, MA 01520\n508-555-0100")
    assert (place.town_id, place.zip_code, place.elsewhere) == (134, "01520", False)
    assert set(place.keys) == {
        "134|27||||||FOREST|DR||",
        "01520|27||||||FOREST|DR||",
        "HOLDEN|27||||||FOREST|DR||",
    }
    assert read_debtor_place("27 Forest Dr", "Holden").keys[0] == "134|27||||||FOREST|DR||"


def test_an_address_in_care_of_a_lawyer_says_nothing() -> None:
    assert read_debtor_place("c/o A. Lawyer, Esq.\n5 Oak St\nHolden, MA 01520") == read_debtor_place(None)


def test_an_address_in_another_state_is_elsewhere() -> None:
    place = read_debtor_place("1200 North 7th Street\nHarrisburg, PA 17102")
    assert (place.elsewhere, place.town_id, place.zip_code) == (True, None, "17102")


# --- Probabilities


def test_one_exact_match_leaves_the_expected_namesakes() -> None:
    shares = (0.0001, 0.001)
    bits = sum(w.name_bits(w.EQUAL, share, share) for share in shares)
    namesakes = posterior.expected_namesakes(*shares)
    assert posterior.posterior(bits, [bits], 5_600_000) == pytest.approx(0.81 / (0.81 + namesakes))


def test_namesakes_who_own_are_not_counted_twice() -> None:
    assert posterior.unseen(5_600_000, 0) == 5_600_000
    assert posterior.unseen(5_600_000, 2_600_000) == pytest.approx(5_600_000 - 0.81 * 2_600_000)
    assert posterior.unseen(1_000, 5_000) > 0


@patient
@given(st.lists(st.floats(-10, 60), min_size=1, max_size=8), st.floats(1, 6e6), st.floats(-10, 60))
def test_probabilities_sum_to_at_most_one_and_a_rival_only_takes(
    bits: list[float], unseen: float, rival: float
) -> None:
    alone = [posterior.posterior(one, bits, unseen) for one in bits]
    contested = [posterior.posterior(one, [*bits, rival], unseen) for one in bits]
    assert 0 <= sum(alone) <= 1 + 1e-9
    assert all(less <= more for less, more in zip(contested, alone, strict=True))


def test_tiers_and_what_a_person_decided() -> None:
    assert [tier(p) for p in (1.0, 0.95, 0.9499, 0.5, 0.4999, 0.0)] == [
        "confirmed",
        "confirmed",
        "possible",
        "possible",
        "unconfirmed",
        "unconfirmed",
    ]
    assert tier(0.1, "confirmed") == "confirmed"
    assert tier(0.99, "rejected") == "rejected"


def test_the_adults_of_all_towns_are_the_states() -> None:
    assert sum(posterior.adults_of_towns().values()) == pytest.approx(w.STATE_ADULTS, rel=1e-4)


def test_two_homes_of_a_rare_name_are_one_persons() -> None:
    rare = identity.expected_with_initial(1e-6, 0.005, 2_600_000)
    common = identity.expected_with_initial(0.01, 0.03, 2_600_000)
    assert identity.are_one_person(rare)
    assert not identity.are_one_person(common)
    assert identity.are_one_person(identity.expected_with_initial(1e-5, 0.005, 2_600_000, place_share=0.01))


# --- Organisations

SHARES = {
    "LLC": 0.4,
    "INC": 0.2,
    "REALTY": 0.1,
    "TRUST": 0.3,
    "ST": 0.05,
    "OAK": 0.004,
    "8": 0.01,
    "PROPERTIES": 0.08,
}


def _firm_bits(one: str, other: str) -> float | None:
    return organisation_bits(organisation_forms(one), organisation_forms(other), SHARES)


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ("8 OAK STREET LLC", "8 Oak St., L.L.C.", "registered"),
        ("8 OAK STREET LLC", "18 OAK STREET LLC", "other"),
        ("OAK REALTY INC", "OAK REALTY LLC", "other"),
        ("Oak Realty, Incorporated", "THE OAK REALTY INC", "registered"),
        ("OAK CORPORATION", "OAK CORP", "registered"),
        ("OAK REALTY LLC", "OAK LLC", "words_missing"),
        ("OAK LLC", "OAK", "words_missing"),
        ("OAK ZEPHYR LLC", "OAK LLC", "other"),
        ("OAK REALTY LLC", "OAK PROPERTIES LLC", "other"),
        ("OAK REALTY TRUST", "OAK RTY TR", "equal"),
        ("OAK REALTY TRUST", "OAK REALTY LLC", "other"),
        ("LLC", "LLC", "other"),
    ],
)
def test_organisations_compare_by_form_numbers_and_rare_words(one: str, other: str, outcome: str) -> None:
    pair = organisation_forms(one), organisation_forms(other)
    assert organisation_outcome(*pair, SHARES) == outcome
    assert organisation_outcome(*pair[::-1], SHARES) == outcome


def test_a_registered_name_is_confirmed_and_a_common_trusts_is_not() -> None:
    registered = _firm_bits("8 OAK STREET LLC", "8 OAK STREET LLC")
    assert registered == pytest.approx(REGISTERED_NAME_BITS)
    trust = _firm_bits("OAK REALTY TRUST", "OAK REALTY TRUST")
    assert trust is not None
    assert trust < 15
    lacking = _firm_bits("OAK REALTY LLC", "OAK LLC")
    assert lacking is not None
    assert lacking < registered


@patient
@given(ANY_TEXT, ANY_TEXT)
def test_any_two_organisations_compare_the_same_both_ways(one: str | None, other: str | None) -> None:
    forth, back = _firm_bits(one or "", other or ""), _firm_bits(other or "", one or "")
    assert forth == pytest.approx(back) if forth is not None else back is None


@patient
@given(st.integers(1, 9999), st.integers(1, 9999))
def test_another_number_is_another_firm(one: int, other: int) -> None:
    assume(one != other)
    assert _firm_bits(f"{one} OAK STREET LLC", f"{other} OAK STREET LLC") is None


# --- Evidence in words


def _term(
    term: str, outcome: str, bits: float, ours: str = "", theirs: str = "", share: float | None = None
) -> Any:
    return {"term": term, "outcome": outcome, "ours": ours, "theirs": theirs, "share": share, "bits": bits}


def test_evidence_explains_itself() -> None:
    evidence = [
        _term("surname", "equal", 6.49, "CORWIN", "CORWIN", 0.01),
        _term("given_name", "nickname", 3.5, "BOB", "ROBERT", 0.016),
        _term("middle_name", "conflict", -5.0, "A", "B"),
        _term("full_name", "12 owners", -1.2),
        _term("co_owner", "agree", 6.1),
        _term("title", "bought_later", -5.64, "2020-06-01", "2022-01-01"),
    ]
    assert explain(evidence) == [
        "Surname: CORWIN on both sides; of owners 1 in 100 (+6.5 bits)",
        "Given name: BOB may be short for ROBERT, or the reverse; of owners 1 in 62 (+3.5 bits)",
        "Middle name: A contradicts B (-5.0 bits)",
        "Full name: 12 owners bear it, more than chance expects (-1.2 bits)",
        "Co-owner: the property's other owner is a party to the same case (+6.1 bits)",
        "Title: bought on 2022-01-01, after the filing of 2020-06-01 (-5.6 bits)",
    ]


@pytest.mark.parametrize(
    ("printed", "surname"),
    [
        ("Leopold Yarrowstoke", "Yarrowstoke"),
        ("Martin James", "James"),
        ("Taylor Jordan", "Jordan"),
        ("Van Thanh Nguyen", "Nguyen"),
        ("Wei Chen", "Chen"),
        ("Jose A. De La Cruz", "De La Cruz"),
        ("Smith, John", "Smith"),
    ],
)
def test_a_name_as_courts_print_it_is_read_in_natural_order(printed: str, surname: str) -> None:
    """Also where the given name is the rarer, or is a surname as well."""
    assert [name.party.last for name in read_case_party(printed).names] == [surname]


def test_a_list_in_capitals_may_put_the_surname_first() -> None:
    assert read_case_party("SMITH JOHN A").names[0].party.last == "SMITH"
    assert read_case_party("JOHN A SMITH").names[0].party.last == "SMITH"
