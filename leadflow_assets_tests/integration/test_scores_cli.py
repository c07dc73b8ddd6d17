"""``leadflow score`` and the scores in Dagster: what a person sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.assets.scores import SCORES_KEY
from leadflow_assets.automation.scores import scores_outdated
from leadflow_assets.cli.app import main
from leadflow_assets.definitions import build_definitions
from leadflow_assets.sampleton import Planted
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.search_helpers import make_search_lake
from leadflow_assets_tests.integration.unified_helpers import rows_of

TODAY = datetime.now(UTC).date()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Path:
    return make_search_lake(tmp_path_factory.mktemp("scores_cli"), sample_package[0]).settings.data_dir


@pytest.fixture
def data(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    forget_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(folder))
    monkeypatch.setenv("LEADFLOW_DEMO", "true")
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0, out
    return json.loads(out)


@pytest.fixture
def rows(data: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    from leadflow_assets.settings import load_settings

    told(capsys, "score", "run")
    return {row["property_id"]: row for row in rows_of(load_settings(), "mart/distress_scores")}


def test_run_says_what_it_did_and_then_that_nothing_changed(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = told(capsys, "score", "run", "sampleton", "--force")
    assert report["towns_changed"] == [999] and report["properties"] > 1000
    told(capsys, "score", "run")
    code, out, _ = run(capsys, "score", "run")
    assert code == 0 and out.startswith("Nothing has changed")


def test_the_lines_of_an_explanation_add_up_and_the_label_stands_there(
    rows: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    best = max(rows.values(), key=lambda row: (row["score"] or 0, row["property_id"]))
    document = told(capsys, "score", "explain", best["property_id"])
    counted = [line for line in document["reasons"] if line["counted"]]
    assert round(sum(line["points"] for line in counted), 2) == document["score"] == best["score"]
    assert document["label"] == "uncalibrated - ordering only"
    assert document["low"] <= document["high"] and 0 < document["coverage"] < 1
    code, out, _ = run(capsys, "score", "explain", best["property_id"])
    assert code == 0
    for text in (
        f"{best['score']:.1f} of 100",
        "ordering only",
        "What counts",
        "unknown: not asked",
        "Equity",
    ):
        assert text in out


def test_unknown_is_called_unknown_and_not_applicable_has_its_reason(
    rows: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = next(row["property_id"] for row in rows.values() if row["state"] == "unknown")
    _, out, _ = run(capsys, "score", "explain", unknown)
    assert "unknown: no group is known, which does not mean that it is low" in " ".join(out.split())
    assert "0.0 to 100.0" in out and " of 100" not in out
    public = next(row["property_id"] for row in rows.values() if row["not_applicable_reason"] == "government")
    _, out, _ = run(capsys, "score", "explain", public)
    assert "does not apply: a public body owns it" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("999-no-such",), "There is no property"),
        (("999-0060-0011-0000", "--as-of", "yesterday"), "is no day"),
        (("999-0060-0011-0000", "--as-of", "1999-01-01"), "Nothing was known of Sampleton on 1999-01-01"),
        (("999-0060-0011-0000", "--as-of", "2999-01-01"), "still to come"),
        (("999-0060-0011-0000", "--table", "distress-0.1.0"), "Known versions: distress-1.0.0"),
    ],
)
def test_a_bad_question_is_one_clear_error(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = run(capsys, "score", "explain", *arguments)
    assert (code, out) == (2, "") and message in err


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def test_dagster_scores_towns_shows_why_and_does_it_once(data: Path, instance: dg.DagsterInstance) -> None:
    settings = LeadflowSettings(overrides={"leadflow_data_dir": str(data), "leadflow_demo": "true"})
    definitions = build_definitions(settings)
    (data / "scores" / "done.json").unlink(missing_ok=True)
    context = dg.build_sensor_context(instance=instance, resources={"settings": settings})
    first = scores_outdated(context)
    assert isinstance(first, dg.SensorResult) and first.run_requests
    assert str(first.run_requests[0].run_key).startswith("score:")
    assert definitions.resolve_job_def("score_properties").execute_in_process(instance=instance).success
    second = scores_outdated(context)
    assert isinstance(second, dg.SensorResult) and not second.run_requests
    job = definitions.resolve_implicit_global_asset_job_def()
    done = job.execute_in_process(
        instance=instance,
        asset_selection=[SCORES_KEY],
        tags={"dagster/asset_partition_range_start": "999-sampleton",
              "dagster/asset_partition_range_end": "999-sampleton"},
    )  # fmt: skip
    assert done.success
    event = instance.get_latest_materialization_event(SCORES_KEY)
    assert event is not None and event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert event.asset_materialization.partition == "999-sampleton"
    assert str(metadata["distribution"].value).startswith(
        "![distribution of the scores](data:image/png;base64,"
    )
    table = metadata["top_reasons"]
    assert isinstance(table, dg.TableMetadataValue)
    reasons = {record.data["reason"]: record.data["properties"] for record in table.records}
    assert int(str(reasons["auction scheduled"])) > 10
    assert 0 < float(str(metadata["coverage"].value)) < 1


def _worth(capsys: pytest.CaptureFixture[str], row: dict[str, Any]) -> dict[str, Any]:
    report = told(capsys, "parcel", "sampleton", row["loc_id"])
    (unit,) = (one for one in report["units"] if one["property_id"] == row["property_id"])
    return {**unit["worth"], "sale": unit["sale"]}


def test_a_scenario_stands_where_no_loan_is_known_and_nowhere_else(
    rows: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadflow_assets.settings import load_settings

    market = {
        row["property_id"]
        for row in rows_of(load_settings(), "mart/properties")
        if row["sale_is_market"] and row["last_sale_date"].year > 1990 and row["total_value"]
    }
    ours = [row for row in rows.values() if row["property_id"] in market and row["state"] == "scored"]
    known = next(row for row in rows.values() if row["equity_method"] not in ("unknown", None))
    worth = _worth(capsys, known)
    assert worth["assumed"] is None and worth["equity"]["method"] == known["equity_method"]
    assert worth["equity"]["mid"] == pytest.approx(known["equity_mid"])

    unknown = next(row for row in ours if row["equity_why_unknown"] == "no_loan_data")
    for share, months in ((80, 360), (50, 180)):
        monkeypatch.setenv("LEADFLOW_ASSUMED_LOAN_TO_VALUE", str(share))
        monkeypatch.setenv("LEADFLOW_ASSUMED_TERM_MONTHS", str(months))
        worth = _worth(capsys, unknown)
        assert worth["equity"]["method"] == "unknown" and worth["equity"]["mid"] is None
        assumed, price = worth["assumed"], worth["sale"]["price"]
        rate = assumed["balance"]["rate"]["percent"] / 1200
        held = int((TODAY - date.fromisoformat(worth["sale"]["sale_date"])).days / 30.4375)
        left = 0.0
        if held < months:
            grown = (1 + rate) ** months
            left = price * share / 100 * (grown - (1 + rate) ** held) / (grown - 1)
        assert assumed["balance"]["mid"] == pytest.approx(left)
        assert assumed["mid"] == pytest.approx(assumed["value"]["mid"] - left)
        paid = worth["returned"]["cash_in"]
        assert paid == pytest.approx(price - left)
        assert worth["returned"]["roi_percent"] == pytest.approx(
            100 * (assumed["value"]["mid"] - price) / (price - left)
        )
    _, out, _ = run(capsys, "parcel", "sampleton", unknown["loc_id"], "--unit", unknown["property_id"])
    assert "Scenario" in out and "nobody has seen such a loan" in " ".join(out.split())
