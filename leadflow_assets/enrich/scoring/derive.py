"""The signals of many properties at once: the rules of ``domain.distress.signals`` as SQL.

The text of ``signals.sql`` is completed from the constants of the domain; a test compares the signals, what
is known and the equity with the scalar rules on random rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.distress import cases as case_rules
from leadflow_assets.domain.distress import facts as fact_rules
from leadflow_assets.domain.distress import signals as rules
from leadflow_assets.domain.distress.facts import ATTOM_FRESH_DAYS, ROLL_FRESH_DAYS
from leadflow_assets.domain.distress.scoring import known_factors
from leadflow_assets.domain.distress.table import ScoreTable, load_table
from leadflow_assets.domain.linkage.posterior import CONFIRMED_FROM
from leadflow_assets.domain.loans import balance as balances
from leadflow_assets.domain.loans import equity as equities
from leadflow_assets.domain.loans import rates
from leadflow_assets.domain.local_days import ZONE
from leadflow_assets.enrich.scoring.scores import SIGNALS_SCHEMA, SUBJECTS_SCHEMA, known_bits
from leadflow_assets.lake.columns import arrow_schema
from leadflow_assets.lake.schemas.attom import Foreclosures, Liens
from leadflow_assets.lake.schemas.case_matches import CaseMatches

THREADS: Final = 2
MEMORY: Final = "2GB"
# What is read of mart/properties.
PROPERTY_COLUMNS: Final = (
    *("property_id", "owner_type", "owner_name", "owner_count", "owner_tax_title", "is_condominium_master"),
    *("occupancy", "source", "source_date", "fetched_at", "fiscal_year", "last_sale_date", "sale_is_nominal"),
    *("total_value", "avm_value", "avm_low", "avm_high", "avm_date", "avm_source_date", "open_loans"),
    *("loan_balance", "loan_to_value", "equity_source", "equity_source_date", "mortgage_source"),
    *("mortgage_source_date", "mortgage_found", "mortgage_amount", "mortgage_date", "mortgage_rate"),
    *("mortgage_rate_type", "mortgage_term_months", "mortgage_loan_type", "second_mortgage_amount"),
    *("second_mortgage_date", "foreclosure_source", "foreclosure_source_date", "foreclosure_stage"),
    *("foreclosure_recording_date", "foreclosure_auction_date", "foreclosure_case_number"),
    *("tax_delinquent_year", "tax_source", "tax_source_date", "liens_source", "liens_source_date"),
    *("deed_sale_date", "deed_sale_price", "deed_sale_is_nominal", "deed_source_date"),
)
# Of mart/case_matches.
CASE_COLUMNS: Final = (
    *("property_id", "case_type", "party_role", "decision", "is_debtor", "title", "status", "lien_type"),
    *("lien_status", "judgment_amount", "source", "case_id", "fetched_at", "date_filed", "recorded_on"),
    *("date_dismissed", "date_discharged", "released_on", "date_terminated", "expires_on", "method"),
    "probability",
)
# Of mart/property_records: the lists that mart/properties does not repeat.
RECORD_COLUMNS: Final = (
    *("record_id", "property_id", "foreclosure_records", "foreclosure_source_date", "lien_records"),
    "liens_source_date",
)
ASKED_SCHEMA: Final = pa.schema(
    [
        ("property_id", pa.string()),
        *((name, pa.date32()) for name in ("foreclosure", "tax", "liens", "loans")),
    ]
)
EQUITY_SCHEMA: Final = pa.schema(
    [
        pa.field("equity_method", pa.string(), nullable=False),
        pa.field("equity_why_unknown", pa.string()),
        pa.field("equity_value_source", pa.string()),
        pa.field("equity_loan_source", pa.string()),
        *(pa.field(f"equity_{end}", pa.float64()) for end in ("low", "mid", "high")),
        *(pa.field(f"cltv_{end}", pa.float64()) for end in ("low", "mid", "high")),
    ]
)


@dataclass(frozen=True)
class DerivedSet:
    """The signals of a set of properties: SUBJECTS_SCHEMA and EQUITY_SCHEMA by row, and SIGNALS_SCHEMA."""

    subjects: pa.Table
    signals: pa.Table
    equity: pa.Table


@contextmanager
def database(threads: int = THREADS, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own with the survey's rates, for any number of calls of :func:`derive_set`."""
    connection = duckdb.connect(config={"threads": threads, "memory_limit": memory})
    try:
        months = rates.survey()
        table = pa.table(
            {
                "month": list(months),
                "r30": [thirty for thirty, _ in months.values()],
                "r15": pa.array([fifteen for _, fifteen in months.values()], pa.float64()),
            }
        )
        connection.register("rates_in", table)
        connection.execute("CREATE TEMP TABLE rate_in AS FROM rates_in")
        yield connection
    finally:
        connection.close()


