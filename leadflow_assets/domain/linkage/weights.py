"""How much each agreement or difference between a court party and an owner weighs, in bits.

A weight is the base-two logarithm of how much likelier the outcome is between two records of one person than
between records of two. Weights of a pair add up. Source of the constants: the project's sheet on linkage,
section 5.2; those it only suggests or leaves open are marked *own* with their reason.

``share`` of a name is the part of all persons who bear it (0 to 1), see ``shares``.
"""

from __future__ import annotations

from math import log2

from rapidfuzz.distance import JaroWinkler

from leadflow_assets.domain.linkage.names import NameForms
from leadflow_assets.domain.linkage.nicknames import are_nicknames

# Outcomes of comparing a surname or a given name.
EQUAL, PART, NEAR, NICKNAME, ALIKE, INITIAL, OTHER, MISSING = (
    "equal",
    "part",
    "near",
    "nickname",
    "alike",
    "initial",
    "other",
    "missing",
)
AGREE, CONFLICT = "agree", "conflict"

NEAR_FROM = 0.92
ALIKE_FROM = 0.85
EQUAL_AMONG_MATCHES = 0.90
NEAR_AMONG_MATCHES = 0.07
NEAR_NAMES = 3  # that many times the commoner form's share is near it
NAME_FLOOR = 1e-6
NEAR_FLOOR = 3e-5
ALIKE_BITS = 1.0  # log2(0.02 / 0.01)
OTHER_BITS = -6.0
# own: of persons with two surnames, the part that another record gives only one of (the sheet asks to match
# compound surnames "on the whole and on each part" without a weight).
PART_AMONG_MATCHES = 0.30
# own: an initial for a given name; letters share about one in six (J, M, A lead), styles differ by record.
INITIAL_BITS = 2.0

# own: how far full names keep to chance. In one real town 31 pairs of owners had one full name and another
# initial where chance expects 33; in a whole state communities share both names. The smaller, the looser.
FULL_NAME_SHAPE = 4.0

INITIALS = 12  # as many equally common initials; measured 12.1 in one real town
MIDDLE_AGREES_BITS = log2(0.9 * INITIALS)
MIDDLE_CONFLICT_BITS = -5.0
# own: "strong negative" in the sheet; father and son are the commonest namesakes of all.
SUFFIX_CONFLICT_BITS = -6.0
# own: one man in thirty bears a suffix, but a Jr. implies a namesake: far below log2(0.6 / 0.03).
SUFFIX_AGREES_BITS = 2.0

PLACE_AMONG_MATCHES = 0.90
PLACE_FLOOR = 1e-4
PLACE_OTHER_BITS = -2.0
# own: a debtor's address is a property's or its bill's for three of four debtors who own one: the others
# have moved, use a box, or are written so that the addresses do not read equal.
ADDRESS_AMONG_MATCHES = 0.75
ADDRESS_OTHER_BITS = -2.0  # log2((1 - 0.75) / 1)
ADULTS_AT_ADDRESS = 2
STATE_ADULTS = 5_600_000
# own: people at one address mostly bear one surname (0.9 / 0.6, rounded up), so that there it tells little.
HOUSEHOLD_SURNAME_BITS = 1.0

# own: an owner who bought in the market after the case was filed did not own then, but for wrong dates. A
# nominal deed after it mostly moves a home into another form of the same hands.
HELD_IF_BOUGHT_LATER = 0.02
HELD_IF_DEEDED_LATER = 0.8


def likeness(one: str, other: str) -> float:
    """Jaro-Winkler similarity, 0 to 1; the same numbers as DuckDB's ``jaro_winkler_similarity``."""
    return JaroWinkler.similarity(one, other)


def _spelling(one: str, other: str) -> str:
    if not one or not other:
        return MISSING
    if one == other:
        return EQUAL
    alike = likeness(one, other)
    return NEAR if alike >= NEAR_FROM else ALIKE if alike >= ALIKE_FROM else OTHER


def surname_outcome(one: NameForms, other: NameForms) -> str:
    """Compare surnames; of a compound one each part stands for the whole, against a simple one."""
    whole = _spelling(one.last, other.last)
    if whole != EQUAL and one.last and other.last and (one.last in other.parts or other.last in one.parts):
        return PART
    return whole


def given_outcome(one: str, other: str) -> str:
    """Compare given names; a nickname counts as one even where it is spelled alike."""
    if not one or not other or one == other:
        return _spelling(one, other)
    if len(one) == 1 or len(other) == 1:
        return INITIAL if one[0] == other[0] else OTHER
    return NICKNAME if are_nicknames(one, other) else _spelling(one, other)


