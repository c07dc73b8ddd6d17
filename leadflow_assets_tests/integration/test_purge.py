"""Purging on whole lakes: nothing is left in any byte, others stay as they were, and it stays out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadflow_assets.cli.app import main
from leadflow_assets.domain.purging import WITHHELD
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.attom_cache import archive_key
from leadflow_assets.enrich.batches.delivery_archive import open_archived, read_receipt
from leadflow_assets.enrich.batches.job import Landed, Outcomes
from leadflow_assets.enrich.court_answers import CourtAnswers
from leadflow_assets.enrich.purge.attom_tables import clean_properties
from leadflow_assets.enrich.purge.hooks import docket_filter, docket_test, landed_without_purged, match_filter
from leadflow_assets.enrich.purge.service import Purges
from leadflow_assets.enrich.purge.target import PersonTarget, read_case, read_person
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.lake import tables
from leadflow_assets.lake.audit import problems_of_published
from leadflow_assets.lake.snapshots import SnapshotLog
from leadflow_assets.refresh.doctor import stale_copies
from leadflow_assets.refresh.withheld import load_purged
from leadflow_assets.sampleton import Planted as Package
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.search.index import open_index
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.sources.attom.record import AttomProperty, as_table
from leadflow_assets.state import database, purges, saved_lists
from leadflow_assets_tests.conftest import lake_overrides
from leadflow_assets_tests.integration.pipeline_helpers import copy_lake, settings_for
from leadflow_assets_tests.integration.purge_helpers import (
    NOON,
    SPOUSE,
    STRANGER,
    Planted,
    attom_body,
    court_rows,
    docket_rows,
    everything,
    parties_answer,
    places_that_say,
    plant,
    read_version,
    refresh_sampleton,
)
from leadflow_assets_tests.vendors.courtlistener_cases import SampleParty

SEALED = ["26-40104", "thistlewood"]


@pytest.fixture(scope="module")
def planted_once(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Package]) -> Planted:
    """One lake on disk; tests take copies."""
    folder = tmp_path_factory.mktemp("planted")
    return plant(settings_for(folder / "data", leadflow_demo=True), sample_package[0])


@pytest.fixture(scope="module")
def purged_once(planted_once: Planted, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """The same after its owner opted out; tests take copies."""
    purged = copied(planted_once, tmp_path_factory.mktemp("purged"))
    Purges(purged.settings).purge(the_owner(purged), reason="opt_out", by="pat")
    return purged


def copied(made: Planted, folder: Path) -> Planted:
    return replace(made, settings=copy_lake(made.settings, folder / "data", leadflow_demo=True))


@pytest.fixture
def planted(clean_environment: None, planted_once: Planted, tmp_path: Path) -> Planted:
    """A lake of the test's own, with the owner in all places."""
    return copied(planted_once, tmp_path)


@pytest.fixture
def purged(clean_environment: None, purged_once: Planted, tmp_path: Path) -> Planted:
    """A lake of the test's own whose owner has opted out."""
    return copied(purged_once, tmp_path / "purged")


def the_owner(planted: Planted) -> PersonTarget:
    """The owner as a person would name them: the name, the address and the town."""
    owner = planted.owner
    name = f"{owner.first.title()} Q. {owner.last.title()}"
    return read_person(name, address=owner.site_address.lower(), town_id=SAMPLETON.town_id)


def assert_sound(planted: Planted) -> None:
    """Every table keeps its contract, current copies are the newest snapshot, and the past can be read."""
    lake = planted.lake
    for table in tables.TABLES:
        log = SnapshotLog(lake.store, table.name)
        assert stale_copies(lake.store, table.name) == []
        for number in log.numbers():
            for entry in log.read(number).partitions.values():
                assert all(lake.store.exists(file.path) for file in entry.files.values())
                assert problems_of_published(lake, table, entry) == []


def assert_gone(planted: Planted) -> None:
    """Nobody can tell any more who the owner is, and everybody else is where they were."""
    assert places_that_say(planted, planted.owner.needles) == []
    lake = planted.lake
    cases = {row["docket_number"]: row for row in court_rows(lake, tables.COURT_CASES)}
    assert set(cases) == {"26-40101", "26-40103", "26-40104"}, "the case with a spouse stays, the other goes"
    assert cases["26-40101"]["case_name"] == SPOUSE
    names = {row["name"] for row in court_rows(lake, tables.COURT_PARTIES)}
    assert {SPOUSE, STRANGER} < names
    assert court_rows(lake, tables.COURT_CASES, "masslandct") == []
    rows = {row["property_id"]: row for row in town_rows(planted, tables.PROPERTIES)}
    mine = rows[planted.owner.property_id]
    assert (mine["owner_name"], mine["owner_type"]) == (WITHHELD, "unknown")
    assert {
        mine[name] for name in ("owners", "owner_key", "owner_words", "mailing_address", "mailing_key")
    } == {None}
    assert mine["total_value"] and mine["site_address"], "what is no person's stays"
    withheld = [row for row in rows.values() if row["owner_name"] == WITHHELD]
    assert len(withheld) == planted.owner.records


