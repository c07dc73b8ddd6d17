"""A bad package costs one clear error and nothing else: what is published stays, other towns go on."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.errors import BadPackageError, LeadflowError, SourceAnswerError
from leadflow_assets.refresh.run import TownReport, refresh_towns
from leadflow_assets.sampleton import FAULT_KINDS, FaultKind, next_release, write_faulty_package
from leadflow_assets.settings import Settings
from leadflow_assets_tests.integration.pipeline_helpers import (
    GOSNOLD,
    MONROE,
    Published,
    current_hashes,
    dbf_rows,
    personal_texts,
    published,
    refresh,
    settings_for,
    small_spec,
    snapshot_numbers,
    staged_files,
    write_links,
    write_small,
)

# What the error must speak of, besides the file; a latin-1 byte is no fault and has a test of its own.
WORDS: dict[str, tuple[str, ...]] = {
    "missing_dbf": ("lacks", "M109Assess", ".dbf"),
    "missing_taxpar": ("lacks", "M109TaxPar", ".shp"),
    "wrong_crs": ("TaxPar", "WGS 84", "EPSG:26986"),
    "no_crs": ("lacks", ".prj", "no CRS"),
    "zero_polygons": ("TaxPar", "no polygons"),
    "two_fiscal_years": ("Assess", "fiscal years", "2025", "2026"),
    "foreign_town": ("town 1", "Abington", "109", "Gosnold"),
    "truncated": ("truncated or damaged",),
    "not_a_zip": ("not a zip",),
    "html": ("HTML page",),
    "zip_bomb": ("M999_SHP_L3Par.lyr", "200 times", "zip bomb"),
    "path_traversal": ("evil.dbf", "leads out of the package"),
    "lot_units_bad": ("Assess", "LOT_UNITS", "'Q'"),
    "empty_file": ("nothing", "not a package"),
}


@dataclass(frozen=True)
class Base:
    """A lake with a good release of Gosnold in it, and the words that no error may hold."""

    folder: Path
    settings: Settings
    good: Path
    personal: set[str]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("faults")
    good = write_small(folder / "good", GOSNOLD)
    settings = settings_for(folder / "data", massgis_links=str(folder / "links.csv"))
    assert refresh(settings, GOSNOLD, good).status == "refreshed"
    personal = personal_texts(good)
    assert len(personal) > 100
    return Base(folder, settings, good, personal)


def _refused(base: Base, report: TownReport, package: Path, words: tuple[str, ...]) -> LeadflowError:
    """The one error of a report: file and reason named, no personal data, one sentence and a way out."""
    error = report.error
    assert report.status == "failed" and not report.published
    assert isinstance(error, BadPackageError | SourceAnswerError)
    assert package.name in error.message
    for word in words:
        assert word in error.message
    assert error.hint and "\n" not in str(error) and "unexpected" not in str(error)
    assert not [text for text in base.personal if text in str(error).upper()]
    return error


Write = Callable[[Path], None]


def _faulty(kind: FaultKind) -> Write:
    return lambda path: write_faulty_package(kind, path, small_spec(GOSNOLD))


def _foreign_rows(path: Path) -> None:
    """Monroe's package whose members are named as Gosnold's."""
    other = write_small(path.parent, MONROE)
    with zipfile.ZipFile(other) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name.replace("M190", "M109"), source.read(name))


def _damaged_member(path: Path) -> None:
    """A good package with one byte of a member turned."""
    write_small(path.parent, GOSNOLD)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        member = next(m for m in archive.infolist() if m.filename.endswith("Assess_CY25_FY26.dbf"))
    content[member.header_offset + 30 + len(member.filename) + member.compress_size // 2] ^= 0xFF
    path.write_bytes(content)


CASES: dict[str, tuple[Write, tuple[str, ...]]] = {
    **{kind: (_faulty(kind), WORDS[kind]) for kind in FAULT_KINDS if kind in WORDS},
    "foreign_rows": (_foreign_rows, ("rows of town 190", "109", "Gosnold")),
    "damaged_member": (_damaged_member, ("M109Assess", "truncated or damaged")),
}


def test_every_kind_of_fault_has_a_case() -> None:
    assert set(FAULT_KINDS) == set(WORDS) | {"invalid_utf8"}


@pytest.mark.parametrize("kind", CASES)
def test_a_faulty_package_is_refused_and_what_is_published_stays(kind: str, base: Base) -> None:
    write, words = CASES[kind]
    package = base.folder / kind / GOSNOLD.shapefile_zip
    package.parent.mkdir()
    write(package)
    before = snapshot_numbers(base.settings), current_hashes(base.settings), published(base.settings, GOSNOLD)
    _refused(base, refresh(base.settings, GOSNOLD, package), package, words)
    after = snapshot_numbers(base.settings), current_hashes(base.settings), published(base.settings, GOSNOLD)
    assert after == before
    assert not staged_files(base.settings)
    assert not list((base.settings.data_dir / "downloads").rglob("*.zip"))


@pytest.mark.parametrize("workers", [1, 2])
def test_other_towns_of_the_run_finish(workers: int, tmp_path: Path, base: Base) -> None:
    package = tmp_path / "faulty" / GOSNOLD.shapefile_zip
    write_faulty_package("lot_units_bad", package, small_spec(GOSNOLD))
    good = write_small(tmp_path, MONROE, seed=workers)
    write_links(base.folder / "links.csv", {109: package, 190: good})
    settings = base.settings.model_copy(update={"leadflow_workers": workers})
    before = published(settings, GOSNOLD)
    reports = list(refresh_towns(settings, [GOSNOLD, MONROE]))
    by_town = {report.town.town_id: report for report in reports}
    assert len(reports) == 2
    _refused(base, by_town[109], package, WORDS["lot_units_bad"])
    assert (by_town[190].status, by_town[190].error) == ("refreshed", None)
    assert published(settings, GOSNOLD) == before
    town = Published(settings, MONROE)
    assert len(town.assessments) == len(dbf_rows(good, "Assess"))
    assert not staged_files(settings)


def test_every_fault_in_one_run_is_one_error_per_town(tmp_path: Path) -> None:
    """Fourteen towns, each with another fault: fourteen errors, no town without a report."""
    kinds: list[FaultKind] = [kind for kind in FAULT_KINDS if kind != "invalid_utf8"]
    towns = [town_by_id(101 + k) for k in range(len(kinds))]
    packages = {}
    for town, kind in zip(towns, kinds, strict=True):
        packages[town.town_id] = tmp_path / kind / town.shapefile_zip
        write_faulty_package(kind, packages[town.town_id], small_spec(town))
    links = write_links(tmp_path / "links.csv", packages)
    settings = settings_for(tmp_path / "data", massgis_links=str(links))
    reports = list(refresh_towns(settings, towns))
    assert [report.town for report in reports] == towns
    for report in reports:
        assert report.status == "failed" and report.error is not None
        assert packages[report.town.town_id].name in report.error.message
    assert set(snapshot_numbers(settings).values()) == {0}
    assert not staged_files(settings)


def test_a_package_of_another_town_is_refused_by_name(tmp_path: Path, base: Base) -> None:
    package = write_small(tmp_path, MONROE)
    before = snapshot_numbers(base.settings)
    error = _refused(
        base, refresh(base.settings, GOSNOLD, package), package, ("190", "Monroe", "109", "Gosnold")
    )
    assert "right town" in error.hint
    assert snapshot_numbers(base.settings) == before


def test_a_town_that_never_was_published_stays_away_after_a_fault(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data")
    package = tmp_path / GOSNOLD.shapefile_zip
    write_faulty_package("two_fiscal_years", package, small_spec(GOSNOLD))
    assert refresh(settings, GOSNOLD, package).status == "failed"
    assert set(snapshot_numbers(settings).values()) == {0}
    assert current_hashes(settings) == {}
    assert refresh(settings, GOSNOLD, write_small(tmp_path / "good", GOSNOLD)).status == "refreshed"


def test_a_byte_that_is_not_utf8_is_read_as_latin_1_and_noted(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data")
    package = tmp_path / GOSNOLD.shapefile_zip
    write_faulty_package("invalid_utf8", package, small_spec(GOSNOLD))
    report = refresh(settings, GOSNOLD, package)
    assert (report.status, report.error) == ("refreshed", None)
    town = Published(settings, GOSNOLD)
    assert town.facts("core/assessments")["encoding"] == "latin-1"
    assert town.facts("core/parcels")["encoding"] == "utf-8"
    assert (town.assessments["owner1"] == "BRIARMÉRE, ADA").sum() == 1
    assert len(town.assessments) == len(dbf_rows(package, "Assess", "latin-1"))


# --- Releases


@pytest.fixture
def two_releases(tmp_path: Path) -> tuple[Settings, Path, Path]:
    old, new = write_small(tmp_path / "old", GOSNOLD), tmp_path / "new" / GOSNOLD.shapefile_zip
    next_release(small_spec(GOSNOLD), new)
    return settings_for(tmp_path / "data"), old, new


def _history(settings: Settings) -> set[str]:
    return set(published(settings, GOSNOLD)["core/assessment_releases"])


OLD, NEW = "town_id=109/release=CY25_FY26", "town_id=109/release=CY26_FY27"


def test_a_newer_release_replaces_the_older_and_history_keeps_both(
    two_releases: tuple[Settings, Path, Path],
) -> None:
    settings, old, new = two_releases
    assert refresh(settings, GOSNOLD, old).status == "refreshed"
    first = published(settings, GOSNOLD)
    assert refresh(settings, GOSNOLD, new).status == "refreshed"
    town = Published(settings, GOSNOLD)
    assert town.assessments["release"].unique().tolist() == ["CY26_FY27"]
    assert town.properties["fiscal_year"].unique().tolist() == [2027]
    assert len(town.assessments) == len(dbf_rows(new, "Assess"))
    assert _history(settings) == {OLD, NEW}
    kept = published(settings, GOSNOLD)["core/assessment_releases"][OLD]
    assert kept == first["core/assessment_releases"][OLD]
    folder = town.base / "core/assessment_releases"
    assert sorted(p.relative_to(folder).parent.as_posix() for p in folder.rglob("*.parquet")) == [OLD, NEW]


def test_an_older_release_is_refused_unless_forced(two_releases: tuple[Settings, Path, Path]) -> None:
    settings, old, new = two_releases
    assert refresh(settings, GOSNOLD, new).status == "refreshed"
    before = snapshot_numbers(settings), current_hashes(settings)
    refused = refresh(settings, GOSNOLD, old)
    assert isinstance(refused.error, BadPackageError)
    for word in (old.name, "CY25_FY26", "older", "CY26_FY27"):
        assert word in refused.error.message
    assert "--force" in refused.error.hint
    assert (snapshot_numbers(settings), current_hashes(settings)) == before
    assert not staged_files(settings)

    assert refresh(settings, GOSNOLD, old, force=True).status == "refreshed"
    town = Published(settings, GOSNOLD)
    assert town.assessments["release"].unique().tolist() == ["CY25_FY26"]
    assert _history(settings) == {OLD, NEW}
    assert refresh(settings, GOSNOLD, new).status == "refreshed"
    assert Published(settings, GOSNOLD).assessments["release"].unique().tolist() == ["CY26_FY27"]
    assert _history(settings) == {OLD, NEW}


def test_the_same_package_again_changes_nothing(two_releases: tuple[Settings, Path, Path]) -> None:
    settings, old, _ = two_releases
    assert refresh(settings, GOSNOLD, old).status == "refreshed"
    before = snapshot_numbers(settings), current_hashes(settings)
    again = refresh(settings, GOSNOLD, old)
    assert (again.status, again.published) == ("unchanged", {})
    assert (snapshot_numbers(settings), current_hashes(settings)) == before
    assert not staged_files(settings)
