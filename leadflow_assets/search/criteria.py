"""SearchCriteria: the one language of search, spoken by the command line, the page, lists and exports.

Every filter narrows; inside one filter any of its values will do. A filter never matches a property
whose value is unknown. Serializes to JSON and back without loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from leadflow_assets.domain.courts.kinds import ACTION_TYPES, CASE_TYPES, LIEN_TYPES
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.domain.owners import OWNER_TYPES
from leadflow_assets.domain.towns import find_town, town_by_id
from leadflow_assets.domain.use_codes import CATEGORIES
from leadflow_assets.errors import UsageError
from leadflow_assets.search.areas import Area

# A person owner with two or more parties; the sheet's kinds of owner know no couples.
SEVERAL_PERSONS = "several_persons"
SEARCHED_OWNER_TYPES = (*OWNER_TYPES, SEVERAL_PERSONS)
ANY_CASE = "any"
SEARCHED_CASES = tuple(dict.fromkeys((ANY_CASE, *CASE_TYPES, *ACTION_TYPES)))
# A property is never found by a match that is unconfirmed or was rejected.
SEARCHED_TIERS = ("confirmed", "possible")
# Filters that one and the same case must meet.
CASE_FILTERS = (
    "cases",
    "case_tiers",
    "case_filed_after",
    "case_filed_before",
    "lien_types",
    "min_lien_amount",
)
SCORE_FILTERS = ("signals", "signals_at_least", "min_score", "min_coverage")
_MAX_TEXT = 200
# Fields that say how to look, not what to look for.
_NOT_FILTERS = frozenset({"include_condominium_masters", "as_of"})
_RANGES = (
    "value",
    "price",
    "equity",
    "equity_percent",
    "tenure_years",
    "year_built",
    "units",
    "lot_acres",
    "building_sqft",
)


class SearchCriteria(BaseModel):
    """What to look for. Dollars, acres, square feet, years; dates inclusive unless they say "before".

    ``use_codes``: three characters stand for every local code that begins with them. ``owner`` and
    ``street`` are words, each the beginning of a word of the name; ``*TEXT*`` looks inside it.
    ``tenure_years`` are counted from the last sale of any kind to ``as_of`` (None: today). ``equity`` is
    ATTOM's estimate: value less loans in dollars, and that in percent of the value.
    ``cases`` are types of case or of legal action, or ``any``; together with the other filters of
    ``CASE_FILTERS`` they are asked of one and the same case. A case counts from the day it was filed or
    recorded. ``signals`` are factors of the distress score, or groups of them, that count; a property of
    which nothing is known has no score. ``areas``: a property must lie in at least one. ``lists``: it must be
    on each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    towns: tuple[int, ...] = ()
    zips: tuple[str, ...] = ()
    address: str | None = Field(None, min_length=1, max_length=_MAX_TEXT)
    street: str | None = Field(None, min_length=1, max_length=_MAX_TEXT)
    owner: str | None = Field(None, min_length=1, max_length=_MAX_TEXT)
    owner_types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    use_codes: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    min_value: int | None = Field(None, ge=0)
    max_value: int | None = Field(None, ge=0)
    min_price: int | None = Field(None, ge=0)
    max_price: int | None = Field(None, ge=0)
    min_equity: int | None = None
    max_equity: int | None = None
    min_equity_percent: float | None = Field(None, le=100)
    max_equity_percent: float | None = Field(None, le=100)
    sold_after: date | None = None
    sold_before: date | None = None
    min_tenure_years: float | None = Field(None, ge=0, le=400)
    max_tenure_years: float | None = Field(None, ge=0, le=400)
    absentee: Literal["any", "in_state", "out_of_state"] | None = None
    owner_occupied: bool | None = None
    min_year_built: int | None = Field(None, ge=1600, le=2100)
    max_year_built: int | None = Field(None, ge=1600, le=2100)
    min_units: int | None = Field(None, ge=0)
    max_units: int | None = Field(None, ge=0)
    min_lot_acres: float | None = Field(None, ge=0)
    max_lot_acres: float | None = Field(None, ge=0)
    min_building_sqft: int | None = Field(None, ge=0)
    max_building_sqft: int | None = Field(None, ge=0)
    cases: tuple[str, ...] = ()
    case_tiers: tuple[str, ...] = ()
    case_filed_after: date | None = None
    case_filed_before: date | None = None
    lien_types: tuple[str, ...] = ()
    min_lien_amount: int | None = Field(None, ge=0)
    areas: tuple[Area, ...] = ()
    signals: tuple[str, ...] = ()
    signals_at_least: int | None = Field(None, ge=1)
    min_score: float | None = Field(None, ge=0, le=100)
    min_coverage: float | None = Field(None, ge=0, le=1)
    lists: tuple[str, ...] = ()
    not_lists: tuple[str, ...] = ()
    property_ids: tuple[str, ...] | None = None
    loc_ids: tuple[str, ...] = ()
    include_condominium_masters: bool = False
    as_of: date | None = None

    @field_validator("towns")
    @classmethod
    def _towns_exist(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        try:
            return tuple(dict.fromkeys(town_by_id(town).town_id for town in value))
        except UsageError as error:
            raise ValueError(str(error)) from None

    @field_validator("zips")
    @classmethod
    def _zips_are_five_digits(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if not (code.isascii() and code.isdigit() and len(code) == 5):
                raise ValueError(f"{code!r} is not a ZIP code of five digits")
        return value

    @field_validator("owner_types")
    @classmethod
    def _owner_types_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_known(word, SEARCHED_OWNER_TYPES, "owner type") for word in value)

    @field_validator("categories")
    @classmethod
    def _categories_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_known(word, CATEGORIES, "category") for word in value)

    @field_validator("cases")
    @classmethod
    def _cases_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_known(word, SEARCHED_CASES, "type of case") for word in value)

    @field_validator("case_tiers")
    @classmethod
    def _tiers_are_searched(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_known(word, SEARCHED_TIERS, "tier to search by") for word in value)

    @field_validator("lien_types")
    @classmethod
    def _lien_types_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_known(word, tuple(LIEN_TYPES), "type of lien") for word in value)

    @field_validator("signals")
    @classmethod
    def _signals_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = searched_signals() if value else ()
        return tuple(_known(word, known, "signal") for word in value)

    @field_validator("use_codes")
    @classmethod
    def _use_codes_are_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if not (code.isascii() and code.isalnum() and 2 <= len(code) <= 6):
                raise ValueError(f"{code!r} is not a use code (three digits and what the town adds)")
        return tuple(code.upper() for code in value)

    @model_validator(mode="after")
    def _do_not_contradict(self) -> SearchCriteria:
        for name in _RANGES:
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if low is not None and high is not None and low > high:
                raise ValueError(f"min_{name} {low} is above max_{name} {high}: nothing could match")
        for what in ("sold", "case_filed"):
            after, before = getattr(self, f"{what}_after"), getattr(self, f"{what}_before")
            if after and before and after >= before:
                raise ValueError(f"{what}_after {after} is not before {what}_before {before}")
        if self.absentee and self.owner_occupied:
            raise ValueError("absentee and owner_occupied exclude each other")
        return self

    @property
    def asks_for_cases(self) -> bool:
        """Is any filter on court cases set?"""
        return not self._set().isdisjoint(CASE_FILTERS)

    @property
    def asks_for_scores(self) -> bool:
        """Is any filter on distress scores set?"""
        return not self._set().isdisjoint(SCORE_FILTERS)

    @property
    def counted_to(self) -> date:
        """The day that tenure is counted to: ``as_of``, else today in Massachusetts."""
        return self.as_of or massachusetts_today()

    def document(self) -> dict[str, Any]:
        """What is set, as JSON values; :func:`criteria_from` makes equal criteria of it."""
        # Not exclude_defaults: inside an area it would drop the word that says which kind it is.
        given = self._set()
        return {name: value for name, value in self.model_dump(mode="json").items() if name in given}

    def filters(self) -> dict[str, Any]:
        """The filters that are set, by name, as JSON values."""
        return {name: value for name, value in self.document().items() if name not in _NOT_FILTERS}

    def _set(self) -> set[str]:
        return {
            name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default
        }

    def single_filters(self) -> dict[str, SearchCriteria]:
        """One criteria per filter that is set: to tell which of them a property fails.

        Those on court cases are one, named ``cases``: each may be met by another case, and none by all.
        """
        shared = {name: getattr(self, name) for name in _NOT_FILTERS}
        together: dict[str, list[str]] = {}
        for name in self.filters():
            if name != "property_ids":
                together.setdefault("cases" if name in CASE_FILTERS else name, []).append(name)
        return {
            name: SearchCriteria(**{one: getattr(self, one) for one in fields}, **shared)
            for name, fields in together.items()
        }


