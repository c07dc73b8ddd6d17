"""Which cases to ask for their parties: one call each, so the most worth it first.

The parties endpoint alone has debtors' addresses. It helps most where a match stands on a name alone, then
with petitions of people, of whom nothing else tells where they live, then with suits about real property.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.domain.owners.kinds import owner_type
from leadflow_assets.enrich.courts.kept import open_tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import CASE_MATCHES, COURT_CASES, COURT_PARTIES, Table

MASSACHUSETTS_COURTS = ("mab", "mad")
REAL_PROPERTY = (
    "foreclosure_suit",
    "tax_lien_suit",
    "other_real_property",
    "rent_lease_ejectment",
    "torts_to_land",
)
# A wage earner's plan is the one in which the house is kept: chapter 13 before 7.
_CHAPTERS = ("13", "7", "11", "12")
_PEOPLE = frozenset({"person"})


@dataclass(frozen=True)
class Candidate:
    """A case whose parties were never asked for."""

    court: str
    docket_id: int
    date_filed: date | None


def choose(lake: Lake, courts: Sequence[str], asked: Collection[int]) -> Iterator[Candidate]:
    """Cases of these courts, the most worth it first, without those of ``asked`` (docket ids).

    Closed cases, and those whose parties are here already from a docket or an earlier question, are out.
    """
    tables = {
        "cases": (COURT_CASES, _entries(lake, COURT_CASES, courts)),
        "parties": (COURT_PARTIES, _entries(lake, COURT_PARTIES, courts)),
        "matches": (CASE_MATCHES, list(lake.snapshot(CASE_MATCHES).partitions.values())),
    }
    with open_tables(lake, tables) as connection:
        found = connection.execute(
            _QUERY,
            {
                "source": COURTLISTENER,
                "courts": list(courts),
                "asked": list(asked),
                "suits": list(REAL_PROPERTY),
                "chapters": list(_CHAPTERS),
                "here": list(MASSACHUSETTS_COURTS),
            },
        ).fetchall()
    for court, docket_id, filed, is_petition, debtor in found:
        if not is_petition or (debtor is not None and is_person(debtor)):
            yield Candidate(court, docket_id, filed)


def is_person(name: str) -> bool:
    """Is a debtor of that name a person rather than a firm, a trust or an office?"""
    return owner_type(name).name in _PEOPLE


def _entries(lake: Lake, table: Table, courts: Sequence[str]) -> list[PartitionEntry]:
    partitions = lake.snapshot(table).partitions
    wanted = tuple(f"court={court}/" for court in courts)
    return [entry for name, entry in partitions.items() if name.startswith(wanted)]


_QUERY = """
    WITH named AS (
        SELECT source, case_id, min(name) FILTER (is_debtor) AS debtor,
               bool_or(name_from IN ('parties', 'docket')) AS is_known
        FROM parties GROUP BY ALL
    ),
    by_name AS (
        SELECT case_id, source, max(probability) AS probability
        FROM matches WHERE tier IN ('possible', 'unconfirmed') AND method = 'name' GROUP BY ALL
    ),
    ranked AS (
        SELECT c.court, c.docket_id, c.date_filed, c.case_type = 'bankruptcy_petition' AS is_petition,
               n.debtor, m.probability, c.chapter, c.filed_month, c.court IN (SELECT unnest($here)) AS is_here
        FROM cases c LEFT JOIN named n USING (source, case_id) LEFT JOIN by_name m USING (source, case_id)
        WHERE c.source = $source AND c.court IN (SELECT unnest($courts)) AND c.docket_id IS NOT NULL
          AND c.docket_id NOT IN (SELECT unnest($asked::BIGINT[])) AND NOT coalesce(n.is_known, FALSE)
          AND c.date_terminated IS NULL
          AND (c.case_type = 'bankruptcy_petition' OR c.case_type IN (SELECT unnest($suits)))
    )
    SELECT court, docket_id, date_filed, is_petition, debtor FROM ranked
    ORDER BY probability IS NULL, probability DESC, NOT is_petition, NOT is_here,
             CASE WHEN date_filed IS NULL THEN '' ELSE filed_month END DESC,
             coalesce(list_position($chapters, chapter), 9), date_filed DESC, docket_id DESC
"""
