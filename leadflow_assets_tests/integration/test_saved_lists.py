"""Saved lists: who is on them, who came and went and why, across releases and beside other processes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.sampleton import PackageSpec, Planted, next_release, write_package
from leadflow_assets.search.criteria import SearchCriteria, criteria_from
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.lists.algebra import combined_ids, parse_expression
from leadflow_assets.search.lists.follow import Followed, follow
from leadflow_assets.search.lists.parcels import ParcelNow
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, saved_lists
from leadflow_assets.state.saved_lists import Member
from leadflow_assets_tests.conftest import process_context
from leadflow_assets_tests.integration.pipeline_helpers import MONROE, refresh, settings_for, write_small
from leadflow_assets_tests.integration.test_state import postgres_url  # noqa: F401  (a fixture)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVERYONE = SearchCriteria(include_condominium_masters=True)


# --- Names and algebra


@pytest.mark.parametrize("name", ["a", "Hot leads (2026)", "A&B_c-1.5", "Élan", "x" * 80])
def test_good_names_are_taken_as_they_are(name: str) -> None:
    assert saved_lists.checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " a",
        "a ",
        ".a",
        "-a",
        "a/b",
        "a\\b",
        "../a",
        "a\nb",
        "a\x00",
        "a:b",
        "x" * 81,
        "and",
        "OR",
        "Not",
    ],
)
def test_bad_names_are_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a list"):
        saved_lists.checked_name(name)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["A"], "a b c"),
        (["A", "and", "B"], "b c"),
        (["A", "AND", "NOT", "B"], "a"),
        (["A", "Or", "D"], "a b c d e"),
        (["A", "not", "B", "or", "D"], "a d e"),
        (["A", "or", "D", "and", "B"], "b c d"),
        (["A and B or D"], "b c d e"),
        (["Hot", "leads", "or", "A"], "a b c h"),
        (["Hot leads", "not", "A"], "h"),
        (["this and that"], "t"),
    ],
)
def test_lists_combine_from_left_to_right(words: Sequence[str], expected: str) -> None:
    known = {"A": "abc", "B": "bcd", "D": "de", "Hot leads": "h", "this and that": "t"}
    steps = parse_expression(words, known.__contains__)
    assert combined_ids([(operator, known[name]) for operator, name in steps]) == set(expected.split())


@pytest.mark.parametrize(
    "words", [[], ["and"], ["A", "and"], ["A", "and", "or", "B"], ["not", "A"], ["A", "or", "not", "B"]]
)
def test_an_expression_without_a_name_is_refused(words: Sequence[str]) -> None:
    with pytest.raises(UsageError, match="missing"):
        parse_expression(words, lambda name: False)


# --- Following, rule by rule

_COLUMNS = ("property_id", "town_id", "prop_id", "cama_id", "loc_id", "address_key", "point_x", "point_y")
_SCHEMA = pa.schema(
    [(c, pa.int32() if c == "town_id" else pa.float64() if "point" in c else pa.string()) for c in _COLUMNS]
)


def a_row(prop_id: str, **changes: Any) -> dict[str, Any]:
    known = {
        "property_id": f"025-{prop_id}", "town_id": 25, "prop_id": prop_id, "cama_id": f"c{prop_id}",
        "loc_id": f"F_{prop_id}", "address_key": f"25|{prop_id}", "point_x": 1000.0 * int(prop_id),
        "point_y": 0.0,
    }  # fmt: skip
    return {**known, **changes}


def a_member(row: dict[str, Any], **changes: Any) -> Member:
    known = {"records_on_parcel": 1, "values_json": "{}", "origin": "added", "added_at": NOON}
    return Member(**{**row, **known, **changes})


def followed(
    members: Sequence[Member],
    now: Sequence[dict[str, Any]],
    before: Sequence[dict[str, Any]] = (),
    places: dict[str, ParcelNow] | None = None,
) -> list[Followed]:
    earlier = {row["property_id"]: row for row in before}
    with duckdb.connect() as connection:
        connection.register("properties", pa.Table.from_pylist(list(now), schema=_SCHEMA))
        return follow(
            connection,
            members,
            {25: "CY26_FY27"},
            earlier=lambda ids: {name: earlier[name] for name in ids if name in earlier},
            parcels=lambda asked: places or {},
        )


def test_who_has_its_id_stays_even_when_all_else_changed_but_nobody_else_claims_it() -> None:
    old = a_row("1")
    changed = a_row("1", cama_id="new", address_key="25|new", point_x=9e5)
    assert [f.how for f in followed([a_member(old)], [changed])] == ["same"]
    assert [f.how for f in followed([a_member(old)], [a_row("1", cama_id="new", loc_id="F_new")])] == ["same"]


@pytest.mark.parametrize(
    ("now", "how"),
    [
        (a_row("1", property_id="025-1~c1"), "PROP_ID"),
        (a_row("9", cama_id="c1", address_key="25|1", point_x=1000.0), "CAMA_ID"),
        (a_row("9", cama_id="c1", address_key=None, point_x=1100.0), "CAMA_ID"),
        (a_row("9", address_key="25|1", point_x=1000.0), "address"),
    ],
)
def test_a_renumbered_property_is_followed(now: dict[str, Any], how: str) -> None:
    (found,) = followed([a_member(a_row("1"))], [now, a_row("7")])
    assert (found.how, found.target) == (how, now["property_id"])
    assert found.reason == f"025-1 is {now['property_id']} now: the same {how}"


def test_a_town_that_shifts_its_numbers_is_followed_by_its_records() -> None:
    """Every PROP_ID means another property now, and each still exists."""
    before = [a_row("1"), a_row("2"), a_row("3")]
    moved = ("address_key", "cama_id", "point_x", "loc_id")
    now = [a_row(str(n + 1), **{name: a_row(str(n))[name] for name in moved}) for n in (1, 2, 3)]
    found = followed([a_member(row) for row in before], now, before)
    assert [(f.how, f.target) for f in found] == [
        ("CAMA_ID", "025-2"), ("CAMA_ID", "025-3"), ("CAMA_ID", "025-4"),
    ]  # fmt: skip


def test_two_records_of_one_number_are_told_apart_by_cama_id() -> None:
    now = [a_row("1", property_id="025-1~c5", cama_id="c5"), a_row("1", property_id="025-1~c1")]
    assert followed([a_member(a_row("1"))], now)[0].target == "025-1~c1"


def test_nothing_ambiguous_or_contradicted_is_followed() -> None:
    twins = [a_row("8", address_key="25|1"), a_row("9", address_key="25|1")]
    assert followed([a_member(a_row("1"))], twins)[0].how == "lost"
    # A new assessor's system gives its own record ids: the same number on another property.
    assert followed([a_member(a_row("1"))], [a_row("9", cama_id="c1")])[0].how == "lost"


def test_a_neighbour_at_the_same_address_is_not_what_became_of_a_lost_record() -> None:
    old, neighbour = a_row("1"), a_row("2", address_key="25|1", point_x=1000.0)
    assert followed([a_member(old)], [neighbour], [old, neighbour])[0].how == "lost"
    assert followed([a_member(old)], [neighbour], [old])[0].target == "025-2"


def test_by_overlap_only_to_the_one_record_there() -> None:
    old, left = a_row("1"), a_row("2")
    member = a_member(old)
    here = {"025-1": ParcelNow("F_2", 1000.0, 500.0)}
    (found,) = followed([member], [left], [old, left], here)
    assert (found.how, found.target) == ("overlap", "025-2")
    assert "merged into that of 025-2 (F_2)" in found.reason
    half = {"025-1": ParcelNow("F_2", 250.0, 500.0)}
    assert "was split" in followed([member], [left], [old], half)[0].reason
    same = {"025-1": ParcelNow("F_2", 500.0, None)}
    assert "the one record on its ground" in followed([member], [left], [old], same)[0].reason
    two = followed([member], [left, a_row("3", loc_id="F_2")], [old], here)[0]
    assert (two.how, "with 2 records" in two.reason) == ("lost", True)
    shared = replace(member, records_on_parcel=2)
    assert "held 2 records" in followed([shared], [left], [old], here)[0].reason
    beside = a_row("2", loc_id="F_1")
    stays = {"025-1": ParcelNow("F_1", 500.0, 500.0)}
    assert "was there beside it" in followed([member], [beside], [old, beside], stays)[0].reason


def test_the_lost_and_the_towns_not_here_say_so() -> None:
    elsewhere = a_member(a_row("5", property_id="026-5", town_id=26))
    lost, absent = followed([a_member(a_row("1")), elsewhere], [a_row("7")])
    assert (lost.how, lost.target) == ("lost", None)
    assert lost.reason.startswith("record left the release CY26_FY27: ")
    assert (absent.how, absent.reason) == ("town not here", "town 26 is not in the lake")


# --- On a lake with two releases of a town


@dataclass(frozen=True)
class TwoReleases:
    """A lake whose Sampleton was published twice; ``first`` is the time of the first release's snapshot."""

    settings: Settings
    first: str
    planted: Planted


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> TwoReleases:
    folder = tmp_path_factory.mktemp("lists")
    settings = settings_for(folder / "data", leadflow_demo=True)
    (folder / "next").mkdir()
    packages = [folder / SAMPLETON.shapefile_zip, folder / "next" / SAMPLETON.shapefile_zip]
    write_package(PackageSpec(), packages[0])
    planted = next_release(PackageSpec(), packages[1])
    assert refresh(settings, SAMPLETON, packages[0]).status == "refreshed"
    first = Lake(settings).snapshot(PROPERTIES).committed_at
    assert refresh(settings, SAMPLETON, packages[1]).status == "refreshed"
    return TwoReleases(settings, first, planted)


