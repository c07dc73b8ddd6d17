"""Search by court cases: both engines agree with plain Python, and nothing unsure or expired shows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadflow_assets.cli.app import main
from leadflow_assets.domain.courts.kinds import ACTION_TYPES, CASE_TYPES, LIEN_TYPES
from leadflow_assets.domain.towns import SAMPLETON_ID
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.sampleton import Planted
from leadflow_assets.search.case_rows import asked_types
from leadflow_assets.search.cases import cases_of
from leadflow_assets.search.columns import CASE_COLUMNS
from leadflow_assets.search.criteria import SEARCHED_CASES, SearchCriteria, criteria_from, massachusetts_today
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.exports.search import export_search
from leadflow_assets.search.index import build_index, index_path
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.case_helpers import a_match, publish_matches
from leadflow_assets_tests.integration.pipeline_helpers import MONROE, settings_for
from leadflow_assets_tests.integration.search_helpers import SearchLake, make_search_lake

SHOWN = ("property_id", *CASE_COLUMNS)
LONG_AGO, FAR_OFF = date(2020, 1, 1), date(2999, 1, 1)
EVERYTHING = SearchCriteria(include_condominium_masters=True)


@dataclass(frozen=True)
class CaseLake:
    """A lake with two towns and matches of cases with some of their properties."""

    lake: SearchLake = field(repr=False)
    matches: list[dict[str, Any]] = field(repr=False)
    ids: list[str] = field(repr=False)

    def wanted(self, criteria: SearchCriteria) -> list[str]:
        """What the criteria's filters on cases should find, by rules of its own."""
        masters = set(self.lake.frame[self.lake.frame["is_condominium_master"]]["property_id"])
        found = {row["property_id"] for row in surest(self.matches) if meets(row, criteria)}
        return sorted(found & set(self.ids) - masters)


