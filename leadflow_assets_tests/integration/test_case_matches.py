"""Court parties matched to properties: who is found and why, whose word counts, and what must leave.

Sampleton and Monroe are refreshed once; each test matches made-up cases in a copy of that lake.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.domain.courts.notices import AUTOMATIC_STAY, COUNSEL
from leadflow_assets.domain.linkage.words import explain
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.case_matches import service
from leadflow_assets.enrich.case_matches.reviews import decide, look_at, waiting
from leadflow_assets.enrich.case_matches.service import match_cases
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import CASE_MATCHES
from leadflow_assets.sampleton import Planted
from leadflow_assets.search.cases import cases_of
from leadflow_assets.settings import Settings
from leadflow_assets.state import case_reviews, database
from leadflow_assets_tests.conftest import lake_overrides
from leadflow_assets_tests.integration.case_matches_helpers import (
    FILED,
    TODAY,
    imported,
    lines_of,
    matches,
    natural,
    persons,
    petition,
    publish_cases,
    versions,
)
from leadflow_assets_tests.integration.pipeline_helpers import MONROE, refresh, settings_for, write_small
from leadflow_assets_tests.integration.unified_helpers import attom, publish_batch, rows_of, with_mortgage

Row = dict[str, Any]
ZIP = "02000"


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Settings:
    """Sampleton and Monroe without a single case."""
    folder = tmp_path_factory.mktemp("case_matches")
    settings = settings_for(folder / "data", leadflow_demo=True)
    for town, package in ((SAMPLETON, sample_package[0]), (MONROE, write_small(folder, MONROE))):
        assert refresh(settings, town, package).status == "refreshed"
    return settings


@pytest.fixture
def settings(towns: Settings, tmp_path: Path) -> Settings:
    """A copy of that lake."""
    shutil.copytree(towns.data_dir, tmp_path / "data", symlinks=True)
    return settings_for(tmp_path / "data", leadflow_demo=True)


def properties(settings: Settings, town_id: int = 999) -> list[Row]:
    rows = rows_of(settings, "mart/properties", town_id)
    return sorted(rows, key=lambda row: str(row["property_id"]))


def houses(settings: Settings, town_id: int = 999) -> list[Row]:
    """Homes of one person who owns nothing else, alone at a plain address, bought before the filing."""
    rows = properties(settings, town_id)
    keys = [row["address_key"] for row in rows]
    owners = [row["owner_key"] for row in rows]
    return [
        row
        for row in persons(rows)
        if keys.count(row["address_key"]) == 1
        and row["house_number"]
        and row["house_number"] == row["house_number_high"]
        and not row["unit"]
        and row["records_on_parcel"] == 1
        and len(row["owners"]) == 1
        and owners.count(row["owner_key"]) == 1
        and (row["last_sale_date"] is None or row["last_sale_date"] < FILED)
    ]


def units(settings: Settings) -> list[Row]:
    """The units of one building, each of another person."""
    rows = [row for row in properties(settings) if row["unit"] and not row["is_condominium_master"]]
    by_base: dict[str, list[Row]] = {}
    for row in rows:
        by_base.setdefault(str(row["address_key"]).rpartition("|")[0], []).append(row)
    return next(
        found
        for _, found in sorted(by_base.items())
        if 2 < len(found) < 20
        and len({row["owner_key"] for row in found}) == len(found)
        and len(persons(found)) > 1
    )


def owner(row: Row) -> str:
    return natural(row["owners"][0])


def at(row: Row) -> str:
    """The property as a person writes it into a file."""
    return f"{row['site_address']}, Sampleton, MA {ZIP}"


def found_for(settings: Settings, case_id: str, town_id: int = 999) -> list[Row]:
    return [row for row in matches(settings, town_id) if row["case_id"] == case_id]


def sentences(row: Row) -> str:
    return " | ".join(explain(row["evidence"]))


# --- Who is found, and how sure


def test_a_debtor_at_the_property_is_confirmed_and_a_lawyers_address_is_not_the_debtors(
    settings: Settings,
) -> None:
    here, there = houses(settings)[:2]
    lines = lines_of(there, "Sampleton", ZIP)
    publish_cases(
        settings,
        petition("26-10001", owner(here), lines=lines_of(here, "Sampleton", ZIP)),
        petition("26-10002", owner(there), lines=("c/o Quill & Umber, Esq.", *lines)),
    )
    report = match_cases(settings, today=TODAY)
    assert (report.linked, report.parties, report.towns_changed) == (True, 2, (999,))
    (sure,) = found_for(settings, "mab:26-10001")
    assert (sure["property_id"], sure["tier"], sure["method"]) == (here["property_id"], "confirmed", "name")
    assert "the party's address is the property's or its bill's" in sentences(sure)
    assert sure["represented_by_counsel"] and sure["is_debtor"] and sure["party_role"] == "debtor"
    by_name = found_for(settings, "mab:26-10002")
    assert all("party's address" not in sentences(row) for row in by_name)
    assert all(row["tier"] != "confirmed" for row in by_name), "a name alone is no fact"


def test_only_parties_that_can_own_are_looked_for(settings: Settings) -> None:
    here, landlord, sued = houses(settings)[:3]
    lines = "\n".join(lines_of(here, "Sampleton", ZIP))
    roles = ("trustee", "U.S. Trustee", "creditor", "interested party", "petitioner", "executor")
    publish_cases(
        settings,
        *(
            imported("other", f"R {number}", (role, owner(here)), mailing=lines, case_type="state_civil")
            for number, role in enumerate(roles)
        ),
        imported("housing_court", "26H79SP000001", ("landlord", owner(landlord)), at=at(landlord)),
        imported(
            "other",
            "E 2",
            ("defendant", owner(sued)),
            ("plaintiff", "Anna Anders"),
            at=at(landlord),
            case_type="eviction",
        ),
    )
    match_cases(settings, today=TODAY)
    found = {(row["case_id"], row["property_id"], row["party_role"]) for row in matches(settings)}
    assert ("mahousct:26H79SP000001", landlord["property_id"], "plaintiff") in found
    assert {case for case, _, _ in found} == {"mahousct:26H79SP000001", "other:E2"}
    assert all(role == "plaintiff" for _, _, role in found), "who is evicted does not own"


def test_a_joint_debtor_is_evidence_and_one_person_with_two_roles_is_one(settings: Settings) -> None:
    rows = [row for row in properties(settings) if len(row["owners"] or ()) == 2]
    couple = next(
        row
        for row in rows
        if all(party["is_person"] and party["first"] for party in row["owners"])
        and row["owners"][0]["last"] == row["owners"][1]["last"]
    )
    his, hers = (natural(party) for party in couple["owners"])
    both, alone = petition("26-10001", his, hers), petition("26-10002", his)
    again = imported("other", "X 1", ("debtor", his), ("defendant", his), case_type="state_civil")
    publish_cases(settings, both, alone, again)
    match_cases(settings, today=TODAY)
    chance = {
        number: max(row["probability"] for row in found_for(settings, f"mab:{number}"))
        for number in ("26-10001", "26-10002")
    }
    assert chance["26-10001"] > 0.95 > chance["26-10002"]
    pairs = [(row["property_id"], row["source"]) for row in found_for(settings, "other:X1")]
    assert pairs and len(pairs) == len(set(pairs))


# --- Cases that name their property


def test_a_named_property_whose_owner_agrees_is_confirmed(settings: Settings) -> None:
    here = houses(settings)[0]
    publish_cases(
        settings, imported("land_court_servicemembers", "26 SM 001", ("owner", owner(here)), at=at(here))
    )
    report = match_cases(settings, today=TODAY)
    assert (report.named_cases, report.named_found, report.parties) == (1, 1, 0)
    (row,) = matches(settings)
    assert (row["tier"], row["method"], row["owner_number"]) == ("confirmed", "site_address", 0)
    assert (row["property_id"], row["loc_id"]) == (here["property_id"], here["loc_id"])
    assert "the case names this address" in sentences(row) and "Surname" in sentences(row)
    assert row["stated_source"] and row["expires_on"]


def test_a_named_property_of_another_name_is_possible_and_says_so(settings: Settings) -> None:
    here = houses(settings)[0]
    publish_cases(settings, imported("registry_order_of_notice", "9", ("owner", "Anna Anders"), at=at(here)))
    match_cases(settings, today=TODAY)
    (row,) = matches(settings)
    assert (row["tier"], row["probability"], row["party_name"]) == ("possible", 0.7, "Anna Anders")
    assert "the name on record is not that of the case's party" in sentences(row)
    assert row["owner_number"] is None and row["rivals"] is None


@pytest.mark.slow
def test_a_property_sold_since_is_the_earlier_owners_case(settings: Settings) -> None:
    sold = next(
        row
        for row in houses(settings)
        if row["last_sale_date"] and row["sale_is_nominal"] is False and row["last_sale_date"].year > 1990
    )
    before, with_it = sold["last_sale_date"] - timedelta(days=400), sold["last_sale_date"] + timedelta(days=9)
    publish_cases(
        settings,
        imported(
            "land_court_servicemembers", "1 SM 1", ("owner", "Anna Anders"), at=at(sold), date_filed=before
        ),
        imported(
            "land_court_servicemembers", "1 SM 2", ("owner", owner(sold)), at=at(sold), date_filed=before
        ),
        imported(
            "registry_foreclosure_deed", "17", ("grantor", "Anna Anders"), at=at(sold), date_filed=with_it
        ),
    )
    match_cases(settings, today=TODAY)
    (gone,) = found_for(settings, "masslandct:1SM1")
    assert (gone["tier"], gone["title"]) == ("unconfirmed", "bought_later")
    assert f"bought on {sold['last_sale_date']}, after the filing of {before}" in sentences(gone)
    (same,) = found_for(settings, "masslandct:1SM2")
    assert (same["tier"], same["title"]) == ("possible", "bought_later")
    (deed,) = found_for(settings, "registry:17")
    assert deed["tier"] == "confirmed" and "goes with the recording" in sentences(deed)


def test_in_a_building_the_name_decides_and_else_each_unit_has_its_share(settings: Settings) -> None:
    flats = units(settings)
    mine = persons(flats)[0]
    building = f"{mine['address_number']} {mine['street']}, Sampleton, MA {ZIP}"
    unit = f"{mine['address_number']} {mine['street']} Unit {mine['unit']}, Sampleton, MA {ZIP}"
    publish_cases(
        settings,
        imported("land_court_tax_lien", "26 TL 1", ("owner", owner(mine)), at=building),
        imported("land_court_tax_lien", "26 TL 2", ("owner", "Anna Anders"), at=building),
        imported("land_court_tax_lien", "26 TL 3", ("owner", "Anna Anders"), at=unit),
    )
    match_cases(settings, today=TODAY)
    (named,) = found_for(settings, "masslandct:26TL1")
    assert (named["property_id"], named["tier"]) == (mine["property_id"], "confirmed")
    shared = found_for(settings, "masslandct:26TL2")
    assert {row["property_id"] for row in shared} == {row["property_id"] for row in flats}
    assert sum(row["probability"] for row in shared) == pytest.approx(0.7, abs=1e-4)
    assert f"{len(flats)} properties together by their address" in sentences(shared[0])
    (one,) = found_for(settings, "masslandct:26TL3")
    assert (one["property_id"], one["probability"]) == (mine["property_id"], 0.7)


def test_a_parcel_is_found_by_any_of_its_ids_and_needs_its_town(settings: Settings) -> None:
    elsewhere = {row["prop_id"] for row in properties(settings, MONROE.town_id)}
    here = next(row for row in houses(settings) if row["prop_id"] not in elsewhere)
    without_zeros = "-".join(piece.lstrip("0") or "0" for piece in str(here["prop_id"]).split("-"))
    names = ("owner", "Anna Anders")
    publish_cases(
        settings,
        imported("other", "P 1", names, parcel_id=here["prop_id"], town_id=999),
        imported("other", "P 2", names, parcel_id=without_zeros, town_id=999),
        imported("other", "P 3", names, parcel_id=here["loc_id"].lower()),
        imported("other", "P 4", names, parcel_id=here["prop_id"]),
        imported("other", "P 5", names, parcel_id=here["prop_id"], town_id=MONROE.town_id),
        imported("other", "P 6", ("plaintiff", "Town of Sampleton"), parcel_id=here["loc_id"], town_id=999),
    )
    match_cases(settings, today=TODAY)
    rows = [*matches(settings), *matches(settings, MONROE.town_id)]
    assert {row["case_id"] for row in rows} == {"other:P1", "other:P2", "other:P3", "other:P6"}
    assert {row["property_id"] for row in rows} == {here["property_id"]}
    assert {row["method"] for row in rows} == {"parcel_id"}
    nobody = next(row for row in rows if row["case_id"] == "other:P6")
    assert "none of the case's parties can be the owner" in sentences(nobody)


def test_a_number_within_a_range_and_an_address_by_its_zip(settings: Settings) -> None:
    rows = properties(settings)
    keys = [row["address_key"] for row in rows]
    ranged = next(
        row
        for row in rows
        if row["house_number"]
        and row["house_number_high"] > row["house_number"]
        and not row["unit"]
        and keys.count(row["address_key"]) == 1
    )
    here = houses(settings)[0]
    by_zip = imported(
        "other", "Z 1", ("owner", "Anna Anders"), at=f"{here['site_address']}, MA {here['zip']}"
    )
    far = imported("other", "Z 2", ("owner", "Anna Anders"), at=f"{here['site_address']}, MA 01013")
    assert by_zip[0].town_id is None and by_zip[0].site_mailing_key
    publish_cases(
        settings,
        imported(
            "other",
            "N 1",
            ("owner", "Anna Anders"),
            at=f"{ranged['house_number']} {ranged['street']}, Sampleton, MA {ZIP}",
        ),
        by_zip,
        far,
    )
    match_cases(settings, today=TODAY)
    found = {row["case_id"]: row["property_id"] for row in matches(settings)}
    assert found == {"other:N1": ranged["property_id"], "other:Z1": here["property_id"]}


def test_a_case_about_one_property_says_nothing_of_its_owners_others(settings: Settings) -> None:
    rows = persons(properties(settings))
    owners = [(row["owner_key"], row["mailing_key"]) for row in rows]
    one = next(
        row
        for row, who in zip(rows, owners, strict=True)
        if owners.count(who) > 1
        and row["house_number"]
        and [r["address_key"] for r in rows].count(row["address_key"]) == 1
    )
    others = {
        row["property_id"]
        for row, who in zip(rows, owners, strict=True)
        if who == (one["owner_key"], one["mailing_key"])
    }
    name = natural(one["owners"][0])
    publish_cases(
        settings,
        imported("land_court_servicemembers", "2 SM 1", ("owner", name), at=at(one)),
        imported("probate", "2 P 1", ("decedent", name), at=at(one)),
    )
    match_cases(settings, today=TODAY)
    assert {row["property_id"] for row in found_for(settings, "masslandct:2SM1")} == {one["property_id"]}
    estate = {r["property_id"] for r in found_for(settings, "maprobct:2P1") if r["tier"] == "confirmed"}
    assert one["property_id"] in estate and estate & (others - {one["property_id"]})


# --- Nothing is done twice, and what may not be used leaves


def test_nothing_changed_nothing_is_linked_nor_published(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, other = houses(settings)[:2]
    told = [petition("26-10001", owner(here), lines=lines_of(here, "Sampleton", ZIP))]
    publish_cases(settings, *told)
    first = match_cases(settings, today=TODAY)
    before, number = versions(settings), Lake(settings).snapshot(CASE_MATCHES).number
    with monkeypatch.context() as patch:
        patch.setattr(service, "link_loaded", _must_not_link)
        again = match_cases(settings, today=TODAY)
        assert (again.linked, again.towns_changed, again.tiers) == (False, (), first.tiers)
        # What ATTOM says of a property changes nothing of its owners.
        publish_batch(settings, "one", [with_mortgage(attom(1, other["site_address"]), 1_000, "2026-01-01")])
        assert merge(settings).towns_changed == (999,)
        assert not match_cases(settings, today=TODAY).linked
    assert (versions(settings), Lake(settings).snapshot(CASE_MATCHES).number) == (before, number)
    # Linked again, the same comes out, and nothing is published.
    assert match_cases(settings, today=TODAY, force=True).towns_changed == ()
    # A case that matches nobody: linked, and nothing published.
    publish_cases(settings, *told, petition("26-10002", "Xanthippe Zorbaline"))
    report = match_cases(settings, today=TODAY)
    assert (report.linked, report.towns_changed) == (True, ())
    assert Lake(settings).snapshot(CASE_MATCHES).number == number


def _must_not_link(*_: Any, **__: Any) -> None:
    raise AssertionError("linked although nothing changed")


@pytest.mark.slow
def test_the_order_of_cases_does_not_matter(settings: Settings, tmp_path: Path) -> None:
    told = [
        petition(f"26-1000{number}", owner(row), lines=lines_of(row, "Sampleton", ZIP))
        for number, row in enumerate(houses(settings)[:4])
    ]
    publish_cases(settings, *told)
    match_cases(settings, today=TODAY)
    first = matches(settings)
    publish_cases(settings)
    assert match_cases(settings, today=TODAY).towns_changed == (999,)
    assert matches(settings) == []
    publish_cases(settings, *reversed(told))
    match_cases(settings, today=TODAY)
    assert matches(settings) == first


def test_what_expires_leaves_though_nothing_else_changed(settings: Settings) -> None:
    here = houses(settings)[0]
    told = imported(
        "housing_court", "26H79SP000001", ("landlord", owner(here)), at=at(here), expires_on=TODAY
    )
    publish_cases(settings, told)
    match_cases(settings, today=TODAY)
    (row,) = matches(settings)
    assert len(cases_of(Lake(settings), 999, loc_id=here["loc_id"], today=TODAY)) == 1
    tomorrow = TODAY + timedelta(days=1)
    assert cases_of(Lake(settings), 999, loc_id=here["loc_id"], today=tomorrow) == []
    assert cases_of(Lake(settings), 999, loc_id=here["loc_id"], as_of=str(TODAY), today=tomorrow) == []
    decide(settings, row["match_id"], "confirmed", by="pat")
    assert match_cases(settings, today=tomorrow).towns_changed == (999,)
    assert matches(settings) == [], "a decision does not keep what may not be used"


def test_a_sealed_case_leaves_and_its_decision_does_not_bring_it_back(settings: Settings) -> None:
    here, other = houses(settings)[:2]
    sealed = petition("26-10001", owner(here), lines=lines_of(here, "Sampleton", ZIP))
    stays = petition("26-10002", owner(other), lines=lines_of(other, "Sampleton", ZIP))
    publish_cases(settings, sealed, stays)
    match_cases(settings, today=TODAY)
    decide(settings, found_for(settings, "mab:26-10001")[0]["match_id"], "confirmed", by="pat")
    publish_cases(settings, stays)
    report = match_cases(settings, today=TODAY)
    assert report.without_property == 1
    assert {row["case_id"] for row in matches(settings)} == {"mab:26-10002"}
    with database.session(settings) as session:
        assert case_reviews.forget_cases(session, [("mab:26-10001", "courtlistener")]) == 1
        session.commit()
    assert match_cases(settings, today=TODAY).without_property == 0


def test_what_must_not_be_published_is_kept_out(settings: Settings) -> None:
    one, two = houses(settings)[:2]
    publish_cases(
        settings,
        petition("26-10001", owner(one), lines=lines_of(one, "Sampleton", ZIP)),
        petition("26-10002", owner(two), lines=lines_of(two, "Sampleton", ZIP)),
    )

    def keep(rows: Any) -> Any:
        return rows.filter([case != "mab:26-10001" for case in rows["case_id"].to_pylist()])

    match_cases(settings, today=TODAY, keep=keep)
    assert {row["case_id"] for row in matches(settings)} == {"mab:26-10002"}


@pytest.mark.slow
def test_courts_and_towns_limit_what_is_done(settings: Settings) -> None:
    here, there = houses(settings)[0], houses(settings, MONROE.town_id)[0]
    mab = petition("26-10001", owner(here), lines=lines_of(here, "Sampleton", ZIP))
    land = imported("land_court_servicemembers", "3 SM 1", ("owner", owner(here)), at=at(here))
    monroe = petition("26-10003", owner(there), lines=lines_of(there, "Monroe", "01350"))
    publish_cases(settings, mab, land, monroe)
    report = match_cases(settings, towns=[999], today=TODAY)
    assert report.towns_changed == (999,) and not matches(settings, MONROE.town_id)
    assert match_cases(settings, today=TODAY).towns_changed == (MONROE.town_id,)
    # The Land Court's case is gone, and another came to the bankruptcy court, which is matched alone.
    other = houses(settings)[1]
    publish_cases(
        settings,
        mab,
        land,
        monroe,
        petition("26-10004", owner(other), lines=lines_of(other, "Sampleton", ZIP)),
    )
    report = match_cases(settings, courts=["mab"], today=TODAY)
    assert report.named_cases == 0 and report.towns_changed == (999,)
    assert {row["case_id"] for row in matches(settings)} == {
        "mab:26-10001",
        "mab:26-10004",
        "masslandct:3SM1",
    }
    # A limited run is no matching of everything.
    whole = match_cases(settings, today=TODAY)
    assert whole.linked and whole.towns_changed == ()


def test_a_town_that_is_refreshed_is_matched_anew(settings: Settings, tmp_path: Path) -> None:
    there = houses(settings, MONROE.town_id)[0]
    publish_cases(settings, petition("26-10003", owner(there), lines=lines_of(there, "Monroe", "01350")))
    match_cases(settings, today=TODAY)
    assert matches(settings, MONROE.town_id)
    package = write_small(tmp_path, MONROE, seed=77)
    assert refresh(settings, MONROE, package).status == "refreshed"
    report = match_cases(settings, today=TODAY)
    assert report.linked
    owners = {row["property_id"]: row for row in properties(settings, MONROE.town_id)}
    for row in matches(settings, MONROE.town_id):
        parties = owners[row["property_id"]]["owners"]
        assert parties[row["owner_number"]]["last"] == there["owners"][0]["last"]


# --- What people decide


@pytest.mark.slow
def test_a_decision_counts_at_once_outranks_the_model_and_survives_a_rebuild(settings: Settings) -> None:
    one, two = houses(settings)[:2]
    publish_cases(
        settings,
        petition("26-10001", owner(one), lines=lines_of(one, "Sampleton", ZIP)),
        imported("registry_order_of_notice", "9", ("owner", "Anna Anders"), at=at(two)),
    )
    match_cases(settings, today=TODAY)
    (sure,), (perhaps,) = found_for(settings, "mab:26-10001"), found_for(settings, "registry:9")
    assert [row.match_id for row in waiting(settings)] == [perhaps["match_id"]]
    assert decide(settings, sure["match_id"], "rejected", by="pat", reason="a namesake").towns_changed == (
        999,
    )
    decide(settings, perhaps["match_id"], "confirmed", by="sam", reason="the trust is theirs")
    shutil.rmtree(Path(settings.lake_uri, "mart", "case_matches"))
    shutil.rmtree(Path(settings.lake_uri, "_log", "mart", "case_matches"))
    report = match_cases(settings, today=TODAY)
    assert report.linked and report.tiers == {"confirmed": 1, "rejected": 1}
    by_id = {row["match_id"]: row for row in matches(settings)}
    assert (by_id[sure["match_id"]]["tier"], by_id[sure["match_id"]]["probability"]) == ("rejected", 0)
    assert by_id[sure["match_id"]]["model_probability"] == sure["model_probability"]
    assert by_id[perhaps["match_id"]]["tier"] == "confirmed"
    assert by_id[perhaps["match_id"]]["decided_by"] == "sam"
    assert waiting(settings) == []
    assert [case.case_id for case in cases_of(Lake(settings), 999, [one["property_id"]], today=TODAY)] == []
    # A change of mind is the decision that counts; both are kept, with what the model said then.
    decide(settings, sure["match_id"], "confirmed", by="pat", reason="looked again")
    history = look_at(settings, sure["match_id"]).history
    assert [(row.decision, row.reason) for row in history] == [
        ("rejected", "a namesake"),
        ("confirmed", "looked again"),
    ]
    assert history[0].probability == sure["model_probability"]
    assert history[0].evidence_version == sure["evidence_version"]


@pytest.mark.slow
def test_a_confirmed_match_that_the_model_no_longer_makes_still_shows(settings: Settings) -> None:
    here = houses(settings)[0]
    lines = lines_of(here, "Sampleton", ZIP)
    publish_cases(settings, petition("26-10001", owner(here), lines=lines))
    match_cases(settings, today=TODAY)
    (row,) = matches(settings)
    decide(settings, row["match_id"], "confirmed", by="pat")
    # The docket is corrected: the debtor is somebody else, and lives elsewhere.
    publish_cases(settings, petition("26-10001", "Xanthippe Zorbaline"))
    report = match_cases(settings, today=TODAY)
    assert report.by_decision_alone == 1
    (kept,) = matches(settings)
    assert (kept["match_id"], kept["tier"], kept["model_probability"]) == (row["match_id"], "confirmed", 0)
    assert (kept["party_name"], kept["decided_by"], kept["title"]) == (row["party_name"], "pat", "unknown")
    (case,) = cases_of(Lake(settings), 999, loc_id=here["loc_id"], today=TODAY)
    assert (case.tier, case.parties[0].decision) == ("confirmed", "confirmed")
    # Nothing of it stands once the decision is taken back.
    decide(settings, row["match_id"], "rejected", by="sam")
    assert match_cases(settings, today=TODAY).tiers == {"rejected": 1}
    assert cases_of(Lake(settings), 999, loc_id=here["loc_id"], unconfirmed=True, today=TODAY) == []


@pytest.mark.slow
def test_one_case_of_two_sources_is_one_and_is_decided_once(settings: Settings) -> None:
    here = houses(settings)[0]
    listed = petition("26-10001", owner(here), lines=lines_of(here, "Sampleton", ZIP))
    told = imported(
        "other", "26-10001", ("debtor", owner(here)), at=at(here), case_type="bankruptcy_petition"
    )
    case = replace(told[0], case_id="mab:26-10001", court="mab")
    publish_cases(
        settings, listed, (case, [replace(p, case_id="mab:26-10001", court="mab") for p in told[1]])
    )
    match_cases(settings, today=TODAY)
    assert sorted(row["source"] for row in matches(settings)) == ["courtlistener", "other"]
    (one,) = cases_of(Lake(settings), 999, loc_id=here["loc_id"], today=TODAY)
    assert one.sources == ("courtlistener", "other") and len(one.parties) == 2
    assert one.tier == "confirmed" and one.chapter == "13", "what one source lacks the other fills"
    assert one.notes == (AUTOMATIC_STAY, COUNSEL) and one.is_open
    done = decide(settings, one.parties[0].match_id, "rejected", by="pat")
    assert len(done.match_ids) == 2
    assert cases_of(Lake(settings), 999, loc_id=here["loc_id"], unconfirmed=True, today=TODAY) == []


def test_the_queue_shows_what_is_at_stake_first(settings: Settings) -> None:
    rows = sorted(houses(settings), key=lambda row: int(row["total_value"] or 0))
    cheap, dear = rows[0], rows[-1]
    ended = rows[len(rows) // 2]
    name = ("owner", "Anna Anders")
    publish_cases(
        settings,
        imported("registry_order_of_notice", "1", name, at=at(cheap)),
        imported("registry_order_of_notice", "2", name, at=at(dear)),
        imported("registry_order_of_notice", "3", name, at=at(ended), date_terminated=date(2026, 11, 1)),
    )
    match_cases(settings, today=TODAY)
    queue = waiting(settings)
    assert [row.property_id for row in queue] == [row["property_id"] for row in (dear, cheap, ended)]
    assert [row.case_id for row in waiting(settings, limit=1)] == ["registry:2"]
    assert waiting(settings, towns=[MONROE.town_id]) == []
    assert queue[0].evidence and queue[0].owner_name == dear["owner_name"]
    assert waiting(settings, least=0.75) == []


def test_a_decision_needs_somebody_and_a_match(settings: Settings) -> None:
    with pytest.raises(UsageError, match="no match"):
        decide(settings, "m0123456789abcdef", "confirmed", by="pat")
    with pytest.raises(UsageError, match="who decided"):
        decide(settings, "m0123456789abcdef", "confirmed", by="  ")
    with pytest.raises(UsageError, match="no match"):
        look_at(settings, "m0123456789abcdef")
    assert waiting(settings) == []
    assert match_cases(settings, today=TODAY) == service.MatchReport()


@pytest.mark.slow
def test_matches_on_s3_are_those_of_a_folder(settings: Settings, tmp_path: Path, s3_server: str) -> None:
    there = houses(settings, MONROE.town_id)[0]
    told: Sequence[Any] = (
        petition("26-10003", owner(there), lines=lines_of(there, "Monroe", "01350")),
        imported(
            "other", "P 1", ("owner", "Anna Anders"), parcel_id=there["prop_id"], town_id=MONROE.town_id
        ),
    )
    remote = settings_for(tmp_path / "remote", leadflow_demo=True, **lake_overrides("s3", s3_server))
    package = write_small(tmp_path, MONROE)
    local = settings_for(tmp_path / "local", leadflow_demo=True)
    for lake in (remote, local):
        assert refresh(lake, MONROE, package).status == "refreshed"
        publish_cases(lake, *told)
        assert match_cases(lake, today=TODAY).towns_changed == (MONROE.town_id,)
    found = [
        cases_of(Lake(lake), MONROE.town_id, loc_id=there["loc_id"], today=TODAY) for lake in (remote, local)
    ]
    assert found[0] == found[1] and len(found[0]) == 2
    (queued,) = waiting(remote)
    assert decide(remote, queued.match_id, "confirmed", by="pat").towns_changed == (MONROE.town_id,)
