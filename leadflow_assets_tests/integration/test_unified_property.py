"""One property out of many records: what is believed, what stays visible, that no kill or order changes it.

Sampleton is refreshed once; each test merges made-up batches of ATTOM into a copy of that lake.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leadflow_assets.cli.demo import _remove
from leadflow_assets.domain.towns import SAMPLETON, town_by_id
from leadflow_assets.enrich.unified.merge import merge, process_property
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTIES, PROPERTY_RECORDS
from leadflow_assets.pipeline.vendor_facts import vendor_columns, with_vendor_facts
from leadflow_assets.refresh.plan import Held
from leadflow_assets.sampleton import PackageSpec, Planted, next_release
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.record import AttomProperty, Lien, as_table, combine
from leadflow_assets_tests.conftest import lake_overrides
from leadflow_assets_tests.integration.pipeline_helpers import (
    MONROE,
    REPOSITORY,
    refresh,
    settings_for,
    snapshot_numbers,
    write_small,
)
from leadflow_assets_tests.integration.test_search import publish_without_columns
from leadflow_assets_tests.integration.unified_helpers import (
    FETCHED,
    attom,
    property_records,
    publish_batch,
    rows_of,
    with_mortgage,
)
from leadflow_assets_tests.unit.test_property_matching import match

# The columns of mart/properties that matching looks at.
MATCHED_BY = (
    *("property_id", "town_id", "loc_id", "prop_id", "street", "address_key", "house_number"),
    *("house_number_high", "unit", "city", "zip", "is_condominium_master"),
)
Row = dict[str, Any]
Copy = Callable[[], Settings]


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Settings:
    """Sampleton and Monroe, refreshed, without a single record of ATTOM."""
    folder = tmp_path_factory.mktemp("unified")
    settings = settings_for(folder / "data", leadflow_demo=True)
    for town, package in ((SAMPLETON, sample_package[0]), (MONROE, write_small(folder, MONROE))):
        assert refresh(settings, town, package).status == "refreshed"
    return settings


@pytest.fixture
def copy(towns: Settings, tmp_path: Path) -> Copy:
    """Makes lakes of one's own out of it."""
    numbers = itertools.count()

    def made() -> Settings:
        data = tmp_path / f"data{next(numbers)}"
        shutil.copytree(towns.data_dir, data, symlinks=True)
        return settings_for(data, leadflow_demo=True)

    return made


def mart(settings: Settings, town_id: int = 999) -> dict[str, Row]:
    """mart/properties by property id."""
    return {row["property_id"]: row for row in rows_of(settings, PROPERTIES.name, town_id)}


def houses(settings: Settings, town_id: int = 999) -> list[Row]:
    """Properties that are alone at a plain address, in the order of their ids."""
    rows = sorted(mart(settings, town_id).values(), key=lambda row: str(row["property_id"]))
    keys = [row["address_key"] for row in rows]
    return [
        row
        for row in rows
        if row["house_number"]
        and row["house_number"] == row["house_number_high"]
        and not row["unit"]
        and row["owner_name"]
        and row["total_value"]
        and row["last_sale_date"]
        and keys.count(row["address_key"]) == 1
    ]


def versions(settings: Settings) -> dict[str, str]:
    """Content hashes of every partition of the two tables."""
    lake = Lake(settings)
    return {
        f"{table.name}/{name}": entry.data.sha256
        for table in (PROPERTY_RECORDS, PROPERTIES)
        for name, entry in lake.snapshot(table).partitions.items()
    }


