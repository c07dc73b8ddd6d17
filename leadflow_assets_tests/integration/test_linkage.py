"""Parties linked to a table of owners: who is found, how sure, why, and that nothing else sways it."""

from __future__ import annotations

import json
import random
from datetime import date
from itertools import product
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.linkage_measure import rank
from benchmarks.linkage_set import make_set
from leadflow_assets.domain.linkage import weights as w
from leadflow_assets.domain.linkage.names import NameForms, name_forms, surname_forms
from leadflow_assets.domain.linkage.organisations import organisation_bits, organisation_forms
from leadflow_assets.domain.linkage.shares import mixed_share
from leadflow_assets.domain.linkage.words import explain
from leadflow_assets.domain.owners import parse_owner
from leadflow_assets.domain.owners.names import given_percent, surnames
from leadflow_assets.enrich.linkage import (
    MATCHES_SCHEMA,
    PARTIES_SCHEMA,
    Frequencies,
    build_frequencies,
    link,
)
from leadflow_assets.enrich.linkage.engine import database
from leadflow_assets.lake.columns import PARTIES_TYPE

OWNERS_SCHEMA = pa.schema(
    [
        ("property_id", pa.string()),
        ("town_id", pa.int32()),
        ("owners", PARTIES_TYPE),
        ("address_key", pa.string()),
        ("mailing_key", pa.string()),
        ("mailing_city", pa.string()),
        ("last_sale_date", pa.date32()),
        ("sale_is_nominal", pa.bool_()),
    ]
)
FILED = date(2020, 6, 1)
# A town small enough that rare names are nearly certain.
SMALL = 20_000


def _owner(
    property_id: str,
    text: str,
    *,
    town: int = 25,
    number: int | None = None,
    mailing: str | None = None,
    bought: date | None = None,
    nominal: bool | None = None,
) -> dict[str, Any]:
    site = f"{town}|{number or sum(map(ord, property_id))}||||||OAK|ST||"
    keys = [field.name for field in PARTIES_TYPE.value_type]
    return {
        "property_id": property_id,
        "town_id": town,
        "owners": [{key: getattr(p, key) for key in keys} for p in parse_owner(text).parties] or None,
        "address_key": site,
        "mailing_key": mailing or site,
        "mailing_city": None,
        "last_sale_date": bought,
        "sale_is_nominal": nominal,
    }


def _party(party_id: str, name: str | None, case_id: str | None = None, **known: Any) -> dict[str, Any]:
    unknown = dict.fromkeys(("address", "city", "zip", "counties"))
    return {
        "party_id": party_id,
        "case_id": case_id or party_id,
        "name": name,
        "filed": FILED,
        **unknown,
        **known,
    }


def _link(
    owners: list[dict[str, Any]], parties: list[dict[str, Any]], **options: Any
) -> list[dict[str, Any]]:
    table = pa.Table.from_pylist(owners, schema=OWNERS_SCHEMA)
    people = pa.Table.from_pylist(parties, schema=PARTIES_SCHEMA)
    options = {"population": SMALL, "least_probability": 0.0001, "threads": 1, **options}
    found = link(people, table, **options)
    assert found.schema == MATCHES_SCHEMA
    return found.to_pylist()


def _chances(found: list[dict[str, Any]]) -> dict[tuple[str, str], float]:
    return {(row["party_id"], row["property_id"]): row["probability"] for row in found}


def _terms(row: dict[str, Any]) -> dict[str, str]:
    return {term["term"]: term["outcome"] for term in row["evidence"]}


# --- Who is found, and why


def test_a_debtor_is_found_by_name_and_surely_by_address() -> None:
    owners = [_owner("home", "CORWIN DAVID J", number=27), _owner("other", "CORWIN DAVID J", number=99)]
    at_home = {"address": "27 Oak Street\nBellingham, MA 02019"}
    found = _link(owners, [_party("a", "David J. Corwin", **at_home), _party("b", "David J. Corwin")])
    chances = _chances(found)
    assert chances["a", "home"] > 0.99
    assert chances["b", "home"] < chances["a", "home"]
    row = next(row for row in found if (row["party_id"], row["property_id"]) == ("a", "home"))
    assert _terms(row) | {"surname": "equal", "middle_name": "agree", "address": "equal"} == _terms(row)
    assert row["tier"] == "confirmed"


