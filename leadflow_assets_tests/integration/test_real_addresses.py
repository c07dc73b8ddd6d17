"""A real town's addresses: how far two columns of the roll agree once read, and where its owners live.

Counts only: nobody's name or address is in here.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from leadflow_assets.domain.addresses import learn_suffix_overrides, parse_address, parse_mailing
from leadflow_assets.domain.occupancy import classify
from leadflow_assets.sources.massgis.package import open_package

PACKAGE = "L3_SHP_M025_BELLINGHAM.zip"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rows(shared_massgis: Path) -> Rows:
    """The assessment records as they are in the package."""
    path = shared_massgis / PACKAGE
    if not path.is_file():
        pytest.skip(f"{PACKAGE} is not in shared/massgis")
    source, layer = open_package(path, expected_town_id=25, max_unpacked_bytes=1 << 30).layers["Assess"]
    frame = pyogrio.read_dataframe(source, layer=layer, read_geometry=False).astype(object)
    records: Rows = frame.where(frame.notna(), None).to_dict("records")
    return records


@pytest.fixture(scope="module")
def overrides(rows: Rows) -> dict[str, str]:
    return learn_suffix_overrides((row["SITE_ADDR"], row["FULL_STR"], row["OWN_ADDR"]) for row in rows)


def _residential(rows: Rows) -> Rows:
    """Dwellings: the residential class without vacant land and accessory buildings."""
    return [
        r for r in rows if r["USE_CODE"][:1] == "1" and r["USE_CODE"][:3] not in ("106", "130", "131", "132")
    ]


def test_the_town_teaches_its_own_codes(overrides: dict[str, str]) -> None:
    assert overrides["CR"] == "CIR"
    assert Counter((key.split(" ")[-1], suffix) for key, suffix in overrides.items()) == {
        ("CR", "CIR"): 1,
        ("CR", "XING"): 1,  # on one street
        ("TR", "TER"): 1,  # on one street
        ("DR", "DR"): 1,  # a street whose name begins with a letter
    }


def test_every_site_address_is_read_and_its_line_reads_the_same(
    rows: Rows, overrides: dict[str, str]
) -> None:
    for row in rows:
        address = parse_address(row["SITE_ADDR"], overrides)
        assert address.kind == "street"
        assert parse_address(address.line, overrides).key == address.key


def test_site_address_agrees_with_number_and_street(rows: Rows, overrides: dict[str, str]) -> None:
    """ADDR_NUM holds one number of a range; FULL_STR is the street without any."""
    differ = 0
    for row in rows:
        site, street = parse_address(row["SITE_ADDR"], overrides), parse_address(row["FULL_STR"], overrides)
        number = parse_address(f"{row['ADDR_NUM'] or 0} ELM ST").num
        low, high = site.numbers() or (None, None)
        differ += site.street != street.street or number not in (low, high)
    assert len(rows) == 6999
    # The rules of the fact sheet disagreed on 3.
    assert differ == 0


def test_no_house_number_stays_in_a_street_name(rows: Rows, overrides: dict[str, str]) -> None:
    names = [parse_address(row["SITE_ADDR"], overrides).name for row in rows]
    bare = [name for name in names if not name.startswith("RTE ") and any(w.isdigit() for w in name.split())]
    assert len(bare) <= 3


def test_where_the_owners_of_the_dwellings_live(rows: Rows, overrides: dict[str, str]) -> None:
    """Measured with simpler rules: 5,475 at the address, 10 by ZIP, 4 without a type, 6 in another town."""
    dwellings = _residential(rows)
    assert len(dwellings) == 6099
    found = Counter(
        classify(
            parse_address(row["SITE_ADDR"], overrides),
            parse_mailing(row["OWN_ADDR"], None, overrides),
            site_city=row["CITY"],
            site_zip=row["ZIP"],
            town="Bellingham",
            mailing_city=row["OWN_CITY"],
            mailing_state=row["OWN_STATE"],
            mailing_zip=row["OWN_ZIP"],
            mailing_country=row["OWN_CO"],
        ).reason
        for row in dwellings
    )
    assert found["same_address"] >= 5475
    assert found["zip_match_city_misspelt"] == 10
    assert found["suffix_missing"] == 4
    assert found["other_town_same_address"] == 6
    assert 15 <= found["near_equal_street_name"] <= 34
    assert 15 <= found["other_suffix"] <= 21
    assert 25 <= found["other_number_on_street"] <= 36
    assert 65 <= found["post_office_box_local"] + found["post_office_box_elsewhere"] <= 75
    assert 380 <= found["elsewhere"] + found["state_contradicts_zip"] <= 433
