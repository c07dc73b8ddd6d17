"""Purging reaches what was made of properties and cases: scores, leads, events, and what was told of them.

A lake with two releases of Sampleton, cases at homes there, scores and leads in two versions, events, a
watched list and exports. All people are made up.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.domain.purging import WITHHELD
from leadflow_assets.enrich.changes.messages import digest, letter, webhook_payload
from leadflow_assets.enrich.changes.service import build
from leadflow_assets.enrich.changes.telling import plan_messages, tell
from leadflow_assets.enrich.leads.adding import add_properties, set_status
from leadflow_assets.enrich.leads.export import export_leads
from leadflow_assets.enrich.leads.reading import find_leads
from leadflow_assets.enrich.leads.service import make_leads
from leadflow_assets.enrich.leads.service import outdated as leads_outdated
from leadflow_assets.enrich.purge import service
from leadflow_assets.enrich.purge.service import Purges
from leadflow_assets.enrich.purge.target import PersonTarget, read_case, read_person
from leadflow_assets.enrich.scores.service import outdated, score_towns
from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import SnapshotLog
from leadflow_assets.lake.tables import DISTRESS_SCORES, LEADS, PROPERTIES, Table
from leadflow_assets.sampleton import Planted as Package
from leadflow_assets.search.changes import ChangeQuery, find_changes
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.search.exports.search import export_search
from leadflow_assets.search.index import build_index
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.settings import Settings
from leadflow_assets.state import change_alerts, database, saved_lists
from leadflow_assets.state import leads as states
from leadflow_assets_tests.integration.changes_helpers import (
    events_of,
    match,
    publish_matches,
    publish_release,
    write_releases,
)
from leadflow_assets_tests.integration.pipeline_helpers import settings_for
from leadflow_assets_tests.integration.purge_helpers import Owner, Planted, places_that_say, read_version
from leadflow_assets_tests.integration.test_purge import assert_sound
from leadflow_assets_tests.integration.unified_helpers import rows_of

Row = dict[str, Any]
EARLY, NOON = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC)
BANKRUPTCY, EVICTION, OTHER = "mab:26-40777", "mahousct:26H85CV000123", "mab:26-40888"
# Days on which nothing else in Sampleton happened.
FILED, EVICTED = date(2026, 7, 13), date(2026, 8, 19)
DAYS = {day: [day.isoformat(), repr(day)] for day in (FILED, EVICTED)}


@dataclass(frozen=True)
class Lived:
    """A lake with a past, the properties that are looked at, and the release that comes next."""

    settings: Settings
    owner: Owner
    bankrupt: str
    landlord: str
    other: str
    third: tuple[Path, Package]

    def with_settings(self, settings: Settings) -> Lived:
        """The same in a copy."""
        return Lived(settings, self.owner, self.bankrupt, self.landlord, self.other, self.third)

    def places_that_say(self, needles: Sequence[str]) -> list[str]:
        """Where one of the texts stands, in every byte of the data folder."""
        return places_that_say(Planted(self.settings, self.owner), needles)

    def purge(self, what: Any, reason: str = "other", **more: Any) -> dict[str, int]:
        """Purge it; counts by place."""
        return dict(Purges(self.settings).purge(what, reason=reason, by="pat", **more).counts)


def homes(settings: Settings) -> list[Row]:
    """Homes of one person each that nothing is told of, in order."""
    return [
        row
        for row in sorted(rows_of(settings, "mart/properties"), key=lambda row: row["property_id"])
        if row["owner_type"] == "person"
        and row["owner_count"] == 1
        and row["occupancy"] == "owner_occupied"
        and row["mailing_key"]
        and len((row["owner_key"] or "").split()) == 2
    ]


def rare_seller(settings: Settings, sold: Sequence[str]) -> Owner:
    """Who sold a home between the releases, with a name that nobody else has."""
    rows = rows_of(settings, "mart/properties")
    names = " | ".join(str(row["owner_name"]) for row in rows)
    here = {row["property_id"]: row for row in rows}
    for property_id in sold:
        row = here[property_id]
        words = (row["owner_key"] or "").split()
        if row["owner_type"] == "person" and row["owner_count"] == 1 and len(words) == 2:
            last, first = words
            if names.count(f"{last}, {first}") + names.count(f"{first} {last}") <= 1:
                key = row["address_key"]
                return Owner(property_id, first, last, row["site_address"], row["zip"], key, 1)
    raise AssertionError("nobody of a rare name sells any more")


def build_events(settings: Settings, now: datetime, **more: Any) -> None:
    """Bring the events up to date; a score of ten points counts as crossed."""
    build(settings, now=now, scores=DISTRESS_SCORES, thresholds=(10.0,), **more)


@pytest.fixture(scope="module")
def lived_once(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("lived")
    first, second, third = write_releases(folder, 3)
    settings = settings_for(folder / "data", leadflow_demo=True)
    publish_release(settings, first[0])
    changed = [f"999-{case['PROP_ID']}" for case in second[1].quirks["owner_changed"]]
    owner = rare_seller(settings, changed)
    bankrupt, landlord, other = (row["property_id"] for row in homes(settings)[:3])
    later = [f"999-{case['PROP_ID']}" for case in third[1].quirks["sale"]]
    assert not {bankrupt, landlord, other} & {*changed, *later}
    matches = [
        match(bankrupt, BANKRUPTCY, tier="confirmed", probability=0.97, date_filed=FILED),
        match(landlord, EVICTION, tier="confirmed", probability=0.97, date_filed=EVICTED, court="mahousct",
              case_type="eviction", party_role="plaintiff", expires_on=date(2099, 1, 1)),
        match(other, OTHER, tier="confirmed", probability=0.97),
    ]  # fmt: skip
    score_towns(settings)
    build_events(settings, EARLY)
    add_properties(settings, [owner.property_id], by="ada")
    make_leads(settings)
    publish_matches(settings, matches)
    score_towns(settings)
    make_leads(settings)
    leads = {own["property_id"]: row for row in rows_of(settings, "mart/leads") for own in row["properties"]}
    for property_id in (owner.property_id, bankrupt):
        set_status(settings, [leads[property_id]["lead_id"]], "contacted", by="ada", note="rang at noon")
    with SavedLists(settings, clock=lambda: EARLY) as lists:
        lists.save_static("watched", [owner.property_id, bankrupt, landlord, other])
    publish_release(settings, second[0])
    score_towns(settings)
    make_leads(settings)
    build_events(settings, NOON)
    with database.session(settings) as session:
        saved = saved_lists.find(session, "watched")
        change_alerts.start_watch(session, saved.id, "webhook", "now", kinds=None, now=EARLY)
        session.commit()
    plan_messages(settings, now=NOON)
    build_index(Lake(settings))
    export_leads(settings, settings.data_dir / "leads.csv")
    export_leads(settings, settings.data_dir / "leads.xlsx")
    with open_searcher(settings, engine="parquet") as searcher:
        for name, owned in (("mine", bankrupt), ("other", other)):
            export_search(
                searcher, SearchCriteria(property_ids=(owned,)), settings.data_dir / f"{name}.csv", "csv"
            )
    return Lived(settings, owner, bankrupt, landlord, other, third)


@pytest.fixture
def lived(clean_environment: None, lived_once: Lived, tmp_path: Path) -> Lived:
    """A copy of that lake and its state."""
    # With its hard links.
    subprocess.run(["cp", "-a", str(lived_once.settings.data_dir), str(tmp_path / "data")], check=True)
    return lived_once.with_settings(settings_for(tmp_path / "data", leadflow_demo=True))


def current(settings: Settings, table: Table) -> dict[str, Row]:
    """The town's current rows by property."""
    return {row["property_id"]: row for row in rows_of(settings, table.name)}


