"""Kept dockets without purged cases and people: the rule that a purge and every landing share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from leadflow_assets.domain.courts.model import CourtCase, CourtParty, case_id
from leadflow_assets.domain.courts.rows import IMPORT, RawDocket, to_body
from leadflow_assets.domain.linkage.captions import read_case_party
from leadflow_assets.domain.purging import PLACE, Key, Purged, address_place, case_place, docket_place
from leadflow_assets.enrich.purge.documents import stripped
from leadflow_assets.sources.courtlistener.parse import parse_rows
from leadflow_assets.sources.courtlistener.values import as_text
from leadflow_assets.sources.imports.cases import parse_imports

# Parties that a case is not about.
_OFFICIALS = frozenset({"us_trustee", "trustee", "representative", "creditor", "interested_party"})
_BODIES = frozenset({"bank", "government", "placeholder"})


@dataclass(frozen=True)
class CleanDockets:
    """What is left of some rows. ``learned`` are hashes to record: other ways in which they may come back."""

    rows: tuple[RawDocket, ...]
    removed: int = 0
    changed: int = 0
    learned: frozenset[Key] = frozenset()


@dataclass
class _Case:
    """All rows of one docket, or of one imported case."""

    court: str
    ids: set[str] = field(default_factory=set)
    docket_ids: set[int] = field(default_factory=set)
    rows: list[tuple[int, RawDocket]] = field(default_factory=list)

    @property
    def places(self) -> list[str]:
        return [
            *(case_place(one) for one in sorted(self.ids)),
            *(docket_place(self.court, one) for one in sorted(self.docket_ids)),
        ]


def clean_dockets(
    purged: Purged,
    rows: Sequence[RawDocket],
    beside: Sequence[RawDocket] = (),
    *,
    only_under_way: bool = False,
) -> CleanDockets:
    """The rows without purged cases, and without the names of people who were purged.

    ``beside`` are other rows of the same courts that are at hand: which number a docket has, and who else is
    a party, stands in different rows. A case in which nobody else is left goes whole. ``only_under_way``
    looks for addresses only where somebody is named whose purge is not finished: the others were found when
    their rows were landed.
    """
    if not purged:
        return CleanDockets(tuple(rows))
    learned: set[Key] = set()
    left: dict[int, RawDocket] = {}
    for case in _grouped([*rows, *beside]):
        if _is_purged(purged, case):
            learned |= {purged.docket_key(case.court, one) for one in case.docket_ids}
            continue
        found = _people_in(purged, case, only_under_way)
        learned |= found
        with_found = purged.with_keys(found) if found else purged
        if not _is_purged(with_found, case):
            left |= {place: _clean(with_found, case, row) for place, row in case.rows if place < len(rows)}
    kept = tuple(left[place] for place in sorted(left))
    changed = sum(left[place] is not rows[place] for place in left)
    return CleanDockets(kept, len(rows) - len(kept), changed, frozenset(learned) - _known(purged))


def is_purged_docket(purged: Purged, row: RawDocket) -> bool:
    """Was the whole case that a row tells of purged? For whoever can only leave out."""
    return bool(purged) and any(_is_purged(purged, case) for case in _grouped([row]))


def others_remain(parties: Iterable[CourtParty], purged: Purged, places: Sequence[str]) -> bool:
    """Is a case about anybody else: a person who is no official, and was not purged?

    A bankruptcy is about its debtors: a search lists trustees and lawyers beside them and does not say so.
    """
    every = list(parties)
    for party in [party for party in every if party.is_debtor] or every:
        if party.role in _OFFICIALS or purged.mentions(party.name, places):
            continue
        read = read_case_party(party.name)
        if read.kind not in _BODIES and any(name.party.is_person for name in read.names):
            return True
    return False


def _known(purged: Purged) -> frozenset[Key]:
    found = {Key(kind, value) for kind, values in purged.keys.items() for value in values}
    return frozenset(found)


def _grouped(rows: Sequence[RawDocket]) -> list[_Case]:
    """Rows by case, each with its place; a docket of which no row tells a number is a case of its own."""
    named = [_case_id(row) for row in rows]
    of_docket = {
        (row.court, row.docket_id): name
        for row, name in zip(rows, named, strict=True)
        if name is not None and row.docket_id is not None
    }
    cases: dict[str, _Case] = {}
    for place, (row, name) in enumerate(zip(rows, named, strict=True)):
        key = of_docket.get((row.court, row.docket_id), name) if row.docket_id is not None else name
        case = cases.setdefault(key or f"{row.court}#{row.docket_id or row.record_id}", _Case(row.court))
        case.ids |= {one for one in (name, key) if one is not None}
        if row.docket_id is not None:
            case.docket_ids.add(row.docket_id)
        case.rows.append((place, row))
    return list(cases.values())


def _case_id(row: RawDocket) -> str | None:
    if row.endpoint == IMPORT:
        return next((case.case_id for case in parse_imports([row]).cases), None)
    document = row.document
    number = (
        as_text(document.get("docketNumber") or document.get("docket_number")) if _is_object(row) else None
    )
    return case_id(row.court, number, str(row.docket_id or row.record_id)) if number else None


def _is_object(row: RawDocket) -> bool:
    return row.body.startswith("{")


def _is_purged(purged: Purged, case: _Case) -> bool:
    return any(purged.has_case(one) for one in case.ids) or any(
        purged.has_docket(case.court, one) for one in case.docket_ids
    )


def _people_in(purged: Purged, case: _Case, only_under_way: bool) -> set[Key]:
    """Hashes of people who are purged by their address and stand in this case; of the case, if it is theirs.

    Nobody else left in it means that the case itself goes.
    """
    if not purged.of_kind(PLACE):
        return set()
    if only_under_way and not any(purged.mentions_name(row.body) for _, row in case.rows):
        return set()
    cases, parties = _parsed(case)
    found: set[Key] = set()
    for party in parties:
        forms = purged.forms_in(party.name, [*address_places(party), *site_places(cases)])
        found |= purged.keys_of(forms, case.places) if forms else set()
    known = purged.with_keys(found)
    texts = (*(party.name for party in parties), *(told.case_name for told in cases))
    is_theirs = bool(known.places(case.places)) and any(known.mentions(text, case.places) for text in texts)
    if is_theirs and not others_remain(parties, known, case.places):
        found |= {purged.case_key(one) for one in case.ids}
        found |= {purged.docket_key(case.court, one) for one in case.docket_ids}
    return found


def site_places(cases: Iterable[CourtCase]) -> list[str]:
    """The places that the properties are which cases name."""
    keys = (key for case in cases for key in (case.site_address_key, case.site_mailing_key))
    return [address_place(key) for key in keys if key]


def address_places(party: CourtParty) -> list[str]:
    """The places that a party's address is."""
    return [address_place(key) for key in (party.address_key, party.mailing_key) if key]


def _parsed(case: _Case) -> tuple[tuple[CourtCase, ...], tuple[CourtParty, ...]]:
    rows = [row for _, row in case.rows]
    told = parse_rows([row for row in rows if row.endpoint != IMPORT])
    imported = parse_imports(rows)
    return (*told.cases, *imported.cases), (*told.parties, *imported.parties)


def _clean(purged: Purged, case: _Case, row: RawDocket) -> RawDocket:
    """The row without names of purged people, and without numbers of other cases that were purged."""
    places = purged.places(case.places)

    def strip(text: str) -> str:
        return purged.without_numbers(purged.without_people(text, places) if places else text, row.court)

    if not places and purged.without_numbers(row.body, row.court) == row.body:
        return row
    before = row.document
    after = stripped(before, strip)
    return row if after == before else replace(row, body=to_body(after))
