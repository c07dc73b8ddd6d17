"""A new batch: an upload, a list or the best properties; what it would cost; and only then the batch."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import Response

from leadflow_assets.domain.towns import find_town
from leadflow_assets.enrich.batches import drafts, words
from leadflow_assets.enrich.batches.making import chosen_endpoints
from leadflow_assets.enrich.batches.proposals import Proposal, Source, make, propose
from leadflow_assets.enrich.vendor import open_ledger, prices
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.refresh.overview import held_towns
from leadflow_assets.sources.attom.endpoints import ENDPOINTS
from leadflow_assets.sources.imports.text_table import MOST_ROWS
from leadflow_assets.state import database, saved_lists
from leadflow_assets.web.problems import status_of
from leadflow_assets.web.site import CurrentSettings, CurrentSite, Person, Site, page, redirect

router = APIRouter()
_SHOWN = 100
_MOST_CHOSEN = 100_000


def asked(
    draft: Annotated[str, Query(max_length=40)] = "",
    saved_list: Annotated[str, Query(alias="list", max_length=200)] = "",
    best: Annotated[bool, Query()] = False,
    town: Annotated[str, Query(max_length=60)] = "",
    top: Annotated[str, Query(max_length=12)] = "",
    dollars: Annotated[str, Query(max_length=12)] = "",
) -> Source:
    """Where the address says the properties come from."""
    return Source(
        draft=draft,
        saved_list=saved_list,
        best=best,
        towns=(find_town(town).key,) if town.strip() else (),
        top=_whole(top),
        most_cents=_cents(dollars),
    )


CurrentSource = Annotated[Source, Depends(asked)]
Endpoints = Annotated[list[str] | None, Query(alias="endpoint")]


@router.get("/batches/new")
def new_batch(
    request: Request,
    site: CurrentSite,
    source: CurrentSource,
    endpoint: Endpoints = None,
    name: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Choose where the properties come from; once that is said, what asking about them would cost."""
    settings = site.settings
    proposal, problem = None, None
    if source.draft or source.saved_list or source.best:
        try:
            proposal = _proposed(site, source, endpoint)
        except LeadflowError as error:
            problem = error
    with database.session(settings) as session:
        lists = saved_lists.all_lists(session)
    price = prices(settings)
    chosen = endpoint if endpoint is not None else list(chosen_endpoints(settings, None))
    return page(
        request,
        "batch_new.html",
        status=status_of(problem) if problem else 200,
        problem=problem,
        source=source,
        proposal=proposal,
        name=name or _suggested(source, proposal),
        lists=lists,
        towns=held_towns(settings),
        endpoints=[(one, words.ENDPOINTS[one], price.cents(one), one in chosen) for one in ENDPOINTS],
        address=request.url.query,
        budget=open_ledger(settings).budget(),
        has_key=settings.attom_api_key is not None,
        shown=_SHOWN,
        most_mb=settings.leadflow_web_upload_mb,
        most_rows=MOST_ROWS,
    )


@router.post("/batches/new/upload")
def upload(settings: CurrentSettings, file: Annotated[UploadFile, File()]) -> Response:
    """Keep a file until it is priced."""
    most = settings.leadflow_web_upload_mb * 1_000_000
    content = file.file.read(most + 1)
    if len(content) > most:
        raise UsageError(
            f"The file has more than {settings.leadflow_web_upload_mb} MB.",
            "Split it, or leave out columns that are not needed (LEADFLOW_WEB_UPLOAD_MB).",
        )
    draft = drafts.keep(settings, file.filename or "", content)
    name = PurePath((file.filename or "").replace("\\", "/")).stem[:80]
    return redirect(f"/batches/new?draft={draft}&name={quote(name)}")


@router.post("/batches/new")
def create(
    site: CurrentSite,
    person: Person,
    source: CurrentSource,
    name: Annotated[str, Form(max_length=200)],
    cents: Annotated[str, Form(max_length=30)],
    endpoint: Endpoints = None,
) -> Response:
    """Make the batch for the price that was shown. Nothing is sent yet."""
    if not (source.draft or source.saved_list or source.best):
        raise UsageError(
            "Nothing is chosen to make a batch of.", "Upload a file, or choose a list or a town."
        )
    try:
        seen = Decimal(cents)
    except InvalidOperation:
        raise UsageError("The price that was shown is missing.", "Go back and look at the price.") from None
    proposal = _proposed(site, source, endpoint)
    job = make(site.settings, source, proposal, name=name, seen_cents=seen, by=person)
    return redirect(f"/batches/{quote(job.job_id)}", "The batch is made. Nothing has been sent yet.")


def _proposed(site: Site, source: Source, endpoints: list[str] | None) -> Proposal:
    # An empty choice of endpoints is one: the error says so.
    if source.draft:
        return propose(site.settings, None, source, endpoints)
    with site.searchers.take() as searcher:
        return propose(site.settings, searcher, source, endpoints)


def _suggested(source: Source, proposal: Proposal | None) -> str:
    if proposal is not None and proposal.file is not None:
        return proposal.file.path.stem
    if source.best:
        return f"best of {source.saved_list or ' '.join(find_town(one).name for one in source.towns)}"
    return source.saved_list


def _whole(text: str) -> int | None:
    plain = text.strip().replace(",", "")
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit()) or not 0 < int(plain) <= _MOST_CHOSEN:
        raise UsageError("The number of properties is no whole number.", f"Give 1 to {_MOST_CHOSEN:,}.")
    return int(plain)


def _cents(text: str) -> Decimal | None:
    plain = text.strip().replace(",", "").removeprefix("$")
    if not plain:
        return None
    try:
        dollars = Decimal(plain)
    except InvalidOperation:
        dollars = Decimal(-1)
    if not dollars.is_finite() or dollars <= 0:
        raise UsageError("The sum is no amount of dollars.", "Give dollars, like 25 or 12.50.")
    return dollars * 100
