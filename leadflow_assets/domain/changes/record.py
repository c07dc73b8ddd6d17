"""One assessment record in the form in which two releases are compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from leadflow_assets.domain.addresses import Address
from leadflow_assets.domain.owners import Owner


@dataclass(frozen=True, slots=True)
class Mailing:
    """Where the tax bill goes: the line read as an address, with its place as published."""

    address: Address
    city: str | None
    state: str | None
    zip: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """What one release says of a property. Money in dollars, areas in square feet; None is unknown.

    ``owner`` and ``mailing`` are None where the source is silent; ``occupancy`` is one of
    ``domain.occupancy.OCCUPANCIES``. ``sale_bulk``: three or more records share the deed.
    """

    fiscal_year: int
    owner: Owner | None = None
    mailing: Mailing | None = None
    occupancy: str | None = None
    sale_date: date | None = None
    sale_price: int | None = None
    sale_bulk: bool = False
    use_code: str | None = None
    total_value: int | None = None
    building_value: int | None = None
    building_sqft: int | None = None
    year_built: int | None = None
