"""What an address consists of once it is read, and its two forms: the key and the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["street", "pobox", "none"]


@dataclass(frozen=True, slots=True)
class Address:
    """One address in parts. Every text but ``raw`` is upper-case, and empty when absent.

    ``kind`` is none where no street name could be read. ``num`` and ``num_hi`` are house numbers (low and
    high of a range, never 0). ``num_suffix`` is a letter (``H`` is one half), or two of a range's ends with
    a hyphen: ``-A`` is 8-8A, ``A-C`` is 8A-8C. ``rear`` and ``off`` are properties apart from the plain
    number. ``unit`` has no blanks; ``B`` and ``F`` lead a building and a floor. ``box`` is the id of a P.O.
    box.
    """

    raw: str
    kind: Kind
    num: int | None = None
    num_hi: int | None = None
    num_suffix: str = ""
    rear: bool = False
    off: bool = False
    lot: str = ""
    predir: str = ""
    name: str = ""
    suffix: str = ""
    postdir: str = ""
    unit: str = ""
    box: str = ""

    @property
    def street(self) -> str:
        """The street without number and unit, for example ``N MAIN ST EXT``."""
        return " ".join([part for part in (self.predir, self.name, self.suffix, self.postdir) if part])

    @property
    def key(self) -> str:
        """Equal for two spellings of one address in one town; empty without a street or box.

        Ten fields joined by ``|``: number with suffix, high number, R (rear), O (off), the lot (only where
        there is no number), direction, name, street type, direction, unit. A box: ``POBOX`` and its id.
        """
        if self.kind == "pobox":
            return f"POBOX {self.box}"
        if self.kind == "none":
            return ""
        num, high = self.num, self.num_hi
        return (
            f"{'' if num is None else num}{self.num_suffix}|{'' if high is None else high}"
            f"|{'R' if self.rear else ''}|{'O' if self.off else ''}|{self.lot if num is None else ''}"
            f"|{self.predir}|{self.name}|{self.suffix}|{self.postdir}|{self.unit}"
        )

    @property
    def line(self) -> str:
        """The normalized address in one line; reading it again gives the same key."""
        if self.kind == "pobox":
            return f"PO BOX {self.box}"
        if self.kind == "none":
            return ""
        parts = [
            self._number_text(),
            "OFF" if self.off else "",
            self.street,
            "REAR" if self.rear else "",
            f"LOT {self.lot}" if self.lot else "",
            f"UNIT {self.unit}" if self.unit else "",
        ]
        return " ".join([part for part in parts if part])

    def _number_text(self) -> str:
        low, _, high = self.num_suffix.partition("-")
        if self.num is None:
            return f"0{self.num_suffix}" if self.num_suffix else ""
        if self.num_hi is None and not high:
            fraction = {"H": " 1/2", "1/4": " 1/4", "3/4": " 3/4"}
            return f"{self.num}{fraction.get(low, low)}"
        return f"{self.num}{low}-{self.num if self.num_hi is None else self.num_hi}{high}"

    def numbers(self) -> tuple[int, int] | None:
        """Lowest and highest house number (equal without a range); None without a number above 0."""
        if self.num is None:
            return None
        return self.num, self.num if self.num_hi is None else self.num_hi


def address_key(address: Address, place: int | str | None) -> str | None:
    """The key within a place (town id or ZIP5): ``place|key``; None where there is no key or no place.

    Number and street repeat in neighbouring towns (3 % of the pairs of one large city repeat across its
    ZIPs), so a key without its place must not be compared.
    """
    key = address.key
    return f"{place}|{key}" if key and place not in (None, "") else None
