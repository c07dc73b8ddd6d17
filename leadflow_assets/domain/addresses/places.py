"""ZIPs, states and towns: the last line of an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from leadflow_assets.domain.addresses.clean import clean
from leadflow_assets.domain.addresses.tables import SUFFIXES, UNIT_WORDS
from leadflow_assets.domain.towns import all_towns

# First three digits of a ZIP: ranges by state or territory (USPS; military mail is AA, AE, AP).
_ZIP3_RANGES = (
    "005 NY,006-007 PR,008 VI,009 PR,010-027 MA,028-029 RI,030-038 NH,039-049 ME,050-054 VT,055 MA,"
    "056-059 VT,060-069 CT,070-089 NJ,090-098 AE,100-149 NY,150-196 PA,197-199 DE,200 DC,201 VA,"
    "202-205 DC,206-219 MD,220-246 VA,247-268 WV,270-289 NC,290-299 SC,300-319 GA,320-339 FL,340 AA,"
    "341-342 FL,344 FL,346-347 FL,349 FL,350-352 AL,354-369 AL,370-385 TN,386-397 MS,398-399 GA,"
    "400-427 KY,430-459 OH,460-479 IN,480-499 MI,500-528 IA,530-549 WI,550-567 MN,569 DC,570-577 SD,"
    "580-588 ND,590-599 MT,600-629 IL,630-658 MO,660-679 KS,680-693 NE,700-714 LA,716-729 AR,730-732 OK,"
    "733 TX,734-749 OK,750-799 TX,800-816 CO,820-831 WY,832-838 ID,840-847 UT,850-865 AZ,870-884 NM,"
    "885 TX,889-898 NV,900-961 CA,962-966 AP,967-968 HI,969 GU,970-979 OR,980-994 WA,995-999 AK"
)
_NAMES = (
    "AL ALABAMA,AK ALASKA,AZ ARIZONA,AR ARKANSAS,CA CALIFORNIA,CO COLORADO,CT CONNECTICUT,DE DELAWARE,"
    "DC DISTRICT OF COLUMBIA,FL FLORIDA,GA GEORGIA,HI HAWAII,ID IDAHO,IL ILLINOIS,IN INDIANA,IA IOWA,"
    "KS KANSAS,KY KENTUCKY,LA LOUISIANA,ME MAINE,MD MARYLAND,MA MASSACHUSETTS,MI MICHIGAN,MN MINNESOTA,"
    "MS MISSISSIPPI,MO MISSOURI,MT MONTANA,NE NEBRASKA,NV NEVADA,NH NEW HAMPSHIRE,NJ NEW JERSEY,"
    "NM NEW MEXICO,NY NEW YORK,NC NORTH CAROLINA,ND NORTH DAKOTA,OH OHIO,OK OKLAHOMA,OR OREGON,"
    "PA PENNSYLVANIA,RI RHODE ISLAND,SC SOUTH CAROLINA,SD SOUTH DAKOTA,TN TENNESSEE,TX TEXAS,UT UTAH,"
    "VT VERMONT,VA VIRGINIA,WA WASHINGTON,WV WEST VIRGINIA,WI WISCONSIN,WY WYOMING,PR PUERTO RICO,"
    "VI VIRGIN ISLANDS,GU GUAM,AS AMERICAN SAMOA,MP NORTHERN MARIANA ISLANDS,AA ARMED FORCES AMERICAS,"
    "AE ARMED FORCES EUROPE,AP ARMED FORCES PACIFIC"
)
STATE_NAMES: Mapping[str, str] = dict(part.split(" ", 1)[::-1] for part in _NAMES.split(","))  # name -> code
STATES = frozenset(STATE_NAMES.values())
_ZIP = re.compile(r"([0-9]{5})(?:[-\s]*[0-9]{4,5}|-[0-9]*)?[A-Z]?")
_COUNTRY = re.compile(r"[\s,]+(?:USA|US|U\.S\.A?\.?|UNITED STATES(?: OF AMERICA)?)\s*$")
_LAST_ZIP = re.compile(r"(?:^|[\s,]+)([0-9O]{5}(?:\s?-\s?[0-9]{4})?)\s*$")
_LAST_STATE = re.compile(r"(?P<comma>,\s*)?(?<![A-Z])(?P<state>[A-Z]\.?[A-Z]\.?|MASS\.?)\s*$")
_UNIT_START = re.compile(rf"\s*(?:#|(?:{'|'.join(UNIT_WORDS)}|BLDG|BUILDING|FL|FLOOR|REAR|OFF|LOT)\b)")
# Types that do not end town names, so that the town begins after the last of them.
_TYPES_BEFORE_TOWNS = frozenset(
    form
    for form, suffix in SUFFIXES.items()
    if suffix
    in {"ST", "AVE", "RD", "DR", "LN", "CT", "PL", "TER", "CIR", "BLVD", "PKWY", "WAY", "HWY", "TPKE"}
    and form not in {"LA", "PLACE"}
)

Placed = tuple[str, str | None, str | None, str | None]


@cache
def _zip3_states() -> Mapping[str, str]:
    table: dict[str, str] = {}
    for part in _ZIP3_RANGES.split(","):
        span, state = part.split(" ")
        low, _, high = span.partition("-")
        table.update({f"{n:03d}": state for n in range(int(low), int(high or low) + 1)})
    return table


@lru_cache(maxsize=65_536)
def zip5(text: str | None) -> str | None:
    """The first five digits of a ZIP as assessors write it; None when it is none.

    Handled: ZIP+4 with a hyphen, a blank or run together, a digit too many behind nine, O for zero, a
    decimal point, a letter behind, and a leading zero lost in a spreadsheet (four or eight digits), which
    comes back where the result is a ZIP of some state.
    """
    if not text:
        return None
    s = re.sub(r"\.0*$", "", text.strip().upper().replace("O", "0"))
    if not s.isascii():
        return None
    if re.fullmatch(r"[0-9]{4}(?:-?[0-9]{4})?", s):
        s = f"0{s}"
    found = _ZIP.fullmatch(s)
    return found[1] if found and found[1][:3] in _zip3_states() else None


def state_of_zip(zip_code: str | None) -> str | None:
    """The state of a five-digit ZIP by its first three digits; None when no state has them."""
    return _zip3_states().get(zip_code[:3]) if zip_code else None


@lru_cache(maxsize=4_096)
def state_code(text: str | None) -> str | None:
    """The two-letter code of a state given by code or name; None when it is no state."""
    s = " ".join((text or "").upper().replace(".", "").split())
    return s if s in STATES else "MA" if s == "MASS" else STATE_NAMES.get(s)


@lru_cache(maxsize=16_384)
def city_key(text: str | None) -> str:
    """A town's name for comparison: signs, N / NO, ST / SAINT and -BOROUGH do not matter."""
    words = re.sub(r"^(?:TOWN|CITY) OF ", "", clean((text or "").replace("-", " "))).split()
    if len(words) > 1 and words[-1] == "MA":
        words = words[:-1]
    spelled = [_CITY_WORDS.get(word, word) for word in words]
    name = re.sub(r"BOROUGH\b", "BORO", " ".join(spelled))
    return "MANCHESTER" if name == "MANCHESTER BY THE SEA" else name


