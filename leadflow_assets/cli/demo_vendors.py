"""What vendors and courts would bring to the demo: sample files for Sampleton, taken in as real ones are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leadflow_assets.cli.output import note
from leadflow_assets.cli.ui import dagster_home, opened_instance
from leadflow_assets.errors import LeadflowError

if TYPE_CHECKING:
    from leadflow_assets.settings import Settings


def run_job(job: str, partition: str | None = None, config: dict[str, Any] | None = None) -> None:
    """Run a job of the code location, on one partition if it has any.

    Raises:
        LeadflowError: the run failed.
    """
    with opened_instance(dagster_home()) as instance:
        from leadflow_assets.definitions import build_definitions
        from leadflow_assets.partitions import attom_batches

        if job == "land_attom_batch" and partition:
            instance.add_dynamic_partitions(str(attom_batches.name), [partition])
        result = (
            build_definitions()
            .resolve_job_def(job)
            .execute_in_process(
                partition_key=partition, instance=instance, run_config=config, raise_on_error=False
            )
        )
    if not result.success:
        raise LeadflowError("The Dagster run failed.", f"`leadflow ui` shows run {result.run_id}.")
    note(f"Dagster run {result.run_id} succeeded: {job}{f' of {partition}' if partition else ''}")


def deliver_attom_files(settings: Settings) -> None:
    """Files as ATTOM delivers them, made for Sampleton: loans, tax, notices, values without key or cost."""
    from leadflow_assets.enrich.batches import inbox
    from leadflow_assets.enrich.batches.service import Batches
    from leadflow_assets.sampleton import write_deliveries
    from leadflow_assets.sampleton.attom_files import COLUMNS

    files = write_deliveries(_roll(settings, COLUMNS), settings.data_dir / "sampleton" / "attom")
    batches = Batches(settings)
    for file in files:
        for job in inbox.take_paths(settings, batches, [file]):
            if job.status != "processed":
                run_job("land_attom_batch", job.job_id)


def import_court_files(settings: Settings) -> None:
    """Docket reports and cases as people bring them, made for Sampleton."""
    from leadflow_assets.enrich.courts.service import Courts
    from leadflow_assets.sampleton import write_court_files
    from leadflow_assets.sampleton.court_files import OWNER_COLUMNS, STATED_SOURCE

    courts = Courts(settings)
    cases = 0
    files = write_court_files(_roll(settings, OWNER_COLUMNS), settings.data_dir / "sampleton" / "courts")
    for file in files:
        cases += courts.import_file(file.path, file.source, stated_source=STATED_SOURCE).cases
    note(f"imported {len(files)} sample court files: {cases} cases")


def withdraw_court_files(settings: Settings) -> None:
    """The sample cases leave again."""
    from leadflow_assets.enrich.courts.service import Courts
    from leadflow_assets.sampleton.court_files import COURT_SAMPLE_PREFIX

    Courts(settings).withdraw(lambda row: (row.source_file or "").startswith(COURT_SAMPLE_PREFIX))


def _roll(settings: Settings, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Sampleton's properties."""
    from leadflow_assets.domain.towns import SAMPLETON_ID
    from leadflow_assets.lake.catalog import open_catalog
    from leadflow_assets.lake.lake import Lake

    catalog = open_catalog(Lake(settings))
    try:
        wanted = f"SELECT {', '.join(columns)} FROM mart.properties WHERE town_id = {SAMPLETON_ID}"
        query = f"{wanted} ORDER BY property_id"
        found: list[dict[str, Any]] = catalog.query(query).to_arrow_table().to_pylist()
        return found
    finally:
        catalog.close()