def versions(settings: Settings, table: Table) -> list[list[Row]]:
    """The rows of every version that is kept, the oldest first."""
    lake = Lake(settings)
    log = SnapshotLog(lake.store, table.name)
    entries = [entry for number in log.numbers() for entry in log.read(number).partitions.values()]
    return [read_version(lake, entry.data.path).to_pylist() for entry in entries]


def test_nothing_is_left_of_a_sealed_case_in_what_was_made_with_it(lived: Lived) -> None:
    settings = lived.settings
    before = current(settings, DISTRESS_SCORES)
    assert before[lived.bankrupt]["factors"] == ["bankruptcy"]
    needles = ["26-40777", *DAYS[FILED]]
    said = lived.places_that_say(needles)
    for part in ("_versions/mart/distress_scores", "_versions/mart/leads", "_versions/mart/property_changes"):
        assert any(part in place for place in said), part
    mine = [row for row in events_of(settings) if row["property_id"] == lived.bankrupt]
    assert {row["kind"] for row in mine} == {"case_matched", "score_crossed"}
    told = [row["event_id"] for row in mine]
    counted = lived.purge(read_case(BANKRUPTCY), "sealed", dry_run=True)

    counts = lived.purge(read_case(BANKRUPTCY), "sealed")

    assert {k: v for k, v in counts.items() if k != "search index"} == counted
    assert lived.places_that_say(needles) == []
    after = current(settings, DISTRESS_SCORES)
    assert (after[lived.bankrupt]["score"], after[lived.bankrupt]["factors"]) == (0.0, [])
    assert {k: v for k, v in after.items() if k != lived.bankrupt} == {
        k: v for k, v in before.items() if k != lived.bankrupt
    }, "nobody else's score is touched"
    past = [
        row["factors"]
        for rows in versions(settings, DISTRESS_SCORES)
        for row in rows
        if row["property_id"] == lived.bankrupt
    ]
    assert past and not any(past), "the score from before the case stays, the one with it is gone"
    shown = {own["property_id"] for row in rows_of(settings, "mart/leads") for own in row["properties"]}
    assert lived.bankrupt not in shown and lived.landlord in shown
    with open_searcher(settings) as searcher:
        found = searcher.search(SearchCriteria(signals=("bankruptcy",)))
    assert lived.bankrupt not in found.rows["property_id"].to_pylist()
    build_events(settings, NOON + timedelta(days=1))
    events = {row["property_id"] for row in events_of(settings)}
    assert lived.bankrupt not in events, "and that the score fell would tell of it too"
    assert lived.other in events
    with database.session(settings) as session:
        assert told and change_alerts.forget(session, told) == 0, "that it was told is forgotten"
    left = {path.name for path in settings.data_dir.glob("*.csv")} | {
        path.name for path in settings.data_dir.glob("*.xlsx*")
    }
    assert left == {"other.csv"}
    assert outdated(settings) is None or score_towns(settings).towns_changed == ()
    assert leads_outdated(settings) is None
    assert lived.purge(read_case(BANKRUPTCY), "sealed") == {}
    assert_sound(Planted(settings, lived.owner))


