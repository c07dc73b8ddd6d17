"""``leadflow batch``: ATTOM batches, from a file of addresses to facts in the lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.batch_output import (
    job_document,
    tell_job,
    tell_jobs,
    tell_preview,
    write_match_report,
)
from leadflow_assets.cli.batch_work import finish, work
from leadflow_assets.cli.common import JsonFlag, current_settings, examples, note_export
from leadflow_assets.cli.output import emit_document, note

if TYPE_CHECKING:
    from leadflow_assets.enrich.batches.service import Batches

FileArgument = Annotated[
    Path, typer.Argument(help="CSV of addresses or ids; any sensible header.", metavar="FILE.csv")
]
NameOption = Annotated[str, typer.Option("--name", help="What to call the batch.")]
JobArgument = Annotated[str, typer.Argument(help="Id or name of the batch, or its beginning.", metavar="ID")]
EndpointsOption = Annotated[
    str | None,
    typer.Option(help="Endpoints, separated by commas; each is billed. Default: LEADFLOW_ATTOM_ENDPOINTS."),
]
TransportOption = Annotated[
    str, typer.Option(help="rest: property by property. endpoint: LEADFLOW_ATTOM_BATCH_URL, if there is one.")
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", help="Write what became of each row of the file (CSV).")
]
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Only say what matches and what it would cost.")]
WaitFlag = Annotated[
    bool, typer.Option("--wait", help="Wait where today's cap or another process holds it up.")
]
LeadsFlag = Annotated[
    bool, typer.Option("--leads", help="Then make the owners of its properties leads, and count them.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    batch = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        help="ATTOM batches: submit a file of addresses, watch it, land and process what was answered.",
        epilog=examples(
            "leadflow batch run-all addresses.csv --name spring --dry-run",
            "leadflow batch run-all addresses.csv --name spring",
            "leadflow batch status spring",
        ),
    )
    for command, lines in _COMMANDS.items():
        name = command.__name__.removesuffix("_").replace("_", "-")
        batch.command(name, epilog=examples(*lines))(command)
    app.add_typer(batch, name="batch")


def opened() -> Batches:
    """The batches of the effective settings."""
    from leadflow_assets.enrich.batches.service import Batches

    return Batches(current_settings())


def listed(endpoints: str | None) -> list[str] | None:
    """The endpoints of an option."""
    return [name.strip() for name in endpoints.split(",") if name.strip()] if endpoints is not None else None


def submit(
    file: FileArgument,
    name: NameOption,
    endpoints: EndpointsOption = None,
    transport: TransportOption = "rest",
    report: ReportOption = None,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
) -> None:
    """Make a batch from a file and queue it. Nothing is sent: `status`, `run-all` or Dagster go on.

    Before anything is stored, the file's rows are matched with the parcels that are here, answers that
    are kept and fresh are set apart, and what is left is priced.
    """
    batches = opened()
    _tell_before(batches, file, endpoints, report, dry_run, json)
    if dry_run:
        return
    made = batches.create(file, name=name, endpoints=listed(endpoints), transport=transport)
    tell_job(batches, batches.submit(made.job_id), json)


def run_all(
    file: FileArgument,
    name: NameOption,
    endpoints: EndpointsOption = None,
    transport: TransportOption = "rest",
    report: ReportOption = None,
    dry_run: DryRunFlag = False,
    wait: WaitFlag = False,
    leads: LeadsFlag = False,
    json: JsonFlag = False,
) -> None:
    """Submit a file, ask, land and process: everything in one go.

    Ctrl-C lets calls under way end and keeps what was answered; `leadflow batch process ID` goes on.
    Where today's cap is reached the rest stays pending, the exit code is 4, and the same command of
    tomorrow goes on; with --wait this process does, after midnight UTC.
    """
    batches = opened()
    _tell_before(batches, file, endpoints, report, dry_run, json)
    if dry_run:
        return
    made = batches.create(file, name=name, endpoints=listed(endpoints), transport=transport)
    batches.submit(made.job_id)
    finish(batches, made.job_id, wait=wait, json=json, leads=leads)


def _tell_before(
    batches: Batches, file: Path, endpoints: str | None, report: Path | None, dry_run: bool, json: bool
) -> None:
    """What the file's rows match and what asking costs; as JSON only where nothing else is printed."""
    preview = batches.preview(file, endpoints=listed(endpoints))
    if report is not None:
        write_match_report(report, file, preview)
    if not json or dry_run:
        tell_preview(preview, json)


