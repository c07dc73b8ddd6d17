"""Signals, coverage and equity of many properties by SQL, against the scalar rules, on random rows."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from leadflow_assets.domain.courts import kinds
from leadflow_assets.domain.courts.parties import ROLES
from leadflow_assets.domain.distress import load_table, score
from leadflow_assets.domain.distress.facts import Asked, case_of, facts_of
from leadflow_assets.domain.distress.scoring import known_factors
from leadflow_assets.domain.distress.signals import Derived, derive
from leadflow_assets.domain.occupancy import OCCUPANCIES
from leadflow_assets.domain.owners import OWNER_TYPES
from leadflow_assets.enrich.scoring.derive import (
    ASKED_SCHEMA,
    CASE_COLUMNS,
    PROPERTY_COLUMNS,
    RECORD_COLUMNS,
    DerivedSet,
    database,
    derive_set,
)
from leadflow_assets.enrich.scoring.scores import known_bits, score_set
from leadflow_assets.lake.columns import arrow_schema
from leadflow_assets.lake.schemas.case_matches import TITLES, CaseMatches
from leadflow_assets.lake.schemas.mart import Properties
from leadflow_assets.lake.schemas.property_records import PropertyRecords

TABLE = load_table()
ASOF = date(2026, 11, 22)
COVERED = frozenset({"bankruptcy_petition", "eviction"})
STAGES = ("default_notice", "lis_pendens", "sale_notice", "bank_owned", None)
KINDS = ("IRS", "Federal tax lien", "judgment", "Mechanics lien", "HOA", "Town tax taking", None)
NAMES = ("DOE, JANE", "ESTATE OF JANE DOE", "HEIRS OF JANE DOE", "DOE JANE EST DEVISEES", "OAK LLC", None)


def _schema(model: Any, names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([arrow_schema(model).field(name).with_nullable(True) for name in names])


class Drawn:
    """Random rows from a seed; most days lie about the day asked for."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def day(self, missing: float = 0.2) -> date | None:
        if self.rng.random() < missing:
            return None
        spread = self.rng.choice((3, 70, 400, 800, 9_000))
        ahead = self.rng.choice((0, 0, 0, 0, 20, 400))
        return ASOF - timedelta(days=self.rng.randint(-ahead, spread))

    def told(self) -> date | None:
        return self.rng.choice((ASOF, ASOF - timedelta(days=40), ASOF - timedelta(days=61), self.day()))

    def moment(self) -> datetime:
        return datetime.combine(self.told() or ASOF, time(12), UTC)

    def any(self, *choices: Any) -> Any:
        return self.rng.choice(choices)

    def property(self, number: int) -> dict[str, Any]:
        pick, day = self.any, self.day
        source = pick("ATTOM one", "ATTOM TAX_ASSESSOR", None)
        loans = [self.open_loan() for _ in range(self.rng.randint(0, 3))]
        return {
            "property_id": f"p{number}",
            "owner_type": pick(*OWNER_TYPES, "person", "person", "estate"),
            "owner_name": pick(*NAMES),
            "owner_count": self.rng.randint(0, 4),
            "owner_tax_title": pick(True, False, False),
            "is_condominium_master": self.rng.random() < 0.05,
            "occupancy": pick(*OCCUPANCIES),
            "source": "MassGIS L3",
            "source_date": pick(date(2026, 3, 1), day()),
            "fetched_at": self.moment(),
            "fiscal_year": pick(2024, 2026, 2027),
            "last_sale_date": day(),
            "sale_is_nominal": pick(True, False, False, None),
            "total_value": pick(0, None, self.rng.randint(50_000, 900_000), 400_000),
            "avm_value": pick(None, None, self.rng.randint(50_000, 900_000)),
            "avm_low": pick(None, 100_000, 0),
            "avm_high": pick(None, 700_000),
            "avm_date": day(0.5),
            "avm_source_date": self.told(),
            "open_loans": pick(None, loans),
            "loan_balance": pick(None, None, 0, self.rng.randint(1, 500_000)),
            "loan_to_value": pick(None, 85.5, 95.0),
            "equity_source": pick(None, "ATTOM LOAN_MODEL"),
            "equity_source_date": self.told(),
            "mortgage_source": pick(None, "ATTOM detailmortgageowner"),
            "mortgage_source_date": self.told(),
            "mortgage_found": pick(True, False, None),
            "mortgage_amount": pick(None, self.rng.randint(1_000, 600_000)),
            "mortgage_date": day(0.05),
            "mortgage_rate": pick(None, 0.0, 3.25, 7.5, -1.0),
            "mortgage_rate_type": pick(None, "Adjustable"),
            "mortgage_term_months": pick(None, 0, 180, 360, 240),
            "mortgage_loan_type": pick(None, "HELOC", "conv"),
            "second_mortgage_amount": pick(None, None, 40_000),
            "second_mortgage_date": day(0.05),
            "foreclosure_source": pick(None, "ATTOM preforeclosuredetails"),
            "foreclosure_source_date": self.told(),
            "foreclosure_stage": pick(*STAGES),
            "foreclosure_recording_date": day(),
            "foreclosure_auction_date": day(0.5),
            "foreclosure_case_number": pick(None, "26 SM 1"),
            "tax_delinquent_year": pick(None, None, 2023, 2024, 2025, 2026, 2027, 99_999),
            "tax_source": source,
            "tax_source_date": self.told(),
            "liens_source": pick(None, "ATTOM LIENS"),
            "liens_source_date": self.told(),
            "deed_sale_date": day(0.5),
            "deed_sale_price": pick(None, 1, 300_000),
            "deed_sale_is_nominal": pick(None, True, False),
            "deed_source_date": self.told(),
            "deed_source": "ATTOM one",
        }

    def open_loan(self) -> dict[str, Any]:
        return {
            "position": 1,
            "original_amount": self.any(None, *(self.rng.randint(1, 500_000) for _ in range(8))),
            "recording_date": self.day(0.05),
            "kind": self.any("P", "R", "E", None),
            "rate": self.any(None, 3.5, 6.0),
        }

    def case(self, number: int, of: int) -> dict[str, Any]:
        pick, day = self.any, self.day
        return {
            "property_id": f"p{self.rng.randrange(of)}",
            "case_type": pick(
                *kinds.CASE_TYPES, "bankruptcy_petition", "servicemembers_case", "recorded_lien"
            ),
            "party_role": pick(*ROLES, "debtor", "owner", "defendant", "plaintiff"),
            "decision": pick(None, None, None, "confirmed", "rejected"),
            "is_debtor": pick(None, True, False),
            "title": pick(*TITLES),
            "status": pick(None, None, *kinds.CASE_STATUSES),
            "lien_type": pick(None, *kinds.LIEN_TYPES),
            "lien_status": pick(None, *kinds.LIEN_STATUSES),
            "judgment_amount": pick(None, 9_000.0),
            "source": pick("courtlistener", "other"),
            "case_id": f"c{number}",
            "fetched_at": self.moment(),
            "date_filed": day(),
            "recorded_on": day(0.5),
            **{f"date_{end}": day(0.9) for end in ("dismissed", "discharged", "terminated")},
            "released_on": day(0.9),
            "expires_on": pick(None, None, ASOF, ASOF - timedelta(days=1)),
            "method": pick("name", "site_address", "parcel_id"),
            "probability": round(self.rng.random(), 3),
        }

    def record(self, number: int, of: int) -> dict[str, Any]:
        notices = [
            {
                "stage": self.any(*STAGES),
                "recording_date": self.day(),
                "auction_date": self.day(0.5),
                "case_number": self.any(None, "", "c"),
                "document_number": self.any(None, "d"),
            }
            for _ in range(self.rng.randint(0, 3))
        ]
        liens = [
            {
                "kind": self.any(*KINDS),
                "recording_date": self.day(),
                "released_on": self.day(0.8),
                "document_number": self.any(None, "d"),
            }
            for _ in range(self.rng.randint(0, 3))
        ]
        return {
            "record_id": f"r{number:06d}",
            "property_id": self.any(None, *(f"p{self.rng.randrange(of)}" for _ in range(9))),
            "foreclosure_records": self.any(None, notices),
            "foreclosure_source_date": self.told(),
            "lien_records": self.any(None, liens),
            "liens_source_date": self.told(),
        }


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=schema)