def test_a_fact_stands_with_its_source_and_its_day_and_elsewhere_is_unknown(copy: Copy) -> None:
    settings = copy()
    house, other = houses(settings)[:2]
    record = with_mortgage(attom(1, house["site_address"]), 300_000, "2026-09-01", mortgage_lender="A BANK")
    publish_batch(settings, "one", [replace(record, lien_records=(), liens_source="LIENS")])
    report = merge(settings)
    assert (report.matched, report.towns_changed, report.records_changed) == (
        {"address_key": 1},
        (999,),
        (999,),
    )
    now = mart(settings)
    row = now[house["property_id"]]
    assert (row["attom_id"], row["mortgage_amount"], row["mortgage_lender"]) == (1, 300_000, "A BANK")
    assert (row["mortgage_source"], row["mortgage_source_date"]) == (
        "ATTOM detailmortgageowner",
        date(2026, 9, 1),
    )
    told = {(s["fields"], s["source"], s["source_date"], s["version"]) for s in row["sources"]}
    assert ("mortgage", "ATTOM detailmortgageowner", date(2026, 9, 1), "one") in told
    assert (row["lien_count"], row["lien_amount"], row["conflicts"]) == (0, None, [])
    assert row["loan_balance"] is row["available_equity"] is row["foreclosure_stage"] is None
    # Nobody asked about the others: null is unknown, not zero, and the assessor's part is as it was.
    assert all(now[other["property_id"]][name] is None for name in vendor_columns())
    assert {k: v for k, v in now[other["property_id"]].items() if k not in vendor_columns()} == {
        k: v for k, v in other.items() if k not in vendor_columns()
    }
    facts = Lake(settings).snapshot(PROPERTIES).partitions["town_id=999"].facts
    assert facts["vendor_groups"] == {"mortgage": 1, "liens": 1}
    assert facts["release"] and facts["rows_in"] == len(now)


def three_batches(house: Row, other: Row) -> dict[str, list[AttomProperty]]:
    """Three sources that differ about one house; a file that has only values; the same facts twice."""
    plain = attom(1, house["site_address"])
    avm = AttomProperty(
        attom_id=1,
        avm_value=400_000,
        avm_source="AVM",
        avm_source_date=date(2026, 8, 1),
        avm_fetched_at=FETCHED,
    )
    deed = replace(
        plain,
        last_sale_date=house["last_sale_date"] + timedelta(days=400),
        last_sale_price=555_000,
        sale_source="RECORDER",
        sale_source_date=date(2026, 9, 2),
        sale_fetched_at=FETCHED,
    )
    newest = with_mortgage(plain, 310_000, "2026-09-01", mortgage_lender="NEW BANK")
    older = with_mortgage(deed, 250_000, "2026-05-01", mortgage_source="RECORDER", mortgage_term_months=360)
    same = with_mortgage(attom(2, other["site_address"]), 100_000, "2026-01-01")
    later = replace(same, mortgage_fetched_at=FETCHED + timedelta(days=60))
    return {"a": [newest, same], "b": [older], "c": [avm, later]}


def test_the_newest_source_wins_whole_and_what_lost_stays_visible(copy: Copy) -> None:
    settings = copy()
    house, other = houses(settings)[:2]
    for batch_id, records in three_batches(house, other).items():
        publish_batch(settings, batch_id, records)
    report = merge(settings)
    row = mart(settings)[house["property_id"]]
    assert (row["mortgage_amount"], row["mortgage_lender"], row["mortgage_term_months"]) == (
        310_000,
        "NEW BANK",
        None,
    )
    assert (row["avm_value"], row["avm_source"]) == (400_000, "ATTOM AVM")
    assert (row["deed_sale_price"], row["last_sale_price"]) == (555_000, house["last_sale_price"])
    conflicts = {found["fields"]: found for found in row["conflicts"]}
    assert conflicts["mortgage"] == {
        "fields": "mortgage",
        "kept_source": "ATTOM detailmortgageowner",
        "kept_date": date(2026, 9, 1),
        "other_source": "ATTOM RECORDER",
        "other_date": date(2026, 5, 1),
        "difference": "mortgage_amount 310000, other 250000",
    }
    assert conflicts["last_sale"]["kept_source"] == "MassGIS L3"
    assert conflicts["last_sale"]["difference"].startswith("later sale: last_sale_date ")
    assert report.conflicts == len(row["conflicts"]) == 2
    # The same facts in two batches are one record, of the batch that said them last.
    (record,) = [r for r in property_records(settings) if r["attom_id"] == 2]
    assert (record["batch_id"], record["mortgage_fetched_at"]) == ("c", FETCHED + timedelta(days=60))


