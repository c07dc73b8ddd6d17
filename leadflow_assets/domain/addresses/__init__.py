"""Addresses: read any spelling, compare by key, learn a town's own codes."""

from __future__ import annotations

from leadflow_assets.domain.addresses.learn import learn_suffix_overrides
from leadflow_assets.domain.addresses.model import Address, address_key
from leadflow_assets.domain.addresses.parse import parse_address, parse_mailing
from leadflow_assets.domain.addresses.places import split_place, state_of_zip, zip5

__all__ = [
    "Address",
    "address_key",
    "learn_suffix_overrides",
    "parse_address",
    "parse_mailing",
    "split_place",
    "state_of_zip",
    "zip5",
]