def with_state(lake: TwoReleases, url: str) -> Settings:
    return lake.settings.model_copy(update={"database_url": SecretStr(url)})


@pytest.fixture
def settings(lake: TwoReleases, tmp_path: Path) -> Settings:
    """The shared lake with a state database of this test's own."""
    return with_state(lake, f"sqlite:///{tmp_path / 'state.sqlite'}")


@pytest.fixture(scope="module")
def before(lake: TwoReleases) -> Iterator[Searcher]:
    with open_searcher(lake.settings, as_of=lake.first) as searcher:
        yield searcher


@pytest.fixture(scope="module")
def after(lake: TwoReleases) -> Iterator[Searcher]:
    with open_searcher(lake.settings) as searcher:
        yield searcher


def reasons(events: Sequence[saved_lists.Event], event: str) -> dict[str, str]:
    return {line.property_id: line.reason for line in events if line.event == event}


def test_a_dynamic_list_says_who_came_and_why(
    lake: TwoReleases, settings: Settings, before: Searcher, after: Searcher
) -> None:
    criteria = SearchCriteria(sold_after="2024-01-01", min_value=200_000)  # type: ignore[arg-type]
    saved = SavedLists(settings, searcher=before).save_dynamic("Recent", criteria, description="sold")
    assert set(reasons(saved.events, "came").values()) == {"first save of the list"}
    assert saved.saved.members == saved.count("came") == before.count(criteria)
    change = SavedLists(settings, searcher=after).refresh("recent")
    assert [m.property_id for m in SavedLists(settings).members("RECENT")] == after.ids(criteria)
    came = reasons(change.events, "came")
    gained = set(after.ids(criteria)) - set(before.ids(criteria))
    assert set(came) == gained and gained
    known = set(before.ids(EVERYONE))
    for property_id, reason in came.items():
        new = property_id not in known
        assert reason.startswith("new record in release CY26_FY27" if new else "now matches: last_sale_date ")
        assert new or reason.endswith("(filter sold_after 2024-01-01)")
    assert json.loads(change.events[0].detail_json or "{}").get("sold_after")
    again = SavedLists(settings, searcher=after).refresh("recent")
    assert (again.events, again.saved.refresh_no) == ((), change.saved.refresh_no + 1)