def surest(matches: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that may be used, the same case of two parties once, with its surer tier."""
    kept: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in matches:
        expires = row.get("expires_on")
        if row["tier"] not in ("confirmed", "possible") or (expires and expires < massachusetts_today()):
            continue
        key = (row["property_id"], row["case_id"], row["source"])
        if key not in kept or row["tier"] == "confirmed":
            kept[key] = row
    return list(kept.values())


def meets(row: dict[str, Any], criteria: SearchCriteria) -> bool:
    filed = row["date_filed"] or row.get("recorded_on")
    words = [word for word in criteria.cases if word != "any"]
    named = {word for word in words if word in CASE_TYPES}
    return (
        (not words or "any" in criteria.cases or row["case_type"] in named
         or row["action_type"] in set(words) - named)
        and (not criteria.case_tiers or row["tier"] in criteria.case_tiers)
        and (not criteria.case_filed_after or bool(filed and filed >= criteria.case_filed_after))
        and (not criteria.case_filed_before or bool(filed and filed < criteria.case_filed_before))
        and (not criteria.lien_types or row.get("lien_type") in criteria.lien_types)
        and (criteria.min_lien_amount is None or row.get("lien_amount", -1) >= criteria.min_lien_amount)
    )  # fmt: skip


def planted(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Cases of every kind and tier over some properties, couples and two sources of one case among them."""
    rows = []
    types, tiers = list(CASE_TYPES), ("confirmed", "possible", "unconfirmed", "rejected")
    for n in range(240):
        case_type = types[n % len(types)]
        property_id = ids[(n * 7) % 150]
        lien = case_type in ("recorded_lien", "tax_lien_case")
        facts: dict[str, Any] = {
            "expires_on": (None, FAR_OFF, LONG_AGO)[n % 3] if case_type == "eviction" else None
        }
        if lien:
            facts |= {"lien_type": list(LIEN_TYPES)[n % len(LIEN_TYPES)], "lien_amount": 500.0 * (n % 40)}
        if n % 4 == 2:
            facts["recorded_on"] = date(2025, 1 + n % 12, 3)
        filed = None if n % 4 == 2 or n % 17 == 3 else date(2024 + n % 3, 1 + n % 12, 1 + n % 28)
        row = a_match(property_id, n, case_type, tiers[n % 5 % 4], filed, **facts)
        rows.append(row)
        if n % 6 == 0:
            rows.append(a_match(property_id, n, case_type, "confirmed", filed, party="The Spouse", **facts))
    rows.append(a_match("999-no-such-property", 900))
    return rows


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> CaseLake:
    lake = make_search_lake(tmp_path_factory.mktemp("cases"), sample_package[0])
    frame = lake.frame
    ids = sorted(frame["property_id"])[::9]
    matches = planted(ids)
    publish_matches(lake.settings, matches)
    report = build_index(Lake(lake.settings))
    assert (report.built, report.cases_built) == (False, True)
    return CaseLake(lake, matches, sorted(frame["property_id"]))


@pytest.fixture(scope="module")
def engines(here: CaseLake) -> Iterator[tuple[Searcher, Searcher]]:
    with (
        open_searcher(here.lake.settings, engine="index") as index,
        open_searcher(here.lake.settings, engine="parquet") as parquet,
    ):
        yield index, parquet


@st.composite
def case_criteria(draw: st.DrawFn) -> SearchCriteria:
    """Filters on cases, alone or beside others."""
    days = st.dates(date(2023, 6, 1), date(2027, 1, 1))
    makers: dict[str, Any] = {
        "cases": lambda: draw(st.lists(st.sampled_from(SEARCHED_CASES), min_size=1, max_size=4)),
        "case_tiers": lambda: [draw(st.sampled_from(["confirmed", "possible"]))],
        "case_filed_after": lambda: draw(days),
        "case_filed_before": lambda: draw(days),
        "lien_types": lambda: draw(st.lists(st.sampled_from(list(LIEN_TYPES)), min_size=1, max_size=5)),
        "min_lien_amount": lambda: draw(st.integers(0, 25_000)),
        "towns": lambda: [SAMPLETON_ID],
        "min_value": lambda: draw(st.integers(0, 600_000)),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(makers)), min_size=1, max_size=4, unique=True))
    fields = {name: makers[name]() for name in chosen}
    if fields.get("case_filed_after", date.min) >= fields.get("case_filed_before", date.max):
        del fields["case_filed_before"]
    return criteria_from(fields)


class TestBothEngines:
    @given(
        asked=case_criteria(),
        sort=st.sampled_from(
            ["property_id", "-case_newest", "case_types", "-case_count", "case_best_tier", "-total_value"]
        ),
    )
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def test_same_rows_same_cases_and_same_notes(
        self, here: CaseLake, engines: tuple[Searcher, Searcher], asked: SearchCriteria, sort: str
    ) -> None:  # fmt: skip
        one, other = (e.search(asked, sort=(sort,), limit=300, columns=SHOWN) for e in engines)
        assert (one.total, one.rows.to_pylist(), one.notes) == (
            other.total, other.rows.to_pylist(), other.notes,
        )  # fmt: skip
        assert engines[0].ids(asked) == engines[1].ids(asked)
        assert engines[0].count_by_town(asked) == engines[1].count_by_town(asked)
        assert SearchCriteria.model_validate_json(asked.model_dump_json()) == asked
        if asked.asks_for_cases and not {"towns", "min_value"} & set(asked.filters()):
            assert engines[0].ids(asked) == here.wanted(asked)

    @pytest.mark.parametrize("sort", ["case_newest", "-case_newest", "case_count", "-case_types"])
    def test_everything_sorted_by_cases(self, engines: tuple[Searcher, Searcher], sort: str) -> None:
        for asked in (EVERYTHING, SearchCriteria(towns=(SAMPLETON_ID,)), SearchCriteria(owner="a")):
            one, other = (e.search(asked, sort=(sort,), limit=200, columns=SHOWN) for e in engines)
            assert one.rows.to_pylist() == other.rows.to_pylist()
            counts = [row["case_count"] for row in one.rows.to_pylist()]
            assert counts[0] is not None and all(count is None or count > 0 for count in counts)

    def test_columns_say_what_may_be_said_and_nothing_of_the_rest(
        self, here: CaseLake, engines: tuple[Searcher, Searcher]
    ) -> None:
        by_property: dict[str, list[dict[str, Any]]] = {}
        for row in surest(here.matches):
            by_property.setdefault(row["property_id"], []).append(row)
        for searcher in engines:
            rows = searcher.stream(EVERYTHING, columns=SHOWN, batch_rows=100).read_all().to_pylist()
            assert [row["property_id"] for row in rows] == here.ids
            for row in rows:
                mine = by_property.get(row["property_id"], [])
                days = [case["date_filed"] or case.get("recorded_on") for case in mine]
                assert row["case_count"] == (len({case["case_id"] for case in mine}) or None)
                assert row["case_types"] == (", ".join(sorted({c["case_type"] for c in mine})) or None)
                assert row["case_best_tier"] == min((case["tier"] for case in mine), default=None)
                assert row["case_newest"] == max((day for day in days if day), default=None)


