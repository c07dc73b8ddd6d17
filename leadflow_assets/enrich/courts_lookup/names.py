"""Whom to ask for: the names of a property's owners as a court's docket would have them.

Public bodies, banks, associations and charities are never asked for: their cases say nothing of one
property. Neither are the dead, trustees of others' property and people a bill only goes through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from leadflow_assets.domain.owners import search_words
from leadflow_assets.domain.owners.keywords import LEGAL_FORMS
from leadflow_assets.domain.worth_asking import NOT_ASKED_OWNER_TYPES

_ASKED_ROLES: Final = ("owner", "life_tenant", "heir")


def names_to_ask(owner_type: str, owners: Iterable[Mapping[str, Any]] | None) -> tuple[str, ...]:
    """The names to search dockets for, each once, in the order of the owners; none where nobody is asked for.

    A person by first and last name, since dockets have middle names or not; a company without its legal form,
    which is spelt in several ways. A single word is no name to search a court by.
    """
    if owner_type in (*NOT_ASKED_OWNER_TYPES, "unknown"):
        return ()
    found: dict[str, None] = {}
    for party in owners or ():
        if party["role"] not in _ASKED_ROLES:
            continue
        if party["is_person"]:
            words = search_words(f"{party['first'] or ''} {party['last'] or ''}").split()
            whole = bool(party["first"] and party["last"])
        else:
            words = [word for word in search_words(party["name"] or "").split() if word not in LEGAL_FORMS]
            whole = owner_type == "company"
        if whole and len(words) > 1:
            found[" ".join(words)] = None
    return tuple(found)


def bears(name: str, told: Iterable[str]) -> bool:
    """Does one of the names that a docket tells hold every word of this one?"""
    words = set(name.split())
    return any(words <= set(search_words(text).split()) for text in told)
