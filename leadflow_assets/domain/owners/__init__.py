"""Owners of a town's roll: their type, their parties, and the words to search them by.

Raw texts are never overwritten. Rules by keyword; frequencies of names only help a person's reading.
"""

from __future__ import annotations

from leadflow_assets.domain.owners.kinds import OWNER_TYPES, OwnerType, owner_type
from leadflow_assets.domain.owners.owner import Owner, learn_owner_field, parse_owner
from leadflow_assets.domain.owners.parties import ROLES, Party
from leadflow_assets.domain.owners.text import search_words
from leadflow_assets.domain.owners.truncation import OwnerField

__all__ = [
    "OWNER_TYPES",
    "ROLES",
    "Owner",
    "OwnerField",
    "OwnerType",
    "Party",
    "learn_owner_field",
    "owner_type",
    "parse_owner",
    "search_words",
]
