"""Owners by themselves: types by rule, parties, keys, and what a town's column teaches (invented names)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from leadflow_assets.domain import owners
from leadflow_assets.domain.owners import OWNER_TYPES, ROLES, OwnerField, parse_owner, search_words
from leadflow_assets.domain.owners.keywords import ALL_TRIGGERS, SUFFIXES

# A loaded machine must not fail a test by being slow.
patient = settings(deadline=None)
CUT_AT_30 = OwnerField(30, "last_first")
ANY_TEXT = st.none() | st.text(max_size=50) | st.text(alphabet="AELNOTRS&+/,%.()-' 12", max_size=40)
NOT_NAMES = (
    ALL_TRIGGERS | SUFFIXES | {"AND", "ET", "ETAL", "ETUX", "ETVIR", "JT", "TBE", "AKA", "ATTN", "ATTENTION"}
)
WORD = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=9).filter(
    lambda w: w not in NOT_NAMES
)
SAMPLES = (
    "DOE JOHN A & MARY B",
    "DOE, JOHN A, JR & MARY",
    "OAK STREET REALTY TRUST",
    "DOE JOHN & MARY TRS OF DOE RTY TR",
    "DOE JOHN L/E",
    "ESTATE OF JOHN DOE",
    "8 OAK STREET LLC",
    "TOWN OF SAMPLETON/ATTN: DPW",
    "DOE JOHN % ROE ANN",
    "DOE JOHN 50% INT",
    "UNKNOWN",
)


def _type(text: str | None, co_owner: str | None = None, field: OwnerField | None = None) -> tuple[str, int]:
    found = owners.owner_type(text, co_owner, field)
    return found.name, found.rule


def _people(text: str, co_owner: str | None = None, field: OwnerField | None = None) -> list[tuple[str, ...]]:
    parties = parse_owner(text, co_owner, field).parties
    return [
        (p.last, p.first, p.middle, p.suffix, p.role) if p.is_person else (p.name, p.role) for p in parties
    ]


# --- Types


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ("unknown", 1)),
        ("", ("unknown", 1)),
        (" , ;", ("unknown", 1)),
        ("N/A", ("unknown", 1)),
        ("NA", ("unknown", 1)),
        ("owners unknown", ("unknown", 1)),
        ("NADEAU PAUL", ("person", 14)),
        ("NAVARRO", ("person", 14)),
        ("BANKS JOHN", ("person", 2)),
        ("BANKS JOHN A & MARY B", ("person", 2)),
        ("BANKS, DESHAWN", ("person", 2)),
        ("JOHN BANKS", ("person", 2)),
        ("PARISH, NGOZI & EMEKA", ("person", 2)),
        ("PARISH, ST MARY", ("nonprofit", 7)),
        ("CHURCH MARY", ("person", 2)),
        ("TEMPLE ROBERT JR", ("person", 2)),
        ("CORWIN, TEMPLE A & ANN B", ("person", 2)),
        ("TEMPLE BETH ISRAEL", ("nonprofit", 7)),
        ("PARISH LINDA", ("person", 2)),
        ("HOMES MARY", ("person", 2)),
        ("HOLDING JAMES", ("person", 2)),
        ("CO, MARIA", ("person", 2)),
        ("LE VAN", ("person", 14)),
        ("LE, JOHN", ("person", 2)),
        ("TRAN LOAN", ("person", 14)),
        ("NGUYEN HOA THI", ("person", 14)),
        ("NGUYEN THI LE", ("person", 14)),
        ("DOE JOHN & TRAN LE", ("person", 14)),
        ("ESTES MARY", ("person", 14)),
        ("ISLAM, MD SHAHID", ("person", 14)),
        ("SMITH J T", ("person", 14)),
        ("PATEL N A", ("person", 14)),
        ("DOE JOHN 50% INT", ("person", 14)),
        ("DOE JOHN 1/2 INT", ("person", 14)),
        ("DOE JOHN 3RD", ("person", 14)),
        ("Peña, José", ("person", 14)),
        ("TOWN OF SAMPLETON", ("government", 3)),
        ("SAMPLETON, TOWN OF", ("government", 3)),
        ("TOWN OF SAMPLETON/ATTN: DPW", ("government", 3)),
        ("CITY OF SAMPLETON TAX TITLE", ("government", 3)),
        ("COMMONWEALTH OF MASS", ("government", 3)),
        ("USA", ("government", 3)),
        ("SAMPLETON HOUSING AUTH", ("government", 3)),
        ("SAMPLETON TRUST CO", ("bank", 4)),
        ("OAKHILL CONDOMINIUM TRUST", ("condominium_association", 5)),
        ("OAKHILL HOMEOWNERS", ("condominium_association", 5)),
        ("OAKRIDGE HOA INC", ("condominium_association", 5)),
        ("SAMPLETON SAVINGS BANK", ("bank", 6)),
        ("ACME LOAN TRUST 2006-1", ("bank", 6)),
        ("US BANK N A", ("bank", 6)),
        ("TRUSTEES OF SAMPLETON COLLEGE", ("nonprofit", 7)),
        ("SAMPLETON LAND TRUST", ("nonprofit", 7)),
        ("DOE JOHN L/E", ("life_estate", 8)),
        ("DOE-L/E", ("life_estate", 8)),
        ("DOE JOHN (LE)", ("life_estate", 8)),
        ("DOE, JOHN A-LE", ("life_estate", 8)),
        ("DOE JOHN & MARY LE", ("life_estate", 8)),
        ("BANKS MARY L/E", ("life_estate", 8)),
        ("DOE JOHN A LIFE ESTATE", ("life_estate", 8)),
        ("ESTATE OF JOHN DOE", ("estate", 9)),
        ("EST OF DOE JOHN", ("estate", 9)),
        ("HEIRS OF JOHN DOE", ("estate", 9)),
        ("EST MARY THOMAS", ("estate", 9)),
        ("OAK REAL ESTATE", ("company", 12)),
        ("OAK ESTATES REALTY", ("company", 12)),
        ("EST OF OAK LLC", ("company", 10)),
        ("8 OAK STREET LLC", ("company", 10)),
        ("ACME L.L.C.", ("company", 10)),
        ("ACME L L C", ("company", 10)),
        ("DOE JOHN TRS", ("trust", 11)),
        ("DOE JOHN CO-TRUSTEE", ("trust", 11)),
        ("DOE FAMILY TRUST", ("trust", 11)),
        ("BANKS FAMILY TRUST", ("trust", 11)),
        ("CHURCH STREET REALTY TRUST", ("trust", 11)),
        ("JOHN & MARY DOE LT", ("trust", 11)),
        ("DOE JOHN U/D/T", ("trust", 11)),
        ("DOE & ROE ASSOCIATES", ("company", 12)),
        ("OAK REALTY", ("company", 12)),
        ("48 MILL STREET", ("company", 13)),
        ("DOE JOHN C/O FIRST BANK", ("person", 14)),
        ("C/O DOE JOHN", ("unknown", 1)),
    ],
)
def test_a_text_has_the_type_and_the_rule_of_the_ordered_list(
    text: str | None, expected: tuple[str, int]
) -> None:
    assert _type(text) == expected


@pytest.mark.parametrize(
    ("text", "co_owner", "expected"),
    [
        ("DOE JOHN", "CITY OF SAMPLETON TAX TITLE", ("person", 14)),
        ("DOE JOHN", "TRS", ("trust", 11)),
        ("DOE JOHN", "A LIFE ESTATE", ("life_estate", 8)),
        ("DOE JOHN", "DOE REALTY TRUST", ("trust", 11)),
        ("DOE JOHN", "C/O SAMPLETON BANK", ("person", 14)),
        ("DOE JOHN", "12 OAK STREET", ("person", 14)),
        ("DOE JOHN", "P.O. BOX 12", ("person", 14)),
        ("BANKS JOHN", "BANKS MARY", ("person", 2)),
        ("OAK LLC", "DOE JOHN", ("company", 10)),
        ("UNKNOWN", "DOE JOHN", ("person", 14)),
    ],
)
def test_the_co_owner_is_read_too(text: str, co_owner: str, expected: tuple[str, int]) -> None:
    assert _type(text, co_owner) == expected


@pytest.mark.parametrize(
    ("text", "cut", "whole"),
    [
        ("2024 DOE FAMILY REVOCABLE TRUS", ("trust", 11), ("trust", 11)),
        ("SAMPLETON OAKHILL CONDO    TRU", ("condominium_association", 5), ("person", 14)),
        ("JONATHAN AND ELIZABETH DOE TRU", ("trust", 11), ("person", 14)),
        ("ALEXANDRA BARTHOLOMEW    IRREV", ("trust", 11), ("trust", 11)),
        ("JONATHAN & MARY    DOE  FAMILY", ("trust", 11), ("person", 14)),
        # A cut LE may be the beginning of a name, and so may TRU behind a comma.
        ("BARTHOLOMEW JONATHAN & MARY LE", ("person", 14), ("life_estate", 8)),
        ("BARTHOLOMEW, JONATHAN  A & TRU", ("person", 14), ("person", 14)),
    ],
)
def test_a_keyword_in_pieces_counts_only_where_values_are_cut(
    text: str, cut: tuple[str, int], whole: tuple[str, int]
) -> None:
    assert len(text) == 30
    assert _type(text, None, CUT_AT_30) == cut
    assert _type(text) == whole


@patient
@given(ANY_TEXT, ANY_TEXT, st.sampled_from([None, CUT_AT_30, OwnerField(None, "natural")]))
@example("&", "&", None)
@example("王小明", "C/O", None)
@example("VAN DER", "DE LA", None)
@example("L O L", "(", None)
@example("DOE, , ,JR", "%", None)
@example("0.%", None, None)
def test_any_text_is_read(text: str | None, co_owner: str | None, field: OwnerField | None) -> None:
    found = parse_owner(text, co_owner, field)
    assert found.raw == (text or "")
    assert (found.type, found.type_rule) == _type(text, co_owner, field)
    assert found.type in OWNER_TYPES
    assert 1 <= found.type_rule <= 14
    assert isinstance(found.display, str)
    for party in found.parties:
        assert party.role in ROLES
        assert party.name
        assert 0 <= party.confidence <= 1
    if found.type == "unknown":
        assert found.key == ""


@patient
@given(ANY_TEXT.filter(bool), ANY_TEXT)
@example("O'BRIEN J.R. & MARY", None)
@example("A0%", None)
@example("A1/1", None)
def test_no_party_has_a_word_that_is_not_in_the_source(text: str, co_owner: str | None) -> None:
    source = set(search_words(f"{text} {co_owner or ''}").split())
    for party in parse_owner(text, co_owner).parties:
        assert set(search_words(party.name).split()) <= source
        parts = f"{party.first} {party.middle} {party.last} {party.suffix}"
        assert set(search_words(parts).split()) <= source


@patient
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False))
def test_case_dots_and_blanks_do_not_change_the_type(text: str, random: object) -> None:
    choose = random.choice  # type: ignore[attr-defined]
    words = [choose([w, w.lower(), w.title()]) + choose(["", "."]) for w in text.split(" ")]
    assert _type("".join(choose([" ", "  ", "   "]) + word for word in words)) == _type(text)


@patient
@given(
    WORD, WORD, st.sampled_from(["{s} {g}", "{s}, {g}", "{s} {g} A & MARY B", "{s}, {g} & JOHN", "{g} A {s}"])
)
@example("OKONKWO", "CHIDIEBERE", "{s} {g}")
@example("VAN", "NGUYEN", "{s} {g}")
def test_no_name_is_too_unusual_for_a_person(surname: str, name: str, form: str) -> None:
    text = form.format(s=surname, g=name)
    assume("CARE OF" not in text)
    assert _type(text) == ("person", 14)
    assert all(party.is_person for party in parse_owner(text).parties)


# --- Parties


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DOE JOHN A & MARY B", [("DOE", "JOHN", "A", "", "owner"), ("DOE", "MARY", "B", "", "owner")]),
        ("DOE, JOHN A, JR & MARY", [("DOE", "JOHN", "A", "JR", "owner"), ("DOE", "MARY", "", "", "owner")]),
        ("JOHN DOE AND MARY SMITH", [("DOE", "JOHN", "", "", "owner"), ("SMITH", "MARY", "", "", "owner")]),
        ("JOHN & MARY DOE", [("DOE", "JOHN", "", "", "owner"), ("DOE", "MARY", "", "", "owner")]),
        ("DOE JOHN, DOE MARY", [("DOE", "JOHN", "", "", "owner"), ("DOE", "MARY", "", "", "owner")]),
        (
            "DOE, JOHN & DONNA MARIE",
            [("DOE", "JOHN", "", "", "owner"), ("DOE", "DONNA", "MARIE", "", "owner")],
        ),
        ("DOE, JOHN + ROE, MARY", [("DOE", "JOHN", "", "", "owner"), ("ROE", "MARY", "", "", "owner")]),
        ("JOHN DOE, JR", [("DOE", "JOHN", "", "JR", "owner")]),
        ("J ROBERT DOE", [("DOE", "J", "ROBERT", "", "owner")]),
        ("DE LA CRUZ MARIA", [("DE LA CRUZ", "MARIA", "", "", "owner")]),
        ("MARIA DA SILVA", [("DA SILVA", "MARIA", "", "", "owner")]),
        ("VAN DER BERG KLAAS", [("VAN DER BERG", "KLAAS", "", "", "owner")]),
        ("VAN DER BERG", [("VAN DER BERG", "", "", "", "owner")]),
        ("ST PIERRE JOHN", [("ST PIERRE", "JOHN", "", "", "owner")]),
        (
            "MC DONALD JOHN & ANN",
            [("MC DONALD", "JOHN", "", "", "owner"), ("MC DONALD", "ANN", "", "", "owner")],
        ),
        ("L HEUREUX NEIL J", [("L HEUREUX", "NEIL", "J", "", "owner")]),
        ("O'Brien, Seán", [("O'Brien", "Seán", "", "", "owner")]),
        ("LE VAN THANH", [("LE", "VAN", "THANH", "", "owner")]),
        ("NGUYEN VAN THANH", [("NGUYEN", "VAN", "THANH", "", "owner")]),
        ("WEI CHEN", [("CHEN", "WEI", "", "", "owner")]),
        ("NGOZI A OKAFOR", [("OKAFOR", "NGOZI", "A", "", "owner")]),
        ("SMITH-JONES ANN", [("SMITH-JONES", "ANN", "", "", "owner")]),
        ("RAHMAN MD ABDUL", [("RAHMAN", "MD", "ABDUL", "", "owner")]),
        ("DOE", [("DOE", "", "", "", "owner")]),
        ("DOE JOHN TRS", [("DOE", "JOHN", "", "", "trustee")]),
        ("DOE JOHN TR", [("DOE", "JOHN", "", "", "trustee")]),
        ("OAK ST REALTY TR", [("OAK ST REALTY TR", "owner")]),
        (
            "DOE JOHN & MARY TRS OF DOE RTY TR",
            [
                ("DOE", "JOHN", "", "", "trustee"),
                ("DOE", "MARY", "", "", "trustee"),
                ("DOE RTY TR", "owner"),
            ],
        ),
        (
            "OAK REALTY TRUST DOE JOHN TRUSTEE",
            [("OAK REALTY TRUST", "owner"), ("DOE", "JOHN", "", "", "trustee")],
        ),
        ("DOE JOHN TRUSTEE U/D/T 1/2/99", [("DOE", "JOHN", "", "", "trustee")]),
        ("DOE TRUST & ROE ANN", [("DOE TRUST", "owner"), ("ROE", "ANN", "", "", "owner")]),
        ("DOE, JOHN & OAK REALTY TRUST", [("DOE", "JOHN", "", "", "owner"), ("OAK REALTY TRUST", "owner")]),
        ("SMITH & JONES LLC", [("SMITH & JONES LLC", "owner")]),
        ("DOE, JOHN L/E & MARY", [("DOE", "JOHN", "", "", "life_tenant"), ("DOE", "MARY", "", "", "owner")]),
        (
            "DOE JOHN & MARY L/E",
            [("DOE", "JOHN", "", "", "life_tenant"), ("DOE", "MARY", "", "", "life_tenant")],
        ),
        ("LIFE ESTATE OF DOE JOHN", [("DOE", "JOHN", "", "", "life_tenant")]),
        ("ESTATE OF DOE, JOHN A", [("DOE", "JOHN", "A", "", "decedent")]),
        ("HEIRS & DEVISEES OF DOE JOHN", [("DOE", "JOHN", "", "", "decedent")]),
        (
            "DOE MARY & EST OF DOE JOHN",
            [("DOE", "MARY", "", "", "owner"), ("DOE", "JOHN", "", "", "decedent")],
        ),
        ("DOE MARY HEIR OF DOE JOHN", [("DOE", "MARY", "", "", "heir"), ("DOE", "JOHN", "", "", "decedent")]),
        (
            "DOE MARY EXECUTRIX OF ESTATE OF DOE JOHN",
            [("DOE", "MARY", "", "", "trustee"), ("DOE", "JOHN", "", "", "decedent")],
        ),
        ("DOE JOHN C/O ROE ANN", [("DOE", "JOHN", "", "", "owner"), ("ROE", "ANN", "", "", "care_of")]),
        ("DOE JOHN (JACK)", [("DOE", "JOHN", "", "", "owner")]),
        ("DOE JOHN A/K/A DOE JACK", [("DOE", "JOHN", "", "", "owner")]),
        ("UNKNOWN", []),
    ],
)
def test_parties_have_their_names_and_roles(text: str, expected: list[tuple[str, ...]]) -> None:
    assert _people(text) == expected


def test_several_pairs_behind_commas_are_flagged_and_not_guessed() -> None:
    (party,) = parse_owner("DOE, JOHN, ROE, MARY").parties
    assert (party.last, party.first) == ("", "")
    assert party.confidence < 0.3


def test_a_co_owner_inherits_the_surname_and_fills_the_gap() -> None:
    found = parse_owner("DOE JOHN &", "MARY")
    assert [party.name for party in found.parties] == ["JOHN DOE", "MARY DOE"]
    assert not found.co_owner_missing
    assert parse_owner("DOE JOHN &").co_owner_missing
    assert parse_owner("DOE JOHN +", "12 OAK STREET").co_owner_missing


def test_a_co_owner_without_a_name_belongs_to_the_owner() -> None:
    assert _people("DOE JOHN", "TRS") == [("DOE", "JOHN", "", "", "trustee")]
    assert _people("DOE FAMILY", "TRUST") == [("DOE FAMILY TRUST", "owner")]
    assert _people("DOE JOHN", "A LIFE ESTATE") == [("DOE", "JOHN", "", "", "life_tenant")]


def test_flags_and_tails_are_kept() -> None:
    taxed = parse_owner("DOE JOHN", "CITY OF SAMPLETON TAX TITLE")
    assert (taxed.type, taxed.tax_title, len(taxed.parties)) == ("person", True, 1)
    town = parse_owner("TOWN OF SAMPLETON/ATTN: DPW")
    assert (town.care_of, [party.name for party in town.parties]) == ("DPW", ["TOWN OF SAMPLETON"])
    assert parse_owner("DOE JOHN", "C/O ROE ANN").care_of == "ROE ANN"
    assert parse_owner("DOE JOHN ET AL").et_al
    assert parse_owner("DOE JOHN ETUX").et_al
    assert parse_owner("DOE JOHN TRS").trustee
    assert not parse_owner("OAK REALTY TR").trustee
    trust = parse_owner("DOE JOHN L/E & OAK CHURCH")
    assert (trust.type, trust.life_estate) == ("nonprofit", True)


@pytest.mark.parametrize(
    ("mark", "word"),
    [
        ("T/E", "tenants_by_entirety"),
        ("TBE", "tenants_by_entirety"),
        ("TENANTS BY THE ENTIRETY", "tenants_by_entirety"),
        ("J/T", "joint_tenants"),
        ("JT", "joint_tenants"),
        ("JTWROS", "joint_tenants_with_survivorship"),
        ("T/C", "tenants_in_common"),
        ("TENANTS IN COMMON", "tenants_in_common"),
        ("H/W", "husband_and_wife"),
        ("HUSBAND & WIFE", "husband_and_wife"),
        ("", ""),
    ],
)
def test_a_recorded_tenancy_is_one_word_and_no_name(mark: str, word: str) -> None:
    found = parse_owner(f"DOE JOHN & MARY {mark}")
    assert found.vesting == word
    assert [party.name for party in found.parties] == ["JOHN DOE", "MARY DOE"]


# --- Identity, display, search


@patient
@given(st.permutations(["DOE, JOHN A", "ROE, MARY", "O'BRIEN, PAT"]))
def test_the_key_does_not_depend_on_the_order_of_persons(names: list[str]) -> None:
    assert parse_owner(" & ".join(names)).key == "DOE JOHN & OBRIEN PAT & ROE MARY"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("DOE, JOHN", "JOHN DOE", True),
        ("MC DONALD, ANN", "McDonald Ann", True),
        ("O'BRIEN, PAT", "O BRIEN PAT", True),
        ("ACME L.L.C.", "The Acme, LLC", True),
        ("ACME LLC", "ACME INC", False),
        ("ACME CORPORATION", "ACME CORP.", True),
        ("DOE RTY TR", "DOE REALTY TRUST", True),
        ("DOE JOHN TRS OF DOE RTY TR", "DOE REALTY TRUST", True),
        ("8 OAK STREET LLC", "18 OAK STREET LLC", False),
    ],
)
def test_one_owner_in_two_spellings_has_one_key(one: str, other: str, same: bool) -> None:
    assert (parse_owner(one).key == parse_owner(other).key) == same


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Doe, John A & Mary B", "John A Doe & Mary B Doe"),
        ("ESTATE OF DOE JOHN", "Estate of JOHN DOE"),
        ("Doe John & Mary Trs of Doe Rty Tr", "John Doe & Mary Doe, Trustees of Doe Rty Tr"),
        ("Doe John c/o Roe Ann", "John Doe"),
        ("J.P. Oak Inc.", "J.P. Oak Inc."),
    ],
)
def test_a_letter_names_the_owner_in_natural_order(text: str, shown: str) -> None:
    assert parse_owner(text).display == shown


@patient
@given(st.text(max_size=60))
@example("ﬁ ŉ ß Đặng")
def test_search_words_stay_what_they_are(text: str) -> None:
    words = search_words(text)
    assert search_words(words) == words
    assert words == " ".join(words.split())
    assert words.isascii()
    assert words.upper() == words


def test_search_words_fold_signs_and_accents() -> None:
    assert search_words("O'Brien-Peña,  J.R. & Co.") == "OBRIEN PENA JR CO"
    assert search_words("O\u2019Brien") == "OBRIEN"
    assert search_words("Đặng Łukasz") == "DANG LUKASZ"
    assert search_words(None) == ""


# --- What a column teaches


def test_a_pile_up_is_found_and_flagged() -> None:
    names = [f"DOE {'X' * (k % 20)}, JOHN" for k in range(200)] + ["D" * 30] * 40 + ["D" * 33]
    field = owners.learn_owner_field([*names, None, ""])
    assert field.pile_up == 30
    assert parse_owner("D" * 30, None, field).truncated
    assert not parse_owner("D" * 29, None, field).truncated


def test_a_column_without_a_cliff_has_no_pile_up() -> None:
    assert owners.learn_owner_field(["DOE, JOHN"] * 5).pile_up is None
    assert owners.learn_owner_field([]) == OwnerField(None, "last_first")
    smooth = ["D" * length for length in range(10, 40) for _ in range(80 - 2 * length)]
    assert owners.learn_owner_field(smooth).pile_up is None


def test_the_habit_of_the_town_decides_what_frequencies_cannot() -> None:
    last_first = owners.learn_owner_field(["SMITH JOHN", "JONES MARY", "MURPHY ROBERT"])
    natural = owners.learn_owner_field(["JOHN SMITH", "MARY JONES", "OAK LLC", "DOE, ANN"])
    assert (last_first.default_order, natural.default_order) == ("last_first", "natural")
    assert _people("QWORZ ZEBLO", None, last_first) == [("QWORZ", "ZEBLO", "", "", "owner")]
    assert _people("QWORZ ZEBLO", None, natural) == [("ZEBLO", "QWORZ", "", "", "owner")]
    assert _people("SMITH JOHN", None, natural) == [("SMITH", "JOHN", "", "", "owner")]


def test_the_tables_of_names_are_read_only_when_needed() -> None:
    script = (
        "from leadflow_assets.domain.owners import names\n"
        "import leadflow_assets.domain.owners\n"
        "assert names.surnames.cache_info().currsize == names.given_names.cache_info().currsize == 0\n"
        "assert len(names.surnames()) > 18_000 and len(names.given_names()) > 5_000\n"
        "assert names.surname_percent('SMITH') > 1 and names.given_percent('MARY') > 1\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