def town_rows(planted: Planted, table: tables.Table) -> list[dict[str, Any]]:
    """The current rows of Sampleton."""
    entry = planted.lake.snapshot(table).partitions[table.partition(SAMPLETON.town_id)]
    rows: list[dict[str, Any]] = read_version(planted.lake, entry.data.path).to_pylist()
    return rows


def test_nothing_is_left_of_an_owner_who_opted_out(planted: Planted) -> None:
    before = places_that_say(planted, planted.owner.needles)
    assert len(before) > 30, "the lake is planted with the name everywhere"
    content = dict(everything(planted))
    counted = Purges(planted.settings).purge(the_owner(planted), reason="opt_out", by="pat", dry_run=True)
    unchanged = {name: found for name, found in everything(planted) if not name.startswith("state.sqlite")}
    assert unchanged.items() <= content.items(), "a dry run changes nothing"

    report = Purges(planted.settings).purge(the_owner(planted), reason="opt_out", by="pat")

    assert {k: v for k, v in report.counts.items() if k != "search index"} == counted.counts
    assert_gone(planted)
    assert_sound(planted)


@pytest.mark.slow
def test_the_same_on_s3(
    clean_environment: None, tmp_path: Path, s3_server: str, sample_package: tuple[Path, Package]
) -> None:
    lake = lake_overrides("s3", s3_server)
    planted = plant(settings_for(tmp_path / "data", leadflow_demo=True, **lake), sample_package[0])
    assert any(name.startswith("_versions/") for name in places_that_say(planted, planted.owner.needles))

    Purges(planted.settings).purge(the_owner(planted), reason="opt_out", by="pat")
    Purges(planted.settings).purge(read_case("mab:26-40104"), reason="sealed", by="pat")

    assert places_that_say(planted, [*planted.owner.needles, *SEALED]) == []
    assert_sound(planted)


def test_the_past_does_not_show_it_either(planted_once: Planted, purged: Planted) -> None:
    log = SnapshotLog(planted_once.lake.store, tables.PROPERTIES.name)
    moments = [log.read(number).committed_at for number in log.numbers()]

    for moment in moments:
        with open_searcher(purged.settings, engine="parquet", as_of=moment) as searcher:
            found = searcher.properties(
                [purged.owner.property_id], ("owner_name", "mailing_address")
            ).to_pylist()
        assert found == [{"owner_name": WITHHELD, "mailing_address": None}]
    index = open_index(purged.settings)
    assert index is not None
    with index:
        query = "SELECT owner_name FROM properties WHERE property_id = ?"
        assert index.execute(query, [purged.owner.property_id]).fetchall() == [(WITHHELD,)]


def test_it_stays_out_of_refreshes_merges_and_deliveries(
    purged: Planted, sample_package: tuple[Path, Package]
) -> None:
    assert refresh_sampleton(purged.settings, None, force=True) == "refreshed"
    assert refresh_sampleton(purged.settings, None) == "unchanged"
    assert refresh_sampleton(purged.settings, sample_package[0], force=True) == "refreshed"
    merge(purged.settings)

    assert_gone(purged)
    assert_sound(purged)


def test_a_town_without_purged_owners_is_not_made_anew(planted: Planted) -> None:
    assert refresh_sampleton(planted.settings, None) == "unchanged"
    Purges(planted.settings).purge(read_case("mab:26-40104"), reason="sealed", by="pat")
    assert refresh_sampleton(planted.settings, None) == "unchanged"


