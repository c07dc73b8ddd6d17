"""The search filters as command-line options, the same for every command that takes criteria."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, get_type_hints

import typer

from leadflow_assets.errors import UsageError

if TYPE_CHECKING:
    from leadflow_assets.search.areas import Area
    from leadflow_assets.search.criteria import SearchCriteria
    from leadflow_assets.search.engine import Searcher

Words = Optional[list[str]]  # noqa: UP045  (typer reads annotations at run time)


def _where(
    town: Annotated[Words, typer.Option(help="Town: id, name or partition key. Repeatable.")] = None,
    zip: Annotated[Words, typer.Option(help="Site ZIP. Repeatable.")] = None,
    address: Annotated[str | None, typer.Option(help="Site address; a number finds ranges too.")] = None,
    street: Annotated[str | None, typer.Option(help="Words of the street; *TEXT* looks inside.")] = None,
    near: Annotated[Words, typer.Option(help='"ADDRESS" or LAT,LON. Repeatable.', metavar="PLACE")] = None,
    radius: Annotated[Words, typer.Option(help="0.5mi, 800m, 2000ft; one for all or one each.")] = None,
    within: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="GeoJSON file with polygons. Repeatable.", metavar="FILE"),
    ] = None,
    bbox: Annotated[Words, typer.Option(help="Degrees: W,S,E,N. Repeatable.")] = None,
) -> None: ...


def _what(
    owner: Annotated[str | None, typer.Option(help="Words of the owner's name; *TEXT* looks inside.")] = None,
    owner_type: Annotated[
        Words, typer.Option(help="person, several-persons, trust, company, bank, estate ... Repeatable.")
    ] = None,
    category: Annotated[Words, typer.Option(help="residential, commercial, exempt ... Repeatable.")] = None,
    use_code: Annotated[
        Words, typer.Option(help="104 stands for 104, 1040, 104A ... (104: two-family). Repeatable.")
    ] = None,
    style: Annotated[Words, typer.Option(help="Text in the style. Repeatable.")] = None,
    absentee: Annotated[
        str | None, typer.Option(help="The owner lives elsewhere.", metavar="any|in-state|out-of-state")
    ] = None,
    owner_occupied: Annotated[bool, typer.Option("--owner-occupied", help="The owner lives there.")] = False,
    min_value: Annotated[int | None, typer.Option(help="Assessed dollars.")] = None,
    max_value: Annotated[int | None, typer.Option(help="Assessed dollars.")] = None,
    min_year_built: Annotated[int | None, typer.Option(help="Year.")] = None,
    max_year_built: Annotated[int | None, typer.Option(help="Year.")] = None,
    min_units: Annotated[int | None, typer.Option(help="Dwelling units.")] = None,
    max_units: Annotated[int | None, typer.Option(help="Dwelling units.")] = None,
    min_lot_acres: Annotated[float | None, typer.Option(help="Acres.")] = None,
    max_lot_acres: Annotated[float | None, typer.Option(help="Acres.")] = None,
    min_building_sqft: Annotated[int | None, typer.Option(help="Square feet.")] = None,
    max_building_sqft: Annotated[int | None, typer.Option(help="Square feet.")] = None,
) -> None: ...


def _history(
    sold_after: Annotated[str | None, typer.Option(help="On or after: 2005-06-30, or 2005.")] = None,
    sold_before: Annotated[str | None, typer.Option(help="Before: 2005-06-30, or 2005.")] = None,
    min_price: Annotated[int | None, typer.Option(help="Last sale price, dollars.")] = None,
    max_price: Annotated[int | None, typer.Option(help="Last sale price, dollars.")] = None,
    min_tenure_years: Annotated[float | None, typer.Option(help="Years since the last sale.")] = None,
    max_tenure_years: Annotated[float | None, typer.Option(help="Years since the last sale.")] = None,
    min_equity: Annotated[int | None, typer.Option(help="Dollars; needs ATTOM data.")] = None,
    max_equity: Annotated[int | None, typer.Option(help="Dollars; needs ATTOM data.")] = None,
    min_equity_pct: Annotated[float | None, typer.Option(help="Percent; needs ATTOM data.")] = None,
    max_equity_pct: Annotated[float | None, typer.Option(help="Percent; needs ATTOM data.")] = None,
    case: Annotated[
        Words,
        typer.Option(help="Court case: any, bankruptcy-petition, probate, foreclosure ... Repeatable."),
    ] = None,
    case_tier: Annotated[
        Words, typer.Option(help="How sure: confirmed or possible; both unless given.", metavar="TIER")
    ] = None,
    case_filed_after: Annotated[str | None, typer.Option(help="On or after: 2026-06-30, or 2026.")] = None,
    case_filed_before: Annotated[str | None, typer.Option(help="Before: 2026-06-30, or 2026.")] = None,
    lien_type: Annotated[Words, typer.Option(help="mortgage, tax-federal, mechanics ... Repeatable.")] = None,
    min_lien_amount: Annotated[int | None, typer.Option(help="Dollars of one lien.")] = None,
    signal: Annotated[Words, typer.Option(help="Of the score: foreclosure, estate ... Repeatable.")] = None,
    signals_at_least: Annotated[int | None, typer.Option(help="Signals that count.")] = None,
    min_score: Annotated[float | None, typer.Option(help="Distress score, 0 to 100.")] = None,
    min_coverage: Annotated[float | None, typer.Option(help="Share of the score known, 0 to 1.")] = None,
    list_: Annotated[Words, typer.Option("--list", help="On this saved list. Repeatable.")] = None,
    not_list: Annotated[Words, typer.Option("--not-list", help="Not on this saved list. Repeatable.")] = None,
) -> None: ...


_GROUPS = (_where, _what, _history)
_PLACES = ("near", "radius", "within", "bbox")


@dataclass(frozen=True)
class SearchOptions:
    """The filters as they were typed. Places are looked up only when there is something to search."""

    values: dict[str, Any]

    @property
    def empty(self) -> bool:
        """Was no filter given?"""
        return not self.values

    def criteria(self, searcher: Searcher) -> SearchCriteria:
        """Criteria, with addresses of ``--near`` located among the searcher's own properties.

        Raises:
            UsageError: a wrong value, or a place that cannot be found.
        """
        from leadflow_assets.search.criteria import criteria_from
        from leadflow_assets.search.filters import fields_of

        fields = fields_of({name: value for name, value in self.values.items() if name not in _PLACES})
        plain = criteria_from(fields)
        areas = tuple(self._areas(searcher, plain.towns))
        return plain.model_copy(update={"areas": areas}) if areas else plain

    def _areas(self, searcher: Searcher, towns: tuple[int, ...]) -> list[Area]:
        from leadflow_assets.cli.output import note
        from leadflow_assets.search.areas import parse_box, read_polygons
        from leadflow_assets.search.filters import circle_at

        found: list[Area] = []
        near, radii = self.values.get("near", []), self.values.get("radius", [])
        if bool(near) != bool(radii) or (len(radii) > 1 and len(radii) != len(near)):
            raise UsageError(
                f"--near and --radius belong together: {len(near)} places and {len(radii)} radii given.",
                'Write --near "12 MAIN ST, BELLINGHAM" --radius 0.5mi.',
            )
        for number, place in enumerate(near):
            circle, how = circle_at(searcher, place, radii[number if len(radii) > 1 else 0], towns)
            found.append(circle)
            if how:
                note(how)
        for path in self.values.get("within", []):
            found += read_polygons(path)
        found += [parse_box(text) for text in self.values.get("bbox", [])]
        return found


def with_search_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all search filters; it receives them as the argument ``options``."""
    parameters = [p for group in _GROUPS for p in inspect.signature(group).parameters.values()]
    hints: dict[str, Any] = {}
    for group in _GROUPS:
        hints |= get_type_hints(group, include_extras=True)
    own = inspect.signature(command)
    own_hints = get_type_hints(command, globalns=command.__globals__, include_extras=True)
    names = {parameter.name for parameter in parameters}

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        values = {name: given.pop(name) for name in names}
        chosen = {name: value for name, value in values.items() if value not in (None, False, [])}
        command(options=SearchOptions(chosen), **given)

    mine = [p for name, p in own.parameters.items() if name != "options"]
    every = [p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY) for p in parameters]
    every += [
        p.replace(annotation=own_hints[p.name], kind=p.KEYWORD_ONLY) for p in mine if p.default is not p.empty
    ]
    required = [p.replace(annotation=own_hints[p.name]) for p in mine if p.default is p.empty]
    wrapped.__signature__ = inspect.Signature([*required, *every])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in (*required, *every)}
    del wrapped.__wrapped__  # typer would look through to the original
    return wrapped
