"""Dagster's front door: assemble assets, checks, jobs, schedules, sensors and resources; nothing else."""

from __future__ import annotations

import warnings

import dagster as dg

from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.automation.redaction import install_redaction
from leadflow_assets.partitions import town_partitions
from leadflow_assets.settings import Settings

# Single-run backfills are Beta and partitioned checks Preview in Dagster 1.13.27, which is pinned exactly.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    warnings.simplefilter("ignore", dg.PreviewWarning)
    from leadflow_assets.assets.attom import attom_properties, attom_results
    from leadflow_assets.assets.case_matches import case_matches_asset
    from leadflow_assets.assets.changes import property_changes_asset
    from leadflow_assets.assets.courts import court_dockets
    from leadflow_assets.assets.leads import leads_asset
    from leadflow_assets.assets.massgis import massgis_assets
    from leadflow_assets.assets.property_records import property_records_asset
    from leadflow_assets.assets.scores import distress_scores_asset
    from leadflow_assets.assets.search import search_index
    from leadflow_assets.automation.attom import (
        attom_batches_open,
        attom_deliveries,
        land_attom_batch_job,
        spend_alerts,
        submit_attom_batch,
    )
    from leadflow_assets.automation.changes import (
        build_changes,
        changes_outdated,
        changes_to_tell,
        tell_changes,
    )
    from leadflow_assets.automation.checks import build_checks
    from leadflow_assets.automation.courts import (
        case_matches_outdated,
        courts_resume,
        daily_court_cases,
        match_cases_to_properties,
        refresh_court_cases,
    )
    from leadflow_assets.automation.jobs import build_search_index_job, nightly_refresh, refresh_towns_job
    from leadflow_assets.automation.leads import leads_outdated, make_leads_job
    from leadflow_assets.automation.published import published_elsewhere
    from leadflow_assets.automation.scores import score_properties, scores_outdated
    from leadflow_assets.automation.sensors import alert_on_failure, new_releases, search_index_outdated


def build_definitions(settings: LeadflowSettings | None = None) -> dg.Definitions:
    """Build the code location; tests pass settings of their own."""
    settings = settings or LeadflowSettings()
    loaded: Settings = settings.load()
    install_redaction(loaded.secret_values())
    partitions = town_partitions(demo=loaded.demo_on)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.Definitions(
            assets=[
                massgis_assets(partitions),
                attom_results,
                attom_properties,
                property_records_asset(partitions),
                court_dockets,
                case_matches_asset(partitions),
                distress_scores_asset(partitions),
                leads_asset(partitions),
                property_changes_asset(partitions),
                search_index,
            ],
            asset_checks=build_checks(partitions),
            jobs=[
                refresh_towns_job,
                land_attom_batch_job,
                submit_attom_batch,
                refresh_court_cases,
                match_cases_to_properties,
                score_properties,
                make_leads_job,
                build_changes,
                tell_changes,
                build_search_index_job,
            ],
            schedules=[nightly_refresh, daily_court_cases],
            sensors=[
                new_releases,
                attom_batches_open,
                attom_deliveries,
                spend_alerts,
                courts_resume,
                case_matches_outdated,
                scores_outdated,
                leads_outdated,
                changes_outdated,
                changes_to_tell,
                published_elsewhere,
                search_index_outdated,
                alert_on_failure,
            ],
            resources={"settings": settings},
            executor=dg.in_process_executor,
        )


defs = build_definitions()