@pytest.mark.slow
def test_the_order_of_batches_never_shows(copy: Copy) -> None:
    found = []
    for order, merged in (("abc", "c"), ("cba", "cba"), ("bac", "bc")):
        settings = copy()
        house, other = houses(settings)[:2]
        batches = three_batches(house, other)
        for batch_id in order:
            publish_batch(settings, batch_id, batches[batch_id])
            if batch_id in merged:
                merge(settings, batch_ids=None if merged == "c" else [batch_id])
        merge(settings)
        found.append(versions(settings))
    assert found[0] == found[1] == found[2]


dated = st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2026, 1, 4)))
maybe = st.one_of(st.none(), st.integers(1, 3))


@st.composite
def one_property(draw: st.DrawFn) -> list[AttomProperty]:
    """Records of one property; each was fetched at a time of its own."""
    records = []
    for number in range(draw(st.integers(2, 5))):
        fetched = datetime(2026, 10, 1, number, tzinfo=UTC)
        facts: Row = {}
        if draw(st.booleans()):
            facts |= {"mortgage_amount": draw(maybe), "mortgage_term_months": draw(maybe)}
            facts |= {"mortgage_source": "x", "mortgage_source_date": draw(dated)}
            facts["mortgage_fetched_at"] = fetched
        if draw(st.booleans()):
            facts |= {"available_equity": draw(maybe), "loan_to_value": 60.0, "equity_source": f"s{number}"}
            facts |= {"equity_source_date": draw(dated), "equity_fetched_at": fetched}
        records.append(AttomProperty(attom_id=1, property_id="999-1", **facts))
    return draw(st.permutations(records))


@given(records=one_property())
@hypothesis_settings(max_examples=15, deadline=None)
def test_the_winner_is_the_one_that_a_batch_would_choose(records: list[AttomProperty]) -> None:
    rows = as_table(records).to_pylist()
    names = [name for name in PROPERTY_RECORDS.schema.names if name in rows[0]]
    lines = [{name: row[name] for name in names} | {"record_id": f"r{n}"} for n, row in enumerate(rows)]
    table = pa.Table.from_pylist(lines, schema=PROPERTY_RECORDS.schema)
    town = PROPERTIES.schema.empty_table().drop_columns(list(vendor_columns()))
    one = {"property_id": "999-1", "source": "MassGIS L3", "sources": []}
    town = pa.Table.from_pylist([one], schema=town.schema)
    (made,) = with_vendor_facts(town, table).to_pylist()
    best = combine(records)
    assert made["mortgage_amount"] == best.mortgage_amount
    assert made["mortgage_term_months"] == best.mortgage_term_months
    assert made["available_equity"] == best.available_equity
    assert made["equity_percent"] == (40.0 if best.equity_source else None)
    assert made["equity_source"] == (f"ATTOM {best.equity_source}" if best.equity_source else None)


def test_equity_is_worked_out_from_the_value_where_there_is_no_ratio(copy: Copy) -> None:
    settings = copy()
    house = houses(settings)[0]
    record = replace(
        attom(1, house["site_address"]),
        available_equity=-50_000,
        equity_source="LOAN_MODEL",
        equity_fetched_at=FETCHED,
        avm_value=200_000,
        avm_source="AVM",
        avm_fetched_at=FETCHED,
        lien_records=(
            Lien(kind="TAX", amount=4_000),
            Lien(kind="TAX", amount=None),
            Lien(kind="TAX", amount=9_000, released_on=date(2020, 1, 1)),
        ),
        liens_source="LIENS",
        liens_fetched_at=FETCHED,
    )
    publish_batch(settings, "one", [record])
    merge(settings)
    row = mart(settings)[house["property_id"]]
    assert (row["equity_percent"], row["loan_to_value"], row["loan_balance"]) == (-25.0, None, None)
    assert (row["lien_count"], row["lien_amount"]) == (2, 4_000)


