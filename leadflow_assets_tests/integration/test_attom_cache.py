"""Kept answers: found again by every name, for as long as they may be, on both kinds of lake."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from leadflow_assets.enrich.attom_cache import FOLDER, AttomCache, archive_key, recover
from leadflow_assets.errors import StoreError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.sources.attom.answers import Answer
from leadflow_assets.sources.attom.client import judged
from leadflow_assets.sources.attom.endpoints import (
    ATTOM_AVM,
    EXPANDED_PROFILE,
    HOME_EQUITY,
    Endpoint,
    Identity,
    PropertyQuery,
    identities,
    request_hash,
)
from leadflow_assets.sources.attom.prices import Prices
from leadflow_assets.state.ledger import Ledger
from leadflow_assets.state.vendor_answers import VendorAnswers
from leadflow_assets_tests.vendors import attom_bodies as bodies
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BY_ADDRESS = PropertyQuery(address1="12 Sample St", address2="Sampleton, MA 01999")
WITH_PARCEL = replace(BY_ADDRESS, fips="25099", apn="12-34-0")


class Shelf:
    """A cache on a lake, with a clock set by hand."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.now = NOON
        self.made = 0
        self.index = VendorAnswers(lake.settings, "attom")
        self.cache = AttomCache(
            self.index, lake.store, max_age_days=60, negative_max_age_days=30, now=lambda: self.now
        )

    def put(
        self, endpoint: Endpoint, name: Identity, body: Any, *, status: int = 200, keep: bool = True
    ) -> Answer:
        """Archive an answer fetched now, and index it."""
        self.made += 1
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = Answer(
            request_id=f"{self.made:032x}",
            endpoint=endpoint.name,
            identity=name.key,
            request_hash=request_hash(endpoint, name),
            http_status=status,
            message=None,
            transaction_id=None,
            fetched_at=self.now,
            outcome="error",
            reason=None,
            reports=0,
            attom_id=None,
            content_type="application/json",
            body=raw.decode("utf-8", errors="replace"),
        )
        self.cache.archive(answer, name, raw)
        answer = judged(endpoint, name, answer)
        if keep:
            self.cache.keep(answer)
        return answer

    def found(self, endpoint: Endpoint, query: PropertyQuery) -> Answer | None:
        return self.cache.find(endpoint, identities(endpoint, query))


@pytest.fixture
def shelf(lake: Lake) -> Iterator[Shelf]:
    yield Shelf(lake)


def name_of(query: PropertyQuery, number: int = 0) -> Identity:
    return identities(EXPANDED_PROFILE, query)[number]


def profile(attom_id: int = 1001, **changes: Any) -> dict[str, Any]:
    return bodies.envelope([bodies.expandedprofile(SampleProperty(attom_id, **changes))])


NOTHING = bodies.envelope([])


def test_an_answer_is_found_under_its_address_and_under_its_id(shelf: Shelf) -> None:
    put = shelf.put(EXPANDED_PROFILE, name_of(BY_ADDRESS), profile())
    for query in (BY_ADDRESS, PropertyQuery(attom_id=1001)):
        found = shelf.found(EXPANDED_PROFILE, query)
        assert found is not None and found.from_cache
        assert replace(found, from_cache=False, identity=put.identity) == put
    assert shelf.found(HOME_EQUITY, BY_ADDRESS) is None
    assert shelf.found(EXPANDED_PROFILE, PropertyQuery(attom_id=1002)) is None


@pytest.mark.parametrize(("body", "days"), [(profile(), 60), (NOTHING, 30), (b"<html>", 30)])
def test_answers_and_negatives_have_their_own_age(shelf: Shelf, body: Any, days: int) -> None:
    shelf.put(EXPANDED_PROFILE, name_of(BY_ADDRESS), body)
    shelf.now = NOON + timedelta(days=days)
    assert shelf.found(EXPANDED_PROFILE, BY_ADDRESS) is not None
    shelf.now += timedelta(seconds=1)
    assert shelf.found(EXPANDED_PROFILE, BY_ADDRESS) is None


def test_a_newer_answer_replaces_and_an_older_does_not(shelf: Shelf) -> None:
    shelf.put(EXPANDED_PROFILE, name_of(BY_ADDRESS), profile())
    shelf.now += timedelta(days=1)
    newer = shelf.put(EXPANDED_PROFILE, name_of(BY_ADDRESS), profile(mortgage_amount=0))
    shelf.now -= timedelta(days=2)
    shelf.put(EXPANDED_PROFILE, name_of(BY_ADDRESS), NOTHING)
    shelf.now = NOON + timedelta(days=1)
    found = shelf.found(EXPANDED_PROFILE, BY_ADDRESS)
    assert found is not None and found.request_id == newer.request_id


def test_a_match_under_any_name_goes_before_no_match_under_another(shelf: Shelf) -> None:
    shelf.put(EXPANDED_PROFILE, name_of(WITH_PARCEL, 0), NOTHING)
    found = shelf.found(EXPANDED_PROFILE, WITH_PARCEL)
    assert found is not None and found.outcome == "no_match"
    shelf.put(EXPANDED_PROFILE, name_of(WITH_PARCEL, 1), profile())
    found = shelf.found(EXPANDED_PROFILE, WITH_PARCEL)
    assert found is not None and found.outcome == "returned"