class TestFilters:
    def test_all_filters_are_asked_of_one_and_the_same_case(self, tmp_path: Path, here: CaseLake) -> None:
        mine = copied(here, tmp_path)
        property_id = here.ids[0]
        old_lien: dict[str, Any] = {"lien_type": "mechanics", "lien_amount": 10.0}
        rows = [
            a_match(property_id, 1, "recorded_lien", filed=date(2020, 1, 1), **old_lien),
            a_match(property_id, 2, "bankruptcy_petition", filed=date(2026, 1, 1)),
        ]
        publish_matches(mine, rows, towns=[MONROE.town_id, SAMPLETON_ID])
        with open_searcher(mine, engine="index") as index, open_searcher(mine, engine="parquet") as parquet:
            for searcher in (index, parquet):
                assert searcher.ids(SearchCriteria(cases=("recorded_lien",))) == [property_id]
                both = SearchCriteria(cases=("recorded_lien",), case_filed_after=date(2025, 1, 1))
                assert searcher.ids(both) == []
        assert list(both.single_filters()) == ["cases"]
        assert both.single_filters()["cases"] == both

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"cases": ["lawsuit"]}, "no type of case 'lawsuit'"),
            ({"case_tiers": ["unconfirmed"]}, "no tier to search by 'unconfirmed'"),
            ({"case_tiers": ["rejected"]}, "known: confirmed, possible"),
            ({"lien_types": ["big"]}, "no type of lien 'big'"),
            ({"case_filed_after": "2026-01-01", "case_filed_before": "2026-01-01"}, "is not before"),
            ({"min_lien_amount": -1}, "--min-lien-amount"),
        ],
    )
    def test_what_is_no_filter_is_refused(self, given: dict[str, Any], said: str) -> None:
        with pytest.raises(UsageError, match=said):
            criteria_from(given)

    @pytest.mark.parametrize("word", [*CASE_TYPES, *ACTION_TYPES])
    def test_every_word_of_a_case_asks_about_some_type(self, word: str) -> None:
        asked = asked_types(criteria_from({"cases": [word.replace("_", "-").upper()]}))
        assert asked and (word not in CASE_TYPES or asked == (word,))
        assert asked_types(SearchCriteria(cases=("any", word))) == tuple(CASE_TYPES)

    def test_a_search_without_cases_reads_none(self, engines: tuple[Searcher, Searcher]) -> None:
        assert not SearchCriteria(owner="a", min_value=1).asks_for_cases
        assert SearchCriteria(min_lien_amount=0).asks_for_cases