# What ATTOM says, as a difference to the assessor's day, price or value -> which conflict, how it begins.
DIFFERENCES: list[tuple[Row, dict[str, str]]] = [
    ({"last_sale_date": 30, "last_sale_price": 0}, {}),
    ({"last_sale_date": 30, "last_sale_price": 7}, {"last_sale": "last_sale_price "}),
    ({"last_sale_date": 3, "last_sale_price": 7, "last_sale_is_estimated": True}, {}),
    ({"last_sale_date": 3, "last_sale_price": 7, "last_sale_is_nominal": True}, {}),
    ({"last_sale_date": 40}, {"last_sale": "later sale"}),
    ({"last_sale_date": -400}, {"last_sale": "earlier sale"}),
    ({"last_sale_recording_date": 12}, {}),
    ({"assessed_total": 5, "assessed_year": 0}, {"assessed_total": "total_value "}),
    ({"assessed_total": 5, "assessed_year": -1}, {}),
    ({"assessed_total": 0, "assessed_year": 0}, {}),
    ({"owner_1": "NOBODY, NEVER"}, {"owner": "owner_key differs"}),
    ({"owner_1": "NOBODY, NEVER", "owner_3": "itself"}, {}),
    ({"owner_1": "backwards"}, {}),
]


def _as_attom_has_it(house: Row, differences: Row) -> Row:
    last, first = house["owners"][0]["last"], house["owners"][0]["first"]
    names = {"itself": f"{last}, {first}", "backwards": f"{first} {last}"}
    known = {
        "last_sale_date": house["last_sale_date"],
        "last_sale_recording_date": house["last_sale_date"],
        "last_sale_price": house["last_sale_price"],
        "assessed_total": house["total_value"],
        "assessed_year": house["fiscal_year"],
    }
    facts: Row = {}
    for name, value in differences.items():
        if name.endswith("_date"):
            facts[name] = known[name] + timedelta(days=value)
        elif name in known:
            facts[name] = known[name] + value
        else:
            facts[name] = names.get(value, value)
    for group in ("sale", "tax", "owner"):
        facts |= {f"{group}_source": "expandedprofile", f"{group}_fetched_at": FETCHED}
    return facts


def test_the_assessors_word_stays_and_a_difference_is_told(copy: Copy) -> None:
    settings = copy()
    sold = [h for h in houses(settings) if h["owner_type"] == "person" and h["last_sale_price"]]
    cases = list(zip(sold, DIFFERENCES, strict=False))
    records = [
        attom(n, house["site_address"], **_as_attom_has_it(house, facts))
        for n, (house, (facts, _)) in enumerate(cases, start=1)
    ]
    publish_batch(settings, "one", records)
    assert merge(settings).matched == {"address_key": len(DIFFERENCES)}
    now = mart(settings)
    for house, (facts, told) in cases:
        row = now[house["property_id"]]
        found = {one["fields"]: one["difference"] for one in row["conflicts"]}
        assert found.keys() == told.keys(), facts
        assert all(found[name].startswith(start) for name, start in told.items()), facts
        for name in ("owner_name", "owner_key", "total_value", "last_sale_date", "last_sale_price"):
            assert row[name] == house[name]
        last, first = house["owners"][0]["last"], house["owners"][0]["first"]
        words = {word for name in (last, first, "NOBODY") for word in name.split() if len(word) > 3}
        assert not any(word in text for word in words for text in found.values())


def test_nothing_is_published_twice_and_only_towns_that_change(copy: Copy) -> None:
    settings = copy()
    house, other = houses(settings)[0], houses(settings, MONROE.town_id)[0]
    publish_batch(settings, "one", [with_mortgage(attom(1, house["site_address"]), 1_000, "2026-01-01")])
    monroe = attom(2, other["site_address"], municipality="Monroe")
    publish_batch(settings, "two", [with_mortgage(monroe, 2_000, "2026-01-01")])
    assert merge(settings, batch_ids=["one"]).towns_changed == (999,)
    before = snapshot_numbers(settings), Lake(settings).snapshot(PROPERTY_RECORDS).number
    assert merge(settings, batch_ids=["one"]).towns_changed == ()
    assert merge(settings, towns=[999]).matched == {"address_key": 1}
    assert (snapshot_numbers(settings), Lake(settings).snapshot(PROPERTY_RECORDS).number) == before
    assert process_property(settings, other["property_id"]).towns_changed == (MONROE.town_id,)
    assert mart(settings, MONROE.town_id)[other["property_id"]]["mortgage_amount"] == 2_000
    assert merge(settings).towns_changed == ()
    publish_batch(settings, "three", [attom(9, "12 NOWHERE ELSE ST", municipality="Gosnold"), attom(8, None)])
    report = merge(settings)
    assert (report.records_changed, report.not_here) == ((999,), 1)  # the one without an address stands there
    with pytest.raises(UsageError, match="no property"):
        process_property(settings, "999-nothing")


