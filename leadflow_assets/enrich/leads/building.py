"""The rows of mart/leads, of all towns at once: an owner's properties may lie in several.

Sets are joined in DuckDB; the rules of ``domain.leads`` are asked once for each combination of facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from typing import Any, Final

import duckdb
import pyarrow as pa

from leadflow_assets.domain import leads as rules
from leadflow_assets.domain.distress.table import ScoreTable, load_table
from leadflow_assets.domain.loans.equity import ASSUMED
from leadflow_assets.domain.purging import Purged
from leadflow_assets.enrich.leads.inputs import Inputs, view
from leadflow_assets.lake.tables import DISTRESS_SCORES, LEADS, PROPERTIES
from leadflow_assets.pipeline.withheld import withheld_properties

_MAILING: Final = tuple(f"mailing_{part}" for part in ("address", "city", "state", "zip", "country"))
_REACH: Final = (*_MAILING, "mailing_is_site", "occupancy")
_CLTV: Final = ("cltv_low", "cltv_high", "equity_method")
_OF_PROPERTY: Final = (
    *("property_id", "town_id", "town", "loc_id", "site_address", "zip", "owner_name", "owner_type"),
    *("owner_care_of", "mailing_key", *_REACH),
)
_OF_SCORE: Final = (
    *("property_id", "score", "coverage", "high", "signals", "factors", "reasons"),
    *("equity_low", "equity_mid", "equity_high", *_CLTV, "version", "table_hash", "as_of"),
)
_FOR_WITHHELD: Final = ("property_id", "address_key", "mailing_key", "owner_name", "owner_care_of")
# Where a column of mart/leads comes from, if not from the best property (b).
_FROM: Final = {
    **{
        name: f"m.{name}"
        for name in ("properties", "property_count", "town_count", "total_value", "is_added", "owner_key")
    },
    "lead_id": "i.lead_id",
    "grade": "g.grade",
    "opportunity": "o.opportunity",
    "equity_band": "e.band AS equity_band",
    "reach": "r.reached AS reach",
    "why": "coalesce(t.why, []) AS why",
    "notices": "coalesce(n.notices, []) AS notices",
    "factors": "coalesce(b.factors, []) AS factors",
}
_FINAL: Final = """
CREATE OR REPLACE TEMP TABLE final AS
SELECT {columns} FROM best AS b
JOIN members AS m USING (owner_key, place)
JOIN ids AS i ON {ids}
JOIN grades AS g ON {grades}
JOIN reaches AS r ON {reaches}
JOIN bands AS e ON {bands}
JOIN opportunities AS o ON o.band = e.band AND o.owner_type = b.owner_type AND o.reached = r.reached
LEFT JOIN told AS t ON t.property_id = b.property_id
LEFT JOIN notices AS n ON {notices}
"""
_FACTS: Final = """
CREATE OR REPLACE TEMP TABLE facts AS SELECT DISTINCT e.band, b.owner_type, r.reached
FROM best AS b JOIN reaches AS r ON {reaches} JOIN bands AS e ON {bands}
"""
_TOLD: Final = """
CREATE OR REPLACE TEMP TABLE told AS
SELECT c.property_id, list(l.line ORDER BY c.points DESC, c.position) AS why
FROM counted AS c JOIN lines AS l ON {same} GROUP BY c.property_id
"""
_LINE: Final = ("factor", "points", "event_date", "source", "confidence", "version")


def build(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Make the table ``final`` with the columns of mart/leads, of all towns."""
    view(connection, inputs.lake, "properties", PROPERTIES, inputs.properties.values())
    view(connection, inputs.lake, "scores", DISTRESS_SCORES, inputs.scores.values())
    _ids_table(connection, "added", inputs.added)
    _ids_table(connection, "withheld", _withheld(connection, inputs.purged))
    for statement in _statements():
        connection.execute(statement)
    _apply(connection, "ids", "best", ("owner_key", "mailing_key", "property_id"), "lead_id", rules.lead_id)
    _apply(connection, "grades", "best", ("score", "coverage"), "grade", rules.grade)
    _apply(connection, "reaches", "best", _REACH, "reached", _reach)
    _apply(connection, "bands", "best", _CLTV, "band", _band)
    connection.execute(_FACTS.format(reaches=_same("r", "b", _REACH), bands=_same("e", "b", _CLTV)))
    columns = ("band", "owner_type", "reached")
    _apply(connection, "opportunities", "facts", columns, "opportunity", rules.opportunity)
    _apply(connection, "lines", "counted", _LINE, "line", _line)
    connection.execute(_TOLD.format(same=_same("l", "c", _LINE)))
    noted = pa.list_(pa.string())
    _apply(connection, "notices", "best", ("factors", "version"), "notices", _notices, noted)
    connection.execute(
        _FINAL.format(
            columns=", ".join(_FROM.get(name, f"b.{name}") for name in LEADS.schema.names),
            ids=_same("i", "b", ("property_id",)),
            grades=_same("g", "b", ("score", "coverage")),
            reaches=_same("r", "b", _REACH),
            bands=_same("e", "b", _CLTV),
            notices=_same("n", "b", ("factors", "version")),
        )
    )