class TestNothingIsSilent:
    def test_none_found_stands_with_its_coverage(self, engines: tuple[Searcher, Searcher]) -> None:
        asked = SearchCriteria(cases=("eviction", "bankruptcy_ch13"), min_value=999_999_999)
        for searcher in engines:
            result = searcher.search(asked)
            assert result.total == 0
            told = " ".join(result.notes)
            assert "Whether there are evictions (summary process) is not known." in told
            assert "leadflow cases import FILE --source housing_court" in told
            assert "Whether there are bankruptcy petitions is not known." in told
            assert "CourtListener (mab) is not configured: set COURTLISTENER_API_KEY." in told

    def test_what_is_found_carries_its_warnings(self, engines: tuple[Searcher, Searcher]) -> None:
        told = " ".join(engines[0].describe(SearchCriteria(cases=("bankruptcy-petition",))).notes)
        assert "bankruptcy petition" in told
        assert "11 U.S.C. 362" in told and "not legal advice" in told and "c. 239" not in told
        told = " ".join(engines[0].describe(SearchCriteria(cases=("eviction",))).notes)
        assert "eviction" in told
        assert "sealed since (G.L. c. 239 s. 16)" in told and "not legal advice" in told
        assert "362" not in told

    def test_a_search_for_any_case_tells_every_type_once(self, engines: tuple[Searcher, Searcher]) -> None:
        asked = SearchCriteria(cases=("any",), case_filed_after=date(2026, 6, 1))
        told = " ".join(engines[0].describe(asked).notes)
        assert all(kind.word in told or kind.words in told for kind in CASE_TYPES.values())

    def test_counts_are_of_the_cases_that_were_found(self, here: CaseLake, engines: Any) -> None:
        asked = SearchCriteria(cases=("probate",), case_tiers=("possible",))
        found = {row["case_id"] for row in surest(here.matches) if meets(row, asked)
                 and row["property_id"] in here.wanted(asked)}  # fmt: skip
        assert found
        for searcher in engines:
            assert any(f"Found {len(found)} probate case" in text for text in searcher.describe(asked).notes)

    def test_exports_carry_the_columns_and_what_blank_means(
        self, engines: tuple[Searcher, Searcher], tmp_path: Path
    ) -> None:
        asked = SearchCriteria(towns=(SAMPLETON_ID,))
        for number, searcher in enumerate(engines):
            path = tmp_path / f"{number}.parquet"
            done = export_search(searcher, asked, path, "geoparquet")
            rows = pq.read_table(path, columns=list(CASE_COLUMNS)).to_pylist()
            assert 0 < sum(row["case_count"] is not None for row in rows) < len(rows)
            about = json.loads(done.sidecar.read_text("utf-8"))
            assert any("Blank case_* columns do not say" in text for text in about["notes"])
            assert any("362" in text for text in about["notes"])
            meanings = {column["name"]: column["meaning"] for column in about["columns"]}
            assert "blank is not none" in meanings["case_count"]
            csv = export_search(searcher, SearchCriteria(cases=("any",)), tmp_path / f"{number}.csv", "csv")
            header, first, *_ = csv.path.read_text("utf-8-sig").splitlines()
            assert "case_types" in header and first


class TestDecisions:
    def test_a_persons_no_counts_for_every_source_of_the_same_party(
        self, tmp_path: Path, here: CaseLake
    ) -> None:
        mine = copied(here, tmp_path)
        one, other, third = here.ids[3], here.ids[4], here.ids[5]
        rows = [
            a_match(one, 1, tier="rejected", decision="rejected", party="Ada Fennelcote"),
            a_match(one, 1, tier="confirmed", source="other", party="ADA  FENNELCOTE."),
            a_match(other, 1, tier="confirmed", party="Ada Fennelcote"),
            a_match(third, 2, tier="rejected", decision="rejected", party="Otis Fennelcote"),
            a_match(third, 2, tier="possible", party="Ada Fennelcote"),
        ]
        publish_matches(mine, rows, towns=[999, MONROE.town_id])
        asked = SearchCriteria(cases=("any",), include_condominium_masters=True)
        for engine in ("index", "parquet"):
            with open_searcher(mine, engine=engine) as searcher:
                assert searcher.ids(asked) == sorted([other, third])
        lake = Lake(mine)
        for property_id in (one, other, third):
            shown = cases_of(lake, int(property_id.split("-")[0]), [property_id])
            assert bool(shown) == (property_id != one)