def test_without_batches_a_merge_does_nothing(copy: Copy) -> None:
    settings = copy()
    before = versions(settings)
    report = merge(settings)
    assert (report.matched, report.towns_changed) == ({}, ())
    assert versions(settings) == before
    assert not (settings.data_dir / "unified").exists()


_KILLED = """
import os, signal, sys
from pathlib import Path
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.settings import load_settings

publish = Publisher.publish

def killed(self, table, uploaded):
    if table == "mart/properties":
        os.kill(os.getpid(), signal.SIGKILL)
    return publish(self, table, uploaded)

Publisher.publish = killed
merge(load_settings(leadflow_data_dir=Path(sys.argv[1]), leadflow_demo=True, database_url=None))
"""


@pytest.mark.slow
def test_a_kill_between_the_two_tables_is_made_good_by_merge_and_by_refresh(copy: Copy) -> None:
    settings, whole = copy(), copy()
    house, other = houses(settings)[:2]
    for batch_id, records in three_batches(house, other).items():
        publish_batch(settings, batch_id, records)
        publish_batch(whole, batch_id, records)
    merge(whole)
    names = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name.upper() not in names}
    died = subprocess.run(
        [sys.executable, "-c", _KILLED, str(settings.data_dir)],
        env=environment | {"PYTHONPATH": str(REPOSITORY)},
        cwd=settings.data_dir.parent,
        check=False,
        timeout=120,
    )
    assert died.returncode == -9
    assert property_records(settings) and not Held.read(Lake(settings)).current(SAMPLETON)
    assert mart(settings)[house["property_id"]]["mortgage_amount"] is None
    again = settings.data_dir.with_name("again")
    shutil.copytree(settings.data_dir, again, symlinks=True)
    refreshed = settings_for(again, leadflow_demo=True)
    assert refresh(refreshed, SAMPLETON).status == "refreshed"
    report = merge(settings)
    assert (report.records_changed, report.towns_changed) == ((), (999,))
    for made_good in (settings, refreshed):
        assert Held.read(Lake(made_good)).current(SAMPLETON)
        assert versions(made_good) == versions(whole)
        assert merge(made_good).towns_changed == ()


def test_a_refresh_keeps_the_vendor_facts(copy: Copy) -> None:
    settings = copy()
    untouched = Lake(settings).snapshot(PROPERTIES).partitions["town_id=999"]
    house, other = houses(settings)[:2]
    for batch_id, records in three_batches(house, other).items():
        publish_batch(settings, batch_id, records)
    merge(settings)
    after = versions(settings)
    assert refresh(settings, SAMPLETON).status == "unchanged"
    assert refresh(settings, SAMPLETON, force=True).status == "refreshed"
    assert versions(settings) == after
    # Without its records the town is made as it was before there were any.
    lake = Lake(settings)
    for name in ("a", "b", "c"):
        publish_batch(settings, name, [])
    assert merge(settings).towns_changed == (999,)
    assert not lake.snapshot(PROPERTY_RECORDS).partitions
    now = lake.snapshot(PROPERTIES).partitions["town_id=999"]
    assert (now.data.sha256, now.fingerprint) == (untouched.data.sha256, untouched.fingerprint)


def test_a_new_release_is_matched_anew(copy: Copy, tmp_path: Path) -> None:
    settings = copy()
    package = tmp_path / SAMPLETON.shapefile_zip
    planted = next_release(PackageSpec(), package)
    gone = {f"999-{case['PROP_ID']}" for case in planted.quirks["vanished"]}
    all_houses = houses(settings)
    lost = [row for row in all_houses if row["property_id"] in gone][:2]
    kept = [row for row in all_houses if row["property_id"] not in gone][:3]
    assert lost
    publish_batch(
        settings,
        "one",
        [
            with_mortgage(
                attom(n, row["site_address"], property_id=row["property_id"]), n * 1_000, "2026-01-01"
            )
            for n, row in enumerate([*lost, *kept], start=1)
        ],
    )
    assert merge(settings).matched == {"property_id": len(lost) + 3}
    assert refresh(settings, SAMPLETON, package).status == "refreshed"
    now = mart(settings)
    assert [now[row["property_id"]]["attom_id"] for row in kept] == [len(lost) + n for n in (1, 2, 3)]
    report = merge(settings, towns=[999])
    assert report.matched["property_id"] == 3
    by_id = {row["attom_id"]: row for row in property_records(settings)}
    assert all(by_id[n]["property_id"] is None for n in range(1, len(lost) + 1))
    assert Held.read(Lake(settings)).current(SAMPLETON)