def test_a_dynamic_list_of_an_area_searches_it_again(
    settings: Settings, before: Searcher, after: Searcher
) -> None:
    somewhere = before.search(SearchCriteria(), limit=1, columns=("lon", "lat")).rows.to_pylist()[0]
    circle = {"kind": "circle", **somewhere, "radius_m": 300.0, "label": "here"}
    criteria = criteria_from({"areas": [circle]})
    saved = SavedLists(settings, searcher=before).save_dynamic("Around here", criteria)
    assert 0 < saved.saved.members < before.count(SearchCriteria())
    SavedLists(settings, searcher=after).refresh("around here")
    assert [m.property_id for m in SavedLists(settings).members("around here")] == after.ids(criteria)


def test_a_dynamic_list_says_who_went_and_why(settings: Settings, before: Searcher, after: Searcher) -> None:
    ids = before.ids(SearchCriteria())
    values = {
        r["property_id"]: r["total_value"]
        for r in before.properties(ids, ["property_id", "total_value"]).to_pylist()
    }
    now = {
        r["property_id"]: r["total_value"]
        for r in after.properties(ids, ["property_id", "total_value"]).to_pylist()
    }
    fell, old = next((p, v) for p, v in values.items() if v and p in now and now[p] and now[p] < v)
    SavedLists(settings, searcher=before).save_dynamic("dear", SearchCriteria(min_value=old))
    change = SavedLists(settings, searcher=after).refresh("dear")
    went = reasons(change.events, "went")
    assert went[fell] == f"no longer matches: total_value {old:,} -> {now[fell]:,} (filter min_value {old:,})"


