"""What vendors know, laid beside what the assessor knows: the vendor columns of mart/properties.

The rule of the merge, per property and group of fields (mortgage, equity, tax, foreclosure, avm, propensity,
liens, deed):

1. The record with the newest source date wins, and its group is taken whole: a newer lender never stands
   beside an older amount. A record without a date is older than any with one.
2. Of equal dates the record that says more wins, then the one fetched last, then the higher record id: in
   which order records came never shows.
3. What lost is not dropped in silence: where it differs in a fact that both give, ``conflicts`` names the two
   sources, their days and the difference. A later word of the same source replaces its earlier one; that is
   no conflict. Values that change by themselves are compared only for the same day or year.
4. The assessor's owner, value and last sale stay the assessor's: they come with parsed parties and a verdict
   on the sale. ATTOM's last sale stands beside them as ``deed_...``; where owner, total or sale differ the
   conflict says so.
5. Null is unknown, never zero and never "none".
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.lake.columns import SOURCES_TYPE
from leadflow_assets.lake.schemas.property_records import GROUPS, group_facts
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.pipeline.engine import cursor

# Deeds are dated on the day of signing or of recording, which are some weeks apart at most.
SAME_SALE_DAYS: Final = 31
_SAME_DAY = "w.{group}.{group}_source_date IS NOT DISTINCT FROM o.{group}_source_date"
# Facts of a group that two records are compared by -> when that makes sense.
_COMPARED: Final = {
    "mortgage": {
        "mortgage_found": "",
        "mortgage_amount": "",
        "mortgage_date": "",
        "second_mortgage_amount": "",
    },
    "tax": {
        "tax_amount": "w.tax.tax_year = o.tax_year",
        "assessed_total": "w.tax.assessed_year = o.assessed_year",
        "tax_delinquent_year": "",
    },
    "foreclosure": {
        "foreclosure_record_type": "",
        "foreclosure_recording_date": "",
        "foreclosure_auction_date": "",
    },
    "sale": {"last_sale_date": "", "last_sale_price": "w.sale.last_sale_date = o.last_sale_date"},
    "avm": {"avm_value": "w.avm.avm_date = o.avm_date"},
    "equity": {"total_loan_balance": _SAME_DAY, "available_equity": _SAME_DAY, "loan_to_value": _SAME_DAY},
    "propensity": {"propensity_score": _SAME_DAY},
}
# Groups of mart/properties that have another name in the records.
_OWN_NAMES: Final = {"deed": "sale"}
# Columns of mart/properties that tell whether a group is known -> the group's name there.
GROUP_SOURCES: Final = {
    f"{group}_source": group
    for group in ("mortgage", "equity", "tax", "foreclosure", "avm", "propensity", "liens", "deed")
}
# Filters and exports ask for these by themselves: a group may be known without them.
COUNTED: Final = ("available_equity", "equity_percent")


@cache
def vendor_columns() -> tuple[str, ...]:
    """The columns of mart/properties that vendors fill, in order."""
    names = PROPERTIES.schema.names
    return tuple(names[names.index("attom_id") : names.index("conflicts") + 1])


def with_vendor_facts(rows: pa.Table, records: pa.Table | None) -> pa.Table:
    """Rows of mart/properties of one town, in their order, with the vendor columns made from ``records``.

    ``records`` is the town's mart/property_records; vendor columns and sources that ``rows`` already have are
    replaced. Without records all are null.
    """
    known = pc.sum(pc.is_valid(records["property_id"])).as_py() if records is not None else 0
    had = any(name in rows.column_names for name in vendor_columns())
    plain = rows.drop_columns([name for name in vendor_columns() if name in rows.column_names])
    if not known and not had:
        return _with_columns(plain, {})
    with cursor() as connection:
        connection.register("rows", plain.select(_ASSESSED).append_column("place", _places(plain)))
        if known:
            connection.register("records", records)
        made = connection.execute(_joined() if known else _WITHOUT).to_arrow_table()
    sources = made["sources"].cast(SOURCES_TYPE)
    at = plain.column_names.index("sources")
    return _with_columns(
        plain.set_column(at, "sources", sources),
        {name: made[name] for name in made.column_names if name != "sources"},
    )


def vendor_counts(rows: pa.Table) -> dict[str, object]:
    """How many properties have each group of facts, and each column of :data:`COUNTED`; how many conflicts.

    What no property has is left out.
    """
    groups = {group: rows[column] for column, group in GROUP_SOURCES.items()}
    columns = {name: rows[name] for name in COUNTED}
    conflicts = pc.sum(pc.list_value_length(rows["conflicts"])).as_py() or 0
    return {"vendor_groups": _known(groups), "vendor_columns": _known(columns), "conflicts": conflicts}


def _known(columns: dict[str, pa.ChunkedArray]) -> dict[str, int]:
    counts = {name: len(values) - values.null_count for name, values in columns.items()}
    return {name: count for name, count in counts.items() if count}


_ASSESSED = [
    "property_id",
    "last_sale_date",
    "last_sale_price",
    "owner_key",
    "total_value",
    "fiscal_year",
    "source",
    "source_date",
    "sources",
]
_WITHOUT = (
    "SELECT list_filter(sources, lambda s: NOT starts_with(s.source, 'ATTOM ')) AS sources "
    "FROM rows ORDER BY place"
)


def _places(rows: pa.Table) -> pa.Array:
    return pa.array(range(rows.num_rows), pa.int64())


def _with_columns(rows: pa.Table, made: dict[str, pa.ChunkedArray]) -> pa.Table:
    """Append the vendor columns, null where there are none, and put all into the table's order."""
    for name in vendor_columns():
        kind = PROPERTIES.schema.field(name).type
        values = made[name].cast(kind) if name in made else pa.nulls(rows.num_rows, kind)
        rows = rows.append_column(name, values)
    order = [name for name in PROPERTIES.schema.names if name in rows.column_names]
    return rows.select(order)


