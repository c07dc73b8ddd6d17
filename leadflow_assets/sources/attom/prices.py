"""What a report costs, by endpoint, in cents; fractions of a cent are real prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from leadflow_assets.errors import UsageError
from leadflow_assets.sources.attom.endpoints import ENDPOINTS

# ATTOM's own worked example, and what $500 for 5,000 comes to.
DEFAULT_CENTS = Decimal(10)


@dataclass(frozen=True)
class Prices:
    """Cents per report: ``by_endpoint`` where the contract has a price of its own, else ``default_cents``.

    Raises:
        UsageError: a price is for no endpoint, or negative.
    """

    default_cents: Decimal = DEFAULT_CENTS
    by_endpoint: Mapping[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.by_endpoint) - set(ENDPOINTS))
        if unknown:
            raise UsageError(
                f"Prices are set for unknown endpoints: {', '.join(unknown)}.",
                "Known: " + ", ".join(ENDPOINTS) + ".",
            )
        if any(
            not price.is_finite() or price < 0 for price in (self.default_cents, *self.by_endpoint.values())
        ):
            raise UsageError("A price per report is negative or no number.", "Give cents, 0 or more.")

    def cents(self, endpoint: str) -> Decimal:
        """Cents per report of an endpoint."""
        return self.by_endpoint.get(endpoint, self.default_cents)
