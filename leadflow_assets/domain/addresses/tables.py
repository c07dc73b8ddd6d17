"""The words addresses are made of: directions, street types, units, and words a name writes in two ways.

Sources: the street types of USPS Publication 28 and the codes assessors of Massachusetts write (AV, PW, TE,
RO, CI, WH, BV, TL). A code that means different things in different towns (CR) is not here; see ``learn``.
"""

from __future__ import annotations

from collections.abc import Mapping


def words(text: str) -> tuple[str, ...]:
    """The words of a list written as one text."""
    return tuple(text.split())


DIRECTIONS: Mapping[str, str] = {
    **dict.fromkeys(("N", "NO", "NORTH"), "N"),
    **dict.fromkeys(("S", "SO", "SOUTH"), "S"),
    **dict.fromkeys(("E", "EAST"), "E"),
    **dict.fromkeys(("W", "WEST"), "W"),
    **dict.fromkeys(("NW", "NORTHWEST"), "NW"),
    **dict.fromkeys(("NE", "NORTHEAST"), "NE"),
    **dict.fromkeys(("SW", "SOUTHWEST"), "SW"),
    **dict.fromkeys(("SE", "SOUTHEAST"), "SE"),
}
DIRECTION_LETTERS = frozenset("NSEW")
# As a word of a name, the direction is written out.
DIRECTION_WORDS: Mapping[str, str] = {
    "NO": "NORTH",
    "SO": "SOUTH",
    "N": "NORTH",
    "S": "SOUTH",
    "E": "EAST",
    "W": "WEST",
}

_SUFFIX_FORMS: Mapping[str, str] = {
    "ST": "STREET STR STRT",
    "AVE": "AVENUE AV AVEN AVN",
    "RD": "ROAD",
    "DR": "DRIVE DRV",
    "LN": "LANE LA",
    "CT": "COURT CRT",
    "PL": "PLACE",
    "TER": "TERRACE TERR TE",
    "CIR": "CIRCLE CIRC CI",
    "BLVD": "BOULEVARD BOUL BL BLV BV BD",
    "PKWY": "PARKWAY PKY PW PKWAY PY",
    "ROW": "RO",
    "KNL": "KNOLL KNOLLS",
    "HWY": "HIGHWAY HGWY HIWAY",
    "SQ": "SQUARE",
    "WAY": "WY",
    "PK": "PARK",
    "EXT": "EXTENSION EXTN EXTD",
    "TPKE": "TURNPIKE TPK TNPK TRNPK",
    "WHF": "WHARF WH",
    "ALY": "ALLEY AL",
    "HTS": "HEIGHTS HGTS HGT",
    "HL": "HILL",
    "TRL": "TRAIL TR TL",
    "PATH": "PA PTH",
    "ESTS": "ESTATES",
    "RUN": "",
    "MALL": "",
    "LOOP": "",
    "XING": "CROSSING",
    "CV": "COVE",
    "PT": "POINT",
    "GRN": "GREEN GR",
    "GDNS": "GARDENS GARDEN GDN",
    "LNDG": "LANDING",
    "MNR": "MANOR",
    "PLZ": "PLAZA",
    "RDG": "RIDGE",
    "VW": "VIEW",
    "VLG": "VILLAGE",
    "FWY": "FREEWAY",
    "CTR": "CENTER",
    "WALK": "WK",
    "CMN": "COMMON",
    "IS": "ISLAND",
    "BRG": "BRIDGE",
    "CSWY": "CAUSEWAY",
    "CRES": "CRESCENT CRESC",
}
SUFFIXES: Mapping[str, str] = {
    form: suffix for suffix, forms in _SUFFIX_FORMS.items() for form in (suffix, *forms.split())
}
# Types that say "street" and nothing else: a name in front of them is needed (AVENUE C, 5 ST).
STREET_TYPES = frozenset({"ST", "AVE", "RD", "DR", "LN", "BLVD", "PKWY", "HWY", "EXT", "TPKE"})

ROUTE_WORDS = frozenset({"RT", "RTE", "ROUTE", "HWY", "HIGHWAY"})
# Words that own the number after them, so that it is neither a unit nor a house number.
NUMBERED_WORDS = ROUTE_WORDS | frozenset(
    words(
        "AREA BAY BERTH BLOCK BLK BOX CAMP DISTRICT DOCK EXIT GATE HANGAR INTERSTATE"
        " LEVEL LOT LOTS MA MAP MILE NO PARCEL PHASE PIER POLE SECTION SEC SITE SLIP SR STATION"
        " TERMINAL TRACT TRAILER TRLR US WING"
    )
)

_ONES = words("FIRST SECOND THIRD FOURTH FIFTH SIXTH SEVENTH EIGHTH NINTH")
_TEENS = words(
    "TENTH ELEVENTH TWELFTH THIRTEENTH FOURTEENTH FIFTEENTH SIXTEENTH SEVENTEENTH EIGHTEENTH NINETEENTH"
)
_TENS = words("TWENTIETH THIRTIETH FORTIETH FIFTIETH SIXTIETH SEVENTIETH EIGHTIETH NINETIETH")
TENS: Mapping[str, int] = {
    word: 10 * (k + 2)
    for k, word in enumerate(words("TWENTY THIRTY FORTY FIFTY SIXTY SEVENTY EIGHTY NINETY"))
}


