"""The weights of ``domain.linkage`` as DuckDB macros, made from the same constants.

A test compares every macro with its Python twin.
"""

from __future__ import annotations

import duckdb

from leadflow_assets.domain.linkage import weights as w

_NAME_BITS = f"""
CREATE TEMP MACRO name_bits(outcome, one, other) AS CASE outcome
    WHEN '{w.EQUAL}' THEN log2({w.EQUAL_AMONG_MATCHES!r} / greatest(one, other, {w.NAME_FLOOR!r}))
    WHEN '{w.PART}' THEN log2({w.PART_AMONG_MATCHES!r} / greatest(one, other, {w.NAME_FLOOR!r}))
    WHEN '{w.NEAR}' THEN near_bits(greatest(one, other))
    WHEN '{w.NICKNAME}' THEN least(
        near_bits(least(one, other)),
        log2({w.EQUAL_AMONG_MATCHES!r} / greatest(one, other, {w.NAME_FLOOR!r})))
    WHEN '{w.ALIKE}' THEN least({w.ALIKE_BITS!r}, near_bits(greatest(one, other)))
    WHEN '{w.INITIAL}' THEN least(
        {w.INITIAL_BITS!r}, log2({w.EQUAL_AMONG_MATCHES!r} / greatest(one, other, {w.NAME_FLOOR!r})))
    WHEN '{w.OTHER}' THEN {w.OTHER_BITS!r}::DOUBLE
    ELSE 0.0 END
"""
MACROS = (
    f"""CREATE TEMP MACRO near_bits(share) AS
        log2({w.NEAR_AMONG_MATCHES!r} / greatest({w.NEAR_NAMES} * share, {w.NEAR_FLOOR!r}))""",
    _NAME_BITS,
    f"""CREATE TEMP MACRO middle_outcome(one, other) AS CASE
        WHEN one = '' OR other = '' THEN '{w.MISSING}'
        WHEN one[1] <> other[1] THEN '{w.CONFLICT}'
        WHEN length(one) > 1 AND length(other) > 1
            AND jaro_winkler_similarity(one, other) < {w.ALIKE_FROM!r} THEN '{w.CONFLICT}'
        ELSE '{w.AGREE}' END""",
    f"""CREATE TEMP MACRO suffix_outcome(one, other) AS CASE
        WHEN one = '' OR other = '' OR (one = 'JR' AND other = 'II') OR (one = 'II' AND other = 'JR')
            THEN '{w.MISSING}'
        WHEN one = other THEN '{w.AGREE}' ELSE '{w.CONFLICT}' END""",
    f"""CREATE TEMP MACRO middle_bits(outcome) AS CASE outcome
        WHEN '{w.AGREE}' THEN {w.MIDDLE_AGREES_BITS!r}::DOUBLE
        WHEN '{w.CONFLICT}' THEN {w.MIDDLE_CONFLICT_BITS!r}::DOUBLE
        ELSE 0.0 END""",
    f"""CREATE TEMP MACRO suffix_bits(outcome) AS CASE outcome
        WHEN '{w.AGREE}' THEN {w.SUFFIX_AGREES_BITS!r}::DOUBLE
        WHEN '{w.CONFLICT}' THEN {w.SUFFIX_CONFLICT_BITS!r}::DOUBLE
        ELSE 0.0 END""",
    f"""CREATE TEMP MACRO full_name_expected(surname, given) AS
        greatest(surname, {w.NAME_FLOOR!r}) * greatest(given, {w.NAME_FLOOR!r})""",
    f"""CREATE TEMP MACRO full_name_bits(surname, given, bearers, persons) AS
        log2(full_name_expected(surname, given) / (({w.FULL_NAME_SHAPE!r} + greatest(bearers, 1))
            / ({w.FULL_NAME_SHAPE!r} / full_name_expected(surname, given) + persons)))""",
    f"""CREATE TEMP MACRO place_bits(outcome, share) AS CASE outcome
        WHEN '{w.EQUAL}' THEN log2({w.PLACE_AMONG_MATCHES!r} / greatest(share, {w.PLACE_FLOOR!r}))
        WHEN '{w.OTHER}' THEN {w.PLACE_OTHER_BITS!r}::DOUBLE ELSE 0.0 END""",
    f"""CREATE TEMP MACRO address_bits(outcome, owners_there) AS CASE outcome
        WHEN '{w.EQUAL}' THEN
            log2({w.ADDRESS_AMONG_MATCHES * w.STATE_ADULTS!r} / greatest(owners_there, {w.ADULTS_AT_ADDRESS}))
        WHEN '{w.OTHER}' THEN {w.ADDRESS_OTHER_BITS!r}::DOUBLE ELSE 0.0 END""",
    # Is the household's reading of the surname, with the address, the stronger one?
    f"""CREATE TEMP MACRO by_household(surname, place, outcome, address) AS
        outcome = '{w.EQUAL}'
        AND least(surname, {w.HOUSEHOLD_SURNAME_BITS!r}) + address >= surname + place""",
    f"""CREATE TEMP MACRO household_surname(surname) AS least(surname, {w.HOUSEHOLD_SURNAME_BITS!r})""",
)


def create_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the macros."""
    for statement in MACROS:
        connection.execute(statement)
