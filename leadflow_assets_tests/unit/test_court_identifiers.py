"""Identifiers go before anything else happens, and nothing else goes with them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.courts.identifiers import (
    REMOVED,
    holds_identifier,
    strip_body,
    strip_text,
    strip_value,
)

# What a search of the disk would look for.
PATTERN = re.compile(r"[0-9xX*#]{3}-[0-9xX*#]{2}-[0-9]{4}|[0-9]{2}-[0-9]{7}")
pieces = st.sampled_from(
    [
        *("123-45-6789", "12-3456789", "xxx-xx-0000", "SSN", "SSN / ITIN:", "Tax ID / EIN:", "EIN", "no."),
        *("\n", " ", "-", "1", "23", "4567", "x", "\x12", "\u2013", "\u00ad", "\u200b", "Holden, MA 01520"),
    ]
)
texts = st.lists(pieces, max_size=14).map("".join) | st.text(max_size=40)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("1 Example Drive\nHolden, MA 01520\nSSN / ITIN: xxx-xx-0000", "1 Example Drive\nHolden, MA 01520"),
        ("1 Example Drive\nHolden, MA 01520\nTax ID / EIN: 00-0000000", "1 Example Drive\nHolden, MA 01520"),
        ("SSN / ITIN: xxx-xx-0000\r\nHolden, MA 01520", "Holden, MA 01520"),
        ("SSN: 123 45 6789", ""),
        ("SSN 123456789", ""),
        ("Tax ID\n123456789\nHolden, MA 01520", "Holden, MA 01520"),
        ("SSN / ITIN:", ""),
        ("Last four digits of Social Security No.: 1234", f"Last four digits of {REMOVED}"),
        ("Debtor (SSN xxx-xx-1234, EIN 12-3456789) filed", f"Debtor ({REMOVED}, {REMOVED}) filed"),
        ("SSN / ITIN: xxx-xx-0000 12 Elm St", f"{REMOVED} 12 Elm St"),
        ("123\u201345\u20136789", ""),
        ("***-**-1234", ""),
        ("receipt number 0101-6856303", f"receipt number 01{REMOVED}"),
    ],
)
def test_identifiers_go_and_the_rest_stays(text: str, left: str) -> None:
    assert strip_text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "31 St. James St.\n4th Floor\nBoston, MA 02116-1234",
        "P. O. Box 16607\nWorcester, MA 01601\n508-555-0100",
        "08-42671",
        "1:26-cv-10234-MGM",
        "Meeting on 10/03/2026, filed 2026-10-03, fee $274",
        "12 Ein St\nTin Mine Road 7",
        "Win Tin",
        "2024-04-24T13:33:39.096780-07:00",
        "11-13 Main St, Unit 4-7",
    ],
)
def test_addresses_numbers_of_cases_and_dates_stay(text: str) -> None:
    assert strip_text(text) == text
    assert not holds_identifier(text)


@given(
    st.integers(1, 9999),
    st.sampled_from(["Elm St", "St. James Ave.", "Turnpike Street, Ste 201"]),
    st.integers(1001, 2799),
    st.none() | st.integers(0, 9999),
)
def test_every_address_and_zip_code_survives_the_line_below_it(
    number: int, street: str, zip5: int, plus4: int | None
) -> None:
    zip_code = f"{zip5:05d}" + ("" if plus4 is None else f"-{plus4:04d}")
    address = f"{number} {street}\nHolden, MA {zip_code}"
    assert strip_text(address) == address
    for line in ("SSN / ITIN: xxx-xx-1234", "Tax ID / EIN: 12-3456789"):
        assert strip_text(f"{address}\n{line}") == address
        assert strip_text(f"{line}\n{address}") == address


@given(texts)
@example("12-12-34567893456789")
@example("123-4SSN: 12345-6789")
def test_no_identifier_survives_in_a_text(text: str) -> None:
    stripped = strip_text(text)
    assert not PATTERN.search(stripped)
    assert not holds_identifier(stripped)
    assert strip_text(stripped) == stripped


@settings(deadline=None, max_examples=60)
@given(documents, st.booleans())
@example({"a": "\x0012-1234567"}, True)
def test_no_identifier_survives_in_a_body(document: object, ascii_only: bool) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    stripped = strip_body(body)
    assert not PATTERN.search(stripped.decode())
    json.loads(stripped)
    assert strip_body(stripped) == stripped


@given(st.binary(max_size=60) | texts.map(str.encode))
def test_a_body_that_is_no_json_is_stripped_as_text(body: bytes) -> None:
    assert not PATTERN.search(strip_body(body).decode())


def test_what_stands_under_such_a_key_goes_whatever_it_is() -> None:
    given_value = {"ssn": "6789", "Tax-ID": 123456789, "itin": None, "firm_id": [12], "name": "Ada Aldercote"}
    assert strip_value(given_value) == {
        "ssn": REMOVED,
        "Tax-ID": REMOVED,
        "itin": None,
        "firm_id": [12],
        "name": "Ada Aldercote",
    }


def test_long_runs_of_anything_take_no_square_of_time() -> None:
    for text in (
        "SSN / " * 20_000,
        " " * 200_000 + "SSN" + " " * 200_000,
        "12" + "- " * 100_000,
        "x" * 300_000,
    ):
        assert not holds_identifier(strip_text(text))
