"""What the tests of court cases beside properties share: rows of mart/case_matches as they are published."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from leadflow_assets.domain.courts import kinds
from leadflow_assets.domain.courts.model import COURTLISTENER, month_of
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, upload
from leadflow_assets.lake.snapshots import PartitionEntry, Snapshot
from leadflow_assets.lake.tables import CASE_MATCHES
from leadflow_assets.refresh.stage import stage
from leadflow_assets.settings import Settings

FETCHED = datetime(2026, 10, 5, 9, tzinfo=UTC)
PROBABILITIES = {"confirmed": 0.97, "possible": 0.6, "unconfirmed": 0.1, "rejected": 0.0}
EVIDENCE: list[dict[str, Any]] = [
    {"term": "surname", "outcome": "equal", "ours": "FENNELCOTE", "theirs": "FENNELCOTE", "share": 0.0001,
     "bits": 13.3},
    {"term": "place", "outcome": "equal", "ours": "SAMPLETON", "theirs": "SAMPLETON", "share": None,
     "bits": 4.0},
]  # fmt: skip


def a_match(
    property_id: str,
    number: int = 1,
    case_type: str = "bankruptcy_petition",
    tier: str = "confirmed",
    filed: date | None = date(2026, 10, 2),
    *,
    party: str = "Fictional Debtor",
    **facts: Any,
) -> dict[str, Any]:
    """A row of mart/case_matches: the case ``number`` of that type and the owner of a property."""
    bankruptcy = case_type in ("bankruptcy_petition", "adversary_proceeding")
    federal = bankruptcy or kinds.CASE_TYPES[case_type].words.startswith(("federal", "other federal"))
    court = "mab" if bankruptcy else "mad" if federal else "mahousct" if case_type == "eviction" else "other"
    chapter = facts.pop("chapter", "7" if case_type == "bankruptcy_petition" else None)
    case_id = f"{court}:26-{number:05d}"
    decision = facts.get("decision")
    row = {
        "town_id": int(property_id.split("-")[0]),
        "property_id": property_id,
        "case_id": case_id,
        "source": COURTLISTENER if federal else "housing_court" if case_type == "eviction" else "other",
        "court": court,
        "filed_month": month_of(filed or facts.get("recorded_on")),
        "docket_number": f"26-{number:05d}",
        "case_name": party,
        "case_type": case_type,
        "action_type": kinds.action_type_of(case_type, chapter),
        "chapter": chapter,
        "date_filed": filed,
        "fetched_at": FETCHED,
        "party_id": hashlib.sha256(party.encode()).hexdigest()[:16],
        "party_name": party,
        "party_role": "debtor" if bankruptcy else "defendant",
        "is_debtor": bankruptcy,
        "owner_number": 0,
        "owner_role": "owner",
        "method": "name",
        "title": "held",
        "model_probability": PROBABILITIES["possible" if decision else tier],
        "probability": {"confirmed": 1.0, "rejected": 0.0}.get(decision or "", PROBABILITIES[tier]),
        "tier": tier,
        "weight_bits": 12.5,
        "rivals": 0,
        "unseen": 0.1,
        "evidence": EVIDENCE,
        "evidence_version": "test",
        **facts,
    }
    named = f"{row['case_id']}|{row['source']}|{row['party_id']}|{property_id}"
    return {"match_id": hashlib.sha256(named.encode()).hexdigest()[:16], **row}


def publish_matches(
    settings: Settings, rows: Sequence[Mapping[str, Any]], *, towns: Sequence[int] = ()
) -> Snapshot:
    """Publish mart/case_matches of the towns of the rows; ``towns`` without rows are published empty."""
    lake = Lake(settings)
    by_town: dict[int, list[Mapping[str, Any]]] = defaultdict(list, {town: [] for town in towns})
    for row in rows:
        by_town[row["town_id"]].append(row)
    entries: dict[str, PartitionEntry | None] = {}
    for town_id, mine in by_town.items():
        partition = CASE_MATCHES.partition(town_id)
        folder = settings.data_dir / "staging" / "case_matches" / str(town_id)
        folder.mkdir(parents=True, exist_ok=True)
        ordered = sorted(mine, key=lambda row: str(row["match_id"]))
        table = pa.Table.from_pylist([dict(row) for row in ordered], schema=CASE_MATCHES.schema)
        staged = stage(CASE_MATCHES, table, partition, {}, {"rows": table.num_rows}, folder)
        entries[partition] = upload(lake.store, staged)
    return Publisher(lake.store, "test").publish(CASE_MATCHES.name, entries).snapshot