def searched_signals() -> tuple[str, ...]:
    """Groups and factors of the distress score that can be searched by."""
    from leadflow_assets.domain.distress.table import load_table

    table = load_table()
    return (*(group.name for group in table.groups), *table.by_name)


def massachusetts_today() -> date:
    """The day it is in Massachusetts."""
    return local_day(datetime.now(UTC))


def _known(word: str, known: tuple[str, ...], what: str) -> str:
    folded = word.strip().lower().replace("-", "_").replace(" ", "_")
    if folded not in known:
        raise ValueError(f"there is no {what} {word!r}; known: {', '.join(known)}")
    return folded


def criteria_from(values: Mapping[str, Any]) -> SearchCriteria:
    """Criteria from names and values (command line, JSON, a URL); towns by id or name.

    Raises:
        UsageError: a filter that does not exist, a value that is wrong, or filters that contradict.
    """
    given = dict(values)
    towns = given.get("towns")
    if towns:
        given["towns"] = tuple(t if isinstance(t, int) else find_town(str(t)).town_id for t in towns)
    try:
        return SearchCriteria.model_validate(given)
    except ValidationError as error:
        raise UsageError(
            f"Bad search: {describe_problems(error)}.", "See `leadflow search --help`."
        ) from None


# What pydantic says in a programmer's words.
_PLAIN = dict.fromkeys(("int_parsing", "int_from_float"), "must be a whole number") | {
    "float_parsing": "must be a number",
    "date_parsing": "must be a day, such as 2026-11-22",
    "date_from_datetime_parsing": "must be a day, such as 2026-11-22",
}


def describe_problems(error: ValidationError) -> str:
    """Pydantic's report as one line that names filters in the words of the command line."""
    told = []
    for problem in error.errors():
        where = "--" + str(problem["loc"][0]).replace("_", "-") if problem["loc"] else ""
        text = _PLAIN.get(problem["type"]) or str(problem["msg"]).removeprefix("Value error, ")
        told.append(f"{where}: {text}" if where else text)
    return "; ".join(told)