def _ordinal(number: int) -> str:
    ending = "TH" if number in (11, 12, 13) else {1: "ST", 2: "ND", 3: "RD"}.get(number % 10, "TH")
    return f"{number}{ending}"


ONES_ORDINALS: Mapping[str, int] = {
    **{word: k + 1 for k, word in enumerate(_ONES)},
    **{_ordinal(k): k for k in range(1, 10)},
}
ORDINALS: Mapping[str, str] = {
    **{word: _ordinal(k + 1) for k, word in enumerate(_ONES)},
    **{word: _ordinal(k + 10) for k, word in enumerate(_TEENS)},
    **{word: _ordinal(10 * (k + 2)) for k, word in enumerate(_TENS)},
    **{
        f"{tens}{one}": _ordinal(value + k + 1) for tens, value in TENS.items() for k, one in enumerate(_ONES)
    },
}
COMPOUND_ORDINALS: Mapping[tuple[str, str], str] = {
    (tens, one): _ordinal(value + unit) for tens, value in TENS.items() for one, unit in ONES_ORDINALS.items()
}

# One spelling for words that stand inside a name.
NAME_WORDS: Mapping[str, str] = {
    **ORDINALS,
    "MOUNT": "MT",
    "SAINT": "ST",
    "STREET": "ST",
    "FORT": "FT",
    "MASS": "MASSACHUSETTS",
    "COMM": "COMMONWEALTH",
    "DOCTOR": "DR",
    "JUNIOR": "JR",
    "WHARF": "WHF",
    "CAPT": "CAPTAIN",
    "GEN": "GENERAL",
    "GOV": "GOVERNOR",
    "MSGR": "MONSIGNOR",
    "REV": "REVEREND",
    "SGT": "SERGEANT",
    "WM": "WILLIAM",
    "CHAS": "CHARLES",
    "GEO": "GEORGE",
    "MTN": "MOUNTAIN",
    "LK": "LAKE",
    "BCH": "BEACH",
    "GRV": "GROVE",
    "HOLW": "HOLLOW",
    "MDW": "MEADOW",
    "MDWS": "MEADOWS",
    "VLY": "VALLEY",
    **dict.fromkeys(("AV", "AVE"), "AVENUE"),
    **dict.fromkeys(("HTS", "HGTS"), "HEIGHTS"),
    **dict.fromkeys(("TER", "TERR"), "TERRACE"),
    "BLVD": "BOULEVARD",
    "BRG": "BRIDGE",
    "CIR": "CIRCLE",
    "CT": "COURT",
    "CTR": "CENTER",
    "CV": "COVE",
    "GDNS": "GARDENS",
    "GRN": "GREEN",
    "HL": "HILL",
    "HWY": "HIGHWAY",
    "LN": "LANE",
    "MNR": "MANOR",
    "PK": "PARK",
    "PKWY": "PARKWAY",
    "PL": "PLACE",
    "PLZ": "PLAZA",
    "PT": "POINT",
    "RD": "ROAD",
    "RDG": "RIDGE",
    "SQ": "SQUARE",
    "TRL": "TRAIL",
    "VLG": "VILLAGE",
    "XING": "CROSSING",
}

# Designators of a unit -> what they put before its id. Parking spaces, garages and penthouses are not the
# dwelling of the same number.
UNIT_WORDS: Mapping[str, str] = {
    **dict.fromkeys(
        words("UNIT UNITS APT APTS APARTMENT APARTMENTS STE SUITE RM ROOM U UN CONDO CONDOMINIUM"), ""
    ),
    **dict.fromkeys(words("PENTHOUSE PH"), "PH"),
    **dict.fromkeys(words("SPC SPACE STALL PKG PARKING"), "P"),
    **dict.fromkeys(words("GAR GARAGE"), "G"),
}
# Units without an id, after the street.
BARE_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("PH", "PENTHOUSE"), "PH"),
    **dict.fromkeys(("BSMT", "BASEMENT"), "BSMT"),
    **dict.fromkeys(("FRNT", "FRONT"), "FRNT"),
    **dict.fromkeys(("LOWR", "LOWER"), "LOWR"),
    **dict.fromkeys(("UPPR", "UPPER"), "UPPR"),
}
BUILDING_WORDS = frozenset(words("BLDG BUILDING BLG BLD"))
FLOOR_WORDS = frozenset(words("FL FLR FLOOR"))

# Texts that stand for "nothing": two of them are not the same property.
PLACEHOLDERS = frozenset(
    {
        "UNKNOWN",
        "NONE",
        "NULL",
        "NAN",
        "NA",
        "N/A",
        "TBD",
        "TBA",
        "UNASSIGNED",
        "NO ADDRESS",
        "NOT AVAILABLE",
        "UNNAMED",
        "VACANT",
        "VACANT LAND",
    }
)
SAME_AS_SITE = frozenset({"SAME", "SAME AS ABOVE", "SAME AS SITE", "SAME ADDRESS", "SAME AS PROPERTY"})
