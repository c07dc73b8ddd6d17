"""Docket reports saved as JSON by juriscraper: imported like an answer, without a call."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

from leadflow_assets.domain.courts.identifiers import strip_body
from leadflow_assets.domain.courts.model import COURTLISTENER, docket_number_key, is_court_id, short_hash
from leadflow_assets.domain.courts.rows import DOCKET_FILE, RawDocket, to_body
from leadflow_assets.errors import UsageError
from leadflow_assets.sources.courtlistener.values import as_date, as_text

MOST_BYTES = 64 << 20
_HINT = "It should be one docket as juriscraper writes it: court_id, docket_number, parties, docket_entries."


def read_docket_file(path: Path, *, imported_at: datetime, stated_source: str | None = None) -> RawDocket:
    """One docket file as a row to keep. Identifiers are stripped before it is read.

    Raises:
        UsageError: no such file, too large, or not such a docket.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} is larger than {MOST_BYTES >> 20} MB.", _HINT)
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.", "Check the path.") from None
    try:
        docket = json.loads(strip_body(content))
    except ValueError:
        docket = None
    court = as_text(docket.get("court_id")) if isinstance(docket, dict) else None
    if (
        not court
        or not is_court_id(court)
        or "docket_entries" not in docket
        or not isinstance(docket.get("parties"), list)
    ):
        raise UsageError(f"{path} is no docket file.", _HINT)
    number = docket_number_key(court, as_text(docket.get("docket_number")))
    return RawDocket(
        record_id=short_hash(DOCKET_FILE, court, number or path.name),
        court=court,
        endpoint=DOCKET_FILE,
        source=COURTLISTENER,
        fetched_at=imported_at,
        body=to_body(docket),
        date_filed=as_date(docket.get("date_filed")),
        stated_source=stated_source,
        source_file=path.name,
        # Of the file as it was brought: the hash tells nothing of what was stripped.
        source_sha256=hashlib.sha256(content).hexdigest(),
    )
