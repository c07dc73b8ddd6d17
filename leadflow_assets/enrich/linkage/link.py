"""Link court parties to the owners of properties: candidates, weights, probabilities, evidence."""

from __future__ import annotations

from typing import Literal

import duckdb
import pyarrow as pa

from leadflow_assets.domain.linkage.posterior import (
    CONFIRMED_FROM,
    COUNTED_BY_NAME,
    POSSIBLE_FROM,
    STATE_ORGANISATIONS,
    adults_of_towns,
    unseen,
)
from leadflow_assets.domain.linkage.weights import STATE_ADULTS
from leadflow_assets.enrich.linkage.engine import MEMORY, THREADS, database
from leadflow_assets.enrich.linkage.evidence import FIRM_EVIDENCE, PERSON_EVIDENCE
from leadflow_assets.enrich.linkage.firms import FIRM_DETAILS, weigh_firms
from leadflow_assets.enrich.linkage.frequencies import Frequencies, count_names
from leadflow_assets.enrich.linkage.owners import Owners, load_owners
from leadflow_assets.enrich.linkage.parties import ReadParties, read_parties
from leadflow_assets.enrich.linkage.people import PERSON_DETAILS, weigh_people
from leadflow_assets.enrich.linkage.ranking import RIVALS, rank
from leadflow_assets.lake.schemas.case_matches import EVIDENCE_TYPE

# Less likely matches are not returned: they fill the review with strangers.
LEAST_PROBABILITY = 0.01
MATCHES_SCHEMA = pa.schema(
    [
        pa.field("party_id", pa.string(), nullable=False),
        pa.field("property_id", pa.string(), nullable=False),
        # Place of the owner in the property's list of parties, from 0.
        pa.field("owner_number", pa.int32(), nullable=False),
        pa.field("owner_role", pa.string(), nullable=False),
        # That the party owned the property when the case was filed.
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("tier", pa.string(), nullable=False),
        # Of this owner against the party, without the competition.
        pa.field("weight_bits", pa.float64(), nullable=False),
        # held, bought_later, unclear (a nominal deed after filing) or unknown
        pa.field("title", pa.string(), nullable=False),
        # Other owners who fit about as well, to one bit.
        pa.field("rivals", pa.int32(), nullable=False),
        # Persons or organisations who compete without being in the table of owners.
        pa.field("unseen", pa.float64(), nullable=False),
        pa.field("evidence", EVIDENCE_TYPE, nullable=False),
        pa.field("frequencies_version", pa.string(), nullable=False),
    ]
)
PlaceAs = Literal["weight", "population"]
_SEEKER = """
CREATE TEMP TABLE seeker AS
WITH counted AS (SELECT place, bearers FROM frequency WHERE kind = 'persons'),
everybody AS (SELECT greatest(coalesce(max(bearers), 0), 1) AS persons FROM counted WHERE place = '')
SELECT s.*, 'county ' || county AS county_place, 'town ' || town_id AS town_place,
    len(keys) > 0 AS has_address, t.bearers / persons AS town_share, z.bearers / persons AS zip_share,
    (SELECT coalesce(sum(bearers), 0) FROM counted
        WHERE list_contains(list_transform(s.counties, x -> 'county ' || x), place))
        / persons AS counties_share,
    $within AND (town_id IS NOT NULL OR len(counties) > 0) AS within_place
FROM seekers_in s LEFT JOIN counted t ON t.place = 'town ' || town_id
LEFT JOIN counted z ON z.place = 'zip ' || zip, everybody
"""
# Who has a property or a bill at a party's address.
_SEEKER_KEYS = """
CREATE TEMP TABLE seeker_key AS
WITH wanted AS (SELECT DISTINCT seeker, hash(unnest(keys)) AS key FROM seeker),
there AS (
    SELECT key, count(DISTINCT person) AS owners_there FROM (
        SELECT address AS key, person FROM person UNION ALL SELECT mailing, person FROM person
    ) WHERE key IN (SELECT key FROM wanted) GROUP BY key
)
SELECT seeker, key, coalesce(owners_there, 0) AS owners_there FROM wanted LEFT JOIN there USING (key)
"""
# Where the place is the population: its adults, but for those owners who are compared one by one.
_UNSEEN = """
CREATE TEMP TABLE seeker_unseen AS
WITH here AS (SELECT town_id, any_value(county) AS county, count(DISTINCT person) AS owners FROM person
    GROUP BY town_id),
place AS (SELECT a.town_id, t.county, adults, coalesce(owners, 0) AS owners
    FROM adults_in a JOIN town t USING (town_id) LEFT JOIN here USING (town_id))
SELECT seeker, sum(adults) AS adults, sum(owners) AS owners FROM seeker s JOIN place p
    ON CASE WHEN s.town_id IS NOT NULL THEN p.town_id = s.town_id ELSE list_contains(s.counties, p.county) END
WHERE within_place GROUP BY seeker
"""
_UNSEEN_NOWHERE = "CREATE TEMP TABLE seeker_unseen (seeker INTEGER, adults BIGINT, owners BIGINT)"
_WITH_UNSEEN = f"""
CREATE OR REPLACE TEMP TABLE seeker AS
SELECT s.*, coalesce(adults - {COUNTED_BY_NAME!r} * least(owners, adults), $unseen) AS unseen
FROM seeker s LEFT JOIN seeker_unseen USING (seeker)
"""
_MATCHES = """
SELECT m.party_id, m.property_id, m.number AS owner_number, m.role AS owner_role,
    round(m.probability, 6) AS probability, tier_of(round(m.probability, 6)) AS tier,
    m.bits AS weight_bits, m.title, coalesce(r.rivals, 0)::INTEGER AS rivals, m.unseen,
    {evidence} AS evidence,
    $version AS frequencies_version
FROM ({details}) m JOIN seeker s USING (seeker) JOIN {names} n USING (variant)
JOIN {owner} p ON p.rowid = m.owner
LEFT JOIN ({rivals}) r ON r.seeker = m.seeker AND r.person = m.person
"""
_TIER = f"""
CREATE TEMP MACRO tier_of(probability) AS CASE WHEN probability >= {CONFIRMED_FROM!r} THEN 'confirmed'
    WHEN probability >= {POSSIBLE_FROM!r} THEN 'possible' ELSE 'unconfirmed' END
"""
# Names of the tables and SQL that differ between persons and firms.
_PERSONS = {
    "scored": "scored_person",
    "owner": "person",
    "names": "party_name",
    "details": PERSON_DETAILS,
    "evidence": PERSON_EVIDENCE,
}
_FIRMS = {
    "scored": "scored_firm",
    "owner": "organisation",
    "names": "party_firm",
    "details": FIRM_DETAILS,
    "evidence": FIRM_EVIDENCE,
}


