"""Everything known of a parcel and its units, with sources, and what is unknown and why.

``parcel_report`` reads one town's files by LOC_ID and asks the search index (or, without one, Parquet)
about the neighbours and about other holdings of the owners. The report holds personal data: it is for
the person who asked, never for a log.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.domain.towns import Town
from leadflow_assets.errors import StoreError, UsageError
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import moment
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.parcel.asked import inquiries_about
from leadflow_assets.search.parcel.cases import CourtCases, court_cases
from leadflow_assets.search.parcel.comparables import comparables_for, subject_of
from leadflow_assets.search.parcel.history import History, past_rows
from leadflow_assets.search.parcel.holdings import OwnerHoldings, holdings_of
from leadflow_assets.search.parcel.interests import interests_on, pieces_of
from leadflow_assets.search.parcel.lookup import Found, TownFiles, find_parcel, open_town
from leadflow_assets.search.parcel.model import Comparables, Interest, ParcelFacts, Piece, Unit, Unknown
from leadflow_assets.search.parcel.scores import scores_on
from leadflow_assets.search.parcel.units import parcel_facts, unit_of
from leadflow_assets.search.parcel.unknowns import unknowns_of
from leadflow_assets.search.parcel.worth import Scenario
from leadflow_assets.settings import Settings


@dataclass(frozen=True)
class SourceFact:
    """Where a group of fields came from: the source's own date and version, and when it was fetched."""

    fields: str
    source: str
    source_date: date | None
    version: str | None
    fetched_at: datetime | None
    release: str | None
    published_at: str | None
    sha256: str | None


@dataclass(frozen=True)
class ParcelReport:
    """Everything known of a parcel and its units. ``parcel`` is None for a record without a polygon.

    ``receipt`` is the download receipt of the town's package. ``history`` says how many releases there
    are, ``scores`` are rows of mart/distress_scores, ``notes`` what the search had to say.
    """

    town_id: int
    town: str
    asked: str
    day: date
    as_of: str | None
    parcel: ParcelFacts | None
    pieces: tuple[Piece, ...]
    units: tuple[Unit, ...]
    releases: tuple[str, ...]
    history: str
    holdings: tuple[OwnerHoldings, ...]
    towns_searched: int
    interests: tuple[Interest, ...]
    cases: CourtCases
    scores: tuple[Mapping[str, Any], ...]
    comparables: Comparables
    sources: tuple[SourceFact, ...]
    receipt: Mapping[str, Any]
    unknowns: tuple[Unknown, ...]
    notes: tuple[str, ...]


def parcel_report(
    settings: Settings,
    town: Town,
    loc_id: str,
    *,
    as_of: str | None = None,
    searcher: Searcher | None = None,
    unit: str | None = None,
    day: date | None = None,
) -> ParcelReport:
    """The report on one parcel of a town.

    ``loc_id`` is a LOC_ID; a record without any is asked for by its property_id. ``as_of`` (a date or time)
    reads the lake as it was then. ``searcher`` is used and left open where given; it must be of the same
    ``as_of``. ``unit`` is the property_id that is compared with neighbours' sales (None: the only or the
    median one). ``day`` is the day that tenure and the age of sales are counted to (None: the day of
    ``as_of``, else today, UTC).

    Raises:
        UsageError: no such parcel, unit or date; the hint names what is near.
        NotHeldError: there is no data for the town.
        StoreError: a file of the lake cannot be read.
    """
    today = day or (moment(as_of).date() if as_of else datetime.now(UTC).date())
    with ExitStack() as stack:
        used = searcher or stack.enter_context(open_searcher(settings, as_of=as_of))
        files = open_town(used, town, as_of)
        stack.enter_context(closing(files.connection))
        try:
            return _report(files, used, loc_id, as_of, unit, today)
        except duckdb.Error as error:
            raise StoreError(
                f"The files of {town.name} cannot be read ({type(error).__name__}).",
                f"Run `leadflow doctor`; `leadflow refresh {files.word} --force` makes them anew.",
            ) from None


