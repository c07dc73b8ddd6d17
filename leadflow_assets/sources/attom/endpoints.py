"""The endpoints that are used: their paths, how a property is named to each, and what an answer costs.

One property returned is one report, and every endpoint is billed for itself. ``name`` is the key under
which the price, the cache and the ledger know an endpoint.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leadflow_assets.errors import UsageError

BASE_URL = "https://api.gateway.attomdata.com"
_V1 = "/propertyapi/v1.0.0"
# A page of N properties costs N reports. One is enough: `total` tells whether there were more.
PAGE_SIZE = 1

IdentityKind = Literal["attom_id", "address", "parcel"]


@dataclass(frozen=True)
class PropertyQuery:
    """A property to ask about, by all names known for it; ``property_id`` is ours and never sent.

    ``address2`` is "city, ST zip". ``fips`` is the county's five digits. ``county`` and ``state`` stand in
    for ``fips`` at preforeclosuredetails.
    """

    property_id: str | None = None
    attom_id: int | None = None
    address1: str | None = None
    address2: str | None = None
    fips: str | None = None
    apn: str | None = None
    county: str | None = None
    state: str | None = None


@dataclass(frozen=True)
class Identity:
    """One name of a property: ``key`` is the same however it was typed, and holds no address in clear."""

    kind: IdentityKind
    key: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    """One endpoint. ``by_address`` and ``by_parcel`` are parameters; ``most_reports`` a call's cost."""

    name: str
    path: str
    by_id: str = "attomid"
    by_address: tuple[str, ...] = ("address1", "address2")
    by_parcel: tuple[str, ...] = ("fips", "apn")
    paged: bool = True
    most_reports: int = PAGE_SIZE


EXPANDED_PROFILE = Endpoint("expandedprofile", f"{_V1}/property/expandedprofile")
DETAIL = Endpoint("detail", f"{_V1}/property/detail")
ASSESSMENT_DETAIL = Endpoint("assessmentdetail", f"{_V1}/assessment/detail")
DETAIL_MORTGAGE_OWNER = Endpoint("detailmortgageowner", f"{_V1}/property/detailmortgageowner")
HOME_EQUITY = Endpoint("homeequity", f"{_V1}/valuation/homeequity")
ATTOM_AVM = Endpoint("attomavm", f"{_V1}/attomavm/detail")
SALES_HISTORY = Endpoint("saleshistory", f"{_V1}/saleshistory/detail")
EXPANDED_HISTORY = Endpoint("expandedhistory", f"{_V1}/saleshistory/expandedhistory")
PREFORECLOSURE = Endpoint(
    "preforeclosuredetails",
    "/property/v3/preforeclosuredetails",
    by_address=("combinedAddress",),
    by_parcel=("apn", "county", "state"),
    paged=False,
)

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for endpoint in (
        EXPANDED_PROFILE,
        DETAIL,
        ASSESSMENT_DETAIL,
        DETAIL_MORTGAGE_OWNER,
        HOME_EQUITY,
        ATTOM_AVM,
        SALES_HISTORY,
        EXPANDED_HISTORY,
        PREFORECLOSURE,
    )
}


def find_endpoint(name: str) -> Endpoint:
    """The endpoint of that name.

    Raises:
        UsageError: there is none; lists them.
    """
    try:
        return ENDPOINTS[name]
    except KeyError:
        raise UsageError(
            f"There is no ATTOM endpoint {name!r}.", "Known: " + ", ".join(ENDPOINTS) + "."
        ) from None


def identities(endpoint: Endpoint, query: PropertyQuery) -> list[Identity]:
    """The names under which ``endpoint`` can be asked for the property, best first.

    Raises:
        UsageError: the query names the property in no way the endpoint understands.
    """
    found: list[Identity] = []
    if query.attom_id is not None:
        found.append(id_identity(endpoint, query.attom_id))
    if query.address1 and query.address2:
        lines = (" ".join(query.address1.split()), " ".join(query.address2.split()))
        sent = lines if len(endpoint.by_address) == 2 else (", ".join(lines),)
        key = _digest(*map(_plain, lines))
        found.append(Identity("address", f"address:{key}", dict(zip(endpoint.by_address, sent, strict=True))))
    parts = {"fips": query.fips, "apn": query.apn, "county": query.county, "state": query.state}
    named = {name: part.strip() for name in endpoint.by_parcel if (part := parts[name]) and part.strip()}
    if len(named) == len(endpoint.by_parcel):
        key = "/".join(_plain(named[name]) for name in sorted(named))
        found.append(Identity("parcel", f"parcel:{key}", named))
    if not found:
        raise UsageError(
            f"The property cannot be named to ATTOM's {endpoint.name}.",
            "It needs an ATTOM id, an address with town and ZIP, or a county code with a parcel number.",
        )
    return found


def id_identity(endpoint: Endpoint, attom_id: int) -> Identity:
    """A property by ATTOM's own id."""
    return Identity("attom_id", f"attom:{attom_id}", {endpoint.by_id: str(attom_id)})


def parameters(endpoint: Endpoint, identity: Identity) -> dict[str, str]:
    """The whole query of a call."""
    page = {"page": "1", "pagesize": str(PAGE_SIZE)} if endpoint.paged else {}
    return {**identity.parameters, **page}


def request_hash(endpoint: Endpoint, identity: Identity) -> str:
    """Names a request: the same for the same question, however it was typed."""
    return _digest(endpoint.path, identity.key)


def _plain(words: str) -> str:
    return " ".join(re.sub(r"[^0-9A-Z]+", " ", words.upper()).split())


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
