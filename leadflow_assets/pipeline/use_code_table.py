"""UC_LUT and the codes in use to core/use_codes: what each code means in this town."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from leadflow_assets.domain import use_codes
from leadflow_assets.lake.tables import USE_CODES
from leadflow_assets.pipeline import clean
from leadflow_assets.pipeline.parcels import CleanTable
from leadflow_assets.pipeline.quarantine import Quarantine
from leadflow_assets.pipeline.release import Release
from leadflow_assets.sources.massgis.reader import Layer

_COLUMNS: dict[str, clean.Kind] = {"TOWN_ID": "integer", "USE_CODE": "text", "USE_DESC": "text"}
STATE_ROWS = 0  # TOWN_ID of the state's codes


def clean_use_codes(layer: Layer, release: Release, codes_in_use: pa.ChunkedArray) -> CleanTable:
    """Resolve every code of the package's table and every code its records use."""
    columns = clean.typed_columns(layer, _COLUMNS, required=("USE_CODE", "USE_DESC"), file=release.file)
    quarantine = Quarantine(layer)
    state: dict[str, str] = {}
    local: dict[str, str] = {}
    triples = zip(*(columns[name].to_pylist() for name in ("town_id", "use_code", "use_desc")), strict=True)
    for index, (town_id, raw_code, description) in enumerate(triples):
        code = use_codes.normalize(raw_code)
        meanings = {STATE_ROWS: state, release.town_id: local}.get(town_id)
        if code is None or description is None:
            quarantine.add_row(index, "code_or_meaning_missing", "dropped")
        elif meanings is None:
            quarantine.add_row(index, "other_town", "dropped", f"TOWN_ID {town_id}")
        elif code in meanings:
            quarantine.add_row(index, "code_repeated", "dropped")
        else:
            meanings[code] = description
    used = Counter(code for code in codes_in_use.to_pylist() if code)
    rows = [
        _row(use_codes.resolve(code, town_id=release.town_id, local=local, state=state), used[code], release)
        for code in sorted({*state, *local, *used})
    ]
    unknown = sorted(row["use_code"] for row in rows if row["resolved_from"] == use_codes.UNKNOWN)  # type: ignore[type-var]
    facts: dict[str, object] = {
        "codes_in_use": len(used),
        "local_codes": len(local),
        "unresolved_codes": unknown[:20],
        "rows_from_source": layer.rows.num_rows,
    }
    return CleanTable(
        pa.Table.from_pylist(rows, schema=USE_CODES.schema), quarantine, layer.rows.num_rows, facts
    )


def _row(meaning: use_codes.UseCodeMeaning, records: int, release: Release) -> dict[str, object]:
    return {
        "town_id": release.town_id,
        "use_code": meaning.code,
        "description": meaning.description,
        "resolved_from": meaning.resolved_from,
        "category": meaning.category,
        "state_description": meaning.state_description,
        "local_description": meaning.local_description,
        "units_low": meaning.units_low,
        "units_high": meaning.units_high,
        "records": records,
        "release": release.name,
    }