def test_reasons_never_hold_an_owner(settings: Settings, before: Searcher, after: Searcher) -> None:
    rows = before.properties(before.ids(SearchCriteria()), ["property_id", "owner_name"]).to_pylist()
    now = after.properties([r["property_id"] for r in rows], ["property_id", "owner_name"]).to_pylist()
    changed = {r["property_id"]: r["owner_name"] for r in now}
    sold = next(
        r for r in rows if r["property_id"] in changed and changed[r["property_id"]] != r["owner_name"]
    )
    word = sold["owner_name"].replace(",", " ").split()[0]
    SavedLists(settings, searcher=before).save_dynamic("family", SearchCriteria(owner=word))
    change = SavedLists(settings, searcher=after).refresh("family")
    went = reasons(change.events, "went")
    assert went[sold["property_id"]] == "no longer matches: owner changed (filter owner)"
    with database.session(settings) as session:
        members = session.execute(text("SELECT values_json FROM saved_list_members")).scalars().all()
        events = session.execute(text("SELECT reason || coalesce(detail_json, '') FROM saved_list_events"))
        told = "\n".join([*members, *events.scalars()]).upper()
    assert not {r["owner_name"] for r in rows if r["owner_name"] and r["owner_name"].upper() in told}


def test_a_static_list_follows_merges_and_marks_what_is_lost(
    lake: TwoReleases, settings: Settings, before: Searcher, after: Searcher
) -> None:
    everyone = before.ids(EVERYONE)
    SavedLists(settings, searcher=before).save_static("all", everyone)
    change = SavedLists(settings, searcher=after).refresh("all")
    (merge,), (vanished,) = (lake.planted.quirks[name] for name in ("merge", "vanished"))
    kept, gone = f"999-{merge['PROP_ID']}", f"999-{merge['gone_PROP_ID']}"
    went = reasons(change.events, "went")
    assert list(went) == [gone]
    assert f"its parcel was merged into that of {kept}" in went[gone]
    assert went[gone].endswith("which is on the list already")
    lost = reasons(change.events, "lost")
    assert list(lost) == [f"999-{vanished['PROP_ID']}"]
    assert change.count("followed") == 0, "a split parcel keeps its number"
    assert (change.saved.members, change.saved.lost) == (len(everyone) - 1, 1)
    members = {m.property_id: m for m in SavedLists(settings).members("all")}
    assert members[f"999-{vanished['PROP_ID']}"].status == "lost"
    (split, *_) = lake.planted.quirks["split"]
    assert members[f"999-{split['PROP_ID']}"].loc_id == split["new_LOC_IDS"][0]
    assert SavedLists(settings, searcher=after).refresh("all").events == ()


def test_a_merged_member_alone_is_followed_to_where_it_went(
    lake: TwoReleases, settings: Settings, before: Searcher, after: Searcher
) -> None:
    (merge,) = lake.planted.quirks["merge"]
    SavedLists(settings, searcher=before).save_static("one", [f"999-{merge['gone_PROP_ID']}"])
    change = SavedLists(settings, searcher=after).refresh("one")
    (line,) = change.events
    assert (line.event, line.property_id) == ("followed", f"999-{merge['PROP_ID']}")
    assert json.loads(line.detail_json or "")["new_loc_id"] == merge["new_LOC_ID"]
    assert [m.property_id for m in SavedLists(settings).members("one")] == [f"999-{merge['PROP_ID']}"]


