"""Fictional owners, streets and mailing addresses.

Every name is put together from word lists made up for this purpose; none was taken from a record.
"""

from __future__ import annotations

import numpy as np

_SURNAME_HEADS = (
    "ALDER", "ASH", "BRACKEN", "BRIAR", "CINDER", "CLOVER", "COBBLE", "CORAL", "DAPPLE", "EMBER", "FENNEL",
    "FERN", "FLINT", "GORSE", "HAZEL", "HEATHER", "JUNIPER", "KESTREL", "LARK", "LINDEN", "MARSH", "NETTLE",
    "OSPREY", "PEBBLE", "PLOVER", "QUILL", "RUSSET", "SORREL", "TAMAR", "THISTLE", "UMBER", "VESPER",
    "WILLOW", "YARROW",
)  # fmt: skip
_SURNAME_TAILS = (
    "BY", "COTE", "DEN", "FELL", "GATE", "HOLT", "HURST", "LEIGH", "MERE", "MOTT", "RIGG", "SHAW", "STOKE",
    "THORP", "TOFT", "WELL", "WICK", "WOLD",
)  # fmt: skip
_FIRST = (
    "ADA", "AMOS", "ANYA", "BASIL", "BEATRIX", "CALEB", "CORA", "DARIO", "DELIA", "EDWIN", "ELSA", "EZRA",
    "FLORA", "GIDEON", "GRETA", "HARLAN", "HELGA", "IDA", "INGRID", "IVO", "JONAS", "JUNO", "KEIR",
    "LEOPOLD", "LINUS", "LUZ", "MABEL", "MILO", "MINA", "NADIA", "NOAM", "ODETTE", "OTIS", "PERCY", "PETRA",
    "QUINCY", "RHEA", "RUFUS", "SELMA", "SILAS", "TESSA", "THEO", "URSULA", "VERA", "VICTOR", "WANDA",
    "WESLEY", "XENIA", "YUSUF", "ZELDA",
)  # fmt: skip
_FIRM_HEADS = (
    "AMBER KITE", "BLUE HERRING", "BRASS ACORN", "CANDLE ROCK", "COPPER NEWT", "DRIFT POST", "EAST MITTEN",
    "FIVE LANTERN", "GREY ANVIL", "HOLLOW OAR", "IRON PEAR", "JOLLY CRANE", "KELP AND STONE", "LONG LADLE",
    "MAPLE ANCHOR", "NINE THIMBLE", "OLD BISCUIT", "PAPER WHALE", "RED TEAPOT", "SALT ORCHARD",
    "TIN HARBOR", "UPPER BASKET", "VELVET MOOSE", "WINTER SPOON",
)  # fmt: skip
_FIRM_TAILS = (
    "HOLDINGS LLC",
    "REALTY LLC",
    "PROPERTIES LLC",
    "REALTY TRUST",
    "NOMINEE TRUST",
    "DEVELOPMENT INC",
)
BANKS = ("PENNYWHISTLE SAVINGS BANK", "FIRST TEACUP TRUST COMPANY", "LANTERN COOPERATIVE BANK")
_CHARITIES = (
    "SAINT ELDERBERRY PARISH",
    "THE QUIET GARDEN TRUST",
    "SPARROW HILL ACADEMY",
    "LITTLE HARBOR LAND FUND",
)
_STREET_HEADS = (
    "GRANITE", "ACORN", "BELLFLOWER", "BIRCHBARK", "CANAL", "CEDAR", "CIDER MILL", "COPPER BEECH", "DEPOT",
    "DOVER", "EAST", "ELDERBERRY", "FARM POND", "FERRY", "FIDDLEHEAD", "FOUNDRY", "GOOSE HILL",
    "GRIST MILL", "HARVEST", "HEMLOCK", "HIGH", "HOLLOW", "IRONBARK", "JUNCTION", "KETTLE", "LANTERN",
    "LIBRARY", "LOCUST", "MAPLE", "MEETINGHOUSE", "MILL", "NORTH", "OLD POST", "ORCHARD", "OX BOW",
    "PEBBLE", "PINE", "PLEASANT", "QUARRY", "RAILROAD", "RIVER", "SCHOOL", "SOUTH", "SPRING", "STAGECOACH",
    "TANNERY", "TURNPIKE", "VALLEY", "WATER", "WEST", "WHARF", "WILLOW BEND",
)  # fmt: skip
_STREET_TAILS = ("ST", "RD", "AV", "LN", "DR", "WAY", "CIR", "TER")
_ELSEWHERE_MA = (
    ("WORCESTER", "MA", "01608"), ("BOSTON", "MA", "02108"), ("QUINCY", "MA", "02169"),
    ("SALEM", "MA", "01970"), ("LOWELL", "MA", "01852"), ("PITTSFIELD", "MA", "01201"),
    ("NEWTON", "MA", "02458"), ("HOLYOKE", "MA", "01040"),
)  # fmt: skip
_OUT_OF_STATE = (
    ("NAPLES", "FL", "34102"), ("NASHUA", "NH", "03060"), ("PROVIDENCE", "RI", "02903"),
    ("PORTLAND", "ME", "04101"), ("HARTFORD", "CT", "06103"), ("NEW YORK", "NY", "10001"),
    ("DALLAS", "TX", "75201"), ("PHOENIX", "AZ", "85004"),
)  # fmt: skip


