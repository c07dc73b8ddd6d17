"""Search by distress scores: both engines agree with plain Python, and unknown is never found as low."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadflow_assets.cli.app import main
from leadflow_assets.domain.distress import load_table
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.scores.service import score_towns
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.sampleton import Planted
from leadflow_assets.search.columns import SCORE_COLUMNS
from leadflow_assets.search.criteria import SearchCriteria, criteria_from, searched_signals
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.exports.search import export_search
from leadflow_assets.search.index import beside_outdated, build_index, index_path, open_index
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.search.parcel.report import parcel_report
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.case_helpers import a_match, publish_matches
from leadflow_assets_tests.integration.pipeline_helpers import settings_for
from leadflow_assets_tests.integration.search_helpers import SearchLake, make_search_lake
from leadflow_assets_tests.integration.unified_helpers import rows_of

Row = dict[str, Any]
SHOWN = ("property_id", *SCORE_COLUMNS)
GROUPS = {group.name: {factor.name for factor in group.factors} for group in load_table().groups}
TODAY = local_day(datetime.now(UTC))


@dataclass(frozen=True)
class Scored:
    """A lake with two towns, their scores, and the index."""

    lake: SearchLake = field(repr=False)
    rows: dict[str, Row] = field(repr=False)

    def wanted(self, criteria: SearchCriteria) -> list[str]:
        """What the criteria's filters on scores should find, by rules of its own."""
        masters = set(self.lake.frame[self.lake.frame["is_condominium_master"]]["property_id"])
        return sorted(name for name, row in self.rows.items() if meets(row, criteria) and name not in masters)


def meets(row: Row, criteria: SearchCriteria) -> bool:
    scored = row["state"] == "scored"
    names = set().union(*(GROUPS.get(name, {name}) for name in criteria.signals))
    return (
        (not names or bool(names & set(row["factors"] or ())))
        and (criteria.signals_at_least is None or (scored and row["signals"] >= criteria.signals_at_least))
        and (criteria.min_score is None or (scored and row["score"] >= criteria.min_score))
        and (
            criteria.min_coverage is None
            or (row["coverage"] is not None and row["coverage"] >= criteria.min_coverage)
        )
    )


def _case(property_id: str, number: int, kind: str) -> Row:
    more = {"party_role": "decedent"} if kind == "probate" else {}
    return a_match(property_id, number, kind, filed=TODAY - timedelta(20 * number), **more)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Scored:
    lake = make_search_lake(tmp_path_factory.mktemp("score_search"), sample_package[0])
    ids = sorted(lake.frame[lake.frame["owner_type"] == "person"]["property_id"])[::25]
    kinds = ("bankruptcy_petition", "probate", "tax_lien_case", "civil_judgment")
    publish_matches(
        lake.settings,
        [_case(name, n, kinds[n % 4]) for n, name in enumerate(ids)],
    )
    score_towns(lake.settings)
    report = build_index(Lake(lake.settings))
    assert (report.built, report.scores_built) == (False, True)
    rows = [row for town in (190, 999) for row in rows_of(lake.settings, "mart/distress_scores", town)]
    return Scored(lake, {row["property_id"]: row for row in rows})


@pytest.fixture(scope="module")
def engines(here: Scored) -> Iterator[tuple[Searcher, Searcher]]:
    with (
        open_searcher(here.lake.settings, engine="index") as index,
        open_searcher(here.lake.settings, engine="parquet") as parquet,
    ):
        yield index, parquet


@st.composite
def score_criteria(draw: st.DrawFn) -> SearchCriteria:
    """Filters on scores, alone or beside others."""
    makers: dict[str, Any] = {
        "signals": st.lists(st.sampled_from(searched_signals()), min_size=1, max_size=3).map(tuple),
        "signals_at_least": st.integers(1, 5),
        "min_score": st.sampled_from([0, 2, 4, 4.1, 20, 40]),
        "min_coverage": st.sampled_from([0, 0.05, 0.12, 0.3, 0.44, 0.9]),
    }
    names = draw(st.sets(st.sampled_from(sorted(makers)), min_size=1))
    beside: list[dict[str, Any]] = [{}, {}, {"towns": (999,)}, {"min_value": 300_000}]
    more = draw(st.sampled_from(beside))
    return SearchCriteria(**{name: draw(makers[name]) for name in sorted(names)}, **more)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(score_criteria())
