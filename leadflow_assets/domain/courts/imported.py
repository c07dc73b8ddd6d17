"""The kinds of files of cases that people bring, and how long a row of each may be kept.

What Massachusetts courts and registries hold is not on CourtListener and has no open bulk feed
(facts/compliance §5): it comes as files, by hand, with a stated source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class ImportKind:
    """One kind of file.

    ``court`` is CourtListener's id of the court where it has one, else ``registry`` or ``other``.
    ``party_role`` is the role of the column of names that says no role. ``keeps_days`` runs from the import;
    another import of the same row renews it. ``stale_days``: how long after an import it is taken for
    current. ``needs_number``: a row without case number is refused.
    """

    name: str
    words: str
    court: str
    case_type: str
    party_role: str
    keeps_days: int
    stale_days: int
    needs_number: bool

    def expires_on(self, imported: date) -> date:
        """The last day on which a row imported then may be used."""
        return imported + timedelta(days=self.keeps_days)


_KINDS = (
    ImportKind(
        "land_court_servicemembers",
        "Land Court Servicemembers cases",
        "masslandct",
        "servicemembers_case",
        "owner",
        keeps_days=3 * 365,
        stale_days=31,
        needs_number=True,
    ),
    ImportKind(
        "land_court_tax_lien",
        "Land Court tax lien cases",
        "masslandct",
        "tax_lien_case",
        "owner",
        keeps_days=5 * 365,
        stale_days=31,
        needs_number=True,
    ),
    ImportKind(
        "registry_order_of_notice",
        "orders of notice from a registry of deeds",
        "registry",
        "order_of_notice",
        "owner",
        keeps_days=3 * 365,
        stale_days=31,
        needs_number=False,
    ),
    ImportKind(
        "registry_foreclosure_deed",
        "foreclosure deeds from a registry of deeds",
        "registry",
        "foreclosure_deed",
        "grantor",
        keeps_days=5 * 365,
        stale_days=31,
        needs_number=False,
    ),
    ImportKind(
        "probate",
        "probate cases",
        "maprobct",
        "probate",
        "decedent",
        keeps_days=3 * 365,
        stale_days=31,
        needs_number=True,
    ),
    # G.L. c. 239 s. 16: cases are sealed later, so a row lives only until it should be looked up again.
    ImportKind(
        "housing_court",
        "evictions (Housing or District Court)",
        "mahousct",
        "eviction",
        "plaintiff",
        keeps_days=90,
        stale_days=31,
        needs_number=True,
    ),
    ImportKind(
        "other",
        "cases and liens from elsewhere",
        "other",
        "other",
        "defendant",
        keeps_days=365,
        stale_days=31,
        needs_number=False,
    ),
)
IMPORT_KINDS: Mapping[str, ImportKind] = {kind.name: kind for kind in _KINDS}


def source_in_words(source: str) -> str:
    """A source as people know it: codes of courts and imports in words, any other name as it is."""
    if source in IMPORT_KINDS:
        return IMPORT_KINDS[source].words
    return "CourtListener" if source == "courtlistener" else source