def _statements() -> Iterable[str]:
    text = resources.files("leadflow_assets").joinpath("enrich", "leads", "build.sql").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    made = (
        "\n".join(lines)
        .replace("{best_properties}", ", ".join(_OF_PROPERTY))
        .replace("{best_scores}", ", ".join(_OF_SCORE))
    )
    return [statement for statement in made.split(";") if statement.strip()]


def _apply(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    source: str,
    columns: Sequence[str],
    result: str,
    rule: Callable[..., Any],
    type_: pa.DataType | None = None,
) -> None:
    """A table ``name`` with each combination of ``columns`` in ``source`` and what the rule says of it."""
    given = connection.execute(f"SELECT DISTINCT {', '.join(columns)} FROM {source}").to_arrow_table()
    cells = [given[column].to_pylist() for column in columns]
    said = [rule(*row) for row in zip(*cells, strict=True)]
    held = f"{name}_in"
    connection.register(held, given.append_column(result, pa.array(said, type_ or pa.string())))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {held}")
    connection.unregister(held)


def _ids_table(connection: duckdb.DuckDBPyConnection, name: str, ids: Iterable[str]) -> None:
    connection.register(f"{name}_in", pa.table({"property_id": pa.array(sorted(ids), pa.string())}))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {name}_in")
    connection.unregister(f"{name}_in")


def _withheld(connection: duckdb.DuckDBPyConnection, purged: Purged | None) -> list[str]:
    """Properties whose owner was purged since mart/properties was made; usually there is none."""
    if purged is None or not purged.towns:
        return []
    towns = ", ".join(str(town) for town in sorted(purged.towns))
    rows = connection.execute(
        f"SELECT {', '.join(_FOR_WITHHELD)} FROM properties WHERE town_id IN ({towns})"
    ).to_arrow_table()
    found: list[str] = rows.filter(withheld_properties(purged, rows))["property_id"].to_pylist()
    return found


def _reach(
    address: str | None,
    city: str | None,
    state: str | None,
    zip_: str | None,
    country: str | None,
    is_site: bool,
    occupancy: str,
) -> str:
    return rules.reach(address, city, state, zip_, country, is_site=is_site, occupancy=occupancy)


def _band(low: float | None, high: float | None, method: str) -> str:
    # A scenario is no knowledge.
    return rules.equity_band(None, None) if method == ASSUMED else rules.equity_band(low, high)


def _line(
    factor: str, points: float, event: Any, source: str | None, confidence: float | None, version: str
) -> str:
    return rules.reason_line(_words(load_table(version), factor), points, event, source, confidence)


def _words(table: ScoreTable, factor: str) -> str:
    return next(known.words for known in table.factors if known.name == factor)


def _notices(factors: list[str] | None, version: str) -> list[str]:
    return list(rules.notices_of(factors or (), load_table(version)))


def _same(left: str, right: str, names: Sequence[str]) -> str:
    return " AND ".join(f"{left}.{name} IS NOT DISTINCT FROM {right}.{name}" for name in names)
