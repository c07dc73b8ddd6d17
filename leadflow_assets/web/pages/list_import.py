"""Making a list of a file: what became of each row is shown before anything is saved, and afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import Response

from leadflow_assets.domain.towns import towns
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.search.lists.matching import counts
from leadflow_assets.search.lists.service import Imported, SavedLists
from leadflow_assets.state.models import IMPORT_RESULTS
from leadflow_assets.state.saved_lists import ImportRow
from leadflow_assets.web import uploads
from leadflow_assets.web.downloads import download_plain
from leadflow_assets.web.links import list_path
from leadflow_assets.web.pages.lists import Description, Name
from leadflow_assets.web.pages.one_list import facts, found, places_of
from leadflow_assets.web.paging import PAGE_ROWS, PageNumber, Paging
from leadflow_assets.web.problems import NotFoundError
from leadflow_assets.web.rendering import query
from leadflow_assets.web.site import CurrentSettings, CurrentSite, Person, Site, page, redirect

_REPORTS = "list_reports"
router = APIRouter()
Town = Annotated[str, Form(max_length=100)]


@router.get("/lists/import")
def form(request: Request, settings: CurrentSettings) -> Response:
    """The form for a file."""
    uploads.remove_old(settings)
    names = [town.name for town in towns(demo=settings.demo_on)]
    return page(request, "list_import.html", towns=names, upload_mb=settings.leadflow_web_upload_mb)


@router.post("/lists/import")
def look(
    site: CurrentSite,
    file: Annotated[UploadFile, File()],
    name: Name,
    town: Town = "",
    description: Description = "",
) -> Response:
    """Keep the file and show what would become of its rows; nothing is saved yet."""
    if not file.filename:
        raise UsageError("No file is chosen.", "Choose a CSV file of addresses or ids.")
    token = uploads.keep(site.settings, file.filename, file.file)
    try:
        _matched(site, token, name, town, dry_run=True)
    except LeadflowError:
        uploads.forget(site.settings, token)
        raise
    asked = {"name": name, "town": town, "description": description}
    return redirect(f"/lists/import/{token}{query(asked)}")


@router.get("/lists/import/{token}")
def check(
    request: Request,
    site: CurrentSite,
    token: str,
    name: Annotated[str, Query(max_length=200)],
    town: Annotated[str, Query(max_length=100)] = "",
    description: Annotated[str, Query(max_length=2000)] = "",
    result: str = "",
    number: PageNumber = 1,
) -> Response:
    """What became of each row, before anything is saved."""
    done = _matched(site, token, name, town, dry_run=True)
    asked = {"name": name, "town": town, "description": description, "result": result}
    return page(
        request,
        "list_import_check.html",
        done=done,
        token=token,
        file_name=uploads.kept(site.settings, token).name,
        asked=asked,
        **_report(site, done.rows, result, number),
    )


@router.post("/lists/import/{token}")
def save(
    site: CurrentSite,
    token: str,
    name: Name,
    town: Town = "",
    description: Description = "",
    accept_probable: Annotated[bool, Form()] = False,
) -> Response:
    """Save the list; its report stays with it."""
    done = _matched(site, token, name, town, accept_probable=accept_probable, description=description)
    uploads.forget(site.settings, token)
    assert done.change is not None
    told = ", ".join(f"{count:,} {result}" for result, count in done.counts.items())
    members = done.change.saved.members
    return redirect(
        list_path(done.change.saved.name, "report"), f"Imported: {members:,} members; rows: {told}."
    )


@router.get("/lists/{name}/report")
def report(
    request: Request, site: CurrentSite, name: str, result: str = "", number: PageNumber = 1
) -> Response:
    """What became of each row of an imported file."""
    saved = found(site.settings, name)
    rows = _rows(site, saved.kind, name)
    here = _report_path(site, saved.name).is_file()
    return page(
        request,
        "list_report.html",
        has_file=here,
        **_report(site, rows, result, number),
        **facts(saved, "report"),
    )


@router.get("/lists/{name}/report.csv")
def report_file(site: CurrentSite, person: Person, name: str) -> Response:
    """The report with every column of the imported file."""
    saved = found(site.settings, name)
    rows = _rows(site, saved.kind, name)
    path = _report_path(site, saved.name)
    if not path.is_file():
        raise NotFoundError("The report's file is not here any more.", "The report itself is on the page.")

    def copied(target: Path) -> int:
        # Whoever replaces the report meanwhile changes nothing about what is sent.
        shutil.copyfile(path, target)
        return len(rows)

    return download_plain(site.settings, person, name=path.name, what="import report", write=copied)


def _rows(site: Site, kind: str, name: str) -> list[ImportRow]:
    if kind != "imported":
        raise NotFoundError(
            "This list was not imported: it has no report.", "See /lists for those that were."
        )
    return SavedLists(site.settings).import_report(name)


def _report_path(site: Site, name: str) -> Path:
    return site.settings.data_dir / _REPORTS / f"{name}.csv"


def _matched(site: Site, token: str, name: str, town: str, **options: Any) -> Imported:
    path = uploads.kept(site.settings, token)
    with site.searchers.take() as searcher, SavedLists(site.settings, searcher=searcher) as lists:
        return _naming_the_file(
            path, lambda: lists.save_import(name, path, town=town.strip() or None, **options)
        )


def _naming_the_file(path: Path, work: Callable[[], Imported]) -> Imported:
    """An error names the file as its owner calls it, not where it is kept here."""
    try:
        return work()
    except UsageError as error:
        raise UsageError(error.message.replace(str(path), path.name), error.hint) from None


def _report(site: Site, rows: Sequence[ImportRow], result: str, number: int) -> dict[str, Any]:
    if result and result not in IMPORT_RESULTS:
        raise UsageError(f"There is no result {result!r}.", f"Results: {', '.join(IMPORT_RESULTS)}.")
    chosen = [row for row in rows if result in ("", row.result)]
    paging = Paging.of(number, len(chosen))
    shown = chosen[paging.offset : paging.offset + PAGE_ROWS]
    return {
        "rows": shown,
        "here": places_of(site, [row.property_id for row in shown if row.property_id]),
        "counts": counts(rows),
        "result": result,
        "results": IMPORT_RESULTS,
        "paging": paging,
    }
