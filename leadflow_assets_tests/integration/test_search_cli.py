"""``leadflow search`` and ``leadflow index``, as a person runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leadflow_assets.cli.app import main
from leadflow_assets.sampleton import Planted
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.search_helpers import SearchLake, make_search_lake


@dataclass(frozen=True)
class Done:
    """What a run left: exit code and both streams."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> SearchLake:
    return make_search_lake(tmp_path_factory.mktemp("search-cli"), sample_package[0])


@pytest.fixture
def leadflow(
    here: SearchLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Runs the command on the lake, in an empty folder; in this process: starting one costs a second."""
    forget_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(here.settings.data_dir))
    monkeypatch.setenv("LEADFLOW_DEMO", "true")

    def run(*arguments: str) -> Done:
        capfd.readouterr()
        code = main(arguments)
        return Done(code, *capfd.readouterr())

    return run


def some_address(here: SearchLake) -> dict[str, Any]:
    """A property of Sampleton whose number and street are its alone."""
    rows = here.frame[(here.frame["town_id"] == 999) & here.frame["point_x"].notna()]
    rows = rows[rows["unit"].isna() & (rows["house_number"] == rows["house_number_high"])]
    alone = rows.drop_duplicates(["house_number", "street_normalized"], keep=False)
    return dict(alone.iloc[50])


def test_a_search_shows_rows_on_stdout_and_what_was_searched_on_stderr(leadflow: Run) -> None:
    done = leadflow("search", "--town", "sampleton", "--use-code", "104", "--limit", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("F_") == 3
    assert "1 to 3 of" in done.stderr and "Sampleton: MassGIS CY25_FY26" in done.stderr


def test_json_is_one_document_with_criteria_that_repeat_it(leadflow: Run) -> None:
    done = leadflow(
        "search", "--town", "sampleton", "--min-value", "500000", "--sort", "-total_value", "--json"
    )
    document = json.loads(done.stdout)
    values = [row["total_value"] for row in document["rows"]]
    assert values == sorted(values, reverse=True) and min(values) >= 500_000
    assert document["criteria"] == {"towns": [999], "min_value": 500_000}
    assert document["engine"] == "index" and document["freshness"][0]["town"] == "Sampleton"


def test_near_an_address_is_sorted_by_distance(leadflow: Run, here: SearchLake) -> None:
    row = some_address(here)
    place = f"{row['house_number']:.0f} {row['street_normalized']}, Sampleton"
    done = leadflow("search", "--near", place, "--radius", "0.25mi", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    distances = [found["distance_m"] for found in document["rows"]]
    assert distances == sorted(distances) and distances[0] < 1 and distances[-1] <= 402.4
    assert "exact" in done.stderr


def test_within_and_near_add_up(leadflow: Run, here: SearchLake, tmp_path: Path) -> None:
    frame = here.frame[here.frame["town_id"] == 999].dropna(subset=["lon"])
    west, south = frame["lon"].min() - 0.001, frame["lat"].min() - 0.001
    middle, north = frame["lon"].median(), frame["lat"].max() + 0.001
    ring = [[west, south], [middle, south], [middle, north], [west, north], [west, south]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "area.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    east = frame.sort_values("lon").iloc[-1]
    point = f"{east['lat']},{east['lon']}"

    def total(*filters: str) -> int:
        done = leadflow("search", "--town", "999", *filters, "--json", "--limit", "1")
        assert done.returncode == 0, done.stderr
        return int(json.loads(done.stdout)["total"])

    half, circle = total("--within", "area.geojson"), total("--near", point, "--radius", "50m")
    assert half > 100 and circle >= 1
    assert total("--within", "area.geojson", "--near", point, "--radius", "50m") == half + circle


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("csv", "out.csv"),
        ("xlsx", "out.xlsx"),
        ("geojson", "out.geojson"),
        ("geoparquet", "out.parquet"),
        ("map", "out.html"),
    ],
)
def test_every_format_is_written_with_its_sidecar(
    leadflow: Run, tmp_path: Path, format: str, name: str
) -> None:
    filters = ("--town", "sampleton", "--use-code", "104", "--absentee", "any")
    done = leadflow("search", *filters, "--format", format, "-o", name)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).stat().st_size > 1000
    sidecar = json.loads((tmp_path / f"{name}.leadflow.json").read_text())
    assert sidecar["criteria"] == {"towns": [999], "use_codes": ["104"], "absentee": "any"}
    assert str(sidecar["rows"]) + " properties written" in done.stderr
    if format == "csv":
        rows = pd.read_csv(tmp_path / name, dtype=str)
        assert len(rows) == sidecar["rows"] and rows["zip"].dropna().str.len().eq(5).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--near", "42.1,-71.2"), "--near and --radius belong together"),
        (("--radius", "1mi"), "--near and --radius belong together"),
        (("--near", "42.1,-71.2", "--radius", "0mi"), "not possible"),
        (("--near", "42.1,-71.2", "--radius", "-1mi"), "not possible"),
        (("--near", "42.1,-71.2", "--radius", "5000mi"), "at most 50mi"),
        (("--near", "42.1,-71.2", "--radius", "5"), "is not a distance"),
        (("--near", "-71.2,42.1", "--radius", "1mi"), "swapped"),
        (("--bbox", "-71,42,-72,43"), "west below east"),
        (("--bbox", "1,2,3"), "is not a box"),
        (("--within", "nothing.geojson"), "Cannot read nothing.geojson"),
        (("--min-value", "5", "--max-value", "4"), "above max_value"),
        (("--sold-before", "soon"), "--sold-before 'soon' is not a date"),
        (("--absentee", "maybe"), "--absentee"),
        (("--sort", "beauty"), "Cannot sort by beauty"),
        (("--format", "pdf"), "There is no format 'pdf'"),
        (("--format", "csv"), "needs a file"),
        (("-o", "x.csv"), "-o needs a --format"),
        (("--list", "no such list"), "no such list"),
        (("--town", "Sampletown"), "Sampleton"),
        (("--as-of", "yesterday"), "is not a date"),
    ],
)
def test_bad_input_is_one_clear_error(leadflow: Run, arguments: tuple[str, ...], said: str) -> None:
    done = leadflow("search", *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""


def polygon(*ring: tuple[float, float]) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"type": "Point", "coordinates": [-71.5, 42.3]}', "not a Polygon"),
        (polygon((-71.5, 42.3), (-71.4, 42.4), (-71.4, 42.3), (-71.5, 42.4)), "crosses itself"),
        (polygon((200000, 870000), (201000, 870000), (201000, 871000)), "not degrees"),
        (polygon((2, 48), (3, 48), (3, 49)), "outside Massachusetts"),
        (polygon((42.1, -71.5), (42.2, -71.5), (42.2, -71.4)), "swapped"),
        ('{"type": "FeatureCollection", "features": []}', "holds no feature"),
        ('{"type": "FeatureCollection", "features": [null, 5]}', "feature 1"),
        ('{"crs": {"type": "name", "properties": {"name": "EPSG:26986"}}, "type": "Polygon"}', "EPSG:26986"),
        ("not json", "no JSON document"),
        ("[1, 2]", "not an object"),
    ],
)
def test_bad_polygons_are_refused(leadflow: Run, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "bad.geojson").write_text(content)
    done = leadflow("search", "--within", "bad.geojson")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr and "bad.geojson" in done.stderr


def test_nothing_found_is_not_no_data(leadflow: Run) -> None:
    nothing = leadflow("search", "--town", "sampleton", "--min-value", "999000000")
    assert nothing.returncode == 0 and "Nothing matches among" in nothing.stderr
    no_data = leadflow("search", "--town", "gosnold")
    assert no_data.returncode == 1 and "no data for Gosnold" in no_data.stderr
    assert "leadflow refresh gosnold" in no_data.stderr


def test_the_index_says_that_it_is_current(leadflow: Run) -> None:
    done = leadflow("index", "--json")
    assert json.loads(done.stdout)["built"] is False


def test_a_past_day_is_searched_as_it_was(leadflow: Run) -> None:
    done = leadflow("search", "--as-of", "2020-01-01")
    assert done.returncode == 1 and "no data at all" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--town", "sampleton", "--use-code", "104", "--absentee", "any"),
        ("--owner", "trust", "--sort", "-total_value"),
        ("--owner", "*rus*", "--min-value", "1"),
        ("--bbox", "-73.5,41.2,-69.8,42.9", "--street", "spring"),
    ],
)
def test_a_process_of_its_own_answers_from_the_index(
    here: SearchLake, tmp_path: Path, leadflow: Run, arguments: tuple[str, ...]
) -> None:
    """Other tests share a process in which pandas is loaded; a person's command runs without it."""
    done = subprocess.run(
        [sys.executable, "-m", "leadflow_assets.cli", "search", *arguments, "--json"],
        cwd=tmp_path,
        env={**os.environ, "LEADFLOW_DATA_DIR": str(here.settings.data_dir), "LEADFLOW_DEMO": "true"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["engine"] == "index" and document["total"] > 0
    assert document == json.loads(leadflow("search", *arguments, "--json").stdout)
