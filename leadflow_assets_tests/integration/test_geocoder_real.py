"""Geocoding a real town: every address is found at its parcel, and left-out parcels within what is told.

The package of Bellingham stands beside the repository and is not part of it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from leadflow_assets.domain.addresses import address_key, parse_address
from leadflow_assets.search.geocode.geocoder import EXPECTED_ERRORS, Geocoded, Geocoder
from leadflow_assets.search.geocode.places import NotLocatedError

BELLINGHAM = 25
FOLDS = 10
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def town(shared_massgis: Path) -> duckdb.DuckDBPyConnection:
    """A table `everything`: the town's records with the columns that geocoding uses, and `properties`."""
    package = shared_massgis / "L3_SHP_M025_BELLINGHAM.zip"
    if not package.is_file():
        pytest.skip(f"{package.name} is not in the folder shared/massgis beside the checkout")
    folder = f"/vsizip/{package}/L3_SHP_M025_Bellingham"
    lots = pyogrio.read_dataframe(f"{folder}/M025TaxPar_CY25_FY26.shp", columns=["LOC_ID"])
    inside = shapely.point_on_surface(lots.geometry.to_numpy())
    lots["x"], lots["y"] = shapely.get_x(inside), shapely.get_y(inside)
    lots["lon"], lots["lat"] = Transformer.from_crs(26986, 4326, always_xy=True).transform(
        lots["x"], lots["y"]
    )
    records = pyogrio.read_dataframe(f"{folder}/M025Assess_CY25_FY26.dbf", read_geometry=False)
    joined = records.merge(lots.drop(columns="geometry"), on="LOC_ID")
    parsed = [parse_address(text) for text in joined["SITE_ADDR"]]
    number, text = pa.int32(), pa.string()
    rows = pa.table(
        {
            "property_id": [f"25-{i}" for i in range(len(parsed))],
            "town_id": pa.array([BELLINGHAM] * len(parsed), number),
            "town": ["Bellingham"] * len(parsed),
            "loc_id": joined["LOC_ID"].to_list(),
            "site_address": joined["SITE_ADDR"].to_list(),
            "address_key": [address_key(address, BELLINGHAM) for address in parsed],
            "house_number": pa.array([address.num for address in parsed], number),
            "house_number_high": pa.array([address.num_hi for address in parsed], number),
            "street_normalized": [address.street or None for address in parsed],
            "unit": pa.array([address.unit or None for address in parsed], text),
            "zip": pa.array([code or None for code in joined["ZIP"]], text),
            "point_x": joined["x"].to_numpy(),
            "point_y": joined["y"].to_numpy(),
            "lon": joined["lon"].to_numpy(),
            "lat": joined["lat"].to_numpy(),
        }
    )
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.register("rows", rows)
    connection.execute("CREATE TABLE everything AS FROM rows")
    connection.execute("CREATE TABLE properties AS FROM everything")
    return connection


def _addressed(town: duckdb.DuckDBPyConnection, remainder: int) -> Rows:
    """One numbered address for each parcel of a tenth of the town, and where the parcel lies."""
    return town.execute(
        f"""SELECT min(site_address), any_value(point_x), any_value(point_y) FROM everything
        WHERE house_number IS NOT NULL AND md5_number_lower(loc_id) % {FOLDS} = ?
        GROUP BY loc_id ORDER BY loc_id""",
        [remainder],
    ).fetchall()


def _locate(town: duckdb.DuckDBPyConnection, wanted: Rows) -> list[tuple[Geocoded, float]]:
    """What is found, each with its distance in metres to the parcel."""
    geocoder, found = Geocoder(town), []
    for text, x, y in wanted:
        try:
            place = geocoder.locate(text, towns=[BELLINGHAM])
        except NotLocatedError:
            continue
        found.append((place, math.hypot(place.x - x, place.y - y)))
    return found


def _left_out(town: duckdb.DuckDBPyConnection, remainder: int) -> tuple[int, list[tuple[Geocoded, float]]]:
    """Take a tenth of the parcels away, and find them from the rest."""
    wanted = _addressed(town, remainder)
    town.execute(
        f"""CREATE OR REPLACE TABLE properties AS FROM everything
        WHERE md5_number_lower(loc_id) % {FOLDS} <> ?""",
        [remainder],
    )
    return len(wanted), _locate(town, wanted)


def _table(found: Sequence[tuple[Geocoded, float]]) -> dict[str, tuple[int, float, float, float, float]]:
    """By method: n, median and 90th percentile in metres, percent within 50 m and 100 m."""
    errors = defaultdict(list)
    for place, error in found:
        errors[place.method].append(error)
        errors["all"].append(error)
    return {
        method: (
            len(known),
            float(np.median(known)),
            float(np.quantile(known, 0.9)),
            100 * float(np.mean(np.array(known) < 50)),
            100 * float(np.mean(np.array(known) < 100)),
        )
        for method, known in errors.items()
    }


@pytest.mark.slow
def test_an_address_of_the_roll_is_found_at_its_parcel(town: duckdb.DuckDBPyConnection) -> None:
    town.execute("CREATE OR REPLACE TABLE properties AS FROM everything")
    wanted = _addressed(town, 0)[::2]
    found = _locate(town, wanted)
    assert len(found) == len(wanted) > 250
    assert Counter(place.method for place, _ in found).keys() == {"exact"}
    at_the_parcel = sum(error == 0 for _, error in found)
    assert at_the_parcel >= 0.98 * len(found)
    # The rest are parcels that share their address; the error told covers the distance between them.
    assert sum(error <= place.worst_error_m for place, error in found) >= 0.99 * len(found)


@pytest.mark.slow
def test_left_out_parcels_are_found_as_well_as_the_geocoder_says(town: duckdb.DuckDBPyConnection) -> None:
    """A tenth of the parcels; the geocoder's own figures come from all ten tenths."""
    asked, found = _left_out(town, 0)
    table = _table(found)
    print({method: tuple(round(value, 1) for value in row) for method, row in table.items()}, asked)
    assert len(found) >= 0.985 * asked
    assert table["all"][1] < 30
    assert table["all"][4] > 90
    for method in ("interpolated", "nearest_number"):
        told = [(error, place.worst_error_m) for place, error in found if place.method == method]
        assert len(told) > 100
        # A tenth of the town scatters around the figures of the whole.
        assert table[method][1] <= 1.2 * EXPECTED_ERRORS[method][0]
        assert sum(error <= worst for error, worst in told) >= 0.85 * len(told)
    covered = sum(error <= place.worst_error_m for place, error in found)
    assert covered >= 0.9 * len(found)