def street_names(count: int, rng: np.random.Generator) -> list[str]:
    """``count`` different street names, GRANITE ST first.

    Raises:
        ValueError: more streets than there are names (about 400).
    """
    names = [f"{head} {tail}" for tail in _STREET_TAILS for head in _STREET_HEADS]
    if count > len(names):
        raise ValueError(f"There are names for {len(names)} streets, not {count}.")
    order = rng.permutation(len(names) - 1)[: count - 1] + 1
    return [names[0], *(names[k] for k in order.tolist())]


def _pick(words: tuple[str, ...], count: int, rng: np.random.Generator) -> list[str]:
    return [words[k] for k in rng.integers(0, len(words), count).tolist()]


def owner_names(count: int, rng: np.random.Generator) -> list[str]:
    """Owners as assessors write them: persons, couples, trusts, life estates, companies, banks."""
    last = [
        a + b
        for a, b in zip(_pick(_SURNAME_HEADS, count, rng), _pick(_SURNAME_TAILS, count, rng), strict=True)
    ]
    first, spouse = _pick(_FIRST, count, rng), _pick(_FIRST, count, rng)
    firm = [
        f"{a} {b}"
        for a, b in zip(_pick(_FIRM_HEADS, count, rng), _pick(_FIRM_TAILS, count, rng), strict=True)
    ]
    bank = _pick(BANKS, count, rng)
    shares = [0.32, 0.06, 0.32, 0.05, 0.05, 0.04, 0.04, 0.11, 0.01]
    forms = rng.choice(len(shares), count, p=shares).tolist()
    made = []
    for form, surname, one, two, company, lender in zip(forms, last, first, spouse, firm, bank, strict=True):
        made.append(
            (
                f"{surname}, {one}",
                f"{surname}, {one} {two[0]}",
                f"{surname}, {one} & {two}",
                f"{surname}, {one} - L/E",
                f"{surname}, {one} TR",
                f"{surname} FAMILY TRUST",
                f"{surname}, {one} ET AL",
                company,
                lender,
            )[form]
        )
    return made


def exempt_owner(use_code: str, town: str, index: int) -> str:
    """Owner of an exempt parcel: the town for municipal codes (93x), the state, or a charity."""
    if use_code.startswith("93"):
        return f"TOWN OF {town}"
    return (
        "COMMONWEALTH OF MASSACHUSETTS" if use_code.startswith("91") else _CHARITIES[index % len(_CHARITIES)]
    )


def mailing_addresses(count: int, rng: np.random.Generator) -> list[tuple[str, str, str, str] | None]:
    """Mailing address, city, state and ZIP of owners who live elsewhere; None for those at the property."""
    kinds = rng.choice(3, count, p=[0.79, 0.17, 0.04]).tolist()
    number = rng.integers(1, 400, count).tolist()
    street = _pick(_STREET_HEADS, count, rng)
    place = rng.integers(0, 8, count).tolist()
    made: list[tuple[str, str, str, str] | None] = []
    for kind, house, name, where in zip(kinds, number, street, place, strict=True):
        if kind == 0:
            made.append(None)
        else:
            address = f"PO BOX {house}" if house % 9 == 0 else f"{house} {name} ST"
            made.append((address, *(_ELSEWHERE_MA if kind == 1 else _OUT_OF_STATE)[where]))
    return made