def _report(
    files: TownFiles, searcher: Searcher, asked: str, as_of: str | None, named: str | None, day: date
) -> ParcelReport:
    found = find_parcel(files, asked)
    history = History(past_rows(files, found.records))
    inquiries = inquiries_about(files, [record["property_id"] for record in found.records], as_of)
    settings = files.lake.settings
    scenario = Scenario(settings.leadflow_assumed_loan_to_value, settings.leadflow_assumed_term_months)
    units = tuple(unit_of(row, history, day, scenario) for row in found.records)
    if named is not None and named not in {unit.property_id for unit in units}:
        raise UsageError(
            "That unit is not on the parcel.",
            f"Its {len(units)} properties begin with: {', '.join(u.property_id for u in units[:5])}",
        )
    parcel = parcel_facts(found.parcel) if found.parcel else None
    point = (parcel.point_x, parcel.point_y) if parcel else None
    subject, subject_is = subject_of(units, named)
    ids = [unit.property_id for unit in units if not unit.is_condominium_master]
    cases, gaps = court_cases(files.lake, files.town.town_id, ids, parcel.loc_id if parcel else None, as_of)
    scores, no_scores = scores_on(files, ids)
    towns_held = len(searcher.snapshot.partitions)
    return ParcelReport(
        town_id=files.town.town_id,
        town=files.town.name,
        asked=asked,
        day=day,
        as_of=as_of,
        parcel=parcel,
        pieces=pieces_of(files, parcel.loc_id) if parcel else (),
        units=units,
        releases=tuple(files.releases),
        history=_history(files, units),
        holdings=holdings_of(searcher.connection, found.records),
        towns_searched=towns_held,
        interests=interests_on(files, parcel.loc_id) if parcel else (),
        cases=cases,
        scores=scores,
        comparables=comparables_for(
            searcher.connection,
            subject,
            subject_is,
            point,
            day,
            loc_id=parcel.loc_id if parcel else None,
            town_id=files.town.town_id,
        ),
        sources=(*_sources(files, found), *_sources_of_cases(cases)),
        receipt=_receipt(files),
        unknowns=unknowns_of(
            parcel, units, inquiries, (*gaps, *no_scores), releases=len(files.releases), towns_held=towns_held
        ),
        notes=searcher.notes,
    )


def _history(files: TownFiles, units: tuple[Unit, ...]) -> str:
    names = list(files.releases)
    if not names:
        return "no release is kept"
    if len(names) == 1:
        return f"history begins with {names[0]}"
    followed = sum(len(unit.value_history) > 1 for unit in units)
    return f"{len(names)} releases, {names[0]} to {names[-1]}; {followed} of {len(units)} properties followed"


def _receipt(files: TownFiles) -> Mapping[str, Any]:
    """Where the town's package came from and where it is kept, from the log of raw/massgis_packages."""
    package = files.entries.get(tables.MASSGIS_PACKAGES.name)
    if package is None:
        return {}
    receipt = dict(package.facts["receipt"])
    return {
        **receipt,
        "release": package.facts["release"],
        "format": package.facts.get("format"),
        "published_at": package.published_at,
        "stored_at": files.lake.store.location(package.data.path),
    }


def _sources(files: TownFiles, found: Found) -> tuple[SourceFact, ...]:
    """Per group of fields, from the records' own provenance; then the tables read beside them."""
    facts: list[SourceFact] = []
    properties = files.entries[tables.PROPERTIES.name]
    for number, record in enumerate(found.records):
        for source in record["sources"] or ():
            vendors = source["source"].startswith("ATTOM ")
            if number and not vendors:
                continue  # all records of a town come from one package
            fact = SourceFact(
                fields=source["fields"],
                source=source["source"],
                source_date=source["source_date"],
                version=source["version"],
                fetched_at=None if vendors else record["fetched_at"],
                release=None if vendors else record["release"],
                published_at=properties.published_at,
                sha256=properties.data.sha256,
            )
            if fact not in facts:
                facts.append(fact)
    if found.parcel is not None:
        if not found.records:
            facts.append(_source_of_table(files, "parcel", "MassGIS L3 TaxPar", tables.PARCELS.name))
        if tables.PARCEL_INTERESTS.name in files.entries:
            interests = tables.PARCEL_INTERESTS.name
            facts.append(_source_of_table(files, "interests and pieces", "MassGIS L3 OthLeg", interests))
    facts += [_source_of_release(files, release) for release in files.releases]
    return tuple(facts)


def _sources_of_cases(cases: CourtCases) -> tuple[SourceFact, ...]:
    """Who told of the cases that are shown: the surest source of each."""
    newest: dict[str, datetime] = {}
    for case in cases.known:
        source = case.stated_source or (
            f"CourtListener ({case.court})" if case.source == COURTLISTENER else case.source
        )
        newest[source] = max(case.fetched_at, newest.get(source, case.fetched_at))
    return tuple(
        SourceFact("court cases", source, None, None, moment, None, cases.published_at, cases.sha256)
        for source, moment in sorted(newest.items())
    )


def _source_of_table(files: TownFiles, what: str, source: str, table: str) -> SourceFact:
    entry = files.entries[table]
    receipt = _receipt(files)
    modified, fetched = receipt.get("last_modified"), receipt.get("fetched_at")
    return SourceFact(
        fields=what,
        source=source,
        source_date=datetime.fromisoformat(modified).date() if modified else None,
        version=entry.code_version,
        fetched_at=datetime.fromisoformat(fetched) if fetched else None,
        release=entry.facts["release"],
        published_at=entry.published_at,
        sha256=entry.data.sha256,
    )


def _source_of_release(files: TownFiles, release: str) -> SourceFact:
    entry = files.releases[release]
    return SourceFact(
        fields=f"value history FY{entry.facts['fiscal_year']}",
        source="MassGIS L3 Assess",
        source_date=None,
        version=entry.code_version,
        fetched_at=None,
        release=release,
        published_at=entry.published_at,
        sha256=entry.data.sha256,
    )


def as_document(report: ParcelReport) -> dict[str, Any]:
    """The whole report in JSON's own types: dates as ISO text, the outline as hexadecimal WKB."""
    document: dict[str, Any] = _plain(report)
    return document


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
