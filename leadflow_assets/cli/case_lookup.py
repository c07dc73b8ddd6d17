"""``leadflow cases lookup``: the owners of a parcel, or of a saved list, asked for by name."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.cases_work import matched
from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import emit_document, note, progress

if TYPE_CHECKING:
    from leadflow_assets.enrich.courts_lookup.service import CourtLookups, LookupPlan, LookupReport
    from leadflow_assets.settings import Settings


def register(cases: typer.Typer) -> None:
    """Add the command to the group ``leadflow cases``."""
    cases.command(
        "lookup",
        epilog=examples(
            "leadflow cases lookup bellingham F_667198_2853392",
            "leadflow cases lookup --list absentee --dry-run",
            "leadflow cases lookup --list absentee --force",
        ),
    )(lookup)


def lookup(
    town: Annotated[str | None, typer.Argument(help="Id, name or key: 25, bellingham.")] = None,
    loc_id: Annotated[str | None, typer.Argument(help="LOC_ID, such as F_667198_2853392.")] = None,
    list_: Annotated[str | None, typer.Option("--list", help="A saved list instead of a parcel.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also a list above LIEN_SEARCH_AUTO_THRESHOLD, or a building.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also parcels that were asked within 90 days.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many calls and days.")] = False,
    json: JsonFlag = False,
) -> None:
    """Ask CourtListener for federal cases of the owners of a parcel, or of every parcel of a list.

    One call asks for one owner at all of LEADFLOW_COURTS; an account has 125 a day. Banks, public bodies,
    associations and charities are not asked for. A parcel is asked for once in 90 days. Where the day's calls
    are used up the exit code is 4: what was answered is kept, and the same command goes on later.

    What is found are cases that name somebody so called: a name alone is no match.
    """
    from leadflow_assets.domain.towns import find_town
    from leadflow_assets.enrich.courts_lookup.service import CourtLookups
    from leadflow_assets.errors import LeadflowError, UsageError

    if (town is None) != (loc_id is None) or (town is None) == (list_ is None):
        raise UsageError(
            "Give TOWN and LOC_ID, or --list NAME.", "leadflow cases lookup --list NAME --dry-run"
        )
    settings = current_settings()
    lookups = CourtLookups(settings, land=partial(_land, settings))
    anyway = force or dry_run
    if list_ is not None:
        plan = lookups.plan_list(list_, force=anyway, again=again)
    else:
        where = find_town(str(town), demo=settings.demo_on)
        plan = lookups.plan_parcel(where, str(loc_id), force=anyway, again=again)
    if dry_run:
        _tell_plan(plan, json)
        return
    try:
        with progress("looking up parcels", len(plan.parcels)) as bar:
            lookups.run(plan, progress=bar.advance)
    except LeadflowError:
        if not json and lookups.report.calls:
            _tell_report(lookups, plan)
        raise
    if json:
        emit_document({"plan": _document(plan), "done": asdict(lookups.report)})
    else:
        _tell_report(lookups, plan)


def _land(settings: Settings) -> None:
    """Publish what was answered, and match it with everybody's property."""
    from leadflow_assets.enrich.courts.service import Courts

    Courts(settings).land()
    matched(settings)


def _document(plan: LookupPlan) -> dict[str, Any]:
    hidden = ("parcels", "patience")
    return {"parcels": len(plan.parcels), **{k: v for k, v in vars(plan).items() if k not in hidden}}


def _tell_plan(plan: LookupPlan, json: bool) -> None:
    if json:
        emit_document(_document(plan))
        return
    days = "today" if plan.days <= 1 else f"in {plan.days} days"
    note(
        f"{len(plan.parcels):,} parcels to look up at {', '.join(plan.courts)}: at least {plan.calls:,} "
        f"calls, {days} ({plan.calls_left} of {plan.calls_per_day} calls left)."
    )
    _tell_left_out(plan)


def _tell_left_out(plan: LookupPlan) -> None:
    if plan.recent:
        note(f"{plan.recent:,} parcels were looked up within 90 days and are not asked for (--again does).")
    if plan.nobody:
        note(f"{plan.nobody:,} parcels have no owner to ask for: public bodies, banks, trusts, no full name.")


def _tell_report(lookups: CourtLookups, plan: LookupPlan) -> None:
    done: LookupReport = lookups.report
    note(
        f"{done.asked:,} parcels looked up at {', '.join(plan.courts)} with {done.calls} calls: "
        f"{done.cases:,} cases name somebody so called at {done.found:,} of them, none at {done.nothing:,}."
    )
    if done.incomplete:
        note(f"For {done.incomplete:,} of them only the newest cases of a common name were read.")
    if done.waiting:
        note(f"{done.waiting:,} parcels wait for the next time; run the same command again.")
    _tell_left_out(plan)
    if done.cases:
        note("A name alone is no match: `leadflow cases find TOWN LOC_ID` shows what is tied to a parcel.")
    if done.calls and not done.landed:
        note("The answers are kept; `leadflow cases refresh` publishes and matches them.")
    note("State courts and registries are not at CourtListener: nothing found there says nothing of them.")
