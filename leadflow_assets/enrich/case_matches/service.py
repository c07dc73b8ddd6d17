"""Matching: every party in force of every case against the owners of the whole lake, into mart/case_matches.

Names are compared once for the whole lake, since how common a name is decides. What a linkage was made from
is remembered beside the lock, so that nothing is linked anew while cases, parties and properties are the
same; decisions of people are laid over what is published without one. Killed anywhere, the next call ends it:
each town is published by its content.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.case_matches.inputs import (
    Inputs,
    hold_cases,
    open_database,
    read_inputs,
    rules_version,
)
from leadflow_assets.enrich.case_matches.named import find_named, owners_at_named
from leadflow_assets.enrich.case_matches.parties import add_carriers, parties_to_link, select_parties
from leadflow_assets.enrich.case_matches.publishing import Keep, count_tiers, keep_only, publish_towns
from leadflow_assets.enrich.case_matches.rows import add_matches, apply_reviews, keep_published, start_model
from leadflow_assets.enrich.linkage import MATCHES_SCHEMA, OWNER_COLUMNS, Frequencies, link
from leadflow_assets.enrich.linkage.engine import database
from leadflow_assets.enrich.linkage.frequencies import count_names
from leadflow_assets.enrich.linkage.link import link_loaded
from leadflow_assets.enrich.linkage.owners import load_owners
from leadflow_assets.enrich.purge.hooks import match_filter
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import catch_up
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.tables import CASE_MATCHES
from leadflow_assets.settings import Settings
from leadflow_assets.state.case_reviews import CaseReview

_OWNERS_AT_ONCE = 100_000
# Beyond any match that a name can make: who owns a named property is compared, not found.
_NOBODY_ELSE = 1


@dataclass(frozen=True)
class MatchReport:
    """What matching found and changed.

    ``linked`` is False where nothing had to be linked anew. ``parties`` were looked for by name; of
    ``named_cases`` that name a property ``named_found`` name one of the lake. ``tiers`` counts the rows that
    stand now, by tier. ``towns_changed`` (ids) were published anew. ``by_decision_alone``: matches that the
    model no longer makes; ``without_property``: decisions whose case or property is gone, kept but not shown.
    ``needs_refresh``: towns (as ``leadflow refresh`` names them) whose properties are of an older version.
    """

    linked: bool = False
    parties: int = 0
    named_cases: int = 0
    named_found: int = 0
    tiers: dict[str, int] = field(default_factory=dict)
    towns_changed: tuple[int, ...] = ()
    by_decision_alone: int = 0
    without_property: int = 0
    needs_refresh: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Done:
    """What the last matching of everything was made from, and until when that stays true."""

    linked: str = ""
    reviews: str = ""
    snapshot: int = -1
    valid_until: str | None = None
    frequencies: str = ""

    def still_linked(self, inputs: Inputs, today: date) -> bool:
        return (
            self.linked == inputs.linked
            and self.snapshot == inputs.snapshot
            and (self.valid_until is None or today <= date.fromisoformat(self.valid_until))
        )


def match_cases(
    settings: Settings,
    *,
    courts: Collection[str] | None = None,
    towns: Collection[int] | None = None,
    run_id: str | None = None,
    keep: Keep | None = None,
    force: bool = False,
    today: date | None = None,
) -> MatchReport:
    """Match all parties in force and publish the towns whose matches changed.

    ``courts`` (CourtListener's ids) matches the cases of these anew and keeps the others' matches; ``towns``
    limits what is published, never what is compared. ``keep`` (None: what was purged stays out) takes the
    rows about to be published and gives back those that may be. ``force`` links although nothing changed.
    Needs no network.

    Raises:
        AuditError: a town's rows would break the table's contract; it stays as it was.
        StoreError: the lake, the staging folder or the state database cannot be used.
    """
    lake, run_id = Lake(settings), run_id or uuid.uuid4().hex[:12]
    today = today or datetime.now(UTC).date()
    with one_at_a_time(settings):
        inputs, done = read_inputs(lake), _read_done(settings)
        if not inputs.cases and not inputs.published:
            return MatchReport()
        reviews, state = _decided(settings)
        still_linked = not force and done.still_linked(inputs, today)
        if still_linked and done.reviews == state:
            return _unchanged(inputs, towns)
        with staging_folder(lake.staging, run_id) as folder, open_database(inputs, today) as connection:
            catch_up(lake.store, CASE_MATCHES.name)
            start_model(connection)
            report = MatchReport()
            if still_linked:
                keep_published(connection, None)
            else:
                report, done = _match(connection, inputs, courts, done)
            revived, homeless = apply_reviews(connection, reviews)
            keep_only(connection, keep or match_filter(settings))
            made_from = {"state/case_reviews": state, "frequencies": done.frequencies}
            changed = publish_towns(connection, inputs, towns, made_from, folder, run_id)
            if courts is None and towns is None:
                _write_done(settings, replace(done, reviews=state, valid_until=_valid_until(connection)))
            return replace(
                report,
                tiers=count_tiers(connection, towns),
                towns_changed=tuple(sorted(changed)),
                by_decision_alone=revived,
                without_property=homeless,
                needs_refresh=_older(inputs),
            )


def outdated(settings: Settings, today: date | None = None) -> str | None:
    """Names what has changed since the last matching of everything; None where nothing has.

    Raises:
        StoreError: the lake or the state database cannot be read.
    """
    inputs, done = read_inputs(Lake(settings)), _read_done(settings)
    if not inputs.cases and not inputs.published:
        return None
    day = today or datetime.now(UTC).date()
    state = _decided(settings)[1]
    if done.still_linked(inputs, day) and done.reviews == state:
        return None
    return f"{inputs.linked[:16]}:{inputs.snapshot}:{state[:16]}:{day.isoformat()}"


def lay_over(
    settings: Settings, towns: Collection[int], *, keep: Keep | None = None, today: date | None = None
) -> tuple[int, ...]:
    """Lay people's decisions over what is published of some towns, without linking; returns those changed.

    Raises:
        StoreError: the lake, the staging folder or the state database cannot be used.
    """
    lake, run_id = Lake(settings), uuid.uuid4().hex[:12]
    with one_at_a_time(settings):
        inputs, done = read_inputs(lake), _read_done(settings)
        reviews, state = _decided(settings)
        here = _only(inputs, towns)
        day = today or datetime.now(UTC).date()
        with staging_folder(lake.staging, run_id) as folder, open_database(here, day) as connection:
            start_model(connection)
            keep_published(connection, None)
            apply_reviews(connection, [review for review in reviews if review.town_id in towns])
            keep_only(connection, keep or match_filter(settings))
            made_from = {"state/case_reviews": state, "frequencies": done.frequencies}
            changed = publish_towns(connection, here, towns, made_from, folder, run_id)
        if done.snapshot == inputs.snapshot:
            # It is still the published form of the last linkage; other towns' decisions are laid over later.
            _write_done(settings, done)
        return tuple(sorted(changed))


def _only(inputs: Inputs, towns: Collection[int]) -> Inputs:
    """The inputs without other towns' files."""
    return replace(
        inputs,
        properties={town: entry for town, entry in inputs.properties.items() if town in towns},
        published={town: entry for town, entry in inputs.published.items() if town in towns},
    )


def _match(
    connection: duckdb.DuckDBPyConnection, inputs: Inputs, courts: Collection[str] | None, done: _Done
) -> tuple[MatchReport, _Done]:
    """Fill ``model`` by linking."""
    chosen = sorted(courts) if courts is not None else None
    hold_cases(connection)
    select_parties(connection, chosen)
    named = find_named(connection, chosen)
    add_carriers(connection)
    parties = parties_to_link(connection, at_named_properties=False)
    at_named = parties_to_link(connection, at_named_properties=True)
    linked = compared = MATCHES_SCHEMA.empty_table()
    version = done.frequencies
    if (parties.num_rows or at_named.num_rows) and inputs.properties:
        with database() as linkage:
            load_owners(linkage, _owners(connection))
            frequencies = count_names(linkage)
            linked = link_loaded(linkage, parties, frequencies)
        compared = _compare(connection, at_named, frequencies)
        version = frequencies.version
    add_matches(connection, linked, compared, f"{version}-{rules_version()}")
    if chosen is not None:
        keep_published(connection, chosen)
    found = connection.execute("SELECT count(*) FROM found_case").fetchone() or (0,)
    report = MatchReport(linked=True, parties=parties.num_rows, named_cases=named, named_found=int(found[0]))
    return report, replace(done, linked=inputs.linked, frequencies=version)


def _owners(connection: duckdb.DuckDBPyConnection) -> Any:
    """All owners of the lake, batch by batch as Parquet is read."""
    columns = ", ".join(OWNER_COLUMNS)
    reader = connection.cursor().execute(f"SELECT {columns} FROM properties")
    return reader.to_arrow_reader(_OWNERS_AT_ONCE)


def _compare(connection: duckdb.DuckDBPyConnection, parties: pa.Table, frequencies: Frequencies) -> pa.Table:
    """The names of parties against the owners of the few properties that cases name, whoever may be rarer."""
    if not parties.num_rows:
        return MATCHES_SCHEMA.empty_table()
    return link(
        parties,
        owners_at_named(connection),
        frequencies,
        population=_NOBODY_ELSE,
        least_probability=0,
    )


def _decided(settings: Settings) -> tuple[Sequence[CaseReview], str]:
    # Imported late: SQLAlchemy costs a third of a second.
    from leadflow_assets.state import case_reviews
    from leadflow_assets.state import database as state

    with state.session(settings) as session:
        return case_reviews.latest(session), case_reviews.state_of(session)


def _valid_until(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The last day on which everything used may be used."""
    first = connection.execute(
        "SELECT min(expires_on) FROM (SELECT expires_on FROM cases UNION ALL SELECT expires_on FROM parties)"
    ).fetchone()
    return first[0].isoformat() if first and first[0] else None


def _unchanged(inputs: Inputs, towns: Collection[int] | None) -> MatchReport:
    counts: dict[str, int] = {}
    for town, entry in inputs.published.items():
        if towns is None or town in towns:
            for tier in ("confirmed", "possible", "unconfirmed", "rejected"):
                counts[tier] = counts.get(tier, 0) + entry.facts.get(tier, 0)
    return MatchReport(tiers={tier: n for tier, n in counts.items() if n}, needs_refresh=_older(inputs))


def _older(inputs: Inputs) -> tuple[str, ...]:
    return tuple(town_by_id(town).key[4:] for town in sorted(inputs.older))


@contextlib.contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """A second matching, or a decision, on this machine waits for the first."""
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "match.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "case_matches"


def _read_done(settings: Settings) -> _Done:
    """A file that is missing or damaged only costs a linkage."""
    try:
        return _Done(**json.loads((_folder(settings) / "done.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return _Done()


def _write_done(settings: Settings, done: _Done) -> None:
    done = replace(done, snapshot=read_inputs(Lake(settings)).snapshot)
    path = _folder(settings) / "done.json"
    temporary = path.with_name(f"done-{os.getpid()}.json")
    temporary.write_text(json.dumps(asdict(done)), encoding="utf-8")
    temporary.replace(path)