def test_an_address_with_another_name_is_no_match() -> None:
    here = {"address": "27 Oak Street\nBellingham, MA 02019"}
    owners = [_owner("home", "CORWIN DAVID", number=27)]
    assert (
        _link(owners, [_party("tenant", "Peter Hale", **here), _party("wife", "Mary Corwin", **here)]) == []
    )


def test_a_changed_surname_is_found_at_the_address_only() -> None:
    owners = [_owner("home", "CORWIN THEODORA", number=27)]
    here = {"address": "27 Oak Street\nBellingham, MA 02019"}
    found = _link(owners, [_party("a", "Theodora Hale", **here), _party("b", "Theodora Hale")])
    assert [(row["party_id"], _terms(row)["surname"]) for row in found] == [("a", "other")]


def test_an_alias_is_another_name_of_the_same_party() -> None:
    owners = [_owner("home", "CORWIN THEODORA")]
    found = _link(owners, [_party("a", "Theodora Hale f/k/a Theodora Corwin"), _party("b", "Theodora Hale")])
    assert [row["party_id"] for row in found] == ["a"]


DIFFERENT_NAMES: list[tuple[str, str, dict[str, str]]] = [
    ("Bob Corwin", "CORWIN ROBERT", {"given_name": "nickname"}),
    ("Jose Corwin", "CORWIN JOSEPH", {"given_name": "near"}),
    ("Katherine Corwin", "CORWIN CATHERINE", {"given_name": "near"}),
    ("Robert Corwen", "CORWIN ROBERT", {"surname": "near"}),
    ("Robert Corwin-Hale", "CORWIN ROBERT", {"surname": "part"}),
    ("Robert Hale", "CORWIN-HALE ROBERT", {"surname": "part"}),
    ("Robert A. Corwin", "CORWIN ROBERT B", {"middle_name": "conflict"}),
    ("Robert Corwin, Sr.", "CORWIN ROBERT JR", {"suffix": "conflict"}),
    ("José Núñez-Corwin", "NUÑEZ JOSÉ", {"surname": "part", "given_name": "equal"}),
]
STRANGERS = [
    ("Jose Corwen", "CORWAN JOSEPH"),
    ("Maryann Corwen", "CORWIN MARY"),
    ("Peter Corwin", "CORWIN ROBERT"),
    ("Corwin", "CORWIN ROBERT"),
    ("18 Oak Street LLC", "8 OAK STREET LLC"),
    ("Oak Zephyr, Inc.", "OAK ZEPHYR LLC"),
    ("Town of Sampleton", "TOWN OF SAMPLETON"),
    ("John Doe", "DOE JOHN"),
]


def _link_pairs(pairs: list[tuple[str, str]]) -> dict[int, dict[str, Any]]:
    """Rows of each party with its own owner, whose address is the party's."""
    owners = [_owner(f"p{n}", owner, number=n + 1) for n, (_, owner) in enumerate(pairs)]
    parties = [
        _party(f"a{n}", caption, address=f"{n + 1} Oak Street\nBellingham, MA 02019")
        for n, (caption, _) in enumerate(pairs)
    ]
    found = _link(owners, parties, least_probability=0.0)
    return {int(row["party_id"][1:]): row for row in found if row["party_id"][1:] == row["property_id"][1:]}


def test_names_may_differ_in_known_ways() -> None:
    found = _link_pairs([(caption, owner) for caption, owner, _ in DIFFERENT_NAMES])
    for number, (caption, _, outcome) in enumerate(DIFFERENT_NAMES):
        assert _terms(found[number]) | outcome == _terms(found[number]), caption


def test_what_must_never_enter_does_not() -> None:
    assert _link_pairs(STRANGERS) == {}


def test_a_firm_is_found_however_its_form_is_written() -> None:
    owners = [_owner("one", "8 OAK STREET LLC"), _owner("two", "8 OAK STREET LLC", town=35)]
    found = _link(owners, [_party("a", "8 Oak St., L.L.C.")])
    assert [(row["property_id"], row["tier"]) for row in found] == [
        ("one", "confirmed"),
        ("two", "confirmed"),
    ]