def link(
    parties: pa.Table,
    owners: Owners,
    frequencies: Frequencies | None = None,
    *,
    population: int = STATE_ADULTS,
    place_as: PlaceAs = "weight",
    least_probability: float = LEAST_PROBABILITY,
    threads: int = THREADS,
    memory: str = MEMORY,
) -> pa.Table:
    """Whose properties the parties of court cases own, as MATCHES_SCHEMA, sorted by party and probability.

    ``parties`` has PARTIES_SCHEMA; ``owners`` holds OWNER_COLUMNS of mart/properties, of the whole state or
    of a part (owners elsewhere then compete unseen). ``frequencies`` are those of the whole state; None
    counts these owners, which costs less than counting apart. ``population`` is the number of adults a party
    may be.
    ``place_as``: the party's place counts as evidence, or narrows the population to its adults; never both.
    The answer does not depend on the order of rows. One row per party and property; rows below
    ``least_probability`` are left out. What people have decided is not known here.
    """
    with database(threads, memory) as connection:
        load_owners(connection, owners)
        return link_loaded(
            connection,
            parties,
            frequencies or count_names(connection),
            population=population,
            place_as=place_as,
            least_probability=least_probability,
        )


def link_loaded(
    connection: duckdb.DuckDBPyConnection,
    parties: pa.Table,
    frequencies: Frequencies,
    *,
    population: int = STATE_ADULTS,
    place_as: PlaceAs = "weight",
    least_probability: float = LEAST_PROBABILITY,
) -> pa.Table:
    """The same against owners already loaded (:func:`load_owners`) into a connection of its own."""
    _register(connection, read_parties(parties), frequencies)
    owners = connection.execute("SELECT count(DISTINCT person) FROM person").fetchone() or (0,)
    firms = connection.execute("SELECT count(DISTINCT name) FROM organisation").fetchone() or (0,)
    connection.execute(_SEEKER, {"within": place_as == "population"})
    connection.execute(_SEEKER_KEYS)
    connection.execute(_UNSEEN if place_as == "population" else _UNSEEN_NOWHERE)
    connection.execute(_WITH_UNSEEN, {"unseen": unseen(population, owners[0])})
    connection.execute(_TIER)
    weigh_people(connection)
    weigh_firms(connection)
    values = {"version": frequencies.version}
    found = []
    for kind, competing in ((_PERSONS, "s.unseen"), (_FIRMS, repr(unseen(STATE_ORGANISATIONS, firms[0])))):
        connection.execute(rank(kind["scored"], kind["owner"], competing), {"least": least_probability})
        query = _MATCHES.format(**kind, rivals=RIVALS.format(scored=kind["scored"]))
        found.append(connection.execute(query, values).to_arrow_table().cast(MATCHES_SCHEMA))
    matches = pa.concat_tables(found)
    return _best(matches)


def _best(matches: pa.Table) -> pa.Table:
    """One row per party and property, the likelier one; sorted by party, then the likeliest first."""
    order = [("party_id", "ascending"), ("probability", "descending"), ("property_id", "ascending")]
    ordered = matches.sort_by([*order, ("owner_number", "ascending")])
    first = (
        ordered.append_column("row", pa.array(range(len(ordered))))
        .group_by(["party_id", "property_id"])
        .aggregate([("row", "min")])["row_min"]
    )
    return ordered.take(first.sort()) if len(ordered) else ordered


def _register(connection: duckdb.DuckDBPyConnection, parties: ReadParties, frequencies: Frequencies) -> None:
    adults = adults_of_towns()
    connection.register("seekers_in", parties.seekers)
    connection.register(
        "adults_in", pa.table({"town_id": pa.array(adults, pa.int32()), "adults": [*adults.values()]})
    )
    connection.register("names_in", parties.names)
    connection.register("firms_in", parties.firms)
    connection.register("frequencies_in", frequencies.table)
    for table, source in (
        ("party_name", "names_in"),
        ("party_firm", "firms_in"),
        ("frequency", "frequencies_in"),
    ):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM {source}")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE full_name AS SELECT split_part(name, '|', 1) AS last, "
        "split_part(name, '|', 2) AS first, bearers FROM frequency WHERE kind = 'full_name'"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE state AS SELECT coalesce(max(bearers), 0) AS persons "
        "FROM frequency WHERE kind = 'persons' AND place = ''"
    )
