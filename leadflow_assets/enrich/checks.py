"""Everything that `leadflow doctor` and the page's health examine: every integration, one finding each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from leadflow_assets.errors import LeadflowError
from leadflow_assets.refresh.doctor import Finding, Status, examine
from leadflow_assets.settings import Settings


def examine_all(settings: Settings, *, live: bool = False, repair: bool = False) -> Iterator[Finding]:
    """Examine every integration, in the order of the table; a broken one is a finding, never an exception.

    ``live`` asks MassGIS, ATTOM and CourtListener, at no cost; ``repair`` puts current copies right, removes
    what dead runs left, and finishes purges.
    """
    return chain(
        examine(settings, live=live, fix=repair),
        _search_index(settings),
        _attom(settings, live),
        _court_cases(settings, live),
        _alerts(settings),
        _purges(settings, repair),
    )


def _search_index(settings: Settings) -> Iterator[Finding]:
    """Is the search index there, readable and current? Nothing, where the lake itself has failed."""
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.search.index import index_path, open_index, outdated, searchable

    name, remedy = "search index", "Run `leadflow index`; until then searches read Parquet."
    try:
        snapshot, _ = searchable(Lake(settings))
    except LeadflowError:
        return  # the lake's own row says it
    connection = open_index(settings)
    if not snapshot.partitions:
        yield Finding(name, "ok", "not needed yet: mart/properties is empty")
    elif connection is None:
        yield Finding(name, "warning", f"none that can be read at {index_path(settings)}", remedy)
    elif old := outdated(connection, snapshot):
        yield Finding(name, "warning", f"older than mart/properties in {len(old)} partitions", remedy)
    else:
        yield Finding(name, "ok", f"{len(snapshot.partitions)} towns, current: {index_path(settings)}")


def _attom(settings: Settings, live: bool) -> Iterator[Finding]:
    """ATTOM's ledger and batches; with ``live`` and a key, one question that no property answers: free."""
    from leadflow_assets.enrich.health import ask_for_nothing, attention

    try:
        todo = attention(settings)
    except LeadflowError:
        return  # the state database's own row says it
    status: Status = "warning" if todo.warnings else "ok"
    yield Finding("ATTOM batches", status, todo.detail, " ".join(todo.warnings))
    if not live or settings.attom_api_key is None:
        return
    yield _asked("ATTOM live", ask_for_nothing, settings)


def _court_cases(settings: Settings, live: bool) -> Iterator[Finding]:
    """How far court cases go and what waits; with ``live`` and a token, what the account has used: free."""
    from leadflow_assets.enrich.courts.health import ask_for_usage, attention

    try:
        todo = attention(settings)
    except LeadflowError:
        return  # the lake's or the state database's own row says it
    status: Status = "warning" if todo.warnings else "ok"
    yield Finding("court cases", status, todo.detail, " ".join(todo.warnings))
    if not live or settings.courtlistener_api_key is None:
        return
    yield _asked("CourtListener live", ask_for_usage, settings)


def _asked(name: str, ask: Callable[[Settings], str], settings: Settings) -> Finding:
    """What a vendor says to a question that costs nothing."""
    try:
        return Finding(name, "ok", ask(settings))
    except LeadflowError as error:
        return Finding(name, "failed", error.message, error.hint)


def _alerts(settings: Settings) -> Iterator[Finding]:
    """May e-mail be sent, and is anything waiting that should have been? Nothing is sent."""
    from leadflow_assets.enrich.changes.health import email_state, outbox

    email = email_state(settings)
    states: dict[bool | None, Status] = {True: "ok", False: "not_configured", None: "warning"}
    yield Finding("e-mail alerts", states[email.configured], email.detail, email.what_to_do)
    try:
        found = outbox(settings)
    except LeadflowError:
        return  # the state database's own row says it
    name, detail = "change alerts", f"{found.watches:,} watches, {found.waiting:,} messages wait"
    if found.since is None:
        yield Finding(name, "ok", detail)
        return
    detail += f", {found.refused:,} were refused: since {found.since:%Y-%m-%d %H:%M} UTC: {found.problem}"
    yield Finding(name, "warning", detail, "They are tried again by themselves: `leadflow changes outbox`.")


def _purges(settings: Settings, repair: bool) -> Iterator[Finding]:
    """Is every purge finished? ``repair`` finishes them; nothing, where nobody ever purged."""
    from leadflow_assets.enrich.purge.service import Purges

    try:
        purges = Purges(settings)
        if repair:
            purges.resume()
        every = purges.all()
    except LeadflowError:
        return  # the lake's or the state database's own row says it
    waiting = sum(purge.finished_at is None for purge in every)
    if waiting:
        yield Finding("purges", "failed", f"{waiting} not finished", "Run `leadflow purge resume`.")
    elif every:
        yield Finding("purges", "ok", f"{len(every)}, all finished")