def _newest(records: list[dict[str, Any]], name: str, day: str) -> dict[str, Any]:
    """The list that counts, per property."""
    told = [r for r in records if r["property_id"] is not None and r[name] is not None]
    told.sort(key=lambda r: (r[day] or date.min, r["record_id"]))
    return {r["property_id"]: r[name] for r in told}


def _draw(count: int, seed: int) -> tuple[list[Derived], DerivedSet]:
    """The same random properties, cases and records through both implementations."""
    drawn = Drawn(seed)
    rows = [drawn.property(number) for number in range(count)]
    cases = [drawn.case(number, count) for number in range(count)]
    records = [drawn.record(number, count) for number in range(count // 3)]
    asked = [
        {
            "property_id": f"p{i}",
            "foreclosure": drawn.told(),
            "tax": drawn.told(),
            "liens": None,
            "loans": drawn.told(),
        }
        for i in range(0, count, 5)
    ]
    by_property = defaultdict(list)
    for row in cases:
        by_property[row["property_id"]].append(case_of(row))
    notices = _newest(records, "foreclosure_records", "foreclosure_source_date")
    liens = _newest(records, "lien_records", "liens_source_date")
    questions = {row["property_id"]: row for row in asked}
    one_by_one = []
    for row in rows:
        name = row["property_id"]
        days = {group: day for group, day in questions.get(name, {}).items() if isinstance(day, date)}
        facts = facts_of(row, notices.get(name), liens.get(name))
        one_by_one.append(derive(facts, ASOF, Asked(days, COVERED), by_property[name]))
    with database() as connection:
        found = derive_set(
            connection,
            _table(rows, _schema(Properties, PROPERTY_COLUMNS)),
            ASOF,
            cases=_table(cases, _schema(CaseMatches, CASE_COLUMNS)),
            records=_table(records, _schema(PropertyRecords, RECORD_COLUMNS)),
            asked=_table(asked, ASKED_SCHEMA),
            covered=COVERED,
        )
    return one_by_one, found


@pytest.fixture(scope="module")
def both() -> tuple[list[Derived], DerivedSet]:
    return _draw(4_000, seed=6)


def test_the_same_signals(both: tuple[list[Derived], DerivedSet]) -> None:
    one_by_one, found = both
    names = [factor.name for factor in TABLE.factors]
    rows = defaultdict(list)
    for row in found.signals.to_pylist():
        event, told = str(row["event_date"]), str(row["source_date"])
        texts = [row[name] or "" for name in ("source", "reference", "cleared", "note")]
        rows[row["row"]].append((names[row["factor"]], event, row["probability"], told, *texts))
    met = set()
    for number, derived in enumerate(one_by_one):
        expected = [
            (
                s.factor,
                str(s.event_date),
                s.probability,
                str(s.source_date),
                s.source,
                s.reference,
                s.cleared,
                s.note,
            )
            for s in derived.signals
        ]
        assert sorted(rows[number]) == sorted(expected), number
        met |= {(s.factor, bool(s.cleared)) for s in derived.signals}
    possible = set(names) - {"divorce", "vacant"}
    assert {name for name, cleared in met if not cleared} == possible
    assert {name for name, cleared in met if cleared} >= possible - {
        "tax_delinquent_1_year",
        "tax_delinquent_2_years",
        "cltv_80",
        "cltv_90",
        "cltv_100",
    }


def test_the_same_is_known_and_the_same_does_not_apply(both: tuple[list[Derived], DerivedSet]) -> None:
    one_by_one, found = both
    known = [known_bits(known_factors(one.known, TABLE), TABLE) for one in one_by_one]
    assert found.subjects["known"].to_pylist() == known
    assert found.subjects["not_applicable"].to_pylist() == [one.not_applicable for one in one_by_one]
    assert len(set(known)) == 32  # every combination of the five that vary


def test_the_same_equity(both: tuple[list[Derived], DerivedSet]) -> None:
    one_by_one, found = both
    rows = found.equity.to_pylist()
    for one, row in zip((one.equity for one in one_by_one), rows, strict=True):
        assert (one.method, one.why_unknown) == (row["equity_method"], row["equity_why_unknown"])
        assert (one.value.source if one.value else None) == row["equity_value_source"]
        assert one.loan_source == row["equity_loan_source"]
        numbers = (one.low, one.mid, one.high, one.cltv_low, one.cltv_mid, one.cltv_high)
        assert numbers == pytest.approx(
            tuple(row[f"{kind}_{end}"] for kind in ("equity", "cltv") for end in ("low", "mid", "high"))
        )
    assert {row["equity_method"] for row in rows} == {"attom", "attom_homeequity", "unknown"}
    assert {row["equity_why_unknown"] for row in rows} - {None} == {
        "no_value",
        "no_loan_data",
        "sold_since_loan_data",
        "loan_incomplete",
    }


def test_scores_from_both_ends_are_the_same(both: tuple[list[Derived], DerivedSet]) -> None:
    one_by_one, found = both
    scores = score_set(found.subjects, found.signals, ASOF).to_pylist()
    for derived, row in zip(one_by_one, scores, strict=True):
        record = score(derived.signals, ASOF, derived.known, not_applicable=derived.not_applicable)
        numbers = (
            record.status,
            record.score,
            record.coverage,
            record.high,
            record.faults,
            len(record.lines),
        )
        found_numbers = tuple(row[name] for name in ("status", "score", "coverage", "high", "faults"))
        assert (*found_numbers, len(row["lines"])) == numbers


def test_what_is_derived_together_does_not_show() -> None:
    drawn = Drawn(8)
    rows = [drawn.property(number) for number in range(60)]
    schema = _schema(Properties, PROPERTY_COLUMNS)
    with database() as connection:
        whole = derive_set(connection, _table(rows, schema), ASOF)
        parts = [derive_set(connection, _table(rows[at : at + 7], schema), ASOF) for at in range(0, 60, 7)]
    assert pa.concat_tables([part.subjects for part in parts]) == whole.subjects
    assert pa.concat_tables([part.equity for part in parts]) == whole.equity
    moved = [
        part.signals.set_column(0, "row", pc.add(part.signals["row"], at * 7))
        for at, part in enumerate(parts)
    ]
    order = [(name, "ascending") for name in ("row", "factor", "event_date", "reference", "cleared")]
    assert pa.concat_tables(moved).sort_by(order).to_pylist() == whole.signals.sort_by(order).to_pylist()


def test_what_came_in_the_evening_is_known_on_that_day() -> None:
    """At nine in the evening of Massachusetts it is tomorrow in UTC."""
    row = Drawn(5).property(0) | {"fetched_at": datetime(2026, 11, 23, 2, tzinfo=UTC), "source_date": None}
    assert date(2026, 11, 22) == ASOF
    assert facts_of(row).roll_seen_on == ASOF
    row |= {"owner_type": "person", "occupancy": "absentee_in_state", "owner_tax_title": True}
    row |= {"last_sale_date": None, "deed_sale_date": None, "is_condominium_master": False}
    row |= {"foreclosure_source": None}
    with database() as connection:
        found = derive_set(connection, _table([row], _schema(Properties, PROPERTY_COLUMNS)), ASOF)
    days = {
        signal["source_date"] for signal in found.signals.to_pylist() if signal["source"] == row["source"]
    }
    assert days == {ASOF}
    assert score_set(found.subjects, found.signals, ASOF)["score"].to_pylist()[0] >= 25


def test_nobody_is_derived_from_nothing() -> None:
    with database() as connection:
        found = derive_set(connection, _schema(Properties, PROPERTY_COLUMNS).empty_table(), ASOF)
    assert len(found.subjects) == len(found.signals) == len(found.equity) == 0