def test_the_archive_holds_the_bytes_as_sent_and_the_facts_of_the_call(shelf: Shelf) -> None:
    raw = b'\xef\xbb\xbf{"status": {"msg": "SuccessWithoutResult"}, "property": [], "note": "\xff"}'
    answer = shelf.put(EXPANDED_PROFILE, name_of(BY_ADDRESS), raw, status=400)
    packed = shelf.lake.store.read(archive_key(answer.request_id))
    head, _, body = gzip.decompress(packed).partition(b"\n")
    facts = json.loads(head)
    assert body == raw
    assert facts["http_status"] == 400 and facts["endpoint"] == "expandedprofile"
    assert facts["fetched_at"] == NOON.isoformat() and facts["request_hash"] == answer.request_hash
    with pytest.raises(StoreError, match="archived already"):
        shelf.cache.archive(answer, name_of(BY_ADDRESS), raw)


def test_an_answer_whose_archive_is_gone_is_asked_again(shelf: Shelf) -> None:
    answer = shelf.put(EXPANDED_PROFILE, name_of(BY_ADDRESS), profile())
    shelf.lake.store.delete(archive_key(answer.request_id))
    assert shelf.found(EXPANDED_PROFILE, BY_ADDRESS) is None


def test_a_batch_drops_what_is_fresh_and_says_what_that_saves(shelf: Shelf) -> None:
    shelf.put(EXPANDED_PROFILE, name_of(BY_ADDRESS), profile())
    shelf.put(ATTOM_AVM, identities(ATTOM_AVM, PropertyQuery(attom_id=7))[0], NOTHING)
    half_known = PropertyQuery(attom_id=7, fips="25099", apn="9")
    queries = [BY_ADDRESS, PropertyQuery(attom_id=7), half_known]
    prices = Prices(Decimal(10), {"expandedprofile": Decimal("12.5")})
    plan = shelf.cache.plan(queries, [EXPANDED_PROFILE, ATTOM_AVM], prices)
    assert plan.fresh == ((BY_ADDRESS, EXPANDED_PROFILE), (PropertyQuery(attom_id=7), ATTOM_AVM))
    assert plan.saved_cents == Decimal("12.5"), "no match had cost nothing"
    assert len(plan.to_ask) == 4 and (half_known, ATTOM_AVM) in plan.to_ask
    shelf.now += timedelta(days=61)
    assert shelf.cache.plan(queries, [EXPANDED_PROFILE, ATTOM_AVM], prices).saved_cents == 0


def test_a_large_batch_is_planned_in_few_questions_to_the_database(shelf: Shelf) -> None:
    shelf.put(EXPANDED_PROFILE, name_of(PropertyQuery(attom_id=1001)), profile())
    queries = [PropertyQuery(attom_id=n) for n in range(1, 1501)]
    plan = shelf.cache.plan(queries, [EXPANDED_PROFILE], Prices())
    assert (len(plan.to_ask), len(plan.fresh), plan.saved_cents) == (1499, 1, Decimal(10))


def test_stale_answers_are_dropped_bodies_included(shelf: Shelf) -> None:
    old = shelf.put(EXPANDED_PROFILE, name_of(BY_ADDRESS), profile())
    shelf.now += timedelta(days=100)
    new = shelf.put(HOME_EQUITY, identities(HOME_EQUITY, BY_ADDRESS)[0], NOTHING)
    store = shelf.lake.store
    assert shelf.cache.drop_stale(store.delete, before=shelf.now - timedelta(days=90)) == 1
    assert list(store.list(f"{FOLDER}/")) == [archive_key(new.request_id)]
    assert not store.exists(archive_key(old.request_id))
    assert shelf.cache.drop_stale(store.delete, before=shelf.now - timedelta(days=90)) == 0


@pytest.mark.parametrize(
    ("status", "body", "cents"),
    [
        (200, profile(), 10.0),
        (400, NOTHING, 0.0),
        (200, b"<html>", 10.0),
        (401, b"{}", 0.0),
        (404, b"{}", 0.0),
    ],
)
def test_a_charge_whose_answer_was_archived_is_settled_after_a_crash(
    shelf: Shelf, status: int, body: Any, cents: float
) -> None:
    ledger = Ledger(shelf.lake.settings, "attom", daily_cap_cents=100, now=lambda: NOON)
    lost, silent = (
        ledger.reserve("expandedprofile", question, units=1, price_cents=Decimal(10)) for question in "ab"
    )
    for charge in (lost, silent):
        ledger.mark_sent(charge)
        ledger.mark_unknown(charge)
    name = name_of(BY_ADDRESS)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(
        lost, "expandedprofile", name.key, "a", status, None, None, NOON, "error", None, 0, None, "", ""
    )
    shelf.cache.archive(answer, name, raw)
    assert recover(ledger, shelf.cache) == [lost]
    assert [charge.charge_id for charge in ledger.unknown()] == [silent]
    assert ledger.budget().counted_cents == cents + 10
    assert (shelf.found(EXPANDED_PROFILE, BY_ADDRESS) is not None) == (status in (200, 400))