def status(
    job: Annotated[str | None, typer.Argument(help="Id or name; none: all batches.", metavar="[ID]")] = None,
    json: JsonFlag = False,
) -> None:
    """Show how far a batch is: every property as returned, no match, ambiguous, error or pending."""
    batches = opened()
    if job is None:
        tell_jobs(batches.jobs(), json)
    else:
        tell_job(batches, batches.job(job), json)


def list_(
    status: Annotated[str | None, typer.Option(help="Only batches in this state.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the batches, newest first."""
    from leadflow_assets.enrich.batches.job import STATES
    from leadflow_assets.errors import UsageError

    if status is not None and status not in STATES:
        raise UsageError(f"There is no state {status!r}.", "States: " + ", ".join(STATES) + ".")
    tell_jobs(opened().jobs(status), json)


def download(job: JobArgument, json: JsonFlag = False) -> None:
    """Land what was answered, as sent, in raw/attom_results."""
    batches = opened()
    tell_job(batches, batches.download(batches.job(job).job_id), json)


def process(
    job: JobArgument, wait: WaitFlag = False, leads: LeadsFlag = False, json: JsonFlag = False
) -> None:
    """Take a batch from where it is to its end: ask what is pending, land, clean, merge into properties.

    With --leads the properties are scored anew afterwards, and their owners become leads.
    """
    batches = opened()
    finish(batches, batches.job(job).job_id, wait=wait, json=json, leads=leads)


def deliver(
    files: Annotated[list[Path], typer.Argument(help="Files as ATTOM delivered them.", metavar="FILE...")],
    json: JsonFlag = False,
) -> None:
    """Land delivered files of ATTOM (tab, comma or bar; zip or text; deletions in order).

    Files of one kind go together. The same files again are the same batch: nothing is landed twice.
    """
    from leadflow_assets.enrich.batches import inbox

    batches = opened()
    for job in inbox.take_paths(current_settings(), batches, files):
        done = work(batches, job.job_id)
        tell_job(batches, done, json)


def results(
    job: JobArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="CSV file to write.")],
    json: JsonFlag = False,
) -> None:
    """Write your own columns with what was found beside them."""
    from leadflow_assets.lake.publish import sha256_of
    from leadflow_assets.search.exports.formats import Export

    batches = opened()
    found = batches.job(job)
    rows = batches.export(found.job_id, output)
    done = Export(output, output, rows, "csv", sha256_of(output))
    note_export(current_settings(), f"batch {found.job_id}", {}, done)
    if json:
        emit_document({"file": output, "rows": rows, "batch": job_document(batches, found)})
    else:
        note(f"{rows:,} rows written to {output}")


def cancel(job: JobArgument, json: JsonFlag = False) -> None:
    """Stop a batch for good. What was answered and paid stays in the cache for the next one."""
    batches = opened()
    tell_job(batches, batches.cancel(batches.job(job).job_id), json)


def withdraw(job: JobArgument, json: JsonFlag = False) -> None:
    """Take delivered files back out of every table, for example wrong ones; the archive keeps them.

    Files still in LEADFLOW_ATTOM_DELIVERIES are not taken again; `leadflow batch deliver` brings them back.
    """
    batches = opened()
    found = batches.job(job)
    batches.withdraw(found.job_id)
    if json:
        emit_document({"withdrawn": found.job_id})
    else:
        note(f"{found.job_id} ({found.source_file}) is out of every table.")


_COMMANDS: dict[Any, tuple[str, ...]] = {
    submit: ("leadflow batch submit addresses.csv --name spring --dry-run",),
    status: ("leadflow batch status", "leadflow batch status spring"),
    download: ("leadflow batch download spring",),
    process: ("leadflow batch process spring", "leadflow batch process spring --leads"),
    list_: ("leadflow batch list --status ready",),
    run_all: (
        "leadflow batch run-all addresses.csv --name spring --dry-run",
        "leadflow batch run-all addresses.csv --name spring --endpoints expandedprofile,homeequity --wait",
        "leadflow batch run-all addresses.csv --name spring --leads",
    ),
    deliver: ("leadflow batch deliver TAXASSESSOR_0001.zip TAXASSESSOR_0002.zip",),
    results: ("leadflow batch results spring -o spring-results.csv",),
    cancel: ("leadflow batch cancel spring",),
    withdraw: ("leadflow batch withdraw file-8a0d3609744a3248",),
}