def test_a_town_made_by_an_older_version_is_left_to_its_refresh(copy: Copy, tmp_path: Path) -> None:
    settings = copy()
    house = houses(settings, MONROE.town_id)[0]
    record = attom(1, house["site_address"], municipality="MONROE", property_id=house["property_id"])
    publish_batch(settings, "one", [with_mortgage(record, 5_000, "2026-01-01")])
    merge(settings)
    records = versions(settings)["mart/property_records/town_id=190"]
    publish_without_columns(Lake(settings), MONROE.town_id, tmp_path)
    report = merge(settings)
    assert (report.needs_refresh, report.towns_changed, report.records_changed) == (("monroe",), (), ())
    assert versions(settings)["mart/property_records/town_id=190"] == records
    assert refresh(settings, MONROE).status == "refreshed"
    assert mart(settings, MONROE.town_id)[house["property_id"]]["mortgage_amount"] == 5_000
    assert merge(settings).needs_refresh == ()


def test_the_end_of_the_demo_takes_its_records_along(copy: Copy) -> None:
    settings = copy()
    publish_batch(settings, "one", [attom(1, houses(settings)[0]["site_address"])])
    merge(settings)
    _remove(settings)
    lake = Lake(settings)
    assert "town_id=999" not in lake.snapshot(PROPERTY_RECORDS).partitions
    assert list(lake.snapshot(PROPERTIES).partitions) == ["town_id=190"]
    report = merge(settings)
    assert (report.matched, report.not_here, report.towns_changed) == ({}, 1, ())


@pytest.mark.slow
def test_the_real_town_is_recognised_by_its_other_columns(tmp_path: Path, shared_massgis: Path) -> None:
    settings, town = settings_for(tmp_path / "data"), town_by_id(25)
    assert refresh(settings, town, shared_massgis / "L3_SHP_M025_BELLINGHAM.zip").status == "refreshed"
    rows = [row for row in rows_of(settings, PROPERTIES.name, 25) if not row["is_condominium_master"]]
    place: Row = {"site_state": "MA", "municipality": "BELLINGHAM"}
    named = {n: f"{row['address_number'] or ''} {row['street'] or ''}".strip() for n, row in enumerate(rows)}
    by_address = [
        AttomProperty(attom_id=n + 1, site_address=named[n], site_unit=row["unit"], **place)
        for n, row in enumerate(rows)
        if row["house_number"] and row["street"]
    ]
    by_both = [replace(record, apn=rows[record.attom_id - 1]["prop_id"]) for record in by_address]
    ours = [{name: row[name] for name in MATCHED_BY} for row in rows]
    for records, least in ((by_address, 0.99), (by_both, 0.999)):
        found = match(records, ours)
        which = [(found[r.attom_id]["property_id"], rows[r.attom_id - 1]["property_id"]) for r in records]
        assert len(which) > 6_000 and all(one in (None, other) for one, other in which)
        assert sum(one is not None for one, _ in which) >= least * len(which)


@pytest.mark.slow
def test_a_lake_in_a_bucket(s3_server: str, tmp_path: Path, clean_environment: None) -> None:
    settings = settings_for(tmp_path / "data", **lake_overrides("s3", s3_server))
    assert refresh(settings, MONROE, write_small(tmp_path, MONROE, parcels=30)).status == "refreshed"
    publish_batch(settings, "one", [attom(1, "1 NO SUCH PLACE", municipality="MONROE")])
    report = merge(settings)
    assert (report.unmatched, report.records_changed, report.towns_changed) == (1, (190,), (190,))
    assert merge(settings).records_changed == ()
