"""The court cases at a parcel, read from mart/case_matches: each case once, with everybody it was told by.

One case may come from an API and from imported files, and several of its parties may be owners: all of that
is one :class:`CaseAtParcel`. Nothing expired is ever given, whatever day is asked for; what a person rejected
is not given either, also where another source tells the same of the same party.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, Final

import duckdb

from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.courts.notices import AUTOMATIC_STAY, COUNSEL
from leadflow_assets.domain.linkage.words import explain
from leadflow_assets.domain.towns import Town
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import CASE_MATCHES, PROPERTIES, SCHEMA_VERSION

SHOWN_TIERS: Final = ("confirmed", "possible")
_TIER_ORDER: Final = ("confirmed", "possible", "unconfirmed")
_BANKRUPTCIES: Final = ("bankruptcy_petition", "adversary_proceeding")


@dataclass(frozen=True)
class MatchedParty:
    """One party of the case with one property of the parcel: one row of mart/case_matches.

    ``probability`` is 0 to 1, ``evidence`` in sentences; ``decision`` is a person's, None without one.
    """

    match_id: str
    property_id: str
    party_name: str
    party_role: str
    is_debtor: bool | None
    represented_by_counsel: bool | None
    owner_number: int | None
    owner_role: str | None
    source: str
    method: str
    title: str
    tier: str
    probability: float
    model_probability: float
    weight_bits: float | None
    rivals: int | None
    unseen: float | None
    evidence: tuple[str, ...]
    evidence_version: str | None
    decision: str | None
    decided_at: datetime | None
    decided_by: str | None


@dataclass(frozen=True)
class CaseAtParcel:
    """One case with what ties it to the parcel. Money in dollars.

    Tier, probability, rivals and source are those of the likeliest of ``parties``; ``sources`` names all that
    tell the case. ``represented_by_counsel`` is True if any matched party is. ``is_open``: no source says
    that it ended. ``notes`` are what must stand beside the case wherever it is shown.
    """

    town_id: int
    loc_id: str | None
    case_id: str
    case_type: str
    words: str
    action_type: str | None
    court: str
    docket_id: int | None
    docket_number: str | None
    case_name: str | None
    status: str | None
    chapter: str | None
    date_filed: date | None
    date_terminated: date | None
    date_dismissed: date | None
    date_discharged: date | None
    recorded_on: date | None
    released_on: date | None
    amount_claimed: float | None
    judgment_amount: float | None
    lien_type: str | None
    lien_status: str | None
    lien_amount: float | None
    url: str | None
    source: str
    stated_source: str | None
    sources: tuple[str, ...]
    fetched_at: datetime
    expires_on: date | None
    tier: str
    probability: float
    rivals: int | None
    represented_by_counsel: bool | None
    is_open: bool
    notes: tuple[str, ...]
    parties: tuple[MatchedParty, ...]


_PARTY: Final = tuple(field.name for field in fields(MatchedParty))
_MADE: Final = ("words", "sources", "represented_by_counsel", "is_open", "notes", "parties")
_FACTS: Final = tuple(field.name for field in fields(CaseAtParcel) if field.name not in _MADE)
_ENDS: Final = ("date_terminated", "date_dismissed", "date_discharged", "released_on")
# Facts that another source may know where the likeliest does not.
_FILLED: Final = (
    *_ENDS,
    *("case_name", "status", "chapter", "date_filed", "recorded_on", "amount_claimed", "judgment_amount"),
    *("lien_type", "lien_status", "lien_amount", "docket_id", "docket_number", "url"),
)
Row = dict[str, Any]


def cases_of(
    reader: Lake | duckdb.DuckDBPyConnection,
    town_id: int,
    property_ids: Collection[str] = (),
    *,
    loc_id: str | None = None,
    unconfirmed: bool = False,
    as_of: str | None = None,
    today: date | None = None,
) -> list[CaseAtParcel]:
    """The cases of these properties, or of all on the parcel ``loc_id``: confirmed first, then the likelier.

    ``reader`` is the lake, or a connection with the view ``mart.case_matches`` (``as_of`` is for the lake
    only). ``unconfirmed`` adds what is more likely a namesake's. In force only, on ``today`` (UTC).

    Raises:
        UsageError: ``as_of`` is no date.
        StoreError: the lake cannot be read.
    """
    day = today or datetime.now(UTC).date()
    tiers = _TIER_ORDER if unconfirmed else SHOWN_TIERS
    rows = _rows(reader, town_id, sorted(set(property_ids)), loc_id, as_of, day)
    return [case for case in group_cases(rows) if case.tier in tiers]


def group_cases(rows: Iterable[Mapping[str, Any]]) -> list[CaseAtParcel]:
    """Rows of mart/case_matches of one parcel as cases; rejected matches are left out."""
    cases: dict[str, list[Row]] = {}
    for row in rows:
        cases.setdefault(row["case_id"], []).append(dict(row))
    found = [_case(kept) for told in cases.values() if (kept := _without_rejected(told))]
    return sorted(found, key=_order)


def properties_at(lake: Lake, town: Town, asked: str) -> tuple[list[str], str | None]:
    """The properties of a parcel and its LOC_ID; of a single property its id, and no LOC_ID.

    Raises:
        UsageError: the town is not here, or has neither a parcel nor a property ``asked``.
    """
    word = town.key[4:]
    entry = lake.snapshot(PROPERTIES).partitions.get(PROPERTIES.partition(town.town_id))
    if entry is None:
        raise UsageError(f"{town.name} is not in the lake.", f"Run `leadflow refresh {word}`.")
    with closing(connect(lake.settings, spatial=False)) as connection:
        rows = connection.execute(
            "SELECT property_id, loc_id FROM read_parquet(?, hive_partitioning = false) "
            "WHERE loc_id = ? OR property_id = ? ORDER BY property_id",
            [lake.store.location(entry.data.path), asked, asked],
        ).fetchall()
    if not rows:
        hint = f"Find it with `leadflow search --town {word}`."
        raise UsageError(f"{town.name} has no such parcel or property.", hint)
    by_parcel = asked in {loc_id for _, loc_id in rows}
    return [property_id for property_id, _ in rows], asked if by_parcel else None


def _without_rejected(rows: Sequence[Row]) -> list[Row]:
    """A person's no counts for every source that tells the same of the same party, unless decided itself."""
    refused = {_claim(row) for row in rows if row["decision"] == "rejected"}
    return [
        row
        for row in rows
        if row["decision"] == "confirmed" or (row["decision"] is None and _claim(row) not in refused)
    ]