def test_joint_debtors_who_own_together_prove_each_other() -> None:
    owners = [_owner("home", "CORWIN JOHN & MARY"), _owner("other", "CORWIN JOHN", number=5)]
    alone = _chances(_link(owners, [_party("a", "John Corwin")]))
    joint = _link(owners, [_party("a", "John Corwin", "case"), _party("b", "Mary Corwin", "case")])
    both = _chances(joint)
    assert both["a", "home"] > alone["a", "home"]
    assert both["a", "other"] < alone["a", "other"]
    assert both["b", "home"] > 0.5
    # The shared surname counts once: the bonus is the wife's given name alone.
    bonus = next(t["bits"] for t in joint[0]["evidence"] if t["term"] == "co_owner")
    given_bits = next(
        t["bits"]
        for row in joint
        if row["party_id"] == "b"
        for t in row["evidence"]
        if t["term"] == "given_name"
    )
    assert bonus == pytest.approx(given_bits, abs=0.01)
    named_together = _chances(_link(owners, [_party("a", "John Corwin and Mary Corwin")]))
    assert named_together["a", "home"] == pytest.approx(max(both.values()), abs=0.01)


def test_whoever_bought_after_the_filing_did_not_own() -> None:
    later = date(2022, 1, 1)
    owners = [
        _owner("held", "CORWIN ANSELM", bought=date(2010, 1, 1), nominal=False, mailing="02019|1"),
        _owner("later", "CORWIN ANSELM", bought=later, nominal=False, mailing="02019|1"),
        _owner("deed", "CORWIN ANSELM", bought=later, nominal=True, mailing="02019|1"),
        _owner("unknown", "CORWIN ANSELM", mailing="02019|1"),
    ]
    found = {row["property_id"]: row for row in _link(owners, [_party("a", "Anselm Corwin")])}
    assert {key: row["title"] for key, row in found.items()} == {
        "held": "held",
        "unknown": "unknown",
        "deed": "unclear",
        "later": "bought_later",
    }
    held = found["held"]["probability"]
    assert found["unknown"]["probability"] == held
    assert found["deed"]["probability"] == pytest.approx(held * w.HELD_IF_DEEDED_LATER, abs=1e-5)
    assert found["later"]["probability"] == pytest.approx(held * w.HELD_IF_BOUGHT_LATER, abs=1e-5)


def test_one_person_with_many_parcels_competes_once() -> None:
    one = [_owner("p0", "CORWIN ANSELM Q", mailing="02019|1")]
    many = [_owner(f"p{n}", "CORWIN ANSELM Q", mailing="02019|1") for n in range(40)]
    party = [_party("a", "Anselm Q. Corwin")]
    alone = _link(one, party)[0]
    found = _link(many, party)
    assert len(found) == 40
    assert {row["probability"] for row in found} == {alone["probability"]}


def test_two_addresses_of_a_rare_name_with_one_initial_are_one_person() -> None:
    party = [_party("a", "Anselm Q. Corwin")]
    split = _link([_owner("p0", "CORWIN ANSELM Q"), _owner("p1", "CORWIN ANSELM Q")], party)
    strangers = _link([_owner("p0", "CORWIN ANSELM"), _owner("p1", "CORWIN ANSELM")], party)
    assert min(row["probability"] for row in split) > 0.9
    assert max(row["probability"] for row in strangers) <= 0.5


def test_father_and_son_on_one_deed_make_the_deed_surer() -> None:
    together = _link([_owner("p", "CORWIN JOHN & CORWIN JOHN JR")], [_party("a", "John Corwin")])
    apart = _link([_owner("p", "CORWIN JOHN"), _owner("q", "CORWIN JOHN JR")], [_party("a", "John Corwin")])
    assert together[0]["probability"] == pytest.approx(sum(row["probability"] for row in apart), abs=1e-4)


def test_a_place_is_evidence_or_the_population_never_both() -> None:
    owners = [_owner("here", "SMITH JOHN"), _owner("far", "SMITH JOHN", town=35)]
    party = [_party("a", "John Smith", city="Bellingham")]
    state = 5_600_000
    unplaced = _chances(_link(owners, [_party("a", "John Smith")], population=state))
    weighed = _link(owners, party, population=state)
    narrowed = _link(owners, party, population=state, place_as="population")
    assert unplaced["a", "here"] == unplaced["a", "far"]
    assert _chances(weighed)["a", "here"] > unplaced["a", "here"] > _chances(weighed)["a", "far"]
    assert [row["property_id"] for row in narrowed] == ["here"]
    assert "place" in _terms(weighed[0])
    assert "place" not in _terms(narrowed[0])
    assert narrowed[0]["unseen"] < 20_000 < weighed[0]["unseen"]