def derive_set(
    connection: duckdb.DuckDBPyConnection,
    properties: pa.Table,
    asof: date,
    *,
    cases: pa.Table | None = None,
    records: pa.Table | None = None,
    asked: pa.Table | None = None,
    covered: frozenset[str] = frozenset(),
    attom_fresh_days: int = ATTOM_FRESH_DAYS,
    roll_fresh_days: int = ROLL_FRESH_DAYS,
    table: ScoreTable | None = None,
) -> DerivedSet:
    """The signals of ``properties`` (PROPERTY_COLUMNS of mart/properties) at ``asof``, in their order.

    ``cases`` holds CASE_COLUMNS of mart/case_matches, ``records`` RECORD_COLUMNS of mart/property_records,
    ``asked`` (ASKED_SCHEMA) the last days on which ATTOM answered about a property, even with nothing;
    ``covered`` are case types whose sources are complete at ``asof``. Rows of other properties are ignored.
    """
    table = table or load_table()
    seen = local_days(properties["fetched_at"])
    rows = pa.array(range(len(properties)), pa.int64())
    property_rows = (
        properties.select(PROPERTY_COLUMNS).append_column("row", rows).append_column("roll_seen", seen)
    )
    own = pa.table({"property_id": properties["property_id"].cast(pa.string()), "row": rows})
    inputs = {
        "property": property_rows,
        "case_in": _cases(cases, own),
        "notice_list": _list(records, own, "foreclosure_records", "foreclosure_source_date"),
        "lien_list": _list(records, own, "lien_records", "liens_source_date"),
        "asked_in": (ASKED_SCHEMA.empty_table() if asked is None else asked.cast(ASKED_SCHEMA)).join(
            own, "property_id", join_type="inner"
        ),
    }
    for name, source in inputs.items():
        connection.register(name, source)
    values = _values(table, asof, covered, attom_fresh_days, roll_fresh_days)
    for statement in _statements(values):
        connection.execute(statement)
    derived = _read(connection, table)
    for name in inputs:
        connection.unregister(name)
    return derived


def _read(connection: duckdb.DuckDBPyConnection, table: ScoreTable) -> DerivedSet:
    subjects = connection.execute("SELECT * EXCLUDE (row) FROM subject ORDER BY row").to_arrow_table()
    places = " ".join(f"WHEN '{factor.name}' THEN {at}" for at, factor in enumerate(table.factors))
    signals = connection.execute(
        f"SELECT * REPLACE (CASE factor {places} END AS factor) FROM found "
        f"WHERE factor IN ({_texts(table.by_name)})"
    ).to_arrow_table()
    equity = connection.execute(
        "SELECT method, why_unknown, value_source, loan_source, low, mid, high, cltv_low, cltv_mid, "
        "cltv_high FROM equity ORDER BY row"
    ).to_arrow_table()
    return DerivedSet(
        subjects.cast(SUBJECTS_SCHEMA), signals.select(SIGNALS_SCHEMA.names).cast(SIGNALS_SCHEMA),
        equity.rename_columns(EQUITY_SCHEMA.names).cast(EQUITY_SCHEMA),
    )  # fmt: skip


def _cases(cases: pa.Table | None, own: pa.Table) -> pa.Table:
    wanted = pa.schema([arrow_schema(CaseMatches).field(name) for name in CASE_COLUMNS])
    chosen = wanted.empty_table() if cases is None else cases.select(CASE_COLUMNS)
    known = local_days(chosen["fetched_at"])
    return chosen.append_column("known_on", known).join(own, "property_id", join_type="inner")