def test_an_eviction_that_no_table_names_goes_by_property_and_day(lived: Lived) -> None:
    settings = lived.settings
    assert current(settings, DISTRESS_SCORES)[lived.landlord]["factors"] == ["eviction_plaintiff"]
    assert len(lived.places_that_say(DAYS[EVICTED])) > 3

    lived.purge(read_case(EVICTION), "sealed")

    assert lived.places_that_say(["26h85", *DAYS[EVICTED]]) == []
    assert current(settings, DISTRESS_SCORES)[lived.landlord]["factors"] == []
    assert current(settings, DISTRESS_SCORES)[lived.bankrupt]["factors"] == ["bankruptcy"]
    lead = next(row for row in rows_of(settings, "mart/leads") if row["property_id"] == lived.bankrupt)
    with database.session(settings) as session:
        assert states.history(session, lead["lead_id"]), "nobody else's conversation is forgotten"


def one_owner(row: Row) -> PersonTarget:
    """The only owner of a property as a person would name them."""
    party = row["owners"][0]
    return read_person(f"{party['first']} {party['last']}", properties=[row["property_id"]])


def the_owner(lived: Lived) -> PersonTarget:
    """Who owned the home that changed hands, and was made a lead then."""
    return read_person(lived.owner.name, properties=[lived.owner.property_id])


def test_nothing_is_left_of_an_owner_who_opted_out(lived: Lived) -> None:
    settings, mine = lived.settings, lived.owner.property_id
    (told,) = [row for row in events_of(settings) if row["property_id"] == mine and row["owner_before"]]
    assert told["kind"] == "owner_changed"
    said = lived.places_that_say(lived.owner.needles)
    assert any("_versions/mart/property_changes" in place for place in said)
    assert any("_versions/mart/leads" in place for place in said)

    lived.purge(the_owner(lived), "opt_out")

    assert mine not in {row["property_id"] for row in events_of(settings)}, "it was about owners alone"
    with database.session(settings) as session:
        assert states.additions(session) == []
        assert mine not in {property_id for _, property_id in states.places(session)}
    assert_sound(Planted(settings, lived.owner))
    build_events(settings, NOON, again=True)
    score_towns(settings, force=True)
    make_leads(settings, force=True)
    build_index(Lake(settings), force=True)
    assert lived.places_that_say(lived.owner.needles) == []
    assert mine not in {row["property_id"] for row in events_of(settings)}


