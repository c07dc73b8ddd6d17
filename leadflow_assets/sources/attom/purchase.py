"""What a call needs of the ledger and of the kept answers, and one charge on its way through a call."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from leadflow_assets.sources.attom.answers import Answer
from leadflow_assets.sources.attom.endpoints import Endpoint, Identity


class Charges(Protocol):
    """What a call needs of the ledger; see :class:`leadflow_assets.state.ledger.Ledger`."""

    def reserve(
        self,
        endpoint: str,
        request_hash: str,
        *,
        units: int,
        price_cents: Decimal,
        batch_id: str | None = None,
    ) -> str:
        """Set money aside, or refuse."""

    def mark_sent(self, charge_id: str) -> None:
        """From now on the call may be billed."""

    def mark_unsent(self, charge_id: str) -> None:
        """It was not billed; it may be sent again."""

    def settle(self, charge_id: str, units: int, note: str | None = None) -> None:
        """So much was billed."""

    def release(self, charge_id: str, note: str | None = None) -> None:
        """Nothing was billed."""

    def mark_unknown(self, charge_id: str, note: str | None = None) -> None:
        """Nobody knows what was billed."""


class Answers(Protocol):
    """Where answers are kept; see :mod:`leadflow_assets.enrich.attom_cache`."""

    def find(self, endpoint: Endpoint, names: list[Identity]) -> Answer | None:
        """The fresh answer under the first of the names that has one."""

    def archive(self, answer: Answer, identity: Identity, body: bytes) -> None:
        """Keep the bytes of an answer that was not read yet, durably."""

    def keep(self, answer: Answer) -> None:
        """Let others find the answer."""


class Purchase:
    """One charge through its states; whatever happens, it is left in one that is true."""

    def __init__(self, charges: Charges, charge_id: str) -> None:
        self.charge_id = charge_id
        self._charges = charges
        self._state = "reserved"

    def sent(self) -> None:
        """Just before the first byte leaves."""
        self._charges.mark_sent(self.charge_id)
        self._state = "sent"

    def unsent(self) -> None:
        """The vendor did not bill it; it may be sent again."""
        self._charges.mark_unsent(self.charge_id)
        self._state = "reserved"

    def settle(self, units: int, note: str | None) -> None:
        """So much was billed."""
        self._charges.settle(self.charge_id, units, note)
        self._state = "closed"

    def release(self, note: str | None) -> None:
        """Nothing was billed."""
        self._charges.release(self.charge_id, note)
        self._state = "closed"

    def close(self) -> None:
        """The end, by success or by any error, an interruption included."""
        if self._state == "sent":
            self._charges.mark_unknown(self.charge_id, "the call broke off")
        elif self._state == "reserved":
            self._charges.release(self.charge_id, "nothing was billed")
