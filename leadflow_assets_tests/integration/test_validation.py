"""Validation on a generated history: it finds what is planted, and knows its limits."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from leadflow_assets.cli.app import main
from leadflow_assets.domain.distress import load_table
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.enrich.scoring import database
from leadflow_assets.enrich.validation.cohorts import Release, cohorts, releases
from leadflow_assets.enrich.validation.labels import (
    FORECLOSURE_12,
    TRANSFER_12,
    Foreclosures,
    Later,
    foreclosures,
    transfers,
)
from leadflow_assets.enrich.validation.report import LabelReport, ValidationReport
from leadflow_assets.enrich.validation.service import validate
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.columns import PARTIES_TYPE
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import MASSGIS_PACKAGES
from leadflow_assets.sampleton import History, HistorySpec, write_history
from leadflow_assets.settings import Settings
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.pipeline_helpers import MONROE, refresh, settings_for, write_small
from leadflow_assets_tests.integration.validation_helpers import publish_history

DEEDS = (date(2019, 1, 1), date(2026, 6, 1))
SPEC = HistorySpec(MONROE.town_id, "MONROE", properties=5_000, first_year=2020, releases=5)
NOTHING = HistorySpec(109, "GOSNOLD", properties=3_000, releases=4, seed=9, effects={})


def _validated(folder: Path, spec: HistorySpec) -> tuple[Settings, History, ValidationReport]:
    settings, history = settings_for(folder / "data"), write_history(spec)
    publish_history(settings, spec, history)
    return settings, history, validate(settings, known_from="published", deeds_complete=DEEDS)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, History, ValidationReport]:
    return _validated(tmp_path_factory.mktemp("planted"), SPEC)


def label(report: ValidationReport, name: str) -> LabelReport:
    return next(one for one in report.labels if one.label.name == name)


@pytest.mark.slow
def test_the_planted_effects_are_found_again(
    planted: tuple[Settings, History, ValidationReport],
) -> None:
    _, history, report = planted
    found = label(report, "transfer_12")
    # Of the releases that are looked at: what the chances themselves give.
    chosen = [release for release in history.releases if release.day in found.cohorts]
    assert len(chosen) == 2
    chance = np.concatenate([release.chance for release in chosen])
    for rate in found.factors:
        has = np.concatenate([release.has[rate.factor] for release in chosen])
        expected = chance[has].mean() / chance[~has].mean()
        assert rate.ratio is not None and rate.ratio.low < expected < rate.ratio.high, rate
    assert {rate.factor for rate in found.factors} == SPEC.effects.keys()
    assert found.figures is not None and found.figures.auc is not None and found.figures.lift is not None
    oracle = _oracle(chance)
    assert found.figures.auc.low > 0.55 and found.figures.auc.value < oracle + 0.03
    assert found.figures.lift[0.1].low > 1.5 and found.passes
    assert report.label == "uncalibrated - ordering only"


def _oracle(chance: np.ndarray) -> float:
    """The best AUC that anybody could have: from the chances themselves."""
    rng = np.random.default_rng(4)
    happened = rng.random(len(chance)) < chance
    ranks = np.argsort(np.argsort(chance + rng.random(len(chance)) * 1e-9))
    n, m = happened.sum(), (~happened).sum()
    return float((ranks[happened].sum() - n * (n - 1) / 2) / (n * m))


@pytest.mark.slow
def test_foreclosures_follow_complaints_and_are_another_label(
    planted: tuple[Settings, History, ValidationReport],
) -> None:
    found = label(planted[2], "foreclosure_12")
    (ratio,) = [rate.ratio for rate in found.factors if rate.factor == "foreclosure_complaint"]
    assert ratio is not None and ratio.low < 0.25 / 0.003 < ratio.high
    assert found.figures is not None and found.figures.auc is not None and found.figures.auc.low > 0.7
    sold, taken = label(planted[2], "transfer_12"), found
    assert sold.figures is not None and sold.figures.events > 3 * taken.figures.events  # type: ignore[union-attr]


@pytest.mark.slow
def test_slices_are_parts_of_the_whole(planted: tuple[Settings, History, ValidationReport]) -> None:
    found = label(planted[2], "transfer_12")
    for by in ("coverage", "town", "owner type"):
        parts = [one.figures for one in found.slices if one.by == by]
        assert sum(part.properties for part in parts) == found.observed
        assert sum(part.events for part in parts) == found.figures.events  # type: ignore[union-attr]
    assert {one.name for one in found.slices if one.by == "owner type"} == {"person", "estate"}
    assert sum(one.properties for one in found.deciles) == found.observed


@pytest.mark.slow
def test_where_nothing_is_planted_nothing_is_found(tmp_path: Path) -> None:
    _, _, report = _validated(tmp_path, NOTHING)
    found = label(report, "transfer_12")
    assert found.figures is not None and found.figures.auc is not None and found.figures.lift is not None
    assert found.figures.auc.low < 0.5 < found.figures.auc.high
    assert found.figures.lift[0.1].low < 1 and not found.passes
    assert found.gates[0].passed is False


@pytest.mark.slow
def test_nothing_of_a_later_day_enters_a_score(
    planted: tuple[Settings, History, ValidationReport],
) -> None:
    settings, history, _ = planted
    lake = Lake(settings)
    found, without = releases(lake, "published")
    assert without == 0 and [one.known_on for one in found] == [one.day for one in history.releases]
    with database() as scoring:
        (cohort,) = cohorts(lake, found[1:2], load_table(), scoring, "published")
    day = cohort.release.known_on
    complained = {
        f"190-{filing.prop_id}"
        for filing in history.filings
        if filing.case_type == "servicemembers_case" and filing.day <= day
    }
    rows = cohort.rows.to_pylist()
    scored = {row["property_id"] for row in rows if "foreclosure_complaint" in row["factors"]}
    later = {filing.prop_id for filing in history.filings if filing.day > day}
    assert scored and scored <= complained and later
    assert all(row["last_sale_date"] <= day for row in rows)
    # By the strict rule the cases, which came here today, are not known on any past day.
    with database() as scoring:
        (strict,) = cohorts(lake, releases(lake, "ingested")[0][1:2], load_table(), scoring, "ingested")
    assert not any("foreclosure_complaint" in row["factors"] for row in strict.rows.to_pylist())


def _release(day: date, year: int) -> Release:
    return Release(109, f"FY{year}", year, day, None)  # type: ignore[arg-type]


def _rows(*sales: tuple[date | None, int | None, str]) -> pa.Table:
    owners = [
        [{"name": last, "last": last, "first": "", "role": "owner", "is_person": True}]
        for _, _, last in sales
    ]
    return pa.table(
        {
            "property_id": [f"109-{place}" for place in range(len(sales))],
            "last_sale_date": pa.array([day for day, _, _ in sales], pa.date32()),
            "sale_is_nominal": pa.array([None if price is None else price < 1000 for _, price, _ in sales]),
            "sale_is_bulk": [False] * len(sales),
            "owners": pa.array(owners, PARTIES_TYPE),
        }
    )


BEFORE, WITHIN, AFTER = date(2019, 5, 1), date(2021, 6, 1), date(2022, 6, 1)


def test_what_counts_as_an_arms_length_transfer() -> None:
    asof = date(2021, 1, 10)
    now = _rows(*[(BEFORE, 300_000, "FENNELBY")] * 7)
    later = _rows(
        (BEFORE, 300_000, "FENNELBY"),
        (WITHIN, 400_000, "LARKWELL"),
        (WITHIN, 1, "LARKWELL"),
        (WITHIN, 400_000, "FENNELBY"),
        (AFTER, 400_000, "LARKWELL"),
        (date(2030, 1, 1), 400_000, "LARKWELL"),
    )
    complete = Later(_release(date(2024, 1, 10), 2024), later)
    found = transfers(TRANSFER_12, asof, now, [complete]).tolist()
    # Kept; sold; for a dollar; to a namesake; sold later, which hides it; a date to come; gone from the roll.
    assert found == [0, 1, 0, 0, -1, -1, -1]
    hidden = Later(_release(date(2022, 1, 10), 2022), _rows(*[(WITHIN, 400_000, "LARKWELL")] * 7))
    assert transfers(TRANSFER_12, asof, now, [hidden, complete]).tolist() == [1] * 7
    assert transfers(TRANSFER_12, asof, now, [hidden]).tolist() == [-1] * 7
    assert transfers(TRANSFER_12, asof, now, []).tolist() == [-1] * 7


def test_a_property_without_foreclosure_is_one_only_where_somebody_would_have_told() -> None:
    asof, inside, ids = date(2024, 1, 10), date(2024, 6, 1), ["a", "b", "c", "d"]
    events = {"a": (inside,), "b": (date(2025, 6, 1),), "d": (inside,)}
    nobody = Foreclosures(events, {})
    assert foreclosures(FORECLOSURE_12, asof, ids, nobody).tolist() == [-1, -1, -1, -1]
    asked = Foreclosures(events, {"a": date(2025, 2, 1), "b": date(2025, 2, 1), "c": date(2025, 1, 9)})
    assert foreclosures(FORECLOSURE_12, asof, ids, asked).tolist() == [1, 0, -1, -1]
    stated = Foreclosures(events, {}, (date(2024, 1, 1), date(2025, 2, 1)))
    assert foreclosures(FORECLOSURE_12, asof, ids, stated).tolist() == [1, 0, 0, 1]
    short = Foreclosures(events, {}, (date(2024, 1, 1), date(2024, 12, 1)))
    assert foreclosures(FORECLOSURE_12, asof, ids, short).tolist() == [-1, -1, -1, -1]


@pytest.fixture(scope="module")
def one_release(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("one")
    settings = settings_for(folder / "data")
    assert refresh(settings, MONROE, write_small(folder, MONROE)).status == "refreshed"
    return settings


def test_what_cannot_be_validated_is_said_plainly(one_release: Settings) -> None:
    report = validate(one_release)
    assert report.cohorts == 1 and report.properties > 40
    for one in report.labels:
        assert one.figures is None and one.observed == 0 and not one.passes
        assert one.not_observed == report.properties
        assert {gate.passed for gate in one.gates} == {None}
        assert any(f"Cannot be validated yet: {one.label.words}" in note for note in report.notes)
    (release,) = releases(Lake(one_release), "ingested")[0]
    package = Lake(one_release).snapshot(MASSGIS_PACKAGES).partitions["town_id=190"]
    fetched = datetime.fromisoformat(package.facts["receipt"]["fetched_at"])
    assert release.known_on == local_day(fetched)
    with pytest.raises(UsageError, match="no release of any of these towns"):
        validate(one_release, towns=[25])
    with pytest.raises(UsageError, match="ends before it begins"):
        validate(one_release, deeds_complete=(date(2025, 1, 1), date(2024, 1, 1)))
    today = local_day(datetime.now(UTC))
    with pytest.raises(UsageError, match="still to come"):
        validate(one_release, deeds_complete=(date(2025, 1, 1), today + timedelta(1)))


def test_the_command_shows_labels_gates_and_limits(
    one_release: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(one_release.data_dir))
    assert main(["score", "validate", "monroe", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["label"]["name"] for one in document["labels"]] == [
        "foreclosure_12", "transfer_12", "transfer_24"
    ]  # fmt: skip
    assert document["label"] == "uncalibrated - ordering only"
    assert main(["score", "validate"]) == 0
    shown = capsys.readouterr().out
    assert "Cannot tell" in shown and "What this cannot tell" in shown
    for arguments in (
        ["--known-from", "guessed"],
        ["--deeds-complete", "2020"],
        ["--table", "distress-0.0.1"],
    ):
        assert main(["score", "validate", *arguments]) == 2


@pytest.mark.slow
def test_the_command_shows_figures(
    planted: tuple[Settings, History, ValidationReport],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    forget_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(planted[0].data_dir))
    stated = ["--known-from", "published", "--deeds-complete", "2019-01-01:2026-06-01"]
    assert main(["score", "validate", "monroe", *stated]) == 0
    shown = capsys.readouterr().out
    for text in ("AUC", "lift, top 1 %", "foreclosure_complaint", "Gate", "passed", "owner type: estate"):
        assert text in shown