def test_a_county_counts_where_no_town_is_known() -> None:
    owners = [_owner("here", "CORWIN ROBERT"), _owner("far", "CORWIN ROBERT", town=35)]
    chances = _chances(_link(owners, [_party("a", "Robert Corwin", counties=["Norfolk"])]))
    assert chances["a", "here"] > chances["a", "far"]


# --- What must hold for any table

LAST = st.sampled_from(["CORWIN", "CORWEN", "HALE", "HALE-CORWIN", "SMITH", "O'DELL", "VAN DONGEN", "NUÑEZ"])
FIRST = st.sampled_from(["ROBERT", "BOB", "MARY", "MARIA", "JOSE", "JOSEPH", "J", "MARY ANN", "THEODORA"])
PERSON = st.builds("{}, {} {}".format, LAST, FIRST, st.sampled_from(["", "A", "B", "A JR", "ANN"]))
# Without an initial every home is taken for another person's.
STRANGER = st.builds("{}, {}".format, LAST, FIRST.filter(lambda name: " " not in name))
patient = settings(deadline=None, max_examples=3)


@patient
@given(st.lists(STRANGER, min_size=1, max_size=25), st.lists(PERSON, min_size=1, max_size=12), st.randoms())
def test_the_order_of_rows_changes_nothing_and_no_party_is_more_than_one(
    names: list[str], captions: list[str], shuffled: random.Random
) -> None:
    owners = [_owner(f"p{n}", name, town=1 + n % 3) for n, name in enumerate(names)]
    parties = [_party(f"a{n}", name, f"c{n // 2}") for n, name in enumerate(captions)]
    found = _link(owners, parties)
    shuffled.shuffle(owners)
    shuffled.shuffle(parties)
    assert _link(owners, parties) == found
    for party in parties:
        rows = [row for row in found if row["party_id"] == party["party_id"]]
        assert sum(row["probability"] for row in rows) <= 1 + 1e-6 * len(rows)


@pytest.mark.slow
@patient
@given(PERSON, st.integers(1, 6))
def test_more_namesakes_never_raise_a_probability(name: str, more: int) -> None:
    party = [_party("a", name)]
    others = [_owner(f"x{n}", f"STRANGER{'ABCDEFGH'[n]}, PETER") for n in range(more)]
    namesakes = [_owner(f"n{n}", name) for n in range(more)]
    few = _chances(_link([_owner("p", name), *others], party)).get(("a", "p"), 0.0)
    many = _chances(_link([_owner("p", name), *namesakes], party)).get(("a", "p"), 0.0)
    assert many <= few or _one_person(name)


def _one_person(name: str) -> bool:
    """A rare name with an initial is taken for one person at two addresses, so that it is no namesake."""
    return len(name.split(", ")[1].split()) > 1


@patient
@given(st.lists(st.text(max_size=40) | PERSON, min_size=1, max_size=6), st.text(max_size=40))
def test_any_text_links_without_error(texts: list[str], address: str) -> None:
    owners = [_owner(f"p{n}", text) for n, text in enumerate(texts)]
    found = _link(owners, [_party(f"a{n}", text, address=address) for n, text in enumerate(texts)])
    json.dumps([row["evidence"] for row in found])
    assert all(explain(row["evidence"]) for row in found)
    assert all(0 <= row["probability"] <= 1 for row in found)


def test_nothing_to_link_gives_an_empty_table() -> None:
    assert _link([], [_party("a", "John Smith"), _party("b", None)]) == []
    assert _link([_owner("p", "CORWIN ROBERT")], []) == []


# --- The SQL is the rules