class TestTheCommand:
    @pytest.fixture
    def leadflow(
        self,
        here: CaseLake,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> Callable[..., tuple[int, str, str]]:
        forget_environment(monkeypatch, tmp_path)
        monkeypatch.setenv("LEADFLOW_DATA_DIR", str(here.lake.settings.data_dir))
        monkeypatch.setenv("LEADFLOW_DEMO", "true")
        monkeypatch.setenv("COLUMNS", "160")

        def run(*arguments: str) -> tuple[int, str, str]:
            capfd.readouterr()
            code = main(["search", *arguments])
            return code, *capfd.readouterr()

        return run

    def test_cases_are_shown_with_tier_and_day_and_the_notes_say_the_rest(
        self, here: CaseLake, leadflow: Callable[..., tuple[int, str, str]]
    ) -> None:
        asked = ("--case", "bankruptcy-petition", "--case", "probate", "--case-filed-after", "2025")
        code, out, err = leadflow(*asked, "--sort", "-case_newest")
        assert code == 0
        assert all(title in out for title in ("court cases", "tier", "newest case"))
        assert "bankruptcy_petition" in out and "confirmed" in out
        assert "bankruptcy petition" in err and "not legal advice" in err
        code, out, _ = leadflow(*asked, "--json", "--limit", "500")
        document = json.loads(out)
        wanted = SearchCriteria(cases=("bankruptcy_petition", "probate"), case_filed_after=date(2025, 1, 1))
        assert [row["property_id"] for row in document["rows"]] == here.wanted(wanted)
        assert document["criteria"]["case_filed_after"] == "2025-01-01"
        assert all(row["case_count"] for row in document["rows"])

    def test_liens_by_type_and_amount(
        self, here: CaseLake, leadflow: Callable[..., tuple[int, str, str]]
    ) -> None:
        code, out, _ = leadflow(
            "--lien-type", "tax-federal", "--min-lien-amount", "1000", "--json", "--limit", "99"
        )
        wanted = SearchCriteria(lien_types=("tax_federal",), min_lien_amount=1000)
        assert (code, [r["property_id"] for r in json.loads(out)["rows"]]) == (0, here.wanted(wanted))

    def test_nothing_found_never_stands_alone(self, leadflow: Callable[..., tuple[int, str, str]]) -> None:
        code, out, err = leadflow("--case", "eviction", "--min-value", "999999999")
        assert (code, out) == (0, "")
        assert (
            "Nothing matches" in err and "Whether there are evictions (summary process) is not known" in err
        )

    def test_rows_without_filters_on_cases_say_what_blank_means(
        self, leadflow: Callable[..., tuple[int, str, str]]
    ) -> None:
        _, out, _ = leadflow("--town", "monroe", "--json")
        assert any("Blank case_* columns do not say" in text for text in json.loads(out)["notes"])
        _, _, err = leadflow("--town", "monroe")
        assert "case" not in err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--case", "lawsuit"), "no type of case 'lawsuit'"),
            (("--case-tier", "unconfirmed"), "no tier to search by"),
            (("--case-filed-after", "soon"), "--case-filed-after 'soon' is not a date"),
            (("--lien-type", "big"), "no type of lien 'big'"),
        ],
    )
    def test_bad_input_is_one_clear_error(
        self, leadflow: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], said: str
    ) -> None:
        code, out, err = leadflow(*arguments)
        assert (code, out) == (2, "") and said in err

    def test_a_process_of_its_own_needs_no_pandas(self, here: CaseLake, tmp_path: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "leadflow_assets.cli", "search", "--case", "any", "--sort", "-case_newest",
             "--json"],
            cwd=tmp_path,
            env=os.environ | {"LEADFLOW_DATA_DIR": str(here.lake.settings.data_dir), "LEADFLOW_DEMO": "true"},
            capture_output=True,
            text=True,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert (document["engine"], document["total"]) == (
            "index", len(here.wanted(SearchCriteria(cases=("any",)))),
        )  # fmt: skip


