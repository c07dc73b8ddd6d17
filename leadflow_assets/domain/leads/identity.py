"""Which properties are one lead: those of one owner with one mailing address, in whatever towns."""

from __future__ import annotations

import hashlib
from typing import Final

PREFIX: Final = "lead-"
_DIGITS: Final = 16
_BETWEEN: Final = "\x1f"


def lead_id(owner_key: str, mailing_key: str | None, property_id: str) -> str:
    """The id of the lead to which a property belongs; the same for the same owner and address, for ever.

    Without a mailing address owners of one name are not taken for one person: the property stands for it.
    """
    place = mailing_key if mailing_key is not None else f"property:{property_id}"
    digest = hashlib.sha256(f"{owner_key}{_BETWEEN}{place}".encode()).hexdigest()
    return PREFIX + digest[:_DIGITS]