def test_both_engines_find_what_plain_python_finds(
    here: Scored, engines: tuple[Searcher, Searcher], criteria: SearchCriteria
) -> None:
    index, parquet = engines
    found = index.ids(criteria)
    assert found == parquet.ids(criteria)
    others = set(index.ids(criteria.model_copy(update=dict.fromkeys(("min_score", "min_coverage")))))
    assert set(found) <= others
    if not criteria.towns and criteria.min_value is None:
        assert found == here.wanted(criteria)
    assert index.count(criteria) == parquet.count(criteria) == len(found)
    a, b = (engine.search(criteria, columns=SHOWN, sort=["-score"]).rows for engine in engines)
    assert a.to_pylist() == b.to_pylist()


def test_every_filter_finds_something(here: Scored, engines: tuple[Searcher, Searcher]) -> None:
    for criteria in (
        SearchCriteria(signals=("insolvency_liens",)),
        SearchCriteria(signals=("estate",)),
        SearchCriteria(signals_at_least=3),
        SearchCriteria(min_score=35),
        SearchCriteria(min_coverage=0.4),
    ):
        found = engines[0].ids(criteria)
        assert 0 < len(found) < 200 and found == here.wanted(criteria)


def test_sorted_by_score_the_better_known_stands_first_and_the_unknown_last(
    here: Scored, engines: tuple[Searcher, Searcher]
) -> None:
    everything = SearchCriteria(include_condominium_masters=True)
    pages = []
    for searcher in engines:
        rows: list[Row] = []
        for offset in range(0, len(here.rows), 400):
            page = searcher.search(everything, sort=["-score"], limit=400, offset=offset, columns=SHOWN)
            assert page.total == len(here.rows)
            rows += page.rows.to_pylist()
        pages.append(rows)
    assert pages[0] == pages[1]
    keys = [
        (
            math.inf if row["score"] is None else -row["score"],
            math.inf if row["score_coverage"] is None else -row["score_coverage"],
            row["property_id"],
        )
        for row in pages[0]
    ]
    assert keys == sorted(keys) and len(set(keys)) == len(here.rows)
    unknown = [row for row in pages[0] if row["score_state"] == "unknown"]
    assert unknown and all(row["score"] is None and row["score_coverage"] == 0 for row in unknown)
    mixed = [s.search(everything, sort=["-score", "-total_value"], limit=50).rows for s in engines]
    assert mixed[0].to_pylist() == mixed[1].to_pylist()


def test_what_is_shown_is_what_is_published(here: Scored, engines: tuple[Searcher, Searcher]) -> None:
    shown = engines[0].search(SearchCriteria(include_condominium_masters=True), limit=5_000, columns=SHOWN)
    for row in shown.rows.to_pylist():
        published = here.rows[row["property_id"]]
        scored = published["state"] == "scored"
        assert row["score"] == (published["score"] if scored else None)
        assert row["score_high"] == (published["high"] if scored else None)
        assert row["score_reasons"] == (", ".join(published["factors"] or ()) or None)
        assert row["score_as_of"] == published["as_of"]


def test_notes_say_what_a_score_is_worth_and_where_there_is_none(
    here: Scored, engines: tuple[Searcher, Searcher], tmp_path: Path
) -> None:
    for searcher in engines:
        (told,) = [n for n in searcher.describe(SearchCriteria(min_score=1)).notes if "score" in n.lower()]
        assert "uncalibrated - ordering only" in told and f"as of {TODAY}" in told
        assert not [n for n in searcher.describe(SearchCriteria(min_value=1)).notes if "score" in n.lower()]
    shutil.copytree(here.lake.settings.data_dir, tmp_path / "data", symlinks=True)
    mine = settings_for(tmp_path / "data", leadflow_demo=True)
    shutil.rmtree(Path(mine.lake_uri, "_log", "mart", "distress_scores"))
    with open_searcher(mine) as searcher:
        (told,) = [n for n in searcher.describe(SearchCriteria(signals_at_least=1)).notes if "score" in n]
        assert "signals_at_least needs distress scores, missing for Monroe, Sampleton: nothing could" in told
        assert searcher.ids(SearchCriteria(signals_at_least=1)) == []
        assert searcher.search(SearchCriteria(), columns=SHOWN).rows.column("score").null_count == 100
    (gap,) = [one for one in parcel_report(mine, SAMPLETON, _parcel(here)).unknowns if "distress" in one.what]
    assert gap.why == "no score has been made yet" and gap.filled_by == "leadflow score run"


