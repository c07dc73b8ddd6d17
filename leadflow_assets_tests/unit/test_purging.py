"""Names found and taken out by hash alone: every spelling of one person, nobody else, and no name kept."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.domain.purge_names import firm_length, mentions, name_forms_of, without_name
from leadflow_assets.domain.purging import Purged, address_place, case_place, property_place
from leadflow_assets.enrich.purge.documents import stripped

HOME = address_place("25|12||||||ELM|ST||")
PURGED = Purged(b"salt")
_WORDS = st.text(string.ascii_lowercase, min_size=3, max_size=9).map(str.title)


def without(name: str, text: str) -> str:
    forms = name_forms_of(name)
    lengths = {firm_length(form) for form in forms} - {0}
    return without_name(text, forms.__contains__, lengths)


def purged(name: str, *places: str) -> Purged:
    return PURGED.with_keys(PURGED.keys_of(name_forms_of(name), places))


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Ann B. Lee", "Ann B. Lee", ""),
        ("Ann B. Lee", "LEE, ANN B", ""),
        ("Ann B. Lee", "LEE ANN", ""),
        ("Ann B. Lee", "Lee, Jr., Ann", ""),
        ("Ann B. Lee", "In re Ann B. Lee, Debtor", ""),
        ("Ann B. Lee", "In re: Ann B. Lee and Carl D. Lee", "In re: Carl D. Lee"),
        ("Ann B. Lee", "Ann and Carl Lee", "Carl Lee"),
        ("Carl Lee", "Ann B. and Carl D. Lee", "Ann B. Lee"),
        ("Ann B. Lee", "LEE ANN B & CARL D", "LEE CARL D"),
        ("Carl Lee", "LEE, ANN B & CARL D", "LEE, ANN B"),
        ("Ann Lee", "Ann Lee v. Nowhere Bank, N.A.", "[removed] v. Nowhere Bank, N.A."),
        ("Ann Lee", "Nowhere Bank v. Ann Lee", "Nowhere Bank v. [removed]"),
        ("Ann Lee", "/docket/7/ann-b-lee-and-carl-d-lee/", "/docket/7/removed/"),
        (
            "Ann Lee",
            "Motion by Debtor Ann B. Lee (Attorney Quill Umber)",
            "Motion by Debtor (Attorney Quill Umber)",
        ),
        ("Ann Lee", "ANN B LEE REVOCABLE TRUST", "REVOCABLE TRUST"),
        ("Maria de la Cruz", "DE LA CRUZ MARIA", ""),
        ("Maria Cruz-Lopez", "LOPEZ MARIA", ""),
        ("Mary-Ann O'Brien", "O BRIEN MARYANN", ""),
        ("Mary-Ann O'Brien", "Mary Ann O\u2019Brien", ""),
        ("José Núñez", "NUNEZ JOSE", ""),
        ("Paper Whale Corp.", "PAPER WHALE CORPORATION", ""),
        ("Ann Lee aka Annie Leeds", "LEEDS ANNIE", ""),
    ],
)
def test_a_name_goes_in_every_spelling_and_others_keep_theirs(name: str, text: str, left: str) -> None:
    assert without(name, text) == left


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ann Lee", "Ann Jones and Carl Lee"),
        ("Ann Lee", "Ann Jones, Carl Lee"),
        ("Ann Lee", "A. Lee"),
        ("Ann Lee", "Lee Street; Ann Arbor"),
        ("Ann Lee", "Ann Jones v. Carl Lee"),
        ("Paper Whale Corp.", "Paper Whale LLC"),
        ("Carl Lee", "LEE ANN & JONES CARL"),
    ],
)
def test_other_people_are_not_touched(name: str, text: str) -> None:
    assert without(name, text) == text


@given(_WORDS, _WORDS, st.sampled_from(["", "B", "Bea"]), st.data())
def test_whatever_the_order_it_is_found_and_then_gone(
    first: str, last: str, middle: str, data: st.DataObject
) -> None:
    forms = name_forms_of(f"{first} {last}")
    if not forms:
        return  # a word that is no name of a person
    text = data.draw(
        st.sampled_from(
            [f"{first} {middle} {last}", f"{last}, {first} {middle}", f"{last.upper()} {first.upper()}"]
        )
    )
    assert mentions(text, forms.__contains__)
    left = without_name(f"See {text}; thanks", forms.__contains__)
    assert not mentions(left, forms.__contains__)


@given(st.text(max_size=80))
def test_any_text_can_be_looked_at(text: str) -> None:
    forms = name_forms_of("Ann B. Lee")
    left = without_name(text, forms.__contains__)
    assert not mentions(left, forms.__contains__)
    assert mentions(text, forms.__contains__) or left == text


def test_a_name_counts_only_where_it_was_purged() -> None:
    known = purged("Ann B. Lee", HOME)
    assert known.mentions("LEE ANN", [HOME])
    assert known.mentions("LEE ANN", [property_place("025-1"), HOME])
    assert not known.mentions("LEE ANN", [address_place("25|14||||||ELM|ST||")])
    assert not known.mentions("LEE CARL", [HOME])
    assert known.without_people("Ann Lee and Carl Lee", [case_place("mab:1")]) == "Ann Lee and Carl Lee"


def test_hashes_do_not_tell_and_differ_by_installation() -> None:
    known = purged("Ann B. Lee", HOME)
    kept = " ".join(value for values in known.keys.values() for value in values)
    assert "lee" not in kept.lower()
    other = Purged(b"other salt")
    assert known.keys != other.with_keys(other.keys_of(name_forms_of("Ann B. Lee"), [HOME])).keys


def test_numbers_of_purged_cases_go_in_their_court_only() -> None:
    known = PURGED.with_keys([PURGED.case_key("mab:26-40123"), PURGED.case_key("mahousct:24H85SP001234")])
    assert known.without_numbers("see 1:26-bk-40123-EDK", "mab") == "see [removed]"
    assert known.without_numbers("see 26-40123", "mad") == "see 26-40123"
    assert (
        known.without_numbers("No. 24H85 SP 001234 and 26-40123", "mahousct") == "No. [removed] and 26-40123"
    )
    assert known.has_case("mab:26-40123")
    assert not known.has_case(None)


def test_what_a_text_alone_says_counts_while_a_purge_is_under_way() -> None:
    forms = name_forms_of("Ann B. Lee")
    known = PURGED.with_keys(PURGED.passing_keys(forms, ["26-40123"]))
    assert known.mentions_name("call Ann Lee back")
    assert not known.mentions_name("call Ann Jones, not Carl Lee")
    assert known.without_names("call Ann Lee back") == "call back"
    assert known.without_numbers("about 26-40123") == "about [removed]"
    assert not PURGED.mentions_name("Ann Lee")


def test_a_document_loses_what_was_only_a_name() -> None:
    known = purged("Ann B. Lee", HOME)
    document = {
        "caseName": "Ann B. Lee and Carl D. Lee",
        "party": ["Ann B. Lee", "Carl D. Lee"],
        "results": [{"name": "Ann B. Lee", "extra": "12 Elm St"}, {"name": "Carl D. Lee"}],
        "owner": {"owner1": {"firstNameAndMi": "ANN B", "lastName": "LEE"}, "mailing": "12 ELM ST"},
        "pairs": [["owner", "LEE, ANN"], ["owner", "LEE, CARL"]],
        "count": 2,
    }

    left = stripped(document, lambda text: known.without_people(text, [HOME]))

    assert left == {
        "caseName": "Carl D. Lee",
        "party": ["Carl D. Lee"],
        "results": [{"name": "Carl D. Lee"}],
        "owner": {},
        "pairs": [["owner", "LEE, CARL"]],
        "count": 2,
    }


def test_towns_are_marked_by_who_is_withheld_there() -> None:
    keys = PURGED.keys_of(name_forms_of("Ann B. Lee"), [property_place("025-1")], 25)
    known = PURGED.with_keys(keys)
    assert known.town_mark(25)
    assert known.town_mark(26) == ""
    more = known.with_keys(PURGED.keys_of(name_forms_of("Carl Lee"), [property_place("026-1")], 26))
    assert more.town_mark(25) == known.town_mark(25)
