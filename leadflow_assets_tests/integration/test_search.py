"""Search: both engines give the same answers, the answers are right, and nothing is silently left out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.occupancy import OCCUPANCIES
from leadflow_assets.domain.owners import OWNER_TYPES
from leadflow_assets.domain.towns import SAMPLETON_ID
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.lake.catalog import open_catalog
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, StagedFile, StagedPartition, sha256_of, upload
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.sampleton import Planted
from leadflow_assets.search.columns import SEARCH_COLUMNS
from leadflow_assets.search.criteria import SearchCriteria, criteria_from
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.index import build_index, index_path
from leadflow_assets_tests.integration.pipeline_helpers import (
    GOSNOLD,
    MONROE,
    refresh,
    settings_for,
    write_small,
)
from leadflow_assets_tests.integration.search_helpers import SearchLake, make_search_lake

ABSENTEE = ["absentee_in_state", "absentee_out_of_state"]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> SearchLake:
    return make_search_lake(tmp_path_factory.mktemp("search"), sample_package[0])


@pytest.fixture(scope="module")
def engines(here: SearchLake) -> Iterator[tuple[Searcher, Searcher]]:
    with (
        open_searcher(here.settings, engine="index") as index,
        open_searcher(here.settings, engine="parquet") as parquet,
    ):
        yield index, parquet


def matching(here: SearchLake, mask: Any) -> list[str]:
    """Ids of the rows that pandas finds, masters of condominiums left out."""
    rows = here.frame[mask & ~here.frame["is_condominium_master"]]
    return sorted(rows["property_id"])


def some_words(values: pd.Series) -> list[str]:
    return sorted({word for text in values.dropna() for word in text.split()})


@st.composite
def criteria(draw: st.DrawFn, frame: pd.DataFrame) -> SearchCriteria:
    """Criteria of up to four filters, with values that occur and some that do not."""

    def one_of(name: str) -> Any:
        return draw(st.sampled_from(sorted(frame[name].dropna().unique())))

    def ordered(name: str, values: list[Any]) -> dict[str, Any]:
        low, high = sorted(values)
        return {f"min_{name}": low, f"max_{name}": high}

    def circle() -> dict[str, Any]:
        row = frame.dropna(subset=["lon"]).iloc[draw(st.integers(0, int(frame["lon"].notna().sum()) - 1))]
        radius = draw(st.sampled_from([5.0, 60.0, 400.0, 3_000.0]))
        return {"kind": "circle", "lon": row["lon"], "lat": row["lat"], "radius_m": radius}

    def triangle() -> dict[str, Any]:
        west, east = frame["lon"].min(), frame["lon"].max()
        south, north = frame["lat"].min(), frame["lat"].max()
        cut = draw(st.floats(0.05, 0.95))
        ring = [[west, south], [east, south + cut * (north - south)], [west + cut * (east - west), north]]
        return {"kind": "polygon", "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}}

    def word(column: str) -> str:
        text = draw(st.sampled_from(some_words(frame[column])))
        cut = text[: draw(st.integers(1, len(text)))]
        return f"*{cut}*" if draw(st.booleans()) and len(cut) > 1 else cut

    makers: dict[str, Any] = {
        "towns": lambda: {"towns": (int(one_of("town_id")),)},
        "owner_types": lambda: {"owner_types": (draw(st.sampled_from(OWNER_TYPES)), "several_persons")},
        "categories": lambda: {"categories": (one_of("category"),)},
        "use_codes": lambda: {"use_codes": (one_of("use_code")[:3],)},
        "absentee": lambda: {"absentee": draw(st.sampled_from(["any", "in_state", "out_of_state"]))},
        "value": lambda: ordered("value", [int(one_of("total_value")) for _ in range(2)]),
        "price": lambda: {"min_price": int(one_of("last_sale_price"))},
        "sold": lambda: {"sold_before": one_of("last_sale_date")},
        "tenure": lambda: {"min_tenure_years": draw(st.floats(0, 40)), "as_of": date(2026, 11, 22)},
        "year": lambda: {"max_year_built": int(one_of("year_built"))},
        "units": lambda: {"min_units": draw(st.integers(0, 6))},
        "acres": lambda: {"max_lot_acres": float(one_of("lot_acres"))},
        "equity": lambda: ordered("equity", [int(one_of("available_equity")) for _ in range(2)]),
        "equity_percent": lambda: {"min_equity_percent": float(one_of("equity_percent"))},
        "areas": lambda: {"areas": [circle(), triangle()][: draw(st.integers(1, 2))]},
        "owner": lambda: {"owner": word("owner_words")},
        "street": lambda: {"street": word("street_normalized")},
        "address": lambda: {"address": one_of("site_address")},
        "masters": lambda: {"include_condominium_masters": True},
    }
    chosen = draw(st.lists(st.sampled_from(sorted(makers)), max_size=4, unique=True))
    fields: dict[str, Any] = {}
    for name in chosen:
        fields |= makers[name]()
    return criteria_from(fields)


class TestBothEngines:
    @given(data=st.data())
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def test_same_rows_in_the_same_order(
        self, data: st.DataObject, here: SearchLake, engines: tuple[Searcher, Searcher]
    ) -> None:
        asked = data.draw(criteria(here.frame))
        orders = ["property_id", "-total_value", "last_sale_date", "owner_name", "-available_equity"]
        sort = data.draw(st.sampled_from(orders))
        index, parquet = engines
        one, other = (e.search(asked, sort=(sort,), limit=40, columns=SEARCH_COLUMNS) for e in engines)
        assert one.total == other.total == len(index.ids(asked))
        assert one.rows.to_pylist() == other.rows.to_pylist()
        assert index.ids(asked) == parquet.ids(asked)
        assert index.count_by_town(asked) == parquet.count_by_town(asked)

    @given(data=st.data())
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def test_criteria_survive_json(self, data: st.DataObject, here: SearchLake) -> None:
        asked = data.draw(criteria(here.frame))
        assert SearchCriteria.model_validate_json(asked.model_dump_json()) == asked
        assert criteria_from(json.loads(json.dumps(asked.document()))) == asked

    def test_pages_are_stable_and_complete(
        self, here: SearchLake, engines: tuple[Searcher, Searcher]
    ) -> None:
        asked = SearchCriteria(towns=(SAMPLETON_ID,))
        for searcher in engines:
            seen: list[str] = []
            while True:
                page = searcher.search(asked, sort=("category",), limit=97, offset=len(seen)).rows
                if page.num_rows == 0:
                    break
                seen += page["property_id"].to_pylist()
            assert len(seen) == len(set(seen)) == searcher.count(asked)
            assert sorted(seen) == searcher.ids(asked)

    @pytest.mark.parametrize("sort", ["property_id", "-total_value"])
    def test_a_stream_is_not_cut_at_the_largest_page(
        self, engines: tuple[Searcher, Searcher], monkeypatch: pytest.MonkeyPatch, sort: str
    ) -> None:
        everything = len(engines[1].ids(SearchCriteria()))
        monkeypatch.setattr("leadflow_assets.search.engine.MAX_LIMIT", 7)
        for searcher in engines:
            assert len(searcher.ids(SearchCriteria())) == everything
            rest = searcher.stream(SearchCriteria(), sort=(sort,), columns=("property_id",), offset=3)
            assert rest.read_all().num_rows == everything - 3

    def test_a_stream_holds_every_match_once(self, engines: tuple[Searcher, Searcher]) -> None:
        asked = SearchCriteria(categories=("residential",))
        for searcher in engines:
            streamed = searcher.stream(asked, columns=("property_id",), batch_rows=100).read_all()
            assert streamed["property_id"].to_pylist() == searcher.ids(asked)


class TestAnswersAgainstPandas:
    """What pandas finds in the published files with rules of its own."""

    def test_absentee_two_families_bought_long_ago(self, here: SearchLake, engines: Any) -> None:
        frame = here.frame
        sold = pd.to_datetime(frame["last_sale_date"])
        mask = (
            frame["use_code"].fillna("").str.startswith("104")
            & frame["occupancy"].isin(ABSENTEE)
            & (sold < "2005-01-01")
        )
        asked = criteria_from({"use_codes": ["104"], "absentee": "any", "sold_before": "2005-01-01"})
        wanted = matching(here, mask)
        assert wanted, "Sampleton should have some"
        assert engines[0].ids(asked) == engines[1].ids(asked) == wanted

    def test_a_circle_is_round_and_in_metres(self, here: SearchLake, engines: Any) -> None:
        frame = here.frame
        at = frame.dropna(subset=["lon"]).iloc[100]
        distance = np.hypot(frame["point_x"] - at["point_x"], frame["point_y"] - at["point_y"])
        asked = criteria_from(
            {"areas": [{"kind": "circle", "lon": at["lon"], "lat": at["lat"], "radius_m": 250.0}]}
        )
        wanted = matching(here, distance <= 250)
        assert len(wanted) > 5
        for searcher in engines:
            assert searcher.ids(asked) == wanted
            rows = searcher.search(asked, sort=("distance",), limit=1000).rows.to_pandas()
            measured = rows["distance_m"].to_numpy()
            assert (np.diff(measured) >= 0).all()
            by_id = pd.Series(distance.to_numpy(), index=frame["property_id"])
            np.testing.assert_allclose(measured, by_id[rows["property_id"]], atol=0.2)

    @pytest.mark.parametrize("state", OCCUPANCIES)
    def test_every_occupancy_is_found_by_some_filter(
        self, here: SearchLake, engines: Any, state: str
    ) -> None:
        asked = {
            "owner_occupied": {"owner_occupied": True},
            "absentee_in_state": {"absentee": "in_state"},
            "absentee_out_of_state": {"absentee": "out_of_state"},
            "uncertain": {"owner_occupied": False},
        }[state]
        found = set(engines[0].ids(criteria_from(asked)))
        wanted = set(matching(here, here.frame["occupancy"] == state))
        assert wanted, f"Sampleton should have {state}"
        assert wanted <= found if state == "uncertain" else wanted == found

    def test_words_are_beginnings_of_words(self, here: SearchLake, engines: Any) -> None:
        words = here.frame["owner_words"].fillna("")
        word = some_words(here.frame["owner_words"])[40]
        wanted = matching(here, (" " + words).str.contains(" " + word[:3], regex=False))
        for searcher in engines:
            assert searcher.ids(SearchCriteria(owner=word[:3].lower())) == wanted

    def test_a_house_number_finds_the_range_it_lies_in(self, here: SearchLake, engines: Any) -> None:
        ranges = here.frame[here.frame["house_number_high"] > here.frame["house_number"]]
        row = ranges.dropna(subset=["street_normalized"]).iloc[0]
        asked = SearchCriteria(address=f"{row['house_number']:.0f} {row['street_normalized']}")
        for searcher in engines:
            assert row["property_id"] in searcher.ids(asked)

    def test_equity_is_searched_shown_and_never_guessed(self, here: SearchLake, engines: Any) -> None:
        frame = here.frame
        low = frame["available_equity"].between(-40_000, 10_000)
        rich = frame["equity_percent"] >= 50
        assert 0 < low.sum() < frame["available_equity"].notna().sum() and rich.any()
        for searcher in engines:
            found = searcher.ids(SearchCriteria(min_equity=-40_000, max_equity=10_000))
            assert found == matching(here, low)
            assert searcher.ids(SearchCriteria(min_equity_percent=50)) == matching(here, rich)
            columns = ("property_id", "available_equity", "foreclosure_auction_date", "attom_id")
            rows = searcher.search(SearchCriteria(max_equity=0), limit=5000, columns=columns).rows.to_pandas()
            wanted = frame.set_index("property_id").loc[rows["property_id"], list(columns[1:])]
            assert rows["available_equity"].to_list() == wanted["available_equity"].to_list()
            assert rows["foreclosure_auction_date"].to_list() == wanted["foreclosure_auction_date"].to_list()

    def test_unknown_values_match_no_range(self, here: SearchLake, engines: Any) -> None:
        unknown = set(here.frame[here.frame["year_built"].isna()]["property_id"])
        found = set(engines[0].ids(SearchCriteria(min_year_built=1600)))
        assert unknown and not unknown & found

    def test_tenure_is_counted_to_the_day_asked(self, here: SearchLake, engines: Any) -> None:
        asked = SearchCriteria(min_tenure_years=10, as_of=date(2020, 1, 1))
        rows = engines[0].search(asked, limit=5000).rows.to_pandas()
        assert (pd.to_datetime(rows["last_sale_date"]) <= "2010-01-02").all()
        assert (rows["tenure_years"] >= 9.99).all()


class TestNothingIsSilent:
    def test_filters_that_need_other_sources_say_so(self, here: SearchLake, engines: Any) -> None:
        monroe = engines[0].search(SearchCriteria(towns=(MONROE.town_id,), max_equity=1))
        assert monroe.total == 0
        assert any("needs ATTOM data, missing for Monroe: nothing could" in text for text in monroe.notes)
        known = here.frame["available_equity"].notna().sum()
        records = (here.frame["town_id"] == SAMPLETON_ID).sum()
        share = f"known for {known:,} of {records:,} properties in the other"
        for searcher in engines:
            told = [text for text in searcher.describe(SearchCriteria(min_equity=1)).notes if "ATTOM" in text]
            assert len(told) == 1 and f"missing for 1 of 2 towns (Monroe); {share}" in told[0]
            alone = SearchCriteria(towns=(SAMPLETON_ID,), min_equity_percent=0.5)
            (text,) = [text for text in searcher.describe(alone).notes if "ATTOM" in text]
            percents = here.frame["equity_percent"].notna().sum()
            assert "missing" not in text and f"known for {percents:,} of {records:,}" in text
        scores = engines[0].search(SearchCriteria(towns=(SAMPLETON_ID,), min_score=50))
        assert any("min_score needs distress scores" in t and "Sampleton" in t for t in scores.notes)

    def test_towns_without_data_are_named(self, engines: Any) -> None:
        result = engines[0].search(SearchCriteria(towns=(SAMPLETON_ID, GOSNOLD.town_id)))
        assert result.total > 0
        assert any("Gosnold" in text and "leadflow refresh gosnold" in text for text in result.notes)
        with pytest.raises(LeadflowError, match="no data for Gosnold") as caught:
            engines[0].search(SearchCriteria(towns=(GOSNOLD.town_id,)))
        assert "refresh gosnold" in caught.value.hint

    def test_an_empty_lake_is_not_an_empty_answer(self, tmp_path: Path) -> None:
        with (
            open_searcher(settings_for(tmp_path)) as searcher,
            pytest.raises(LeadflowError, match="no data at all"),
        ):
            searcher.search(SearchCriteria())

    def test_every_result_says_how_fresh_its_towns_are(self, engines: Any) -> None:
        for searcher in engines:
            result = searcher.search(SearchCriteria(), limit=1)
            assert [town.town for town in result.freshness] == ["Monroe", "Sampleton"]
            assert all(town.release and town.sha256 and town.fetched_at for town in result.freshness)
            assert sum(town.records for town in result.freshness) >= result.total

    def test_an_area_says_how_much_of_the_state_is_here(self, engines: Any) -> None:
        asked = criteria_from({"areas": [{"kind": "circle", "lon": -71.5, "lat": 42.3, "radius_m": 100}]})
        assert any("of 351 towns are here" in text for text in engines[0].describe(asked).notes)


class TestTheIndex:
    def test_an_outdated_index_is_not_used_and_the_answer_is_right(
        self, tmp_path: Path, here: SearchLake
    ) -> None:
        data = tmp_path / "data"
        shutil.copytree(here.settings.data_dir, data, symlinks=True)
        mine = settings_for(data, leadflow_demo=True)
        refresh(mine, GOSNOLD, write_small(tmp_path, GOSNOLD))
        with open_searcher(mine) as searcher:
            result = searcher.search(SearchCriteria(towns=(GOSNOLD.town_id,)))
            assert searcher.engine == "parquet" and result.total > 0
            assert any("older than mart/properties for Gosnold" in text for text in result.notes)
        with pytest.raises(UsageError, match="older than mart/properties"):
            open_searcher(mine, engine="index")
        assert build_index(Lake(mine)).built
        with open_searcher(mine) as searcher:
            assert searcher.engine == "index"
            assert searcher.count(SearchCriteria(towns=(GOSNOLD.town_id,))) == result.total
        assert not build_index(Lake(mine)).built

    @pytest.mark.parametrize("damage", ["missing", "truncated", "nonsense", "other layout"])
    def test_a_damaged_index_is_as_good_as_none(self, tmp_path: Path, here: SearchLake, damage: str) -> None:
        data = tmp_path / "data"
        shutil.copytree(here.settings.data_dir, data, symlinks=True)
        mine = settings_for(data, leadflow_demo=True)
        file = index_path(mine).resolve()
        if damage == "missing":
            index_path(mine).unlink()
        elif damage == "truncated":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])
        elif damage == "nonsense":
            file.write_bytes(b"this is no database" * 1000)
        else:
            import duckdb

            with duckdb.connect(str(file)) as connection:
                connection.execute("UPDATE about SET layout = 'of another program'")
        with open_searcher(mine) as searcher:
            assert searcher.engine == "parquet"
            assert any("Answered from Parquet" in text for text in searcher.notes)
            assert searcher.count(SearchCriteria()) == len(matching(here, True))
        assert build_index(Lake(mine)).built
        with open_searcher(mine) as searcher:
            assert searcher.engine == "index"

    def test_a_reader_goes_on_while_the_index_is_replaced(self, tmp_path: Path, here: SearchLake) -> None:
        data = tmp_path / "data"
        shutil.copytree(here.settings.data_dir, data, symlinks=True)
        mine = settings_for(data, leadflow_demo=True)
        with open_searcher(mine, engine="index") as reader:
            before = reader.ids(SearchCriteria())
            assert build_index(Lake(mine), force=True).built
            assert reader.ids(SearchCriteria()) == before
        files = list(index_path(mine).parent.glob("search-*"))
        assert sorted(file.suffix for file in files) == [".arrow", ".duckdb"]

    def test_towns_of_an_older_version_are_left_out_and_named(self, tmp_path: Path, here: SearchLake) -> None:
        data = tmp_path / "data"
        shutil.copytree(here.settings.data_dir, data, symlinks=True)
        mine = settings_for(data, leadflow_demo=True)
        publish_without_columns(Lake(mine), MONROE.town_id, tmp_path)
        assert build_index(Lake(mine)).towns == 1
        with open_searcher(mine, engine="index") as searcher:
            result = searcher.search(SearchCriteria())
            assert result.total == len(matching(here, here.frame["town_id"] == SAMPLETON_ID))
            assert any("older version: Monroe" in t and "refresh monroe" in t for t in result.notes)
            with pytest.raises(LeadflowError, match="None of the towns") as caught:
                searcher.search(SearchCriteria(towns=(MONROE.town_id,)))
            assert "refresh monroe" in caught.value.hint
        catalog = open_catalog(Lake(mine))
        counts = catalog.query(
            "SELECT town_id, count(*), count(owner_type) FROM mart.properties GROUP BY 1 ORDER BY 1"
        ).fetchall()
        catalog.close()
        assert counts[0][1] > 0 == counts[0][2] and counts[1][1] == counts[1][2]
        refresh(mine, MONROE)
        with open_searcher(mine) as searcher:
            assert searcher.count(SearchCriteria(towns=(MONROE.town_id,))) > 0

    def test_the_past_is_read_from_parquet(self, tmp_path: Path, here: SearchLake) -> None:
        with open_searcher(here.settings, as_of="2020-01-01") as searcher:
            assert searcher.engine == "parquet"
            with pytest.raises(LeadflowError, match="no data at all"):
                searcher.search(SearchCriteria())


def publish_without_columns(lake: Lake, town_id: int, folder: Path) -> None:
    """What version 1 of the schema would have published: the columns of owners did not exist."""
    partition = PROPERTIES.partition(town_id)
    entry = lake.snapshot(PROPERTIES).partitions[partition]
    rows = pq.read_table(lake.store.location(entry.data.path), partitioning=None)
    older = rows.drop_columns([name for name in rows.column_names if name.startswith("owner_")])
    path = folder / "older.parquet"
    pq.write_table(older, path)
    staged = StagedPartition(
        table=PROPERTIES.name,
        partition=partition,
        files={"data": StagedFile(path, older.num_rows, sha256_of(path))},
        fingerprint="older",
        inputs=entry.inputs,
        schema_version="1",
        code_version="older",
        facts=entry.facts,
    )
    Publisher(lake.store, "test").publish(PROPERTIES.name, {partition: upload(lake.store, staged)})


INJECTIONS = [
    "'; DROP TABLE properties; --",
    '" OR 1=1 --',
    "%' OR '1'='1",
    "x'); SELECT 1; --",
    "*'*",
    "\\'",
]


class TestBadInput:
    @pytest.mark.parametrize("text", INJECTIONS)
    @pytest.mark.parametrize("field", ["owner", "street", "address"])
    def test_text_never_becomes_sql(self, engines: Any, field: str, text: str) -> None:
        everything = engines[0].count(SearchCriteria())
        for searcher in engines:
            try:
                found = searcher.count(SearchCriteria.model_validate({field: text}))
            except UsageError as error:
                assert "no word" in error.message
            else:
                assert found < everything
            assert searcher.count(SearchCriteria()) == everything

    @pytest.mark.parametrize("text", INJECTIONS)
    def test_styles_are_text_too(self, engines: Any, text: str) -> None:
        assert engines[0].count(SearchCriteria(styles=(text,))) == 0

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"min_value": 5, "max_value": 4}, "above max_value"),
            ({"sold_after": "2020-01-01", "sold_before": "2019-01-01"}, "not before"),
            ({"absentee": "any", "owner_occupied": True}, "exclude each other"),
            ({"categories": ["castle"]}, "no category 'castle'"),
            ({"owner_types": ["alien"]}, "no owner type 'alien'"),
            ({"towns": ["Bellinghem"]}, "no town 'Bellinghem'"),
            ({"towns": [400]}, "no town 400"),
            ({"zips": ["2019"]}, "not a ZIP code"),
            ({"use_codes": ["1'"]}, "not a use code"),
            ({"min_score": 101}, "min-score"),
            ({"owner": ""}, "--owner"),
            ({"colour": "red"}, "colour"),
            ({"areas": [{"kind": "circle", "lon": -71.5, "lat": 42.3, "radius_m": 0}]}, "more than 0"),
            ({"areas": [{"kind": "circle", "lon": -71.5, "lat": 42.3, "radius_m": -5}]}, "more than 0"),
            ({"areas": [{"kind": "circle", "lon": -71.5, "lat": 42.3, "radius_m": 8e6}]}, "at most 50 miles"),
            ({"areas": [{"kind": "circle", "lon": 42.3, "lat": -71.5, "radius_m": 5}]}, "swapped"),
            ({"areas": [{"kind": "circle", "lon": 2.3, "lat": 48.9, "radius_m": 5}]}, "not in Massachusetts"),
        ],
    )
    def test_wrong_criteria_are_refused_in_one_sentence(self, fields: dict[str, Any], said: str) -> None:
        with pytest.raises(UsageError) as caught:
            criteria_from(fields)
        assert said in str(caught.value)
        assert "\n" not in caught.value.message

    @pytest.mark.parametrize(("sort", "said"), [("nonsense", "Cannot sort"), ("distance", "needs a point")])
    def test_wrong_order(self, engines: Any, sort: str, said: str) -> None:
        with pytest.raises(UsageError, match=said):
            engines[0].search(SearchCriteria(), sort=(sort,))

    @pytest.mark.parametrize(("limit", "offset"), [(0, 0), (-1, 0), (5, -1), (10**9, 0)])
    def test_wrong_pages(self, engines: Any, limit: int, offset: int) -> None:
        with pytest.raises(UsageError, match="No such page"):
            engines[0].search(SearchCriteria(), limit=limit, offset=offset)

    def test_a_town_is_all_of_its_properties(self, here: SearchLake, engines: Any) -> None:
        wanted = matching(here, here.frame["town_id"] == MONROE.town_id)
        assert engines[0].ids(SearchCriteria(towns=(MONROE.town_id,))) == wanted