def test_landing_keeps_purged_cases_and_people_out(purged: Planted) -> None:
    Purges(purged.settings).purge(read_case("mab:26-40104"), reason="sealed", by="pat")
    again = docket_rows(list(purged.cases.values()), NOON + timedelta(days=9))

    rows = docket_filter(purged.settings)(again)

    texts = " ".join(row.body.lower() for row in rows)
    assert not any(needle in texts for needle in [*purged.owner.needles, *SEALED])
    assert {row.docket_id for row in rows} == {71_000_001, 71_000_003}
    assert SPOUSE in " ".join(row.body for row in rows)
    stranger = [row for row in again if row.docket_id == 71_000_003]
    assert [row for row in rows if row.docket_id == 71_000_003] == stranger, "others pass untouched"
    is_purged = docket_test(purged.settings)
    assert {row.docket_id for row in again if is_purged(row)} == {71_000_002, 71_000_004}


def test_a_new_case_of_somebody_purged_by_address_is_known_by_it(purged: Planted) -> None:
    new = replace(purged.cases["alone"], docket_id=71_000_009, docket_number="26-40999")
    clean = docket_filter(purged.settings)

    first = clean(docket_rows([new]))
    only_the_hit = [row for row in docket_rows([new]) if row.endpoint == "search"]

    assert first == []
    assert clean(only_the_hit) == [], "now the docket is known, whatever tells of it"


def test_a_case_of_one_debtor_goes_whole_whoever_else_a_search_lists(planted: Planted) -> None:
    official = SampleParty("Orla Vesperby", "Assistant U.S. Trustee")
    alone = planted.cases["alone"]
    listed = replace(
        alone, docket_id=71_000_010, docket_number="26-40910", parties=(*alone.parties, official)
    )
    Purges(planted.settings).purge(
        read_person(planted.owner.name, cases=["mab:26-40910"]), reason="expunged", by="pat"
    )
    hits = [row for row in docket_rows([listed]) if row.endpoint == "search"]

    assert docket_filter(planted.settings)(hits) == []


def test_a_joint_case_is_stripped_where_its_rows_come_one_by_one(purged: Planted) -> None:
    rows = docket_rows([purged.cases["joint"]], NOON + timedelta(days=9))
    clean = docket_filter(purged.settings)

    parts = [clean([row], [other for other in rows if other is not row]) for row in rows]

    assert [len(part) for part in parts] == [1] * len(rows)
    assert not any(needle in part[0].body.lower() for part in parts for needle in purged.owner.needles)


def test_matches_of_a_withheld_owner_are_not_published(planted: Planted, purged: Planted) -> None:
    entry = planted.lake.snapshot(tables.CASE_MATCHES).partitions["town_id=999"]
    rows = read_version(planted.lake, entry.data.path)
    assert match_filter(planted.settings)(rows) is rows

    left = match_filter(purged.settings)(rows)

    assert 0 < left.num_rows < rows.num_rows
    assert planted.owner.name not in left["party_name"].to_pylist()


def test_a_sealed_case_is_gone_by_number_and_by_name(planted: Planted) -> None:
    assert len(places_that_say(planted, SEALED)) > 5

    Purges(planted.settings).purge(read_case("MAB:1:26-bk-40104"), reason="sealed", by="pat")

    assert places_that_say(planted, SEALED) == []
    assert places_that_say(planted, planted.owner.needles), "nobody else is touched"
    assert_sound(planted)


def test_a_case_that_is_not_here_yet_stays_out(planted: Planted) -> None:
    report = Purges(planted.settings).purge(read_case("mab:26-50000"), reason="sealed", by="pat")
    later = replace(planted.cases["stranger"], docket_id=72_000_000, docket_number="26-50000")
    clean = docket_filter(planted.settings)

    assert not report.anything
    assert clean(docket_rows([later])) == []
    lone = [row for row in docket_rows([later]) if row.endpoint == "parties"]
    assert clean(lone) == [], "its docket was learned from the row that told the number"


def test_answers_that_wait_keep_what_is_of_others(purged: Planted) -> None:
    waiting = [answer for _, answer in CourtAnswers(purged.lake.store).waiting()]

    by_endpoint = {answer.endpoint: answer for answer in waiting}
    assert len(waiting) == 2
    found = {hit["docket_id"] for hit in by_endpoint["search"].document["results"]}
    assert found == {71_000_001, 71_000_003, 71_000_004}
    parties = by_endpoint["parties"]
    assert [one["name"] for one in parties.document["results"]] == [SPOUSE, "Percival Sorrelby"]
    assert parties.about == parties_answer(purged.cases["joint"]).about


def test_a_delivery_can_still_be_read_and_keeps_other_owners(purged: Planted, tmp_path: Path) -> None:
    receipt = read_receipt(purged.lake.store, f"{purged.settings.batch_results_dir}/d-1/receipt.json")
    (text,) = open_archived(purged.lake.store, receipt, tmp_path / "opened")

    _, mine, other = text.path.read_text(encoding="utf-8").splitlines()
    assert mine.split("\t")[3:5] == ["", ""]
    assert mine.split("\t")[1] == purged.owner.site_address
    assert other.split("\t")[3] == STRANGER.upper()


