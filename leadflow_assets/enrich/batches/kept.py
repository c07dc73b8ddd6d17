"""What a batch need not ask, because it is kept and fresh, and what asking the rest costs at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from leadflow_assets.enrich.attom_cache import VENDOR, AttomCache
from leadflow_assets.enrich.batches.job import BatchRequest
from leadflow_assets.enrich.vendor import open_cache, prices
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.endpoints import (
    EXPANDED_PROFILE,
    Endpoint,
    PropertyQuery,
    find_endpoint,
    identities,
)
from leadflow_assets.state import batch_requests, database
from leadflow_assets.state.vendor_answers import Freshness, VendorAnswers


@dataclass(frozen=True)
class KeptPlan:
    """Pairs of request and endpoint ``to_ask`` and those ``fresh``, which need no call.

    ``most_cents`` is what ``to_ask`` costs where everything is found; ``kept`` are the numbers of requests
    for which anything is fresh.
    """

    to_ask: int
    fresh: int
    most_cents: Decimal
    saved_cents: Decimal
    kept: frozenset[int]


@dataclass(frozen=True)
class _Profile:
    """What is kept of a property's profile: its ATTOM id, or that there is none to be had."""

    attom_id: int | None


def plan_requests(
    settings: Settings,
    lake: Lake,
    requests: Sequence[BatchRequest],
    endpoints: Sequence[str],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> KeptPlan:
    """Split requests x endpoints into what must be asked and what is fresh.

    Where the profile is kept, the others are looked for by the ATTOM id it names, as they will be asked;
    where it knows no such property or cannot tell it from others, the others will not be asked at all.
    """
    cache = open_cache(settings, lake, now=now)
    chosen = [find_endpoint(name) for name in endpoints]
    profiles = _kept_profiles(settings, requests, now()) if EXPANDED_PROFILE in chosen else {}
    pairs: dict[Endpoint, list[tuple[int, PropertyQuery]]] = {endpoint: [] for endpoint in chosen}
    decided: list[int] = []
    for request in requests:
        profile = profiles.get(request.request_number)
        for endpoint in chosen:
            if profile is None or endpoint is EXPANDED_PROFILE:
                pairs[endpoint].append((request.request_number, request.query))
            elif profile.attom_id is None:
                decided.append(request.request_number)
            else:
                pairs[endpoint].append((request.request_number, PropertyQuery(attom_id=profile.attom_id)))
    return _priced(settings, cache, pairs, decided)


def _priced(
    settings: Settings,
    cache: AttomCache,
    pairs: dict[Endpoint, list[tuple[int, PropertyQuery]]],
    decided: Sequence[int],
) -> KeptPlan:
    price = prices(settings)
    to_ask, fresh, most, saved = 0, len(decided), Decimal(0), Decimal(0)
    kept = set(decided)
    for endpoint, asked in pairs.items():
        named = [(number, query) for number, query in asked if is_nameable(endpoint, query)]
        by_query = {id(query): number for number, query in named}
        plan = cache.plan([query for _, query in named], [endpoint], price)
        kept |= {by_query[id(query)] for query, _ in plan.fresh}
        to_ask += len(plan.to_ask)
        fresh += len(plan.fresh)
        most += len(plan.to_ask) * endpoint.most_reports * price.cents(endpoint.name)
        saved += plan.saved_cents
    return KeptPlan(to_ask, fresh, most, saved, frozenset(kept))


def is_nameable(endpoint: Endpoint, query: PropertyQuery) -> bool:
    """Can the property be named to the endpoint?"""
    try:
        identities(endpoint, query)
    except UsageError:
        return False
    return True


def _kept_profiles(
    settings: Settings, requests: Sequence[BatchRequest], now: datetime
) -> dict[int, _Profile]:
    """Fresh profiles by request number; a property is only unknown when all its names are."""
    names = {
        request.request_number: [
            (EXPANDED_PROFILE.name, name.key) for name in identities(EXPANDED_PROFILE, request.query)
        ]
        for request in requests
        if is_nameable(EXPANDED_PROFILE, request.query)
    }
    freshness = Freshness(
        now - timedelta(days=settings.attom_cache_max_age_days),
        now - timedelta(days=settings.leadflow_attom_negative_max_age_days),
    )
    index = VendorAnswers(settings, VENDOR)
    found = index.find([name for some in names.values() for name in some], freshness)
    returned = [entry.request_id for entry in found.values() if entry.outcome == "returned"]
    with database.session(settings) as session:
        attom_ids = batch_requests.attom_ids_of(session, VENDOR, returned)
    profiles: dict[int, _Profile] = {}
    for number, some in names.items():
        kept = [found.get(name) for name in some]
        best = next((entry for entry in kept if entry and entry.outcome != "no_match"), None)
        if best is not None and best.request_id in attom_ids:
            profiles[number] = _Profile(attom_ids[best.request_id])
        elif best.outcome == "ambiguous" if best is not None else all(kept):
            profiles[number] = _Profile(None)
    return profiles