def test_every_weight_in_sql_is_the_pure_functions() -> None:
    shares = (0.0, 5e-7, 1e-5, 4e-4, 0.012, 0.05)
    outcomes = (w.EQUAL, w.PART, w.NEAR, w.NICKNAME, w.ALIKE, w.INITIAL, w.OTHER, w.MISSING)
    texts = ("", "A", "B", "ANN", "ANNE", "AGATHA", "JR", "SR", "II")
    with database() as connection:

        def sql(expression: str, *values: Any) -> Any:
            row = connection.execute(f"SELECT {expression}", list(values)).fetchone()
            assert row is not None
            return row[0]

        for outcome, one, other in product(outcomes, shares, shares):
            assert sql("name_bits(?, ?, ?)", outcome, one, other) == pytest.approx(
                w.name_bits(outcome, one, other)
            )
        for one_text, other_text in product(texts, texts):
            pair = (one_text, other_text)
            assert sql("middle_outcome(?, ?)", *pair) == w.middle_outcome(*pair)
            assert sql("suffix_outcome(?, ?)", *pair) == w.suffix_outcome(*pair)
        for outcome in (w.AGREE, w.CONFLICT, w.MISSING):
            assert sql("middle_bits(?)", outcome) == pytest.approx(w.middle_bits(outcome))
            assert sql("suffix_bits(?)", outcome) == pytest.approx(w.suffix_bits(outcome))
        for outcome, share in product((w.EQUAL, w.OTHER, w.MISSING), shares):
            assert sql("place_bits(?, ?)", outcome, share) == pytest.approx(w.place_bits(outcome, share))
        for outcome, there in product((w.EQUAL, w.OTHER, w.MISSING), (0, 1, 2, 40)):
            assert sql("address_bits(?, ?)", outcome, there) == pytest.approx(w.address_bits(outcome, there))
        for one, other, bearers in product(shares, shares, (0, 1, 70)):
            assert sql("full_name_bits(?, ?, ?, ?)", one, other, bearers, 3_000_000) == pytest.approx(
                w.full_name_bits(one, other, bearers, 3_000_000)
            )
        for surname, place, outcome in product((-6.0, 0.5, 17.0), (-2.0, 13.0), (w.EQUAL, w.OTHER)):
            address = w.address_bits(outcome, 2)
            household = sql("by_household(?, ?, ?, ?)", surname, place, outcome, address)
            expected = w.with_address(surname, place, outcome, address)
            assert household == (outcome == w.EQUAL and expected[1] == address)


def _share(frequencies: Frequencies, kind: str, name: str) -> float:
    counts = {
        (row["kind"], row["name"]): row["bearers"]
        for row in frequencies.table.to_pylist()
        if row["place"] == ""
    }
    census = surnames().get(name, 0.0) if kind == "surname" else given_percent(name)
    return mixed_share(counts.get((kind, name), 0), frequencies.persons, census / 100)


def test_a_pairs_weight_is_the_sum_of_the_rules() -> None:
    texts = [
        "CORWIN, ROBERT A",
        "CORWIN, ROBERT B JR",
        "CORWEN, ROBERT",
        "HALE-CORWIN, BOB",
        "CORWIN, ROBERTA",
    ]
    table = pa.Table.from_pylist(
        [_owner(f"p{n}", text, mailing=f"0|{n}") for n, text in enumerate(texts)], schema=OWNERS_SCHEMA
    )
    frequencies = build_frequencies(table)
    party = "Robert A. Corwin, Jr."
    parties = pa.Table.from_pylist([_party("a", party)], schema=PARTIES_SCHEMA)
    found = link(parties, table, frequencies, population=SMALL, least_probability=0.0, threads=1).to_pylist()
    assert len(found) == len(texts)
    ours = NameForms("CORWIN", (), "ROBERT", "A", "JR")
    for row in found:
        theirs = name_forms(parse_owner(texts[int(row["property_id"][1:])]).parties[0])
        outcome = w.surname_outcome(ours, theirs)
        other = ours.last if outcome == w.PART else theirs.last
        surname_shares = [_share(frequencies, "surname", name) for name in (ours.last, other)]
        given_shares = [_share(frequencies, "given", name) for name in (ours.first, theirs.first)]
        given_outcome = w.given_outcome(ours.first, theirs.first)
        bits = w.name_bits(outcome, *surname_shares) + w.name_bits(given_outcome, *given_shares)
        bits += w.middle_bits(w.middle_outcome(ours.middle, theirs.middle))
        bits += w.suffix_bits(w.suffix_outcome(ours.suffix, theirs.suffix))
        if outcome == given_outcome == w.EQUAL:
            bits += w.full_name_bits(surname_shares[1], given_shares[1], 2, frequencies.persons)
        assert row["weight_bits"] == pytest.approx(bits, abs=1e-4)
        assert sum(term["bits"] for term in row["evidence"]) == pytest.approx(bits, abs=0.05)


