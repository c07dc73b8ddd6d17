"""mart/distress_scores: every property's score with its reasons, town by town."""

from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg

from leadflow_assets.assets.case_matches import MATCHES_KEY
from leadflow_assets.assets.metadata import OWNER, asset_key, column_schema, described, partition_metadata
from leadflow_assets.assets.property_records import RECORDS_KEY
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.domain.distress import load_table
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.scores.picture import distribution
from leadflow_assets.enrich.scores.publishing import HISTOGRAM_STEP
from leadflow_assets.enrich.scores.service import ScoreReport, score_towns
from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import DISTRESS_SCORES, PROPERTIES
from leadflow_assets.partitions import towns_of
from leadflow_assets.refresh.code import code_version

SCORES_KEY = asset_key(DISTRESS_SCORES)


def distress_scores_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """mart/distress_scores for the given towns."""

    @dg.multi_asset(
        name="distress_scores",
        specs=[
            dg.AssetSpec(
                SCORES_KEY,
                deps=[asset_key(PROPERTIES), RECORDS_KEY, MATCHES_KEY],
                description=described(DISTRESS_SCORES),
                group_name="mart",
                kinds={"duckdb", "parquet"},
                owners=[OWNER],
                tags={"layer": "mart"},
                metadata={
                    "dagster/table_name": DISTRESS_SCORES.view,
                    "dagster/column_schema": column_schema(DISTRESS_SCORES),
                },
                code_version=code_version(),
                partitions_def=partitions,
                skippable=True,
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="distress_scores",
    )
    def distress_scores(context: dg.AssetExecutionContext, settings: LeadflowSettings) -> Iterator[Any]:
        """Score the towns that are here; those whose inputs and day are the same cost nothing."""
        loaded = settings.load()
        lake = Lake(loaded)
        asked = [town.town_id for town in towns_of(context.partition_keys)]
        here = lake.snapshot(PROPERTIES).partitions
        towns = [town for town in asked if PROPERTIES.partition(town) in here]
        for town in sorted(set(asked) - set(towns)):
            context.log.warning(f"{town_by_id(town).key} is not in the lake: nothing to score")
        try:
            report = score_towns(loaded, towns=towns, run_id=context.run.run_id)
        except LeadflowError as error:
            raise dg.Failure(str(error), allow_retries=error.retryable) from None
        log_scores(context, lake, report, also=towns)
        yield from ()  # every town has been reported by itself

    return distress_scores


def log_scores(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    lake: Lake,
    report: ScoreReport,
    *,
    also: Collection[int] = (),
) -> None:
    """Tell Dagster of the towns whose scores were published; ``also``: of these, if they have any."""
    entries = lake.snapshot(DISTRESS_SCORES).partitions
    for town_id in sorted({*report.towns_changed, *also}):
        entry = entries.get(DISTRESS_SCORES.partition(town_id))
        if entry is not None:
            context.log_event(
                dg.AssetMaterialization(
                    SCORES_KEY,
                    partition=town_by_id(town_id).key,
                    metadata={**partition_metadata(lake, DISTRESS_SCORES, entry), **score_metadata(entry)},
                    tags={"dagster/data_version": entry.fingerprint},
                )
            )
    context.log.info(
        f"{report.properties} properties scored as of {report.asof}: of {report.unknown} nothing is known, "
        f"{report.not_applicable} have no score; {len(report.towns_changed)} of {report.towns} towns changed"
    )
    for town in report.needs_refresh:
        context.log.warning(f"{town} was made by an older version: refresh it, and it is scored")


def score_metadata(entry: PartitionEntry) -> dict[str, Any]:
    """What a person sees of a town's scores: how they lie, why, and how much of them could be known."""
    facts = entry.facts
    words = {factor.name: factor.words for factor in load_table(facts["version"]).factors}
    reasons = [
        dg.TableRecord({"reason": words[name], "properties": count})
        for name, count in facts["factors"].items()
    ]
    picture = distribution(facts["histogram"], HISTOGRAM_STEP)
    return {
        "distribution": dg.MetadataValue.md(picture.markdown),
        "top_reasons": dg.MetadataValue.table(reasons) if reasons else "none counts",
        "coverage": facts["coverage"],
        "highest_score": facts["highest"],
        "with_signal": facts["with_signal"],
        "nothing_known": facts["unknown"],
        "not_applicable": facts["not_applicable"],
        "faults": facts["faults"],
        "as_of": facts["as_of"],
        "table_of_points": f"{facts['version']} ({facts['table_hash']}), uncalibrated: ordering only",
    }


def coverage_by_town(lake: Lake) -> dg.TableMetadataValue | str:
    """A row per town that has scores: how many, how far the sources reach, how high they go."""
    rows = [
        dg.TableRecord(
            {
                "town": town_by_id(int(name.removeprefix("town_id="))).name,
                "as of": entry.facts["as_of"],
                "properties": entry.data.rows,
                "coverage": entry.facts["coverage"],
                "with a signal": entry.facts["with_signal"],
                "highest": entry.facts["highest"],
            }
        )
        for name, entry in sorted(lake.snapshot(DISTRESS_SCORES).partitions.items())
    ]
    return dg.MetadataValue.table(rows) if rows else "no town has scores"