_CITY_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("N", "NO"), "NORTH"),
    **dict.fromkeys(("S", "SO"), "SOUTH"),
    "E": "EAST",
    "W": "WEST",
    "MT": "MOUNT",
    "SAINT": "ST",
    "FT": "FORT",
    "CTR": "CENTER",
}


def split_place(text: str) -> Placed:
    """Street part, city, state and ZIP5 of one line, each None where it is not there.

    ``12 Main St, Bellingham, MA 02019`` and the same without commas. The city is what follows the last comma,
    else a town of Massachusetts at the end, else what follows the street's type. Nothing is guessed without
    a state or ZIP. City and state come in upper case.
    """
    s = _COUNTRY.sub("", " ".join(text.upper().split()))
    s, zip_code = _take_zip(s)
    s, state = _take_state(s, zip_code)
    street, city = _take_city(s, known=bool(zip_code or state))
    return street, city, state or state_of_zip(zip_code), zip_code


def _take_zip(s: str) -> tuple[str, str | None]:
    found = _LAST_ZIP.search(s)
    zip_code = zip5(found[1]) if found else None
    # A line of a number only, or a number right behind a designator, is no ZIP.
    if not found or not zip_code or not s[: found.start()].strip():
        return s, None
    before = s[: found.start()].rstrip(" ,")
    if before.endswith("#") or before.split()[-1].strip(".,") in {*UNIT_WORDS, "BOX", "LOT"}:
        return s, None
    return before, zip_code


def _take_state(s: str, zip_code: str | None) -> tuple[str, str | None]:
    """The state at the end: behind a comma, or confirmed by the ZIP (MAIN CT is a court elsewhere)."""
    for name, code in STATE_NAMES.items():
        if s.endswith(f", {name}") or (state_of_zip(zip_code) == code and s.endswith(f" {name}")):
            return s[: -len(name)].rstrip(" ,"), code
    found = _LAST_STATE.search(s)
    code_found = state_code(found["state"]) if found else None
    if not found or not code_found or not s[: found.start()].strip(" ,"):
        return s, None
    behind_comma = bool(found["comma"]) and ("," in s[: found.start()] or found["state"] not in SUFFIXES)
    if behind_comma or state_of_zip(zip_code) == code_found or found["state"].startswith("MA"):
        return s[: found.start()].rstrip(" ,"), code_found
    return s, None


def _take_city(s: str, *, known: bool) -> tuple[str, str | None]:
    street, comma, last = s.rpartition(",")
    if comma and _is_city(last):
        return street.strip(" ,"), last.strip()
    if not known:
        return s, None
    words = s.split()
    for at in range(max(0 if s[:1].isalpha() else 2, len(words) - 4), len(words)):
        if city_key(" ".join(words[at:])) in _town_keys():
            return " ".join(words[:at]).rstrip(","), " ".join(words[at:])
    types = [k for k in range(2, len(words) - 1) if words[k].strip(".,") in _TYPES_BEFORE_TOWNS]
    if types and _is_city(" ".join(words[types[-1] + 1 :])):
        return " ".join(words[: types[-1] + 1]).rstrip(","), " ".join(words[types[-1] + 1 :])
    return s, None


def _is_city(text: str) -> bool:
    plain = re.sub(r"[\s.'-]", "", text)
    return len(plain) > 2 and plain.isalpha() and not _UNIT_START.match(text) and len(text.split()) < 5


@cache
def _town_keys() -> frozenset[str]:
    return frozenset(city_key(town.name) for town in all_towns())
