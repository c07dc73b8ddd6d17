"""Templates, and how they write money, dates and numbers: as Americans do."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from leadflow_assets import __version__

UNKNOWN = "unknown"
_HERE = ZoneInfo("America/New_York")
_ISO_DAY = re.compile(r"(?<![\w.-])(?:18|19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?![\w-])")
_COMMAND = re.compile(r"`([^`]+)`")


def render(template: str, /, **context: Any) -> str:
    """A template as text. All values are escaped; an unknown name in a template is an error."""
    return _environment().get_template(template).render(**context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("leadflow_assets.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": money,
        "cents": cents,
        "number": number,
        "percent": percent,
        "day": day,
        "moment": moment,
        "words": words,
        "plural": plural,
        "sentence": sentence,
        "query": query,
        "told": told,
        "commands": commands,
    }
    environment.globals |= {"version": __version__}
    return environment


def money(value: float | None, unknown: str = UNKNOWN) -> str:
    """Dollars without cents: ``$412,000``, ``-$5,000``."""
    if value is None:
        return unknown
    return f"-${-value:,.0f}" if round(value) < 0 else f"${value:,.0f}"


def cents(value: float | None, unknown: str = UNKNOWN) -> str:
    """Cents as dollars: ``$1,234.50``; a fraction of a cent is shown."""
    if value is None:
        return unknown
    whole = f"${float(value) / 100:,.4f}"
    return whole[:-2] if whole.endswith("00") else whole


def number(value: float | None, digits: int = 0, unknown: str = UNKNOWN) -> str:
    """A number with thousands set apart: ``12,345``; at most ``digits`` places."""
    if value is None:
        return unknown
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits and "." in text else text


def percent(share: float | None, digits: int = 0, unknown: str = UNKNOWN) -> str:
    """A share of 0 to 1 in percent: ``64%``."""
    return unknown if share is None else f"{share * 100:,.{digits}f}%"


def day(value: date | str | None, unknown: str = UNKNOWN) -> str:
    """A day: ``Nov 22, 2026``. A moment's day is the one in Massachusetts."""
    if value in (None, ""):
        return unknown
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone(_HERE).date()
    assert value is not None
    return f"{value:%b} {value.day}, {value.year}"


def moment(value: datetime | str | None, unknown: str = UNKNOWN) -> str:
    """A moment in Massachusetts: ``Nov 22, 2026, 3:05 PM``."""
    if value in (None, ""):
        return unknown
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    assert value is not None
    here = value.astimezone(_HERE)
    return f"{day(here.date())}, {here.hour % 12 or 12}:{here:%M} {here:%p}"


def words(name: str | None, unknown: str = UNKNOWN) -> str:
    """A value of a column in words: ``owner_occupied`` is ``owner occupied``."""
    return name.replace("_", " ") if name else unknown


def plural(count: int, one: str, several: str = "") -> str:
    """``1 parcel``, ``2,000 parcels``."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def sentence(text: str) -> str:
    """A text with a capital first letter; all others stay as they are."""
    return text[:1].upper() + text[1:]


def told(text: object) -> Markup:
    """A sentence of a service: its days as Americans write them, its commands set apart as code.

    Services write ISO days and backquotes, for a terminal and for files that programs read.
    """

    def written(found: re.Match[str]) -> str:
        try:
            return day(found[0])
        except ValueError:  # the 31st of February is no day
            return found[0]

    return commands(_ISO_DAY.sub(written, str(text)))


def commands(text: object) -> Markup:
    """A sentence with its commands set apart as code; a day in it may say how days are typed, and stays."""
    # Escaped first: only the marks of code are ours.
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(str(text)))))


def query(values: dict[str, Any], **changed: Any) -> str:
    """``?a=1&b=2`` with some values changed; None and empty ones are left out."""
    kept = {name: value for name, value in (values | changed).items() if value not in (None, "", [], ())}
    return "?" + urlencode(kept, doseq=True) if kept else ""
