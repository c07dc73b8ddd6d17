"""An event in a sentence. Nothing personal: owners and mailing addresses are only said to differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

Event = Mapping[str, Any]

_OWNERS: Final = {
    "new_owner": "other owners",
    "within_family": "other owners of the same family name",
    "partly": "one owner stays, another is new",
    "co_owner_added": "a co-owner more",
    "co_owner_removed": "a co-owner less",
    "into_trust": "into a trust of the same people",
    "out_of_trust": "out of the trust, to the same people",
    "estate": "now an estate",
    "from_estate": "out of the estate, within the family",
    "life_estate": "a life estate",
    "tax_title": "the owner's text says tax title",
}
_QUALITIES: Final = {
    "market": "market",
    "nominal": "nominal price, no market sale",
    "bulk": "one price for several properties",
    "no_price": "no price recorded",
}
_ALSO: Final = {
    "mailing_moved": "the tax bill goes elsewhere",
    "became_absentee": "now absentee",
    "became_owner_occupied": "now owner-occupied",
    "use_changed": "another use",
    "value_moved": "another value",
    "sale_corrected": "sale record corrected",
}


def sentence(event: Event) -> str:
    """What happened, in one line, for a row of mart/property_changes or a line of a list's log."""
    text = _SENTENCES[str(event["kind"])](event)
    also = [_ALSO[kind] for kind in event.get("includes") or () if kind in _ALSO]
    if event.get("owner_change") and event["kind"] != "owner_changed":
        also.insert(0, _OWNERS[event["owner_change"]])
    return "; ".join([text, *also])


def counted(kinds: Iterable[str]) -> str:
    """``2 sales, 1 split``: how many of which kind, the most first."""
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {_NAMES[kind][count != 1]}" for kind, count in ordered)


_NAMES: Final = {
    "sale": ("sale", "sales"),
    "sale_corrected": ("corrected sale", "corrected sales"),
    "owner_changed": ("owner changed", "owners changed"),
    "mailing_moved": ("mailing address moved", "mailing addresses moved"),
    "became_absentee": ("owner moved out", "owners moved out"),
    "became_owner_occupied": ("owner moved in", "owners moved in"),
    "built": ("building new", "buildings new"),
    "demolished": ("building gone", "buildings gone"),
    "renovated": ("building grown", "buildings grown"),
    "use_changed": ("use changed", "uses changed"),
    "value_moved": ("value moved", "values moved"),
    "split": ("split", "splits"),
    "merged": ("merger", "mergers"),
    "vanished": ("vanished", "vanished"),
    "appeared": ("appeared", "appeared"),
    "renumbered": ("renumbered", "renumbered"),
    "case_matched": ("court case", "court cases"),
    "score_crossed": ("score crossed", "scores crossed"),
    "list_gained": ("came to the list", "came to the list"),
    "list_lost": ("left the list", "left the list"),
}


def _sale(event: Event) -> str:
    price = event.get("sale_price_after")
    told = f" for {_dollars(price)}" if price else ""
    return f"sold on {_day(event.get('sale_date_after'))}{told} ({_QUALITIES[event['sale_quality']]})"


def _corrected(event: Event) -> str:
    sides = [
        f"{_day(event.get(f'sale_date_{side}'))} {_dollars(event.get(f'sale_price_{side}'))}"
        for side in ("before", "after")
    ]
    return f"last sale corrected: {sides[0]} -> {sides[1]}"


def _value(event: Event) -> str:
    move, town = event.get("value_move"), event.get("town_move")
    told = f" ({move:+.1%}; the town's median {town:+.1%})" if move is not None and town is not None else ""
    return f"assessed value {_arrow(event, 'value', _dollars)}{told}"


def _built(event: Event) -> str:
    year = event.get("year_built_after")
    return f"built{f', year {year}' if year else ''}: buildings {_arrow(event, 'building_value', _dollars)}"


def _parcels(verb: str) -> Callable[[Event], str]:
    def told(event: Event) -> str:
        before, after = (event.get(f"loc_ids_{side}") or () for side in ("before", "after"))
        if tuple(before) == tuple(after):
            before, after = (event.get(f"property_ids_{side}") or () for side in ("before", "after"))
        return f"{verb}: {' + '.join(before)} -> {' + '.join(after)}"

    return told


def _case(event: Event) -> str:
    kind = str(event["case_type"]).replace("_", " ")
    return f"court case ({kind}, filed {_day(event.get('event_date'))}): match {event['case_tier']}"


def _score(event: Event) -> str:
    return (
        f"score {event['score_before']:.1f} -> {event['score_after']:.1f}, {event['score_direction']} "
        f"through {event['score_threshold']:g}"
    )


def _listed(verb: str) -> Callable[[Event], str]:
    return lambda event: f"{verb} the list: {event.get('reason') or 'no reason is known'}"


_SENTENCES: Final[Mapping[str, Callable[[Event], str]]] = {
    "sale": _sale,
    "sale_corrected": _corrected,
    "owner_changed": lambda event: _OWNERS[event["owner_change"]],
    "mailing_moved": lambda event: "the tax bill goes elsewhere",
    "became_absentee": lambda event: "the owner stays and is absentee now",
    "became_owner_occupied": lambda event: "the owner stays and lives there now",
    "built": _built,
    "demolished": lambda event: f"building gone: {_arrow(event, 'building_value', _dollars)}",
    "renovated": lambda event: f"building grown: {_arrow(event, 'building_sqft', _feet)}",
    "use_changed": lambda event: f"use {_arrow(event, 'use_code', str)}",
    "value_moved": _value,
    "split": _parcels("split"),
    "merged": _parcels("merged"),
    "vanished": lambda event: "not in the new release any more",
    "appeared": lambda event: "new in the release",
    "renumbered": lambda event: f"same property, before {(event.get('property_ids_before') or ['?'])[0]}",
    "case_matched": _case,
    "score_crossed": _score,
    "list_gained": _listed("came to"),
    "list_lost": _listed("left"),
}


def _arrow(event: Event, name: str, shown: Callable[[Any], str]) -> str:
    sides = (event.get(f"{name}_{side}") for side in ("before", "after"))
    return " -> ".join("unknown" if value is None else shown(value) for value in sides)


def _dollars(value: int | None) -> str:
    return "no price" if value is None else f"${value:,}"


def _feet(value: int) -> str:
    return f"{value:,} sq ft"


def _day(value: date | None) -> str:
    return value.isoformat() if value else "a day that is not told"
