"""The registry of tables: one name for one thing in Dagster, the lake, DuckDB and the docs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Literal, cast

import pyarrow as pa

from leadflow_assets.errors import UsageError

if TYPE_CHECKING:
    from leadflow_assets.lake.columns import TableModel

# Raised when a change of the columns makes older files unreadable as the new table.
SCHEMA_VERSION = "3"


@dataclass(frozen=True)
class Table:
    """One table: ``name`` is ``layer/table``; ``partition_by`` its hive keys in order.

    ``model_name`` is ``module.Class`` in lake/schemas, None for raw tables, whose files are what the
    source sent. It is imported when first asked for: the schema library takes longer to load than most
    searches take in all. ``geometry`` says what the geometry column holds. ``key`` columns are unique
    within a partition.
    """

    name: str
    one_row: str
    partition_by: tuple[str, ...]
    model_name: str | None = None
    geometry: Literal["MultiPolygon", "Point"] | None = None
    key: tuple[str, ...] = ()
    quarantines: bool = False

    @property
    def layer(self) -> str:
        """raw, core or mart."""
        return self.name.partition("/")[0]

    @property
    def short_name(self) -> str:
        """The name without its layer."""
        return self.name.partition("/")[2]

    @property
    def view(self) -> str:
        """Name in SQL: ``core.parcels``."""
        return self.name.replace("/", ".")

    @cached_property
    def model(self) -> type[TableModel] | None:
        """The pandera model of the rows; None for a raw table."""
        if self.model_name is None:
            return None
        module, _, name = self.model_name.partition(".")
        found = getattr(import_module(f"leadflow_assets.lake.schemas.{module}"), name)
        return cast("type[TableModel]", found)

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema of the files.

        Raises:
            TypeError: the table is raw and has none.
        """
        if self.model is None:
            raise TypeError(f"{self.name} holds files as its source sent them and has no schema")
        from leadflow_assets.lake.columns import arrow_schema

        return arrow_schema(self.model)

    @cached_property
    def pii(self) -> frozenset[str]:
        """Columns that hold personal data."""
        if self.model is None:
            return frozenset()
        from leadflow_assets.lake.columns import pii_columns

        return pii_columns(self.model)

    def partition(self, *values: object) -> str:
        """Hive path of a partition: ``town_id=25/release=CY25_FY26``."""
        return "/".join(f"{key}={value}" for key, value in zip(self.partition_by, values, strict=True))


MASSGIS_PACKAGES = Table("raw/massgis_packages", "one package of a town as published", ("town_id",))
PARCELS = Table(
    "core/parcels",
    "one TaxPar polygon (every POLY_TYPE)",
    ("town_id",),
    "core_massgis.Parcels",
    "MultiPolygon",
    ("loc_id",),
    quarantines=True,
)
ASSESSMENTS = Table(
    "core/assessments",
    "one Assess record",
    ("town_id",),
    "core_massgis.Assessments",
    key=("assessment_id",),
    quarantines=True,
)
PARCEL_INTERESTS = Table(
    "core/parcel_interests",
    "one OthLeg polygon",
    ("town_id",),
    "core_massgis.ParcelInterests",
    "MultiPolygon",
    ("interest_id",),
    quarantines=True,
)
MISC_FEATURES = Table(
    "core/misc_features",
    "one Misc polygon",
    ("town_id",),
    "core_massgis.MiscFeatures",
    "MultiPolygon",
    ("feature_id",),
    quarantines=True,
)
USE_CODES = Table(
    "core/use_codes",
    "one use code with its state and local meaning",
    ("town_id",),
    "core_massgis.UseCodes",
    key=("use_code",),
    quarantines=True,
)
ASSESSMENT_RELEASES = Table(
    "core/assessment_releases",
    "one Assess record of one release",
    ("town_id", "release"),
    "core_massgis.AssessmentReleases",
    key=("assessment_id",),
)
PROPERTY_RECORDS = Table(
    "mart/property_records",
    "one source record of one property",
    ("town_id",),
    "property_records.PropertyRecords",
    key=("record_id",),
)
PROPERTIES = Table(
    "mart/properties",
    "one property: an assessment record with its parcel",
    ("town_id",),
    "mart.Properties",
    "Point",
    ("property_id",),
)

ATTOM_RESULTS = Table(
    "raw/attom_results",
    "one answer per requested property and endpoint, or a row of a delivered file",
    ("batch_id",),
    "attom.AttomResults",
    key=("request_number", "endpoint"),
)
ATTOM_PROPERTIES = Table(
    "core/attom_properties",
    "one property as ATTOM sees it",
    ("batch_id",),
    "attom.AttomProperties",
    key=("attom_id",),
)

COURT_DOCKETS = Table(
    "raw/court_dockets",
    "one docket as an answer, a docket file or an imported row tells it",
    ("court", "filed_month"),
    "courts.CourtDockets",
    key=("record_id",),
)
COURT_CASES = Table(
    "core/court_cases",
    "one case as one source tells it",
    ("court", "filed_month"),
    "courts.CourtCases",
    key=("case_id", "source"),
)
COURT_PARTIES = Table(
    "core/court_parties",
    "one party of a case as one source names it",
    ("court", "filed_month"),
    "courts.CourtParties",
    key=("case_id", "source", "party_id"),
)

CASE_MATCHES = Table(
    "mart/case_matches",
    "one party of a case with one property it may own",
    ("town_id",),
    "case_matches.CaseMatches",
    key=("match_id",),
)
DISTRESS_SCORES = Table(
    "mart/distress_scores",
    "one property with its distress score and the reasons",
    ("town_id",),
    "distress_scores.DistressScores",
    key=("property_id",),
)
LEADS = Table(
    "mart/leads",
    "one owner with one mailing address, with their properties and why they are worth a conversation",
    ("town_id",),
    "leads.Leads",
    key=("lead_id",),
)

PROPERTY_CHANGES = Table(
    "mart/property_changes",
    "one dated event of one property",
    ("town_id",),
    "property_changes.PropertyChanges",
    key=("event_id",),
)

CORE_MASSGIS = (PARCELS, ASSESSMENTS, PARCEL_INTERESTS, MISC_FEATURES, USE_CODES, ASSESSMENT_RELEASES)
# What one package of a town is made into, in the order of publishing.
MASSGIS = (MASSGIS_PACKAGES, *CORE_MASSGIS, PROPERTIES)
ATTOM = (ATTOM_RESULTS, ATTOM_PROPERTIES)
COURTS = (COURT_DOCKETS, COURT_CASES, COURT_PARTIES)
TABLES = (
    MASSGIS_PACKAGES,
    ATTOM_RESULTS,
    COURT_DOCKETS,
    *CORE_MASSGIS,
    ATTOM_PROPERTIES,
    COURT_CASES,
    COURT_PARTIES,
    PROPERTY_RECORDS,
    PROPERTIES,
    CASE_MATCHES,
    DISTRESS_SCORES,
    LEADS,
    PROPERTY_CHANGES,
)
# Not a table of its own: it lies beside each table that quarantines.
QUARANTINE = Table(
    "core/quarantine",
    "one row that was dropped, or kept with a reservation",
    ("town_id",),
    "core_massgis.Quarantine",
)


def table(name: str) -> Table:
    """The table called ``core/parcels`` or ``core.parcels``.

    Raises:
        UsageError: there is no such table; lists them.
    """
    for candidate in TABLES:
        if candidate.name == name.replace(".", "/"):
            return candidate
    raise UsageError(f"There is no table {name}.", "Tables: " + ", ".join(t.view for t in TABLES) + ".")
