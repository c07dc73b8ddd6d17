"""The owners of a real town: counts measured for the fact sheet. No owner's name stands here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from leadflow_assets.domain.owners import Owner, OwnerField, learn_owner_field, owner_type, parse_owner
from leadflow_assets_tests.integration.pipeline_helpers import dbf_rows


@pytest.fixture(scope="module")
def texts(shared_massgis: Path) -> list[str]:
    package = shared_massgis / "L3_SHP_M025_BELLINGHAM.zip"
    if not package.is_file():
        pytest.skip(f"not in shared/massgis: {package.name}")
    return [str(row["OWNER1"] or "") for row in dbf_rows(package, "Assess")]


@pytest.fixture(scope="module")
def field(texts: list[str]) -> OwnerField:
    return learn_owner_field(texts)


@pytest.fixture(scope="module")
def found(texts: list[str], field: OwnerField) -> list[Owner]:
    return [parse_owner(text, None, field) for text in texts]


def test_the_field_is_cut_at_30_and_surnames_come_first(field: OwnerField) -> None:
    assert field == OwnerField(30, "last_first")


def test_flags_agree_with_the_signs_in_the_texts(texts: list[str], found: list[Owner]) -> None:
    assert len(found) == 6_999
    assert sum(owner.co_owner_missing for owner in found) == 606
    marked = [owner for text, owner in zip(texts, found, strict=True) if "L/E" in text]
    assert len(marked) == 136
    assert all(owner.life_estate for owner in marked)
    assert sum(owner.truncated for owner in found) == sum(len(text) == 30 for text in texts) > 300


def test_types_are_shared_out_as_in_a_residential_town(
    texts: list[str], found: list[Owner], field: OwnerField
) -> None:
    kinds = Counter(owner.type for owner in found)
    assert 5_200 < kinds["person"] < 5_300
    assert 800 < kinds["trust"] < 880
    assert 500 < kinds["company"] < 540
    assert 205 < kinds["government"] < 225
    assert 136 <= kinds["life_estate"] <= 145
    assert kinds["unknown"] < 5
    assert all(
        (owner.type, owner.type_rule) == (kind.name, kind.rule)
        for owner, kind in zip(found, (owner_type(text, None, field) for text in texts), strict=True)
    )


def test_almost_every_owner_has_parties_and_a_key(found: list[Owner]) -> None:
    known = [owner for owner in found if owner.type != "unknown"]
    assert all(owner.parties and owner.key and owner.display for owner in known)
    persons = [party for owner in known for party in owner.parties if party.is_person]
    unsure = [party for party in persons if party.confidence < 0.5 or not party.first]
    assert len(unsure) < len(persons) / 200