def test_a_later_batch_of_attom_is_landed_without_the_owner(purged: Planted) -> None:
    owner, known = purged.owner, load_purged(purged.settings)
    assert known is not None
    by_address = AttomProperty(
        attom_id=999_999, site_address=owner.site_address, site_zip=owner.zip, municipality="SAMPLETON",
        owner_1=f"{owner.last} {owner.first}", owner_source="detail", mailing_address=owner.site_address,
    )  # fmt: skip
    namesake = replace(by_address, attom_id=999_998, site_address="77 ELSEWHERE RD")

    clean = clean_properties(known, as_table([by_address, namesake]))

    assert clean is not None
    assert [row["owner_1"] for row in clean.rows.to_pylist()] == [None, namesake.owner_1]
    assert clean.rows["mailing_address"].to_pylist() == [None, owner.site_address]


def test_lists_lose_the_property_and_keep_their_reasons(purged: Planted) -> None:
    with database.session(purged.settings) as session:
        saved = saved_lists.find(session, "mailing")
        assert saved.members == 0
        events = saved_lists.events(session, saved.id)
    assert (events[-1].event, events[-1].reason) == ("went", WITHHELD)
    with SavedLists(purged.settings) as lists:
        lists.refresh("by owner")
    with database.session(purged.settings) as session:
        assert saved_lists.find(session, "by owner").members == 0, (
            "a filter without its name must not find all"
        )


def test_exports_that_do_not_show_the_owner_stay(purged: Planted) -> None:
    folder = purged.settings.data_dir / "exports"

    left = sorted(path.name for path in folder.iterdir())
    assert left == ["exempt.csv", "exempt.csv.leadflow.json", "nobody.csv", "nobody.csv.leadflow.json"]
    criteria = json.loads((folder / "nobody.csv.leadflow.json").read_text(encoding="utf-8"))["criteria"]
    assert criteria["owner"] == "[removed]"


def test_only_hashes_are_kept(purged: Planted) -> None:
    with database.session(purged.settings) as session:
        (purge,) = purges.all_purges(session)
        known = purges.load(session)
    assert (purge.kind, purge.reason, purge.requested_by) == ("person", "opt_out", "pat")
    assert purge.finished_at is not None
    assert not {"name", "word", "number"} & {kind for kind, values in known.keys.items() if values}
    state = purged.settings.data_dir / "state.sqlite"
    assert purged.owner.last.encode() not in state.read_bytes().upper()


def test_two_owners_of_one_name_are_two_people(planted: Planted) -> None:
    """Somebody of the same name at another address keeps everything."""
    elsewhere = read_person(planted.owner.name, address="77 Elsewhere Rd", town_id=SAMPLETON.town_id)

    report = Purges(planted.settings).purge(elsewhere, reason="opt_out", by="pat")

    tables_touched = {place for place in report.counts if place.startswith(("core.", "mart.", "raw."))}
    assert tables_touched == set()
    assert town_rows(planted, tables.PROPERTIES) != []
    assert len(places_that_say(planted, planted.owner.needles)) > 25


def test_a_person_purged_from_a_case_keeps_the_property(planted: Planted) -> None:
    person = read_person(planted.owner.name, cases=["mab:26-40101"])

    Purges(planted.settings).purge(person, reason="expunged", by="pat")

    rows = court_rows(planted.lake, tables.COURT_CASES)
    assert [row["case_name"] for row in rows if row["docket_number"] == "26-40101"] == [SPOUSE]
    assert [row["case_name"] for row in rows if row["docket_number"] == "26-40102"] == [planted.owner.name]
    mine = [r for r in town_rows(planted, tables.PROPERTIES) if r["property_id"] == planted.owner.property_id]
    assert mine[0]["owner_name"] != WITHHELD


