"""Events without what was purged: owners who asked to be left out, and sealed cases.

What is left is what two releases say that withhold the owner: a sale stays, for it is one of the property;
that there are other owners, or that they get their mail elsewhere, is of the owners and goes with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from leadflow_assets.domain.addresses import address_key, parse_address, parse_mailing, zip5
from leadflow_assets.domain.changes.identity import event_id
from leadflow_assets.domain.purging import Purged, address_place, property_place

# Kinds that tell of the owners and of nothing else.
OF_OWNERS: Final = ("owner_changed", "mailing_moved", "became_absentee", "became_owner_occupied")
# What of an event is personal, by side.
PERSONAL: Final = ("owner", "mailing", "occupancy")
SIDES: Final = ("before", "after")
_PARTS_OF_LINE: Final = 4


def without_purged(purged: Purged, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The event as it may be shown, itself where nothing is withheld; None where nothing of it may."""
    if event.get("case_id") and purged.has_case(event["case_id"]):
        return None
    return without_owners(event, *withheld_sides(purged, event))


def withheld_sides(purged: Purged, event: Mapping[str, Any]) -> tuple[bool, bool]:
    """Does the event name somebody who was purged there, (before, after)?"""
    named = [event.get(f"owner_{side}") for side in SIDES]
    if not any(named):
        return False, False
    places = purged.places(_places(event))
    before, after = (bool(name) and purged.mentions(name, places) for name in named)
    return before, after


def without_owners(event: Mapping[str, Any], before: bool, after: bool) -> Mapping[str, Any] | None:
    """The event with the owners of one or both sides withheld; None where it was about nothing else."""
    if not before and not after:
        return event
    kinds = [event["kind"], *(event.get("includes") or ())]
    left = [kind for kind in kinds if kind not in OF_OWNERS]
    if not left:
        return None
    hidden = [side for side, withheld in zip(SIDES, (before, after), strict=True) if withheld]
    clean = {
        **event,
        **{f"{name}_{side}": None for name in PERSONAL for side in hidden},
        "owner_change": None,
        "kind": left[0],
        "includes": left[1:] or None,
    }
    if left[0] != event["kind"]:
        # As it is called where the releases withhold the owner from the beginning.
        subject, release = str(event["property_id"]), str(event["to_release"])
        clean["event_id"] = event_id(event["town_id"], left[0], subject, release)
    return clean


def _places(event: Mapping[str, Any]) -> list[str]:
    ids = [event["property_id"], *(event.get("property_ids_before") or ())]
    ids += event.get("property_ids_after") or ()
    site = parse_address(event.get("site_address"))
    keys = [address_key(site, event["town_id"])] if event.get("town_id") else []
    keys += [_mailing_key(event.get(f"mailing_{side}")) for side in SIDES]
    return [*(property_place(one) for one in ids), *(address_place(key) for key in keys if key)]


def _mailing_key(line: str | None) -> str | None:
    """The key of a mailing address in one line: street, city, state and ZIP."""
    parts = line.rsplit(", ", _PARTS_OF_LINE - 1) if line else []
    if len(parts) < _PARTS_OF_LINE:
        return None
    return address_key(parse_mailing(parts[0], None), zip5(parts[3]) or parts[1].upper())
