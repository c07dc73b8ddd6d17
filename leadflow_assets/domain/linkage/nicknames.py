"""Given names that one person may bear in turn: Robert, Bob, Rob.

Source: the package ``nicknames`` (Apache-2.0), a list of English names kept by hand, 2,691 pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from leadflow_assets.domain.owners import search_words


@cache
def nicknames() -> Mapping[str, frozenset[str]]:
    """Related names by name, capital letters, in both directions.

    Related are a name and its nickname, never two nicknames of one name: records mostly bear full names,
    and Jo may be Joan or Josephine. A name is not related to itself.
    """
    # Imported here since the package reads its own version at import, which costs a command 75 ms.
    from nicknames import name_triplets

    related: dict[str, set[str]] = defaultdict(set)
    for full, _, short in name_triplets():
        long_form, short_form = (search_words(name).replace(" ", "") for name in (full, short))
        if long_form and short_form and long_form != short_form:
            related[long_form].add(short_form)
            related[short_form].add(long_form)
    return {name: frozenset(others) for name, others in related.items()}


def are_nicknames(one: str, other: str) -> bool:
    """May these two given names (capital letters) be one person's?"""
    return other in nicknames().get(one, ())
