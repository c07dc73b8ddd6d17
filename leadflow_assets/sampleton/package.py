"""From a draft to a package on disk, and the report of what was planted in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from leadflow_assets.sampleton import quirks, releases, writer
from leadflow_assets.sampleton.draft import Case, Draft, PackageSpec
from leadflow_assets.sampleton.schema import Layer


@dataclass(frozen=True)
class Planted:
    """What a package holds and what was planted where. JSON-able.

    ``polygons`` are TaxPar rows, ``records`` Assess rows (duplicates included), ``other_legal`` and ``misc``
    rows of OthLeg and Misc. ``quirks`` maps a quirk's name to one dict per planted case: keys that identify
    the rows, and ``expected``, what a correct reader makes of them. ``calendar_year`` is None for old names.
    """

    town_id: int
    fiscal_year: int
    calendar_year: int | None
    polygons: int
    records: int
    other_legal: int
    misc: int
    use_code_rows: int
    quirks: dict[str, list[Case]]


def write_package(spec: PackageSpec, path: Path) -> Planted:
    """Write the town's package to ``path``, whole or not at all; the same spec gives the same bytes.

    Raises:
        ValueError: parcels out of range, or too few for the quirks.
    """
    draft, cases = build(spec)
    draft.finish()
    writer.write_atomically(path, writer.zip_bytes(members(draft, spec), spec.calendar_year))
    return report(draft, spec, cases)


def next_release(spec: PackageSpec, path: Path, *, years: int = 1) -> Planted:
    """Write the same town some fiscal and calendar years later; ``quirks`` are the last year's changes.

    Apart from FY and the planted changes every row is as in ``write_package(spec, ...)``, quirks included;
    each year changes other houses, and keeps what the years before it changed.

    Raises:
        ValueError: parcels out of range, or too few for the quirks and changes.
    """
    draft, _ = build(spec)
    later = replace(spec, fiscal_year=spec.fiscal_year + years, calendar_year=spec.calendar_year + years)
    for year in range(1, years + 1):
        cases = releases.plant_changes(draft, spec.fiscal_year + year)
    releases.remove_gone(draft)
    writer.write_atomically(path, writer.zip_bytes(members(draft, later), later.calendar_year))
    return report(draft, later, cases)


def build(spec: PackageSpec) -> tuple[Draft, dict[str, list[Case]]]:
    """The tables of a spec, still to be finished, and the quirks planted in them."""
    draft = Draft(spec)
    return draft, quirks.plant_quirks(draft) if spec.quirks else {}


def members(draft: Draft, spec: PackageSpec) -> dict[str, bytes]:
    """Names and contents of the zip's members, the folder first, then by name as in real packages."""
    folder = f"L3_SHP_M{spec.town_id:03d}_{spec.name.title().replace(' ', '')}"
    folder = folder.upper() if spec.upper_folder else folder
    suffix = "" if spec.old_names else f"_CY{spec.calendar_year % 100:02d}_FY{spec.fiscal_year % 100:02d}"
    tables = {
        "TaxPar": draft.taxpar,
        "OthLeg": draft.othleg,
        "Misc": draft.misc,
        "Assess": draft.assess,
        "UC_LUT": draft.uc_lut,
        "_LUT": draft.lut,
    }
    code_page = b"UTF-8" if spec.encoding == "utf-8" else b"ISO-8859-1"
    made: dict[str, bytes] = {}
    for name, table in tables.items():
        stem = f"{folder}/M{spec.town_id:03d}{name}{suffix}"
        if isinstance(table, Layer):
            writer.measure(table)
            made[f"{stem}.shp"], made[f"{stem}.shx"] = writer.shp_shx_bytes(table.shapes)
            made[f"{stem}.prj"] = writer.MASSACHUSETTS_MAINLAND.encode("ascii")
        made[f"{stem}.dbf"] = writer.dbf_bytes(table, spec.encoding, spec.calendar_year)
        made[f"{stem}.cpg"] = code_page
    return {f"{folder}/": b"", **{name: made[name] for name in sorted(made)}}


def report(draft: Draft, spec: PackageSpec, cases: dict[str, list[Case]]) -> Planted:
    """Counts of what was written, with the cases planted in it."""
    return Planted(
        town_id=spec.town_id,
        fiscal_year=spec.fiscal_year,
        calendar_year=None if spec.old_names else spec.calendar_year,
        polygons=len(draft.taxpar),
        records=len(draft.assess),
        other_legal=len(draft.othleg),
        misc=len(draft.misc),
        use_code_rows=len(draft.uc_lut),
        quirks=cases,
    )