def _parcel(here: Scored) -> str:
    best = max(here.rows.values(), key=lambda row: (row["score"] or 0, row["property_id"]))
    return str(best["loc_id"])


def test_new_scores_are_found_though_the_file_beside_the_index_is_old_or_damaged(
    here: Scored, tmp_path: Path
) -> None:
    shutil.copytree(here.lake.settings.data_dir, tmp_path / "data", symlinks=True)
    mine = settings_for(tmp_path / "data", leadflow_demo=True)
    lake = Lake(mine)
    quiet = next(n for n, row in sorted(here.rows.items()) if row["state"] == "scored" and not row["signals"])
    publish_matches(mine, [a_match(quiet, 5_000, "tax_lien_case", filed=TODAY - timedelta(1))])
    score_towns(mine)
    index = open_index(mine)
    assert index is not None
    with index:
        assert beside_outdated(lake, index) is not None
    asked = SearchCriteria(signals=("tax_taking",))
    with open_searcher(mine, engine="index") as searcher:
        assert quiet in searcher.ids(asked)
    assert build_index(lake).scores_built
    with open_searcher(mine, engine="index") as searcher:
        first = searcher.ids(asked)
    path = index_path(mine).parent / "scores.arrow"
    path.write_bytes(path.read_bytes()[:100])
    with open_searcher(mine, engine="index") as searcher:
        assert searcher.ids(asked) == first and quiet in first
    assert build_index(lake).scores_built and not build_index(lake).scores_built


def test_an_unknown_signal_is_an_error_and_criteria_survive_json() -> None:
    with pytest.raises(UsageError, match="there is no signal 'tenure'"):
        criteria_from({"signals": ["tenure"]})
    with pytest.raises(UsageError, match="min-coverage"):
        criteria_from({"min_coverage": 1.5})
    made = criteria_from({"signals": ["Tax-Taking", "foreclosure"], "min_score": 12.5})
    assert made.signals == ("tax_taking", "foreclosure")
    assert criteria_from(json.loads(json.dumps(made.document()))) == made


def test_exports_and_lists_take_scores(here: Scored, tmp_path: Path) -> None:
    asked = SearchCriteria(min_score=35)
    with open_searcher(here.lake.settings) as searcher:
        export_search(searcher, asked, tmp_path / "top.parquet", "geoparquet", sort=["-score"])
        ids = searcher.ids(asked)
    rows = pq.read_table(tmp_path / "top.parquet").to_pylist()
    assert sorted(row["property_id"] for row in rows) == ids
    assert all(row["score"] >= 35 and row["score_reasons"] for row in rows)
    shutil.copytree(here.lake.settings.data_dir, tmp_path / "data", symlinks=True)
    mine = settings_for(tmp_path / "data", leadflow_demo=True)
    quiet = next(n for n, row in sorted(here.rows.items()) if row["state"] == "scored" and not row["signals"])
    with SavedLists(mine) as lists:
        lists.save_dynamic("hot", SearchCriteria(signals=("tax_taking",)))
    publish_matches(mine, [a_match(quiet, 5_001, "tax_lien_case", filed=TODAY - timedelta(1))])
    score_towns(mine)
    with SavedLists(mine) as lists:
        change = lists.refresh("hot")
    came = [event for event in change.events if event.property_id == quiet]
    assert len(came) == 1 and "signals tax_taking" in came[0].reason


def test_the_parcel_report_shows_score_interval_and_reasons(
    here: Scored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loc_id = _parcel(here)
    report = parcel_report(here.lake.settings, SAMPLETON, loc_id)
    assert [dict(row) for row in report.scores] == [here.rows[row["property_id"]] for row in report.scores]
    forget_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(here.lake.settings.data_dir))
    monkeypatch.setenv("LEADFLOW_DEMO", "true")
    assert main(["parcel", "sampleton", loc_id]) == 0
    shown = capsys.readouterr().out
    score = report.scores[0]["score"]
    for text in ("uncalibrated - ordering only", f"{score:.1f} of 100", "Interval", "leadflow score explain"):
        assert text in shown
    assert main(["search", "--signal", "foreclosure", "--sort=-score", "--limit", "3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["score"] for row in document["rows"]] == sorted(
        (row["score"] for row in document["rows"]), reverse=True
    )
    assert main(["search", "--sort=-score", "--limit", "2"]) == 0
    captured = capsys.readouterr()
    assert {"auction", "scheduled"} <= set(captured.out.split()) and "uncalibrated" in captured.err