class TestTheIndexOfCases:
    def test_new_matches_are_seen_at_once_and_make_no_new_index_of_properties(
        self, tmp_path: Path, here: CaseLake
    ) -> None:
        mine = copied(here, tmp_path)
        property_id = here.ids[5]
        asked = SearchCriteria(cases=("foreclosure_deed",), include_condominium_masters=True)
        publish_matches(mine, [a_match(property_id, 1, "foreclosure_deed")], towns=[999, MONROE.town_id])
        before = index_path(mine).resolve()
        with open_searcher(mine, engine="index") as searcher:
            assert searcher.ids(asked) == [property_id]
        report = build_index(Lake(mine))
        assert (report.built, report.cases_built, report.cases) == (False, True, 1)
        assert not build_index(Lake(mine)).cases_built
        assert index_path(mine).resolve() == before
        with open_searcher(mine, engine="index") as searcher:
            assert searcher.ids(asked) == [property_id]
            assert searcher.search(asked, columns=SHOWN).rows.to_pylist()[0]["case_count"] == 1
        assert build_index(Lake(mine), force=True).cases_built
        with open_searcher(mine, engine="index") as searcher:
            assert searcher.ids(asked) == [property_id]

    @pytest.mark.parametrize("damage", ["missing", "truncated", "nonsense"])
    def test_a_damaged_file_of_cases_is_as_good_as_none(
        self, tmp_path: Path, here: CaseLake, damage: str
    ) -> None:
        mine = copied(here, tmp_path)
        file = index_path(mine).parent / "cases.arrow"
        if damage == "missing":
            file.unlink()
        elif damage == "truncated":
            file.write_bytes(file.read_bytes()[:-200])
        else:
            file.write_bytes(b"no arrow at all" * 99)
        asked = SearchCriteria(cases=("any",))
        with open_searcher(mine, engine="index") as searcher:
            assert searcher.ids(asked) == here.wanted(asked)
        assert build_index(Lake(mine)).cases_built

    def test_a_row_ends_with_its_day_while_a_searcher_stays_open(
        self, tmp_path: Path, here: CaseLake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mine = copied(here, tmp_path)
        last = date(2031, 5, 5)
        row = a_match(here.ids[5], 1, "eviction", expires_on=last)
        publish_matches(mine, [row], towns=[999, MONROE.town_id])
        asked = SearchCriteria(cases=("eviction",), include_condominium_masters=True)
        today = "leadflow_assets.search.searched_cases.massachusetts_today"
        for engine in ("index", "parquet"):
            with open_searcher(mine, engine=engine) as searcher:
                monkeypatch.setattr(today, lambda: last)
                assert searcher.ids(asked) == [here.ids[5]]
                monkeypatch.setattr(today, lambda: date(2031, 5, 6))
                assert searcher.ids(asked) == []
                (shown,) = searcher.properties([here.ids[5]], SHOWN).to_pylist()
                assert shown["case_count"] is None

    def test_without_any_match_search_works_and_says_so(self, tmp_path: Path, here: CaseLake) -> None:
        mine = copied(here, tmp_path)
        publish_matches(mine, [], towns=[999, MONROE.town_id])
        for engine in ("index", "parquet"):
            with open_searcher(mine, engine=engine) as searcher:
                assert searcher.ids(SearchCriteria(cases=("any",))) == []
                rows = searcher.search(SearchCriteria(), limit=3, columns=SHOWN).rows.to_pylist()
                assert all(row["case_count"] is None for row in rows)
                done = export_search(searcher, SearchCriteria(), tmp_path / f"{engine}.csv", "csv", limit=2)
                assert any(
                    "No court case is tied" in t for t in json.loads(done.sidecar.read_text())["notes"]
                )


def copied(here: CaseLake, folder: Path) -> Any:
    """Settings of a copy of the lake and its index, to publish into."""
    shutil.copytree(here.lake.settings.data_dir, folder / "data", symlinks=True)
    return settings_for(folder / "data", leadflow_demo=True)