def _claim(row: Row) -> tuple[str, str]:
    return row["property_id"], folded(row["party_name"])


def folded(name: str) -> str:
    """A party's name in capital letters with single blanks: equal for two sources' spellings of one."""
    return " ".join(re.findall(r"[^\W_]+", name.upper()))


def _case(rows: list[Row]) -> CaseAtParcel:
    rows = sorted(rows, key=lambda row: (*_rank(row), row["source"], row["party_name"], row["match_id"]))
    # A person who was matched twice, by two sources, is one.
    parties = tuple(_party(row) for row in rows)
    facts = {name: rows[0][name] for name in _FACTS}
    for name in _FILLED:
        facts[name] = next((row[name] for row in rows if row[name] is not None), None)
    expiries = [row["expires_on"] for row in rows if row["expires_on"] is not None]
    facts["expires_on"] = min(expiries, default=None)
    facts["fetched_at"] = max(row["fetched_at"] for row in rows)
    counsel = [row["represented_by_counsel"] for row in rows if row["represented_by_counsel"] is not None]
    is_open = not any(facts[name] for name in _ENDS) and facts["status"] not in ("closed", "dismissed")
    represented = any(counsel) if counsel else None
    return CaseAtParcel(
        **facts,
        words=CASE_TYPES[facts["case_type"]].words,
        sources=tuple(sorted({row["source"] for row in rows})),
        represented_by_counsel=represented,
        is_open=is_open,
        notes=tuple(_notes(facts["case_type"], is_open, represented)),
        parties=parties,
    )


def _notes(case_type: str, is_open: bool, represented: bool | None) -> Iterable[str]:
    if case_type in _BANKRUPTCIES and is_open:
        yield AUTOMATIC_STAY
    if represented:
        yield COUNSEL


def _party(row: Row) -> MatchedParty:
    told = {name: row[name] for name in _PARTY if name != "evidence"}
    return MatchedParty(**told, evidence=tuple(explain(row["evidence"] or ())))


def _rank(row: Row) -> tuple[int, float]:
    return _TIER_ORDER.index(row["tier"]), -row["probability"]


def _order(case: CaseAtParcel) -> tuple[int, float, int, str]:
    day = case.date_filed or case.recorded_on
    return _TIER_ORDER.index(case.tier), -case.probability, -(day.toordinal() if day else 0), case.case_id


def _rows(
    reader: Lake | duckdb.DuckDBPyConnection,
    town_id: int,
    property_ids: list[str],
    loc_id: str | None,
    as_of: str | None,
    day: date,
) -> list[Row]:
    if isinstance(reader, duckdb.DuckDBPyConnection):
        return _query(reader, "mart.case_matches", {}, town_id, property_ids, loc_id, day)
    entry = reader.snapshot(CASE_MATCHES, as_of).partitions.get(CASE_MATCHES.partition(town_id))
    if entry is None or entry.schema_version != SCHEMA_VERSION:
        return []
    file = {"file": reader.store.location(entry.data.path)}
    source = "read_parquet($file, hive_partitioning = false)"
    with closing(connect(reader.settings, spatial=False)) as connection:
        return _query(connection, source, file, town_id, property_ids, loc_id, day)


def _query(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    more: Mapping[str, str],
    town_id: int,
    property_ids: list[str],
    loc_id: str | None,
    day: date,
) -> list[Row]:
    columns = ", ".join(dict.fromkeys(("town_id", *_FACTS, *_PARTY)))
    found = connection.execute(
        f"SELECT {columns} FROM {source} WHERE town_id = $town "
        "AND (list_contains($properties, property_id) OR loc_id = $parcel) "
        "AND (expires_on IS NULL OR expires_on >= $day)",
        {**more, "town": town_id, "properties": property_ids, "parcel": loc_id, "day": day},
    )
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