def local_days(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """``domain.local_days.local_day`` of each."""
    return pc.cast(pc.local_timestamp(moments.cast(pa.timestamp("us", ZONE))), pa.date32())


def _list(records: pa.Table | None, own: pa.Table, name: str, day: str) -> pa.Table:
    """The list of the record with the newest day, one row per property that has any."""
    kind = pa.list_(_RECORD_TYPES[name])
    empty = pa.table({"row": pa.array([], pa.int64()), "records": pa.array([], kind)})
    if records is None:
        return empty
    told = records.filter(pc.and_(pc.is_valid(records[name]), pc.is_valid(records["property_id"])))
    # A join of Arrow takes no lists: the place of each list goes through it instead.
    places = pa.table(
        {
            "property_id": told["property_id"],
            "day": told[day],
            "record_id": told["record_id"],
            "place": pa.array(range(len(told)), pa.int64()),
        }
    ).join(own, "property_id", join_type="inner")
    order = [("row", "ascending"), ("day", "descending"), ("record_id", "descending")]
    first = places.sort_by(order).group_by("row", use_threads=False).aggregate([("place", "first")])
    if not len(first):
        return empty
    return pa.table({"row": first["row"], "records": told[name].take(first["place_first"]).cast(kind)})


_RECORD_TYPES: Final[Mapping[str, pa.DataType]] = {
    "foreclosure_records": Foreclosures.__metadata__[0].value_type,  # type: ignore[attr-defined]
    "lien_records": Liens.__metadata__[0].value_type,  # type: ignore[attr-defined]
}


def _statements(values: Mapping[str, Any]) -> list[str]:
    text = resources.files(__package__).joinpath("signals.sql").read_text(encoding="utf-8")
    return [part for part in text.format(**values).split(";\n") if part.strip()]


def _values(
    table: ScoreTable, asof: date, covered: frozenset[str], attom_days: int, roll_days: int
) -> dict[str, Any]:
    """Everything that signals.sql leaves open."""

    def bits(*names: str) -> int:
        there = [name for name in names if name in table.by_name or name in {g.name for g in table.groups}]
        return known_bits(known_factors(there, table), table)

    asked_courts = {"bankruptcy_petition": "bankruptcy", "eviction": "eviction_plaintiff"}
    return {
        "asof": f"DATE '{asof.isoformat()}'",
        "attom_days": attom_days,
        "roll_days": roll_days,
        "foreclosure_covered": "servicemembers_case" in covered,
        "foreclosure_bits": bits("foreclosure"),
        "tax_bits": bits("tax"),
        "covered_bits": bits(*(factor for kind, factor in asked_courts.items() if kind in covered)),
        "lien_bits": bits("tax_lien", "judgment_lien"),
        "leverage_bits": bits("leverage"),
        "absentee_bits": bits(*rules.ABSENTEE),
        "tax_file": fact_rules.TAX_FILES,
        "line_kinds": _texts(fact_rules.LINE_KINDS),
        **_loan_values(),
        **_rule_values(),
    }


def _loan_values() -> dict[str, Any]:
    bands = " ".join(
        f"WHEN year(recorded_on) >= {year} THEN {error}" for year, error in rates.MISSING_RATE_ERRORS
    )
    return {
        "purchase_days": balances.PURCHASE_DAYS,
        "days_per_month": balances.DAYS_PER_MONTH,
        "draw": balances.ASSUMED_DRAW,
        "thirty_years": rates.THIRTY_YEARS,
        "fifteen_years": rates.FIFTEEN_YEARS,
        "fifteen_low": rates.ABOUT_FIFTEEN.start,
        "fifteen_high": rates.ABOUT_FIFTEEN.stop - 1,
        "error_bands": f"{bands} ELSE {rates.UNMEASURED_ERROR}",
        "sold_since": equities.SOLD_SINCE,
        "loan_incomplete": equities.LOAN_INCOMPLETE,
        "no_value": equities.NO_VALUE,
        "no_loan_data": equities.NO_LOAN_DATA,
        "avm": equities.AVM,
        "assessed": equities.ASSESSED,
        "unknown": equities.UNKNOWN,
        "attom": equities.ATTOM,
        "home_equity": equities.HOME_EQUITY,
        **{
            f"{end}_bands": " ".join(
                f"WHEN cltv_{end} >= {low} THEN '{name}'" for low, name in rules.CLTV_BANDS
            )
            for end in ("low", "mid", "high")
        },
    }


def _rule_values() -> dict[str, Any]:
    return {
        "confirmed_from": CONFIRMED_FROM,
        "parcel": case_rules.PARCEL,
        "foreclosure_deed": case_rules.FORECLOSURE_DEED,
        "auction_past": rules.AUCTION_PAST_DAYS,
        "auction_ahead": rules.AUCTION_AHEAD_DAYS,
        "sale_notice_days": rules.SALE_NOTICE_DAYS,
        "notice_days": case_rules.NOTICE_DAYS,
        "notice_factors": _whens(rules.NOTICE_FACTORS),
        "notice_stages": _texts(rules.NOTICE_FACTORS),
        "several_owners": rules.SEVERAL_OWNERS,
        "heirs_pattern": rules.HEIRS_PATTERN,
        "estate_pattern": rules.ESTATE_PATTERN,
        "absentee": _texts(rules.ABSENTEE),
        "stays": _texts(sorted(rules.STAYS_WITH_LAND)),
        "lien_patterns": " ".join(
            f"WHEN regexp_matches(upper(kind), '{pattern}') THEN '{factor}'"
            for pattern, factor in rules.LIEN_PATTERNS
        ),
        "lien_factors": _whens(case_rules.LIEN_FACTORS),
        "case_factors": _whens(case_rules.CASE_FACTORS),
        "released": _texts(case_rules.RELEASED),
        "defaulted": _texts(sorted(case_rules.DEFAULTED)),
        "debtors": _texts(sorted(case_rules.DEBTORS)),
        "landlords": _texts(sorted(case_rules.LANDLORDS)),
        "dead": _texts(sorted(case_rules.DEAD)),
        "against": _texts(sorted(case_rules.AGAINST)),
        "judged": _texts(case_rules.JUDGED),
        "bank_owned": rules.BANK_OWNED,
        "condominium_master": rules.CONDOMINIUM_MASTER,
        "not_applicable_owners": _texts(rules.NOT_APPLICABLE_OWNERS),
    }


def _texts(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _whens(names: Mapping[str, str]) -> str:
    return " ".join(f"WHEN '{name}' THEN '{factor}'" for name, factor in names.items())
