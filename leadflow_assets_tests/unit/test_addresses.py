"""Addresses: every way to write one property gives one key, and two properties never share one."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.addresses import (
    Address,
    address_key,
    learn_suffix_overrides,
    parse_address,
    parse_mailing,
    split_place,
    state_of_zip,
    zip5,
)
from leadflow_assets.domain.addresses.tables import DIRECTIONS, SUFFIXES

# A loaded machine must not fail a test by being slow.
patient = settings(deadline=None)

# One property a line, its spellings apart by a bar. Lines are different properties, but for their keys'
# town.
GROUPS = """
8 ALDER ST|8  Alder Street|8 alder st.|008 ALDER STREET|8.0 ALDER ST|#8 ALDER ST|8 ALDER STR|8ALDER ST
12 NO MAIN ST|12 N MAIN ST|12 North Main Street|12 NO. MAIN ST|12 N.MAIN ST|12 N. Main St.
12 SO MAIN AV|12 S MAIN AVE|12 South Main Avenue|12 SO. MAIN AVN
210-14 ELM ST|210-214 ELM ST|210 214 ELM ST|210 -214 ELM ST|210 & 214 ELM ST|210 TO 214 ELM ST|214-210 ELM ST
210/218 ELM ST|210,218 ELM ST|210 AND 218 ELM ST|210, 218 ELM ST|210 - 18 ELM ST|210–218 ELM ST|210-212-218 ELM ST
36 -42 ELM ST|36-42 ELM ST|36- 42 ELM ST|42 36 ELM ST
51 53-55 ELM ST|51-55 ELM ST
1180 1176 ELM ST|1176-1180 ELM ST|1180-76 ELM ST
100 98 ELM ST|98-100 ELM ST
57 A57 OAK RD|57A OAK RD|57-A OAK RD|57 A OAK RD
8 8A OAK RD|8-8A OAK RD|8 & 8A OAK RD|8/8A OAK RD|8A-8 OAK RD
8 OAK RD|8-8 OAK ROAD|8 8 OAK RD
8A-8B OAK RD|8A 8B OAK RD|8 A-B OAK RD
72R OAK RD|72 R OAK RD|72 REAR OAK RD|REAR 72 OAK RD|72 OAK RD REAR|72 OAK RD (REAR)|(REAR) 72 OAK RD|72 OAK RD R
74 RR OAK RD|74-R OAK RD|REAR OF 74 OAK RD|74 OAK ROAD - REAR|74REAR OAK RD|R/O 74 OAK RD|74 OAK RD, REAR
72 OAK RD|72 OAK ROAD
OFF OAK RD|OAK RD OFF|OAK ROAD (OFF)|0 OFF OAK RD|OFF OF OAK RD
12 OFF OAK RD|OFF 12 OAK RD|12 OAK RD OFF
OAK RD|0 OAK RD|00 OAK ROAD|ZERO OAK RD|000 OAK RD
12 K ST|12 K STREET
12 K ST 3|12 K ST #3|12 K ST UNIT 3
12 N ST|12 N STREET
12 A ST EXT|12 A STREET EXTENSION
12 AVENUE C|12 AVE C|12 AV C
12 N AVENUE C|12 NORTH AVE C
12 ST CLARE ST|12 SAINT CLARE STREET|12 St. Clare St|12 ST.CLARE ST
12 O DELL ST|12 O'DELL ST|12 ODELL ST|12 O’Dell Street
12 N O DELL ST|12 NORTH O'DELL ST
12 MAIN ST|12 MAIN STREET|12 MAIN ST, PO BOX 4
12 MAIN ST UNIT 3|12 MAIN STREET, UNIT #3|12 MAIN ST APT 3|12 MAIN ST # 3|12 MAIN ST #3|12 MAIN ST, 3|12 MAIN ST 3
12 MAIN ST UNIT 4|12 MAIN ST U-4|12 MAIN ST U4|12 MAIN ST UNIT4|12 MAIN ST-UNIT 4|12 MAIN ST - UNIT 4|12 MAIN ST STE 4
12 MAIN ST UNIT 5|12 MAIN ST UNIT: 5|12 MAIN ST UNIT NO 5|12 MAIN ST NO.5|12 MAIN ST UNIT 05|12 MAIN ST-5|12 #5 MAIN ST
12 MAIN ST UNIT 6|12 UNIT 6 MAIN ST|12 MAIN ST (UNIT 6)|12 MAIN ST ROOM 6|12 MAIN ST CONDO 6|12 MAIN ST-#6
12 MAIN ST APT. 3B|12 MAIN ST 3B|12 MAIN ST #3-B|12 MAIN ST UNIT 3-B|12 MAIN ST APT 3 B|12 MAIN ST UNIT #3 B
12 MAIN ST B3|12 MAIN ST UNIT B-3|12 MAIN ST APT B 3
12 MAIN ST 3RD FL|12 MAIN ST FL 3|12 MAIN ST FLOOR 3|12 MAIN ST THIRD FLOOR|12 MAIN ST FLR 3|12 MAIN ST-3RD FLR
12 MAIN ST BLDG 2 UNIT 3|12 MAIN ST BUILDING 2 APT 3|12 MAIN ST BLDG 2 #3|12 MAIN ST UNIT 3 BLDG 2
12 MAIN ST BLDG 3 UNIT 3|12 MAIN ST, BLG 3, # 3
12 MAIN ST UNIT 1-12
12 MAIN ST UNIT 11-2
12 MAIN ST UNIT 112
12 MAIN ST PH2|12 MAIN ST UNIT PH2|12 MAIN ST PENTHOUSE 2
12 MAIN ST PARKING SPACE 3|12 MAIN ST PKG 3|12 MAIN ST STALL 3
12 MAIN ST GARAGE 3|12 MAIN ST GAR 3
12 MAIN ST BASEMENT|12 MAIN ST BSMT|12 MAIN ST UNIT BSMT
12 MAIN ST NO 3
12 MAIN ST N 3|12 MAIN ST NORTH UNIT 3
12A MAIN ST|12-A MAIN ST|12 A MAIN ST
12 1/2 MAIN ST|12½ MAIN ST|12-1/2 MAIN STREET|12.5 MAIN ST|12 ½ MAIN ST
12 1/4 MAIN ST
12-14B MAIN ST|12-14 B MAIN ST|12 14B MAIN ST
LOT 5 MAIN ST|MAIN ST LOT 5|LOT #5 MAIN ST|0 MAIN ST LOT 5|0 MAIN ST (LOT 5)|LOT NO. 5 MAIN ST|LOTS 5 MAIN ST
LOT 6 MAIN ST|MAIN ST, LOT 06
MAIN ST 12
100 LOT ST|100 LOT STREET
100 LOTTA ST|100 LOTTA STREET
5 1ST ST|5 FIRST ST|5 FIRST STREET
5 THIRTY-FIRST ST|5 31ST ST|5 THIRTY FIRST STREET
5 ELEVENTH AVE|5 11TH AV
12 MT HOPE ST|12 MOUNT HOPE ST|12 MT. HOPE STREET
12 FT HOPE ST|12 FORT HOPE ST
12 US HIGHWAY 20|12 RTE 20|12 ROUTE 20|12 STATE RT 20|12 US-20|12 RT. 20|12 RTE-20|12 RT20|12 U.S. ROUTE 20
12 ROUTE 20 W|12 RTE 20 WEST
12 HILLTOP RD RTE 9|12 HILLTOP ROAD ROUTE 9
12 HILLTOP RD
12 RTE 9
55 BROADWAY 3|55 BROADWAY UNIT 3|55 BROADWAY #3|55 BROADWAY, APT 3
55 BROADWAY A|55 BROADWAY UNIT A
55 A BROADWAY|55A BROADWAY
55 BROADWAY|55 Broadway
30 MAIN ST A|30 MAIN ST UNIT A|30 MAIN ST #A|30 MAIN ST APT A
30A MAIN ST|30 A MAIN STREET
12 FIFTH AV EXT|12 5TH AVENUE EXTENSION|12 FIFTH AVE EXTN
12 FIFTH AV|12 5TH AVENUE
8 EAST ST|8 EAST STREET
8 E ST
8 NORTH ST|8 NO ST
8 NORTH RD EXT|8 NO ROAD EXT|8 NORTH ROAD EXTENSION
12 MAIN ST E|12 MAIN ST EAST
12 E MAIN ST|12 EAST MAIN ST
12 MAIN AVE|12 MAIN AV
12 DR MARTIN LUTHER KING JR BLVD|12 MARTIN LUTHER KING BLVD|12 MLK BLVD|12 M.L. KING JR BV
12 COMM AVE|12 COMMONWEALTH AVENUE
12 MASS AVE|12 MASSACHUSETTS AV
12 COURT ST|12 COURT STREET
12 PARK ST|12 PARK STR
12 WHARF RD|12 WHARF ROAD
12 PARK|12 Park
12 THE GREEN|12 The Green
12 PINE TERRACE|12 PINE TE|12 PINE TERR
12 PINE RO|12 PINE ROW
12 PINE CI|12 PINE CIRCLE|12 PINE CIRC
12 PINE PW|12 PINE PARKWAY
12 LONG WH|12 LONG WHARF
12 STREET WHARF|12 ST WHF
12 MC NAIR RD|12 MCNAIR RD
12 KINGS HWY|12 KING'S HIGHWAY
12 BEAVER-DAM RD|12 BEAVER DAM RD
12 OLD NORTH RD|12 OLD NO RD
ONE PINE ST|1 PINE ST
FIVE MILE RD|FIVE MILE ROAD
5 MILE RD
12 5 ST
12 5TH ST
12 BOX ELDER LN|12 BOX ELDER LANE
12 ELM ST & 3 OAK ST
PO BOX 12|P.O. BOX 12|P O BOX 12|POB 12|BOX 12|P.O.BOX 12|PO BOX #12|Post Office Box 12|P. O. Box 012|P O B 12
PO BOX 12-A|PO BOX 12A
PO BOX 13
RR 2 BOX 15|RFD 2 BOX 15|R R 2, BOX 15
"""  # noqa: E501, RUF001
SPELLINGS = [line.split("|") for line in GROUPS.strip().splitlines()]


@pytest.mark.parametrize("group", SPELLINGS, ids=lambda group: group[0])
def test_all_spellings_of_a_property_have_one_key(group: list[str]) -> None:
    keys = {text: parse_address(text).key for text in group}
    assert set(keys.values()) == {keys[group[0]]}, keys
    assert keys[group[0]]


def test_no_two_properties_share_a_key() -> None:
    owner_of: dict[str, int] = {}
    for number, group in enumerate(SPELLINGS):
        for text in group:
            assert owner_of.setdefault(parse_address(text).key, number) == number, text


def test_letters_and_digits_in_full_width_and_with_accents_are_plain_ones() -> None:
    wide = "12 ALDER ST".translate({k: k + 0xFEE0 for k in range(0x30, 0x5B)})
    assert parse_address(wide).key == parse_address("12 ALDER ST").key
    assert parse_address("12 Ren\u00e9 St").key == parse_address("12 RENE ST").key


def _parts(text: str) -> tuple[object, ...]:
    a = parse_address(text)
    return a.num, a.num_suffix, a.num_hi, a.predir, a.name, a.suffix, a.postdir, a.unit


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("12-14 North Main Street Ext, Unit 3", (12, "", 14, "N", "MAIN", "ST EXT", "", "3")),
        ("12 1/2 Elm Av W", (12, "H", None, "", "ELM", "AVE", "W", "")),
        ("8 8A Oak Rd", (8, "-A", None, "", "OAK", "RD", "", "")),
        ("8A-10C Oak Rd", (8, "A-C", 10, "", "OAK", "RD", "", "")),
        ("0 Elm St", (None, "", None, "", "ELM", "ST", "", "")),
        ("12 Saint Clare St", (12, "", None, "", "ST CLARE", "ST", "", "")),
        ("12 West St", (12, "", None, "", "WEST", "ST", "", "")),
        ("12 State Route 9A", (12, "", None, "", "RTE 9A", "", "", "")),
        ("12 Broadway", (12, "", None, "", "BROADWAY", "", "", "")),
        ("12 Main St Bldg C Fl 2 Apt 7", (12, "", None, "", "MAIN", "ST", "", "BCF2-7")),
        ("12 Main St Ste 200 Rm 5", (12, "", None, "", "MAIN", "ST", "", "200-5")),
    ],
)
def test_the_parts_of_an_address(text: str, parts: tuple[object, ...]) -> None:
    assert _parts(text) == parts


def test_the_key_has_its_fields_in_order() -> None:
    assert parse_address("12A-14 N Main St Ext E Rear Unit 3").key == "12A|14|R|||N|MAIN|ST EXT|E|3"
    assert parse_address("Off Main St Lot 5").key == "|||O|5||MAIN|ST||"
    # With a house number the lot adds nothing.
    assert parse_address("7 Main St Lot 5").key == parse_address("7 Main St").key
    assert parse_address("7 Main St Lot 5").lot == "5"


def test_the_line_reads_like_an_address() -> None:
    assert parse_address("14-12 no. main street (rear) apt 3").line == "12-14 N MAIN ST REAR UNIT 3"
    assert parse_address("12½ elm av").line == "12 1/2 ELM AVE"
    assert parse_address("p.o. box 9").line == "PO BOX 9"


@pytest.mark.parametrize(
    "text",
    [None, "", "  ", "12", "0", "REAR", "-", "###", "()", "UNKNOWN", "nan", "N/A", "0 UNKNOWN", "x" * 1000],
)
def test_nothing_to_read_is_no_address(text: str | None) -> None:
    address = parse_address(text)
    assert (address.kind, address.key, address.line, address.numbers()) == ("none", "", "", None)
    assert address_key(address, 25) is None


def test_a_key_holds_within_its_place() -> None:
    address = parse_address("12 Main St")
    assert address_key(address, 25) == f"25|{address.key}"
    assert address_key(address, "02019") != address_key(address, "02038")
    assert address_key(address, None) is None


# --- Properties of the reader

_any_text = st.text(max_size=60)
_WORDS = """
12 14 12A 5TH 1/2 - & # , ( ) . ' / REAR RR OFF OF LOT 5 UNIT APT B3 FL BLDG NO N WEST ST RD EXT AVE PARK
THE MAIN O MC OLD RTE US HWY 9 K A R PO BOX ONE ZERO TO AND PH BSMT THIRTY FIRST \u00c9 \u00bd \u00df
0 MLK KING DR
"""
_words = st.lists(st.sampled_from(_WORDS.split()), max_size=9).map(" ".join)


@settings(deadline=None, max_examples=200)
@given(_any_text | _words | st.text(alphabet=string.ascii_uppercase + string.digits + " -#./&", max_size=30))
@example("0A0")
@example("1" * 30)
@example("12 \u2460\u2461 ST")
def test_any_text_reads_and_its_line_reads_the_same(text: str) -> None:
    address = parse_address(text)
    assert address.raw == text
    assert parse_address(address.line).key == address.key
    assert (address.kind == "none") == (address.key == "")
    numbers = address.numbers()
    assert numbers is None or 0 < numbers[0] <= numbers[1]
    parse_mailing(text, text)
    split_place(text)
    zip5(text)


_names = st.sampled_from(["MAPLE", "BIRCH HILL", "ST CLARE", "WILLOW BROOK", "FOURTH", "UNDERWOOD", "K"])
_types = st.sampled_from(sorted(form for form, suffix in SUFFIXES.items() if suffix not in ("EXT", "HWY")))
_directions = st.sampled_from(["", *sorted(d for d in DIRECTIONS if d not in ("NO", "SO"))])


@st.composite
def _written(draw: st.DrawFn) -> tuple[str, Address]:
    num = draw(st.integers(1, 9999))
    hi = draw(st.none() | st.integers(1, 200).map(lambda n: num + n))
    name, kind = draw(_names), draw(_types)
    predir = draw(_directions) if name != "K" else ""
    unit = draw(st.sampled_from(["", "UNIT 4", "APT 12B", "#7"]))
    number = str(num) if hi is None else f"{num}-{hi}"
    text = " ".join(part for part in (number, predir, name, kind, unit) if part)
    return text, parse_address(text)


@patient
@given(_written())
def test_a_written_address_keeps_its_number_out_of_the_street(written: tuple[str, Address]) -> None:
    text, address = written
    number = text.split(" ")[0].split("-")
    assert address.numbers() == (int(number[0]), int(number[-1]))
    digits = {word for word in address.street.split() if word.isdigit()}
    assert not digits
    assert address.suffix == SUFFIXES[next(w for w in reversed(text.split()) if w in SUFFIXES)]


@patient
@given(_written(), st.sampled_from(["lower", "blanks", "dots", "commas", "no-break"]))
def test_case_blanks_and_dots_do_not_matter(written: tuple[str, Address], change: str) -> None:
    text, address = written
    words = text.split(" ")
    changed = {
        "lower": text.lower(),
        "blanks": f"  {'   '.join(words)}\t",
        "dots": " ".join(f"{word}." if word.isalpha() else word for word in words),
        "commas": " ".join(words[:-1]) + f", {words[-1]}" if "#" in text else text,
        "no-break": "\u00a0".join(words),
    }[change]
    again = parse_address(changed)
    assert again.key == address.key
    assert again.raw == changed


@patient
@given(
    st.integers(1, 99_999), st.sampled_from(["PO BOX {}", "P.O. Box {}", "p o box #{}", "POB {}", "Box {}"])
)
def test_a_box_is_its_id_however_it_is_written(number: int, form: str) -> None:
    address = parse_address(form.format(number))
    assert (address.kind, address.box, address.key) == ("pobox", str(number), f"POBOX {number}")


# --- Mailing addresses


@pytest.mark.parametrize(
    ("line1", "line2", "same_as"),
    [
        ("12 MAIN ST", None, "12 MAIN ST"),
        ("C/O A PERSON", "12 MAIN ST", "12 MAIN ST"),
        ("c/o A Person 12 Main Street", None, "12 MAIN ST"),
        ("% A PERSON", "12 MAIN ST", "12 MAIN ST"),
        ("ATTN: TAX DEPT", "1 BANK PLAZA", "1 BANK PLZ"),
        ("12 MAIN ST C/O A PERSON", "", "12 MAIN ST"),
        ("12 MAIN ST, APT 3", None, "12 MAIN ST UNIT 3"),
        ("12 MAIN ST", "APT 3", "12 MAIN ST UNIT 3"),
        ("3RD FLOOR", "12 MAIN ST", "12 MAIN ST"),
        ("SOME REALTY TRUST", "PO BOX 7", "PO BOX 7"),
        ("PO BOX 7", "12 MAIN ST", "12 MAIN ST"),
        ("C/O FIFTH BANK PO BOX 9", None, "PO BOX 9"),
        ("12 CARE ST", None, "12 CARE ST"),
        ("12 ATTNEY RD", None, "12 ATTNEY RD"),
        ("12 MAIN ST-PO BOX 7", None, "12 MAIN ST"),
    ],
)
def test_the_street_is_found_in_the_lines_of_a_mailing_address(
    line1: str, line2: str | None, same_as: str
) -> None:
    assert parse_mailing(line1, line2).key == parse_address(same_as).key


def test_no_lines_are_no_mailing_address() -> None:
    assert [parse_mailing(*lines).kind for lines in ((None, None), ("", " "), ("SAME", None))] == ["none"] * 3


# --- A town's own codes


def test_a_code_of_the_town_is_learned_from_rows_that_spell_it_out() -> None:
    rows = [(f"{n} PINE{n} CR", None, f"{n} PINE{n} CIRCLE") for n in range(1, 4)]
    learned = learn_suffix_overrides(rows)
    assert learned == {"CR": "CIR"}
    assert parse_address("5 ALDER CR", learned).key == parse_address("5 ALDER CIRCLE").key
    assert parse_address("5 ALDER CR").key != parse_address("5 ALDER CIRCLE").key


def test_a_code_is_learned_from_the_columns_of_the_town_itself() -> None:
    rows = [(f"{n} PINE TR", "PINE TERRACE", None) for n in range(1, 4)]
    assert learn_suffix_overrides(rows) == {"TR": "TER"}


@pytest.mark.parametrize(
    "rows",
    [
        [("1 PINE CR", None, "1 PINE CIRCLE"), ("2 PINE CR", None, "2 PINE CIRCLE")],
        [(f"{n} PINE{n} CR", None, f"{n} PINE{n} {'CIRCLE' if n % 2 else 'CROSSING'}") for n in range(1, 9)],
        [(f"{n} PINE CR", None, f"{n + 1} PINE CIRCLE") for n in range(9)],
        [(f"{n} PINE ST", None, f"{n} PINE ROAD") for n in range(9)],
        [(f"{n} PINE TR", "PINE TR", f"{n} PINE TRAIL") for n in range(9)],
        [(None, None, None), ("", "UNKNOWN", "PO BOX 4")],
    ],
    ids=["too few", "divided", "other numbers", "settled everywhere", "as the tables say", "nothing"],
)
def test_no_code_is_learned_without_clear_evidence(
    rows: list[tuple[str | None, str | None, str | None]],
) -> None:
    assert learn_suffix_overrides(rows) == {}


def test_owners_abbreviations_are_learned_for_their_street_only() -> None:
    rows = [(f"{n} PINE TERRACE", "PINE TERRACE", f"{n} PINE TR") for n in (1, 3)]
    learned = learn_suffix_overrides(rows)
    assert learned == {"PINE TR": "TER"}
    assert parse_address("5 PINE TR", learned).suffix == "TER"
    assert parse_address("5 ALDER TR", learned).suffix == "TRL"


def test_a_letter_that_all_rows_of_a_street_have_is_part_of_its_name() -> None:
    rows = [(f"{n} R ALDER DR", "R ALDER DR", None) for n in range(1, 6)]
    learned = learn_suffix_overrides(rows)
    assert learned == {"R ALDER DR": "DR"}
    for text in ("7 R ALDER DR", "7 R. Alder Drive"):
        found = parse_address(text, learned)
        assert (found.name, found.rear, found.line) == ("R ALDER", False, "7 R ALDER DR")
    assert parse_address("7 R BIRCH DR", learned).rear
    assert learn_suffix_overrides([*rows, ("9 ALDER DR", "ALDER DR", None)]) == {}
    assert learn_suffix_overrides(rows[:4]) == {}


def test_two_streets_of_the_town_stay_two() -> None:
    rows = [(f"{n} PINE CR", "PINE CR", f"{n} PINE DR") for n in range(1, 5)] + [
        ("9 PINE DR", "PINE DR", None)
    ]
    assert learn_suffix_overrides(rows) == {}


# --- ZIPs and the last line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("02019", "02019"),
        ("02019-1234", "02019"),
        ("02019 1234", "02019"),
        ("020191234", "02019"),
        ("0201912345", "02019"),
        ("O2019", "02019"),
        ("2019", "02019"),
        ("2019.0", "02019"),
        ("20191234", "02019"),
        ("02019.", "02019"),
        ("02019A", "02019"),
        (" 02019- ", "02019"),
        ("90210", "90210"),
        ("00000", None),
        ("123", None),
        ("020190", None),
        ("K1A 0B6", None),
        ("ABCDE", None),
        ("", None),
        (None, None),
    ],
)
def test_zips_as_assessors_write_them(text: str | None, expected: str | None) -> None:
    assert zip5(text) == expected


@pytest.mark.parametrize(
    ("zip_code", "state"),
    [("01001", "MA"), ("02799", "MA"), ("05501", "MA"), ("05601", "VT"), ("02895", "RI"), ("06001", "CT"),
     ("03060", "NH"), ("04101", "ME"), ("10001", "NY"), ("33101", "FL"), ("88510", "TX"),
     ("00100", None), (None, None)],
)  # fmt: skip
def test_the_state_of_a_zip(zip_code: str | None, state: str | None) -> None:
    assert state_of_zip(zip_code) == state


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("12 Main St, Bellingham, MA 02019", ("12 MAIN ST", "BELLINGHAM", "MA", "02019")),
        ("12 Main St Bellingham MA 02019", ("12 MAIN ST", "BELLINGHAM", "MA", "02019")),
        ("12 Main St, Apt 3, Bellingham, Massachusetts 02019-1234, USA",
         ("12 MAIN ST, APT 3", "BELLINGHAM", "MA", "02019")),
        ("12 Main St North Attleborough MA", ("12 MAIN ST", "NORTH ATTLEBOROUGH", "MA", None)),
        ("12 Main St, Bellingham", ("12 MAIN ST", "BELLINGHAM", None, None)),
        ("12 Main St Forestdale RI 02824", ("12 MAIN ST", "FORESTDALE", "RI", "02824")),
        ("12 Main St, New York, New York 10001", ("12 MAIN ST", "NEW YORK", "NY", "10001")),
        ("12 Park Hill Rd Boston MA 02110", ("12 PARK HILL RD", "BOSTON", "MA", "02110")),
        ("PO Box 123, Bellingham MA 02019", ("PO BOX 123", "BELLINGHAM", "MA", "02019")),
        ("12 Main Ct, Norwalk, CT", ("12 MAIN CT", "NORWALK", "CT", None)),
        ("12 Main Ct 02019", ("12 MAIN CT", None, "MA", "02019")),
        ("Bellingham MA 02019", ("", "BELLINGHAM", "MA", "02019")),
        ("12 Main St, Unit 3", ("12 MAIN ST, UNIT 3", None, None, None)),
        ("12 Main St", ("12 MAIN ST", None, None, None)),
        ("PO Box 12345", ("PO BOX 12345", None, None, None)),
        ("", ("", None, None, None)),
    ],
)  # fmt: skip
def test_a_typed_line_falls_into_street_city_state_and_zip(
    text: str, parts: tuple[str, str | None, str | None, str | None]
) -> None:
    assert split_place(text) == parts