def test_purging_twice_changes_nothing_more(purged: Planted) -> None:
    service = Purges(purged.settings)
    snapshots = {t.name: SnapshotLog(purged.lake.store, t.name).numbers() for t in tables.TABLES}

    again = service.purge(the_owner(purged), reason="opt_out", by="pat")

    assert not again.anything
    assert {t.name: SnapshotLog(purged.lake.store, t.name).numbers() for t in tables.TABLES} == snapshots
    assert service.resume() == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: read_person("Ezra", address="1 Elm St", town_id=999),
        lambda: read_person("Ezra Coralshaw"),
        lambda: read_person("Ezra Coralshaw", address="1 Elm St"),
        lambda: read_person("Ezra Coralshaw", town_id=999),
        lambda: read_person("Ezra Coralshaw", properties=["Coralshaw"]),
        lambda: read_person("Ezra Coralshaw", cases=["Coralshaw v. Bank"]),
        lambda: read_case("Coralshaw"),
        lambda: read_case("mab:---"),
    ],
)
def test_wrong_requests_are_refused_without_quoting_them(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError) as refusal:
        make()
    assert "Coralshaw" not in str(refusal.value)
    assert "Ezra" not in str(refusal.value)


def test_the_commands(
    planted: Planted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(planted.settings.data_dir))
    monkeypatch.setenv("MASSGIS_LIVE_FETCH_ENABLED", "false")
    owner = planted.owner
    asked = ["purge", "person", "--name", owner.name, "--property", owner.property_id, "--reason", "opt_out"]

    assert main([*asked, "--dry-run", "--json"]) == 0
    counted = json.loads(capsys.readouterr().out)
    assert counted["purge_id"] is None
    assert counted["counts"]["mart.properties: changed"] == 1
    assert main([*asked, "--by", "pat"]) == 0
    told = capsys.readouterr()
    assert not any(needle in (told.out + told.err).lower() for needle in owner.needles)
    assert main(["purge", "list", "--json"]) == 0
    (listed,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (listed["id"], listed["kind"], listed["requested_by"]) == (1, "person", "pat")
    assert main(["purge", "resume"]) == 0
    assert main(["purge", "case", "mab:26-40104", "--reason", "opt_out"]) == 2
    assert main(["purge", "person", "--name", owner.name, "--reason", "opt_out"]) == 2
    assert main(["search", "--town", "999", "--owner", owner.last, "--json"]) == 0
    assert owner.property_id not in capsys.readouterr().out
    assert_gone(planted)


def test_a_store_that_refuses_leaves_a_purge_to_be_finished(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise LeadflowError("The store refuses.")

    with monkeypatch.context() as broken:
        broken.setattr(SnapshotLog, "replace", refuse)
        with pytest.raises(LeadflowError):
            Purges(planted.settings).purge(the_owner(planted), reason="opt_out", by="pat")
    with database.session(planted.settings) as session:
        assert len(purges.all_purges(session, unfinished=True)) == 1

    (report,) = Purges(planted.settings).resume()

    assert report.purge_id == 1
    assert_gone(planted)
    assert_sound(planted)


def test_a_batch_is_landed_without_purged_owners(planted: Planted, purged: Planted, tmp_path: Path) -> None:
    """The hook of every transport: both files, and nothing where nobody is purged."""
    owner = planted.owner
    record = AttomProperty(
        attom_id=1, site_address=owner.site_address, site_zip=owner.zip, owner_1=owner.name
    )
    properties = as_table([record]).add_column(0, "batch_id", pa.array(["b-7"]))
    answer = {"batch_id": "b-7", "request_number": 1, "property_id": owner.property_id, "endpoint": "detail",
              "outcome": "returned", "reports": 1, "from_cache": False, "request_id": "cd34",
              "body": attom_body(owner)}  # fmt: skip
    results = pa.Table.from_pylist([answer], schema=tables.ATTOM_RESULTS.schema)

    def landed(lake: Planted) -> Landed:
        body = gzip.compress(b"{}\n" + attom_body(owner).encode(), mtime=0)
        lake.lake.store.put_new(archive_key("cd34"), body)
        pq.write_table(results, tmp_path / "results.parquet")
        pq.write_table(properties, tmp_path / "properties.parquet")
        made = Landed(tmp_path / "results.parquet", tmp_path / "properties.parquet", Outcomes(returned=1), 1)
        return landed_without_purged(lake.settings, lake.lake, "b-7", made)

    assert pq.read_table(landed(planted).results).equals(results)

    made = landed(purged)

    assert made.properties is not None
    (row,) = pq.read_table(made.properties).to_pylist()
    assert (row["owner_1"], row["site_address"]) == (None, owner.site_address)
    body = pq.read_table(made.results)["body"][0].as_py().lower()
    assert not any(needle in body for needle in owner.needles)
    assert STRANGER.lower() in body
    assert places_that_say(purged, owner.needles) == [], "the archived answer is clean as well"