def middle_outcome(one: str, other: str) -> str:
    """Compare middle names or initials: agree, conflict, or missing on a side."""
    if not one or not other:
        return MISSING
    if one[0] != other[0]:
        return CONFLICT
    both_whole = len(one) > 1 and len(other) > 1
    return CONFLICT if both_whole and likeness(one, other) < ALIKE_FROM else AGREE


def suffix_outcome(one: str, other: str) -> str:
    """Compare generations. A JR may be written II: that pair neither agrees nor conflicts."""
    if not one or not other or {one, other} == {"JR", "II"}:
        return MISSING
    return AGREE if one == other else CONFLICT


def name_bits(outcome: str, share_one: float, share_other: float) -> float:
    """The weight of a surname's or given name's outcome.

    ``share_one`` and ``share_other`` belong to the two names (for ``part`` both to the surname they share).
    """
    commoner, rarer = max(share_one, share_other), min(share_one, share_other)
    equal = log2(EQUAL_AMONG_MATCHES / max(commoner, NAME_FLOOR))
    near = log2(NEAR_AMONG_MATCHES / max(NEAR_NAMES * commoner, NEAR_FLOOR))
    if outcome == EQUAL:
        return equal
    if outcome == PART:
        return log2(PART_AMONG_MATCHES / max(commoner, NAME_FLOOR))
    if outcome == NEAR:
        return near
    if outcome == NICKNAME:
        # Never more than if the commoner name stood on both sides: Bob says Robert, and no more than that.
        nickname = log2(NEAR_AMONG_MATCHES / max(NEAR_NAMES * rarer, NEAR_FLOOR))
        return min(nickname, equal)
    if outcome == ALIKE:
        return min(ALIKE_BITS, near)  # of common names a likeness tells less the less it is one
    return {INITIAL: min(INITIAL_BITS, equal), OTHER: OTHER_BITS, MISSING: 0.0}[outcome]


def middle_bits(outcome: str) -> float:
    """The weight of a middle name's outcome."""
    return {AGREE: MIDDLE_AGREES_BITS, CONFLICT: MIDDLE_CONFLICT_BITS, MISSING: 0.0}[outcome]


def suffix_bits(outcome: str) -> float:
    """The weight of a suffix's outcome."""
    return {AGREE: SUFFIX_AGREES_BITS, CONFLICT: SUFFIX_CONFLICT_BITS, MISSING: 0.0}[outcome]


def full_name_bits(surname_share: float, given_share: float, bearers: int, persons: int) -> float:
    """Correction where surname and given name go together more, or less, than by chance (Maria Silva).

    ``bearers`` of ``persons`` owners have the full name, the candidate included. The true share is taken
    to lie around the product of the two as a Gamma distribution does, and is updated by the owners counted.
    """
    expected = max(surname_share, NAME_FLOOR) * max(given_share, NAME_FLOOR)
    found = (FULL_NAME_SHAPE + max(bearers, 1)) / (FULL_NAME_SHAPE / expected + persons)
    return log2(expected / found)


def place_bits(outcome: str, share: float) -> float:
    """The weight of a place; ``share`` of all owners live in it, or own there."""
    if outcome == EQUAL:
        return log2(PLACE_AMONG_MATCHES / max(share, PLACE_FLOOR))
    return {OTHER: PLACE_OTHER_BITS, MISSING: 0.0}[outcome]


def address_bits(outcome: str, owners_there: int) -> float:
    """The weight of the debtor's address; ``owners_there`` have their property or their bill at it."""
    if outcome == EQUAL:
        return log2(ADDRESS_AMONG_MATCHES * STATE_ADULTS / max(owners_there, ADULTS_AT_ADDRESS))
    return {OTHER: ADDRESS_OTHER_BITS, MISSING: 0.0}[outcome]


def with_address(surname: float, place: float, address_outcome: str, address: float) -> tuple[float, float]:
    """(weight of the surname, weight of place and address), given what the address says.

    At an equal address the place is implied and a surname is its household's. The stronger reading counts:
    a rare surname in a small town may tell more than the house.
    """
    if address_outcome != EQUAL:
        return surname, place + address
    household = min(surname, HOUSEHOLD_SURNAME_BITS)
    if household + address >= surname + place:
        return household, address
    return surname, place


def may_match(surname: str, given: str, at_address: bool) -> bool:
    """May a pair with these outcomes be one person at all?

    A given name must agree in some form. A surname that is only near or alike needs an equal given name. At
    the debtor's own address an equal given name or its nickname will do: the surname may be a maiden name.
    """
    if given not in (EQUAL, NICKNAME, NEAR, ALIKE, INITIAL):
        return False
    if surname in (EQUAL, PART):
        return True
    if surname in (NEAR, ALIKE) and given == EQUAL:
        return True
    return surname != MISSING and at_address and given in (EQUAL, NICKNAME)