def test_without_the_earlier_data_it_says_that_it_cannot_tell(
    settings: Settings, before: Searcher, after: Searcher
) -> None:
    criteria = SearchCriteria(sold_after="2024-01-01")  # type: ignore[arg-type]
    saved = SavedLists(settings, searcher=before).save_dynamic("recent", criteria).saved
    with database.session(settings) as session:
        mark = saved.data_json.replace(json.loads(saved.data_json)["towns"]["999"][1], "0" * 64)
        session.execute(text("UPDATE saved_lists SET data_json = :mark"), {"mark": mark})
        session.commit()
    change = SavedLists(settings, searcher=after).refresh("recent")
    assert change.count("came") > 0
    assert set(reasons(change.events, "came").values()) == {
        "matches in release CY26_FY27; its earlier record is not kept any more"
    }
    assert "cannot be told" in change.notes[-1]


def test_a_town_that_comes_to_the_lake_brings_members_and_one_that_leaves_takes_none(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data", leadflow_demo=True)
    refresh(settings, MONROE, write_small(tmp_path, MONROE))
    with SavedLists(settings) as lists:
        lists.save_dynamic("homes", SearchCriteria(categories=("residential",)))
        mine = {m.property_id for m in lists.members("homes")}
    write_package(PackageSpec(parcels=80, quirks=False), tmp_path / SAMPLETON.shapefile_zip)
    refresh(settings, SAMPLETON, tmp_path / SAMPLETON.shapefile_zip)
    with SavedLists(settings) as lists:
        came = reasons(lists.refresh("homes").events, "came")
        assert came and set(came.values()) == {"Sampleton came to the lake with release CY25_FY26"}
    other = settings_for(tmp_path / "other", leadflow_demo=True, database_url=SecretStr(settings.state_url))
    refresh(other, SAMPLETON, tmp_path / SAMPLETON.shapefile_zip)
    with SavedLists(other) as lists:
        change = lists.refresh("homes")
        assert change.events == ()
        assert change.notes == (
            f"{len(mine)} members stay as they were: their towns are not in the lake (190).",
        )
        status = {m.property_id: m.status for m in lists.members("homes")}
    assert {p for p, s in status.items() if s == "town not here"} == mine
    with SavedLists(settings) as lists:
        assert lists.refresh("homes").events == ()
        assert {m.status for m in lists.members("homes")} == {"present"}


def test_a_lost_member_that_is_there_again_is_told(
    lake: TwoReleases, settings: Settings, before: Searcher, after: Searcher
) -> None:
    (vanished,) = lake.planted.quirks["vanished"]
    property_id = f"999-{vanished['PROP_ID']}"
    SavedLists(settings, searcher=before).save_static("one", [property_id])
    SavedLists(settings, searcher=after).refresh("one")
    back = SavedLists(settings, searcher=before).refresh("one")
    assert reasons(back.events, "followed") == {property_id: "is there again in release CY25_FY26"}
    assert back.saved.lost == 0


def test_a_filter_on_another_list_explains_itself(settings: Settings) -> None:
    with SavedLists(settings) as lists:
        _check_a_filter_on_another_list(lists)


def _check_a_filter_on_another_list(lists: SavedLists) -> None:
    first, second = lists.searcher.ids(SearchCriteria())[:2]
    lists.save_static("picked", [first])
    lists.save_dynamic("on it", SearchCriteria(lists=("picked",)))
    lists.add("picked", [second])
    lists.remove("picked", [first])
    change = lists.refresh("on it")
    assert reasons(change.events, "came") == {
        second: "now matches: its record is as it was: the filters depend on today's date or on another list"
    }
    assert reasons(change.events, "went") == {
        first: "no longer matches: this filter decides it (filter lists picked)"
    }


# --- By hand


def test_add_and_remove_are_checked_and_logged(settings: Settings, after: Searcher) -> None:
    clock = iter(NOON + timedelta(minutes=n) for n in range(100))
    lists = SavedLists(settings, searcher=after, clock=lambda: next(clock))
    ids = after.ids(SearchCriteria())[:4]
    lists.save_static("picked", ids[:2])
    added = lists.add("PICKED", [*ids[1:], ids[3]])
    assert sorted(reasons(added.events, "came")) == ids[2:]
    assert added.notes == ("1 are on the list already.",)
    removed = lists.remove("picked", [ids[0]])
    assert reasons(removed.events, "went") == {ids[0]: "removed by hand"}
    assert [m.property_id for m in lists.members("picked")] == ids[1:]
    lists.add("picked", [ids[0]])
    assert [line.event for line in lists.diff("picked")] == ["came"] * 4 + ["went", "came"]
    assert len(lists.diff("picked", since=removed.saved.updated_at)) == 2
    with pytest.raises(UsageError, match=r"7 of the ids are not in the lake: x0, x1, x2, x3, x4 and 2 more"):
        lists.add("picked", [f"x{n}" for n in range(7)])
    with pytest.raises(UsageError, match="1 of the ids is not on the list 'picked': 999-no"):
        lists.remove("picked", ["999-no", ids[0]])
    assert len(lists.members("picked")) == 4


def test_a_dynamic_list_is_not_changed_by_hand(settings: Settings, after: Searcher) -> None:
    lists = SavedLists(settings, searcher=after)
    lists.save_dynamic("all", SearchCriteria(max_value=300_000))
    (first, *_) = lists.members("all")
    for change in (lists.add, lists.remove):
        with pytest.raises(UsageError, match="is dynamic"):
            change("all", [first.property_id])


def test_a_name_is_unique_in_any_case_even_archived(settings: Settings, after: Searcher) -> None:
    lists = SavedLists(settings, searcher=after)
    some = after.ids(SearchCriteria())[:2]
    lists.save_static("Élan", some)
    lists.archive("ÉLAN")
    assert lists.all() == []
    assert [saved.name for saved in lists.all(archived=True)] == ["Élan"]
    with pytest.raises(UsageError, match=r"There is a list 'Élan' already \(archived\)"):
        lists.save_static("élan", some)
    for change in (
        lambda: lists.refresh("élan"),
        lambda: lists.add("élan", some),
        lambda: lists.remove("élan", some),
    ):
        with pytest.raises(UsageError, match="is archived"):
            change()
    assert lists.restore("élan").archived_at is None
    assert lists.restore("élan").members == 2
    with pytest.raises(UsageError, match="There is no list 'nope'") as refused:
        lists.refresh("nope")
    assert "Élan" in refused.value.hint


def test_combining_keeps_members_as_they_are_and_says_where_from(settings: Settings, after: Searcher) -> None:
    lists = SavedLists(settings, searcher=after)
    ids = after.ids(SearchCriteria())[:5]
    lists.save_static("A one", ids[:4])
    lists.save_static("B", ids[2:])
    made = lists.combine("both", ["A", "one", "AND", "b"])
    assert (made.saved.kind, made.saved.note) == ("static", "A one AND B")
    assert [m.property_id for m in lists.members("both")] == ids[2:4]
    assert set(reasons(made.events, "came").values()) == {"combined: A one AND B"}
    assert {m.origin for m in lists.members("both")} == {"combined"}
    assert lists.combine("rest", ["A one", "not", "B"]).saved.members == 2
    assert lists.combine("every", ["A one or B"]).saved.members == 5
    assert lists.refresh("every").events == ()
    with pytest.raises(UsageError, match="There is no list 'C'"):
        lists.combine("wrong", ["B", "or", "C"])


def test_an_empty_lake_is_said(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, leadflow_demo=True)
    with SavedLists(settings) as lists, pytest.raises(LeadflowError, match="There is no data at all yet"):
        lists.save_dynamic("all", SearchCriteria())
    assert SavedLists(settings).all() == []


# --- Imports


def test_an_import_makes_a_list_of_exact_matches_and_reports_every_row(
    settings: Settings, after: Searcher, tmp_path: Path
) -> None:
    rows = after.properties(after.ids(SearchCriteria()), ["property_id", "site_address", "unit"]).to_pylist()
    plain = [r for r in rows if r["site_address"] and r["site_address"][0].isdigit() and not r["unit"]][:40]
    path = tmp_path / "mailing.csv"
    lines = [f"{r['site_address']};Sampleton;n{n}" for n, r in enumerate(plain)]
    path.write_bytes(
        "\r\n".join(["Site Address;Town;Note", *lines, "1 Nowhere Ln;Sampleton;x"]).encode("utf-16")
    )
    lists = SavedLists(settings, searcher=after)
    dry = lists.save_import("m", path, dry_run=True)
    assert (dry.change, dry.report, lists.all()) == (None, None, [])
    done = lists.save_import("m", path)
    assert done.change is not None
    assert done.counts == dry.counts
    assert sum(done.counts.values()) == 41
    assert done.counts["exact"] > 20
    assert done.read_as.startswith("41 rows, UTF-16, semicolon between 3 columns")
    members = lists.members("m")
    assert {m.origin for m in members} == {"import exact"}
    assert len(members) == done.counts["exact"] == done.change.saved.members
    right = {r["property_id"] for r in plain}
    assert {m.property_id for m in members} <= right, "no exact match is wrong"
    assert done.change.saved.source_file == "mailing.csv"
    assert done.report is not None and done.report.read_text("utf-8-sig").count("\n") == 42
    assert lists.import_report("m") == list(done.rows)
    assert lists.refresh("m").events == ()


def test_probable_matches_are_members_only_when_accepted(
    settings: Settings, after: Searcher, tmp_path: Path
) -> None:
    rows = after.properties(after.ids(SearchCriteria()), ["property_id", "prop_id"]).to_pylist()
    single = [r for r in rows if r["property_id"] == f"999-{r['prop_id']}"][:3]
    path = tmp_path / "ids.csv"
    path.write_text("Parcel ID\n" + "\n".join(r["prop_id"] for r in single) + "\n")
    lists = SavedLists(settings, searcher=after)
    assert lists.save_import("strict", path, report=tmp_path / "r.csv").counts["probable"] == 3
    assert (lists.members("strict"), (tmp_path / "r.csv").is_file()) == ([], True)
    lists.save_import("loose", path, accept_probable=True)
    assert {m.origin for m in lists.members("loose")} == {"import probable"}
    lists.save_import("placed", path, town="sampleton")
    assert {m.origin for m in lists.members("placed")} == {"import exact"}


# --- Several processes, and kills


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, lake: TwoReleases, tmp_path: Path) -> Iterator[Settings]:
    """The lake with an empty state database on each server in turn."""
    if request.param == "sqlite":
        yield with_state(lake, f"sqlite:///{tmp_path / 'state.sqlite'}")
        return
    settings = with_state(lake, request.getfixturevalue("postgres_url"))
    yield settings
    engine = database.open_engine(settings)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    database._engines.clear()


