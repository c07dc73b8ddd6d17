"""The owners of the whole state as rows to compare: one per party of each property."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import duckdb
import pyarrow as pa

from leadflow_assets.domain.linkage.debtor_address import town_of_city
from leadflow_assets.domain.linkage.names import suffix_form, surname_forms
from leadflow_assets.domain.owners import search_words
from leadflow_assets.domain.towns import SAMPLETON, all_towns

# Columns of mart/properties that linking reads.
OWNER_COLUMNS = (
    "property_id",
    "town_id",
    "owners",
    "address_key",
    "mailing_key",
    "mailing_city",
    "last_sale_date",
    "sale_is_nominal",
)
Owners: TypeAlias = pa.Table | pa.RecordBatchReader

# hash() keys stand for texts: 64 bits, so that two of ten million texts collide once in a hundred thousand
# states.
_PARTIES = """
CREATE TEMP TABLE owner_party AS
SELECT
    property_id, town_id, number::INTEGER AS number,
    coalesce(party.last, '') AS last, coalesce(party.first, '') AS first,
    coalesce(party.middle, '') AS middle, coalesce(party.suffix, '') AS suffix,
    party.role AS role, party.is_person AS is_person,
    CASE WHEN party.is_person THEN NULL ELSE party.name END AS name,
    CASE WHEN address_key IS NOT NULL THEN hash(address_key) END AS address,
    CASE WHEN mailing_key IS NOT NULL THEN hash(mailing_key) END AS mailing,
    CASE WHEN regexp_full_match(split_part(mailing_key, '|', 1), '[0-9]{5}')
        THEN split_part(mailing_key, '|', 1) END AS zip,
    mailing_city,
    hash(coalesce(mailing_key, property_id)) AS home,
    last_sale_date AS bought, sale_is_nominal AS nominal
FROM (
    SELECT * EXCLUDE (owners), unnest(owners) AS party, generate_subscripts(owners, 1) - 1 AS number
    FROM owner_rows
)
WHERE party.role <> 'care_of'
"""
_WORDS = r"trim(regexp_replace(translate(upper(text), '.''`', ''), '[^A-Z0-9]+', ' ', 'g'))"
_TEXTS = f"""
CREATE TEMP TABLE folded_text AS
SELECT text, CASE WHEN strlen(text) = length(text) THEN {_WORDS} END AS words
FROM (
    SELECT DISTINCT unnest([last, first, middle]) AS text FROM owner_party WHERE is_person
    UNION SELECT name FROM owner_party WHERE name IS NOT NULL
)
"""
# A compound surname by its whole: the parts that stand for it.
_COMPOUNDS = """
CREATE TEMP TABLE compound AS
SELECT DISTINCT whole, unnest(parts) AS part
FROM (SELECT words, replace(words, ' ', '') AS whole FROM folded_text WHERE contains(words, ' '))
JOIN surname_parts USING (words)
"""
_PERSONS = """
CREATE TEMP TABLE person AS
SELECT
    property_id, hash(property_id) AS property, number, town_id, town.county,
    town2.town_id AS bill_town_id, town2.county AS bill_county,
    zip, replace(l.words, ' ', '') AS last, replace(f.words, ' ', '') AS first,
    split_part(m.words, ' ', 1) AS middle, coalesce(s.form, '') AS suffix, role, address, mailing,
    hash(replace(l.words, ' ', ''), replace(f.words, ' ', ''), coalesce(s.form, ''), home) AS person,
    bought, nominal
FROM owner_party p
JOIN folded_text l ON l.text = p.last
JOIN folded_text f ON f.text = p.first
JOIN folded_text m ON m.text = p.middle
LEFT JOIN suffix_form s ON s.text = p.suffix
LEFT JOIN town USING (town_id)
LEFT JOIN city_town c ON c.city = p.mailing_city
LEFT JOIN town town2 ON town2.town_id = c.town_id
WHERE is_person AND l.words <> ''
"""
_ORGANISATIONS = """
CREATE TEMP TABLE organisation AS
SELECT property_id, hash(property_id) AS property, number, p.town_id, town.county,
    town2.town_id AS bill_town_id,
    town2.county AS bill_county, zip, words AS name, role, address, mailing, home, bought, nominal
FROM owner_party p
JOIN folded_text ON text = p.name
LEFT JOIN town USING (town_id)
LEFT JOIN city_town c ON c.city = p.mailing_city
LEFT JOIN town town2 ON town2.town_id = c.town_id
WHERE NOT is_person AND words <> ''
"""


def load_owners(connection: duckdb.DuckDBPyConnection, owners: Owners) -> None:
    """Make the tables ``person``, ``compound`` and ``organisation`` from rows of mart/properties.

    ``owners`` holds OWNER_COLUMNS at least; a reader is read once, batch by batch.
    """
    connection.register("owner_rows", owners)
    connection.execute(_PARTIES)
    connection.unregister("owner_rows")
    connection.execute(_TEXTS)
    _fold_the_rest(connection)
    _register_lookups(connection)
    for statement in (_COMPOUNDS, _PERSONS, _ORGANISATIONS):
        connection.execute(statement)
    connection.execute("DROP TABLE owner_party")
    connection.execute("DROP TABLE folded_text")


def _values(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [value for (value,) in connection.execute(query).fetchall()]


def _lookup(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, pa.Array]) -> None:
    connection.register("lookup", pa.table(columns))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM lookup")
    connection.unregister("lookup")


def _texts(values: Sequence[str]) -> pa.Array:
    return pa.array(values, pa.string())


def _fold_the_rest(connection: duckdb.DuckDBPyConnection) -> None:
    """Names with letters beyond ASCII, few and distinct, are folded by the owners' own rule."""
    texts = _values(connection, "SELECT text FROM folded_text WHERE words IS NULL")
    if texts:
        columns = {"text": _texts(texts), "words": _texts([search_words(text) for text in texts])}
        _lookup(connection, "folded_by_rule", columns)
        connection.execute(
            "UPDATE folded_text SET words = r.words FROM folded_by_rule r WHERE r.text = folded_text.text"
        )


def _register_lookups(connection: duckdb.DuckDBPyConnection) -> None:
    """Towns, and small maps over the distinct suffixes, cities and compound surnames that occur."""
    towns = [*all_towns(), SAMPLETON]
    _lookup(
        connection,
        "town",
        {
            "town_id": pa.array([town.town_id for town in towns], pa.int32()),
            "county": _texts([town.county for town in towns]),
        },
    )
    suffixes = _values(connection, "SELECT DISTINCT suffix FROM owner_party WHERE suffix <> ''")
    forms = {"text": _texts(suffixes), "form": _texts([suffix_form(suffix) for suffix in suffixes])}
    _lookup(connection, "suffix_form", forms)
    cities = _values(
        connection, "SELECT DISTINCT mailing_city FROM owner_party WHERE mailing_city IS NOT NULL"
    )
    found = {city: town_id for city in cities if (town_id := town_of_city(city)) is not None}
    _lookup(
        connection,
        "city_town",
        {"city": _texts([*found]), "town_id": pa.array(found.values(), pa.int32())},
    )
    words = _values(
        connection,
        "SELECT DISTINCT words FROM owner_party JOIN folded_text ON text = last "
        "WHERE is_person AND contains(words, ' ')",
    )
    parts = pa.array([list(surname_forms(text)[1]) for text in words], pa.list_(pa.string()))
    _lookup(connection, "surname_parts", {"words": _texts(words), "parts": parts})