@cache
def _joined() -> str:
    text = resources.files(__package__).joinpath("vendor_facts.sql").read_text(encoding="utf-8")
    return (
        text.replace("{winners}", ",\n        ".join(map(_winner, GROUPS)))
        .replace("{sources}", ",\n            ".join(map(_source, GROUP_SOURCES.values())))
        .replace("{differences}", ",\n            ".join(map(_conflict, _COMPARED)))
        .replace("{same_sale_days}", str(SAME_SALE_DAYS))
    )


def _winner(group: str) -> str:
    facts = group_facts(group)
    said = " + ".join(f"({name} IS NOT NULL)::INTEGER" for name in facts)
    rank = (
        f"{{'day': coalesce({group}_source_date, DATE '0001-01-01'), 'said': {said}, "
        f"'fetched': coalesce({group}_fetched_at, TIMESTAMPTZ '1970-01-01'), 'record': record_id}}"
    )
    kept = ", ".join(
        f"{name} := {name}"
        for name in (*facts, f"{group}_source", f"{group}_source_date", "record_id", "batch_id")
    )
    return f"arg_max(struct_pack({kept}), {rank}) FILTER ({group}_source IS NOT NULL) AS {group}"


def _source(group: str) -> str:
    """The entry of ``sources`` for a group of mart/properties."""
    own = _OWN_NAMES.get(group, group)
    return (
        f"{{'fields': '{group}', 'source': 'ATTOM ' || w.{own}.{own}_source, "
        f"'source_date': w.{own}.{own}_source_date, 'version': w.{own}.batch_id}}"
    )


def _conflict(group: str) -> str:
    """What the winner of a group and another record differ in; an empty difference where they do not."""
    words = [_difference(group, name, when.format(group=group)) for name, when in _COMPARED[group].items()]
    if group == "mortgage":
        words.append(
            "CASE WHEN w.mortgage.mortgage_lender <> o.mortgage_lender THEN 'mortgage_lender differs' END"
        )
    shown = next((name for name, own in _OWN_NAMES.items() if own == group), group)
    return f"""{{
                'fields': '{shown}',
                'kept_source': 'ATTOM ' || w.{group}.{group}_source,
                'kept_date': w.{group}.{group}_source_date,
                'other_source': 'ATTOM ' || o.{group}_source,
                'other_date': o.{group}_source_date,
                'difference': CASE
                    WHEN o.{group}_source IS NOT NULL AND o.record_id <> w.{group}.record_id
                        AND (o.{group}_source <> w.{group}.{group}_source
                            OR o.{group}_source_date IS NOT DISTINCT FROM w.{group}.{group}_source_date)
                    THEN concat_ws('; ', {", ".join(words)})
                END
            }}"""


def _difference(group: str, name: str, when: str) -> str:
    won = f"w.{group}.{name}"
    condition = f"{won} <> o.{name}" + (f" AND {when}" if when else "")
    return f"CASE WHEN {condition} THEN concat('{name} ', {won}, ', other ', o.{name}) END"