def _refresh_in_a_process(settings: Settings, barrier: Any) -> None:
    with SavedLists(settings) as lists:
        lists.searcher.count(EVERYONE)
        barrier.wait(120)
        lists.refresh("all")
        lists.refresh("recent")


@pytest.mark.slow
def test_processes_that_refresh_at_once_write_each_change_once(
    lake: TwoReleases, shared: Settings, before: Searcher
) -> None:
    (merge,), (vanished,) = (lake.planted.quirks[name] for name in ("merge", "vanished"))
    changed = [merge["PROP_ID"], merge["gone_PROP_ID"], vanished["PROP_ID"]]
    lists = SavedLists(shared, searcher=before)
    lists.save_static("all", [*before.ids(EVERYONE)[:20], *(f"999-{prop_id}" for prop_id in changed)])
    lists.save_dynamic("recent", SearchCriteria(sold_after="2024-01-01"))  # type: ignore[arg-type]
    context = process_context()
    barrier = context.Barrier(2)
    workers = [context.Process(target=_refresh_in_a_process, args=(shared, barrier)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(240)
    assert [worker.exitcode for worker in workers] == [0, 0]
    for name, kinds in (("all", {"went", "lost"}), ("recent", {"came"})):
        told = [e for e in lists.diff(name, since=datetime(2000, 1, 1, tzinfo=UTC)) if e.revision > 1]
        assert {e.event for e in told} == kinds
        assert len({(e.property_id, e.event) for e in told}) == len(told)
        assert lists.find(name).revision == 3


def test_a_refresh_that_dies_before_its_end_leaves_the_old_members(
    settings: Settings, before: Searcher, after: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = SavedLists(settings, searcher=before)
    lists.save_static("all", before.ids(EVERYONE))
    old, members = lists.find("all"), lists.members("all")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saved_lists, "add_events", die)
    with pytest.raises(KeyboardInterrupt):
        SavedLists(settings, searcher=after).refresh("all")
    assert (lists.find("all"), lists.members("all")) == (old, members)


def test_two_lists_of_one_name_are_never_made(shared: Settings, after: Searcher) -> None:
    with database.session(shared) as session:
        saved_lists.create(session, "Same", "static", now=NOON)
        session.commit()
    with database.session(shared) as session:
        with pytest.raises(UsageError, match="already"):
            saved_lists.create(session, "SAME", "static", now=NOON)
        assert saved_lists.create(session, "other", "static", now=NOON) > 0, "the session still works"