@pytest.mark.slow
def test_a_release_that_comes_later_makes_no_event_of_the_withholding(lived: Lived) -> None:
    """One owner stays and is named again, one has sold, and got mail elsewhere as the buyer does."""
    settings = lived.settings
    shutil.rmtree(settings.data_dir / "search")  # nothing here is searched
    here = current(settings, PROPERTIES)
    sold = [here[f"999-{case['PROP_ID']}"] for case in lived.third[1].quirks["sale"]]
    seller = next(row for row in sold if row["occupancy"] in ("absentee_in_state", "absentee_out_of_state"))
    stays = homes(settings)[5]
    for row in (seller, stays):
        lived.purge(one_owner(row), "opt_out")
    before = events_of(settings)

    publish_release(settings, lived.third[0])
    for again in (False, True):
        build_events(settings, NOON + timedelta(days=1), again=again)

    known = {row["event_id"] for row in before}
    new = [row for row in events_of(settings) if row["event_id"] not in known]
    assert len(new) > 10 and known <= {row["event_id"] for row in events_of(settings)}
    (sale,) = [row for row in new if row["property_id"] == seller["property_id"]]
    assert (sale["kind"], sale["owner_before"], sale["mailing_before"]) == ("sale", None, None)
    assert (sale["owner_change"], sale["includes"]) == (None, None)
    assert sale["owner_after"] and sale["owner_after"] != seller["owner_name"]
    assert not any(row["property_id"] == stays["property_id"] for row in new)
    after = current(settings, PROPERTIES)
    assert after[stays["property_id"]]["owner_name"] == WITHHELD
    assert after[seller["property_id"]]["owner_name"] == sale["owner_after"]


def refuse(*_: object, **__: object) -> None:
    raise LeadflowError("The store refuses.")


def test_who_asked_is_in_nothing_that_goes_out_before_the_purge_is_finished(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, mine = lived.settings, lived.owner.property_id
    lead = next(row for row in find_leads(settings).rows.to_pylist() if row["property_id"] == lived.other)
    other = one_owner(current(settings, PROPERTIES)[lived.other])
    with monkeypatch.context() as broken:
        broken.setattr(service, "clean_objects", refuse)
        for what in (the_owner(lived), other, read_case(BANKRUPTCY)):
            with pytest.raises(LeadflowError):
                lived.purge(what)
    assert any(row["owner_before"] for row in events_of(settings) if row["property_id"] == mine)

    found = find_changes(settings, ChangeQuery(list_name="watched"))

    assert lead["lead_id"] not in find_leads(settings).rows["lead_id"].to_pylist()
    export = export_leads(settings, settings.data_dir.parent / "out.csv")
    written = Path(export.path).read_text(encoding="utf-8").lower()
    assert lead["owner_name"].lower() not in written and not any(n in written for n in lived.owner.needles)
    assert not any(event["property_id"] == mine or event.get("case_id") == BANKRUPTCY for event in found)
    mail = letter("watched", "now", NOON.date(), found, owners=True).body + digest("x", found, owners=True)
    assert not any(needle in mail.lower() for needle in lived.owner.needles)
    hook = str(webhook_payload("watched", "now", "k", found))
    sent: list[Any] = []
    tell(settings, webhook=lambda payload, key: sent.append(payload), email=None, now=lambda: NOON)
    assert sent and mine not in str(sent) and mine not in hook
    assert lived.bankrupt not in {
        e["property_id"] for p in sent for e in p["events"] if e["kind"] == "case_matched"
    }


def test_a_purge_that_broke_off_is_finished_with_all_that_was_told(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = lived.settings
    shutil.rmtree(settings.data_dir / "search")
    replace = SnapshotLog.replace
    for what, table in ((read_case(EVICTION), DISTRESS_SCORES), (the_owner(lived), LEADS)):

        def broken(log: SnapshotLog, *args: Any, breaks: Table = table) -> None:
            if log.table == breaks.name:
                refuse()
            replace(log, *args)

        with monkeypatch.context() as patched:
            patched.setattr(SnapshotLog, "replace", broken)
            with pytest.raises(LeadflowError):
                lived.purge(what)

    assert len(Purges(settings).resume()) == 2

    assert lived.places_that_say([*lived.owner.needles, "26h85", *DAYS[EVICTED]]) == []
    with database.session(settings) as session:
        assert lived.owner.property_id not in {property_id for _, property_id in states.places(session)}
    score_towns(settings)
    make_leads(settings)
    assert current(settings, DISTRESS_SCORES)[lived.landlord]["factors"] == []
