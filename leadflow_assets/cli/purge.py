"""``leadflow purge``: sealed cases, expunged and opted-out people out of everything, for good."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_document, emit_rows, note
from leadflow_assets.errors import UsageError

if TYPE_CHECKING:
    from leadflow_assets.enrich.purge.service import PurgeReport
    from leadflow_assets.enrich.purge.target import Target

_COUNTS = (Column("where"), Column("count", number_format=","))
_LISTED = (
    Column("id"),
    Column("kind"),
    Column("reason"),
    Column("requested_by", "asked by"),
    Column("requested_at", "asked"),
    Column("finished_at", "finished"),
    Column("removed", "places", number_format=","),
)
_CASE_REASONS = ("sealed", "expunged", "error", "other")
_PERSON_REASONS = ("opt_out", "expunged", "sealed", "error", "other")
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Only count what would go, place by place.")]
YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether that is meant.")]
By = Annotated[str | None, typer.Option("--by", help="Who asks; default: the user of this machine.")]
_BY_CASE = "leadflow purge case mab:26-40123 --reason sealed"
_BY_PERSON = (
    "leadflow purge person --name 'Ann B. Lee' --address '12 Elm St' --town bellingham --reason opt_out"
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    purge = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        help="Remove a sealed case, or a person who was expunged or opted out, from every table, file and "
        "cache, and keep them out. What was purged is kept only as hashes. See docs/purge.md.",
        epilog=examples(_BY_CASE, _BY_PERSON, "leadflow purge list"),
    )
    purge.command("case", epilog=examples(f"{_BY_CASE} --dry-run", _BY_CASE))(case)
    purge.command(
        "person",
        epilog=examples(
            _BY_PERSON,
            "leadflow purge person --name 'Ann B. Lee' --property 025-0012-0034-0000 --reason opt_out --yes",
        ),
    )(person)
    purge.command("list", epilog=examples("leadflow purge list --json"))(list_)
    purge.command("resume", epilog=examples("leadflow purge resume"))(resume)
    app.add_typer(purge, name="purge")


def case(
    case_id: Annotated[str, typer.Argument(metavar="CASE", help="COURT:NUMBER, or the id of the case.")],
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(_CASE_REASONS)}.")],
    by: By = None,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    json: JsonFlag = False,
) -> None:
    """Purge a case: every telling of it, its parties, its matches, answers about it, its history."""
    from leadflow_assets.enrich.purge.target import read_case

    _require_reason(reason, _CASE_REASONS)
    _purge(read_case(case_id), reason, by, dry_run, yes, json)


def person(
    name: Annotated[str, typer.Option(help="First and last name, or all words of a firm.")],
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(_PERSON_REASONS)}.")],
    address: Annotated[str | None, typer.Option(help="Number and street where they live or own.")] = None,
    town: Annotated[str | None, typer.Option(help="Town of that address.")] = None,
    zip_code: Annotated[str | None, typer.Option("--zip", help="ZIP of that address.")] = None,
    property_id: Annotated[
        list[str] | None, typer.Option("--property", help="Id of a property they own; repeatable.")
    ] = None,
    case_id: Annotated[
        list[str] | None, typer.Option("--case", help="A case they are a party of; repeatable.")
    ] = None,
    by: By = None,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    json: JsonFlag = False,
) -> None:
    """Purge a person at a place: as owner, as party of cases, in what vendors say, in files and notes.

    A name alone would reach everybody who bears it, so a place is needed: an address, a property or a case.
    """
    from leadflow_assets.domain.towns import find_town
    from leadflow_assets.enrich.purge.target import read_person

    _require_reason(reason, _PERSON_REASONS)
    target = read_person(
        name,
        address=address,
        town_id=find_town(town).town_id if town is not None else None,
        zip_code=zip_code,
        properties=property_id or (),
        cases=case_id or (),
    )
    _purge(target, reason, by, dry_run, yes, json)


def list_(json: JsonFlag = False) -> None:
    """List the purges: who asked, when, why, how much went. Not what: that is kept as hashes only."""
    from leadflow_assets.enrich.purge.service import Purges

    rows = [vars(purge) | {"removed": len(purge.counts)} for purge in Purges(current_settings()).all()]
    if rows or json:
        emit_rows([_shown(row, json) for row in rows], _LISTED, json)
    if not rows:
        note("Nothing was purged.")


def resume(json: JsonFlag = False) -> None:
    """Finish purges that were interrupted. `leadflow doctor --repair` and `leadflow cleanup` do so too."""
    from leadflow_assets.enrich.purge.service import Purges

    reports = Purges(current_settings()).resume()
    if json:
        emit_document([_document(report) for report in reports])
    for report in () if json else reports:
        _tell(report, dry_run=False)
    if not reports and not json:
        note("Every purge is finished.")


def _purge(target: Target, reason: str, by: str | None, dry_run: bool, yes: bool, json: bool) -> None:
    from leadflow_assets.enrich.purge.service import Purges

    purges = Purges(current_settings())
    who = by or getpass.getuser()
    if not dry_run and not yes and sys.stdin.isatty():
        _tell(purges.purge(target, reason=reason, by=who, dry_run=True), dry_run=True)
        if not typer.confirm("Remove all of that for good?", err=True):
            raise UsageError("Nothing was removed.", "Add --yes to be asked nothing.")
    report = purges.purge(target, reason=reason, by=who, dry_run=dry_run)
    if json:
        emit_document(_document(report))
    else:
        _tell(report, dry_run=dry_run)


def _require_reason(reason: str, known: tuple[str, ...]) -> None:
    if reason not in known:
        raise UsageError(f"There is no reason {reason!r}.", f"Reasons: {', '.join(known)}.")


def _document(report: PurgeReport) -> dict[str, Any]:
    return {"purge_id": report.purge_id, "kind": report.kind, "counts": dict(report.counts)}


def _tell(report: PurgeReport, *, dry_run: bool) -> None:
    rows = [{"where": where, "count": count} for where, count in report.counts.items()]
    if rows:
        emit_rows(rows, _COUNTS, False)
    if dry_run:
        note(
            "Nothing was removed: this only counts." if rows else "Nothing of it is here; it would stay out."
        )
    else:
        what = "Removed" if rows else "Nothing of it was here"
        note(f"{what}; purge {report.purge_id} is remembered by hashes and keeps it out.")


def _shown(row: dict[str, Any], json: bool) -> dict[str, Any]:
    if json:
        return row
    finished = row["finished_at"]
    return row | {
        "requested_at": f"{row['requested_at']:%Y-%m-%d %H:%M}",
        "finished_at": f"{finished:%Y-%m-%d %H:%M}" if finished else "no: leadflow purge resume",
    }