def test_a_firms_weight_is_the_rules() -> None:
    pairs = [
        ("The Oak Zephyr Realty, L.L.C.", "OAK ZEPHYR RLTY LLC"),
        ("Quince Oak Realty Trust", "QUINCE OAK RTY TRUST"),
        ("8 Yarrow Street, Inc.", "8 YARROW ST INCORPORATED"),
        ("Umber Properties", "UMBER PROPERTIES LLC"),
    ]
    others = ["OAK REALTY LLC", "OAK PROPERTIES LLC", "ELM REALTY TRUST", "ELM INC", "9 ELM ST TRUST"]
    owners = [_owner(f"p{n}", text) for n, text in enumerate([*(owner for _, owner in pairs), *others])]
    table = pa.Table.from_pylist(owners, schema=OWNERS_SCHEMA)
    counts = {
        r["name"]: r["bearers"] for r in build_frequencies(table).table.to_pylist() if r["kind"] == "word"
    }
    shares = {word: count / len(owners) for word, count in counts.items()}
    captions = [_party(f"a{n}", caption) for n, (caption, _) in enumerate(pairs)]
    found = _link(owners, captions, least_probability=0.0)
    assert [(row["party_id"], row["property_id"]) for row in found] == [(f"a{n}", f"p{n}") for n in range(4)]
    for row, (caption, owner) in zip(found, pairs, strict=True):
        expected = organisation_bits(organisation_forms(caption), organisation_forms(owner), shares)
        assert row["weight_bits"] == pytest.approx(expected, abs=1e-4)


# --- Frequencies


def test_whoever_owns_much_counts_once() -> None:
    owners = [_owner(f"p{n}", "CORWIN ANSELM", mailing="02019|1") for n in range(40)]
    owners += [_owner("q", "HALE ANSELM & MARY")]
    table = pa.Table.from_pylist(owners, schema=OWNERS_SCHEMA)
    frequencies = build_frequencies(table)
    rows = {(r["kind"], r["place"], r["name"]): r["bearers"] for r in frequencies.table.to_pylist()}
    assert frequencies.persons == 3
    assert rows["surname", "", "CORWIN"] == 1
    assert rows["surname", "", "HALE"] == 2
    assert rows["given", "", "ANSELM"] == 2
    assert rows["persons", "county Norfolk", ""] == 3


def test_local_counts_are_kept_where_a_name_is_commoner_than_in_the_state() -> None:
    owners = [_owner(f"p{n}", f"CORWIN {name}") for n, name in enumerate(["ADA", "IDA", "EDA", "UMA", "EVA"])]
    owners += [_owner(f"q{n}", f"HALE{'ABCDEFGHIJ'[n]} PETER", town=35) for n in range(10)]
    rows = build_frequencies(pa.Table.from_pylist(owners, schema=OWNERS_SCHEMA)).table.to_pylist()
    local = {(r["place"], r["name"]) for r in rows if r["kind"] == "surname" and r["place"]}
    assert local == {("county Norfolk", "CORWIN"), ("town 25", "CORWIN")}


def test_the_version_tells_frequencies_apart_whatever_the_order() -> None:
    owners = [_owner(f"p{n}", f"CORWIN {name}") for n, name in enumerate(["ADA", "IDA", "EDA"])]

    def version(rows: list[dict[str, Any]]) -> str:
        return build_frequencies(pa.Table.from_pylist(rows, schema=OWNERS_SCHEMA)).version

    assert version(owners) == version(owners[::-1]) != version(owners[:2])
    table = build_frequencies(pa.Table.from_pylist(owners, schema=OWNERS_SCHEMA)).table
    chunks = pa.concat_tables([table.slice(0, 3), table.slice(3)])
    assert Frequencies(chunks).version == Frequencies(table).version


def test_a_compound_surname_is_counted_whole() -> None:
    assert surname_forms("VAN DONGEN")[0] == "VANDONGEN"
    table = pa.Table.from_pylist([_owner("p", "VAN DONGEN, ROBERT")], schema=OWNERS_SCHEMA)
    names = {r["name"] for r in build_frequencies(table).table.to_pylist() if r["kind"] == "surname"}
    assert names == {"VANDONGEN"}


# --- On a labelled set


def test_a_small_labelled_set_is_linked_well_and_calibrated() -> None:
    made = make_set(20_000, 2_000, 3)
    frequencies = build_frequencies(made.owners)
    matches = link(made.parties, made.owners, frequencies, population=made.population)
    persons = {
        row["party_id"]
        for row in made.parties.to_pylist()
        if "LLC" not in row["name"].upper().replace(".", "")
    }
    ranking = rank(matches, made.truth, persons)
    assert ranking.recall_at(0.95) > 0.84
    total = sum(count for _, count, _, _ in ranking.bins())
    assert sum(count * abs(p - true) for _, count, p, true in ranking.bins()) / total < 0.05
