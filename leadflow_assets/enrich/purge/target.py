"""What a person may ask to be purged, read from words: a case, or somebody at a place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from leadflow_assets.domain.addresses import address_key, parse_address, split_place, zip5
from leadflow_assets.domain.courts.model import docket_number_key, is_court_id
from leadflow_assets.domain.purge_names import name_forms_of
from leadflow_assets.domain.purging import Key, Purged, address_place, case_place, property_place
from leadflow_assets.errors import UsageError

_PROPERTY_ID = re.compile(r"(\d{3})-\S.*")


class Target(Protocol):
    """Something to be purged."""

    @property
    def kind(self) -> str:
        """``case`` or ``person``."""

    def keys(self, purged: Purged) -> set[Key]:
        """Its hashes with this salt."""


@dataclass(frozen=True)
class CaseTarget:
    """A case by its id."""

    case_id: str
    kind: str = "case"

    def keys(self, purged: Purged) -> set[Key]:
        """See :class:`Target`."""
        number = self.case_id.partition(":")[2]
        return {purged.case_key(self.case_id), *purged.passing_keys(numbers=[number])}


@dataclass(frozen=True)
class PersonTarget:
    """A person or a firm by the forms of the name, at places; ``properties`` are ids of ours among them."""

    forms: frozenset[str]
    places: tuple[str, ...]
    properties: tuple[str, ...] = ()
    kind: str = "person"

    def keys(self, purged: Purged) -> set[Key]:
        """See :class:`Target`."""
        keys = purged.keys_of(self.forms, self.places) | purged.passing_keys(self.forms)
        for property_id in self.properties:
            town_id = int(property_id.partition("-")[0])
            keys |= purged.keys_of(self.forms, [property_place(property_id)], town_id)
        return keys


def read_case(text: str) -> CaseTarget:
    """A case as ``COURT:NUMBER`` or as its id.

    Raises:
        UsageError: it is neither.
    """
    court, colon, number = " ".join(text.split()).partition(":")
    court = court.lower()
    if not colon or not is_court_id(court) or not number:
        raise UsageError(
            "That is no case.",
            "Write COURT:NUMBER, like mab:26-40123, or the id that `leadflow cases` shows.",
        )
    if number.startswith("#"):
        return CaseTarget(f"{court}:{number}")
    key = docket_number_key(court, number)
    if key is None:
        raise UsageError("The number of the case has neither letters nor digits.", "Write mab:26-40123.")
    return CaseTarget(f"{court}:{key}")


def read_person(
    name: str,
    *,
    address: str | None = None,
    town_id: int | None = None,
    zip_code: str | None = None,
    properties: Sequence[str] = (),
    cases: Sequence[str] = (),
) -> PersonTarget:
    """Somebody by the name and at least one place. Errors never quote the name or the address.

    Raises:
        UsageError: the name is not a whole one, or no place was given, or one cannot be read.
    """
    forms = name_forms_of(name)
    if not forms:
        raise UsageError(
            "The name is not a whole one.",
            "Give first and last name, or all words of a firm: --name 'Ann B. Lee'.",
        )
    places = _address_places(address, town_id, zip_code) if address else []
    if address is None and (town_id is not None or zip_code is not None):
        raise UsageError("A town or a ZIP alone is too wide.", "Give --address as well.")
    for property_id in properties:
        if not _PROPERTY_ID.fullmatch(property_id):
            raise UsageError(
                "That is no id of a property.", "`leadflow search --json` shows ids like 025-0012."
            )
    places += [case_place(read_case(case).case_id) for case in cases]
    if not places and not properties:
        raise UsageError(
            "A name alone would reach everybody who bears it.",
            "Give --address with --town or --zip, or --property, or --case.",
        )
    return PersonTarget(forms, tuple(places), tuple(properties))


def _address_places(address: str, town_id: int | None, zip_code: str | None) -> list[str]:
    line, _, _, found_zip = split_place(address) if "," in address else (address, None, None, None)
    zip_code = zip5(zip_code) or found_zip
    read = parse_address(line)
    keys = [address_key(read, place) for place in (town_id, zip_code) if place]
    places = [address_place(key) for key in keys if key]
    if not places:
        raise UsageError(
            "The address cannot be read, or its town is missing.",
            "Give number and street, like --address '12 Elm St' --town bellingham, or --zip 02019.",
        )
    return places
