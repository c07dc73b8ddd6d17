"""What a batch would ask and cost, before it is made: of an upload, of a saved list, of the best properties.

Making it says again what was shown: if the price has changed meanwhile, nothing is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from leadflow_assets.enrich.batches import drafts
from leadflow_assets.enrich.batches.job import BatchJob, BatchPreview
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.choice import Choice, choose
from leadflow_assets.errors import UsageError
from leadflow_assets.search.criteria import criteria_from
from leadflow_assets.search.engine import Searcher
from leadflow_assets.search.lists.file import ListFile, read_list_file
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, saved_lists


@dataclass(frozen=True)
class Source:
    """Where the properties come from: a ``draft``, a ``saved_list`` as it is, or the ``best`` of towns or of
    a list, at most ``top`` of them and ``most_cents`` in all.
    """

    draft: str = ""
    saved_list: str = ""
    best: bool = False
    towns: tuple[str, ...] = ()
    top: int | None = None
    most_cents: Decimal | None = None


@dataclass(frozen=True)
class Proposal:
    """A batch that is not made yet. ``file`` and the report of ``preview`` where it is of an upload;
    ``choice`` where the best were chosen; ``absent``: members of the list that are not here any more.
    """

    preview: BatchPreview
    property_ids: tuple[str, ...] = ()
    file: ListFile | None = None
    choice: Choice | None = None
    absent: int = 0


def propose(
    settings: Settings, searcher: Searcher | None, source: Source, endpoints: Sequence[str] | None
) -> Proposal:
    """What a batch of ``source`` would be; nothing is asked or stored. Only an upload needs no searcher.

    Raises:
        UsageError: the upload, list or town is not there, nothing is in it, or an endpoint is unknown.
    """
    batches = Batches(settings)
    if source.draft:
        with drafts.opened(settings, source.draft) as path:
            return Proposal(batches.preview(path, endpoints=endpoints), file=read_list_file(path))
    assert searcher is not None, "lists and towns are searched"
    if source.best:
        return _best(batches, searcher, source, endpoints)
    with database.session(settings) as session:
        members = saved_lists.member_ids(session, source.saved_list)
    here = searcher.properties(members, ("property_id",))["property_id"].to_pylist() if members else []
    if not here:
        raise UsageError("None of the list's properties is here.", "Choose another list.")
    preview = batches.preview_properties(here, endpoints=endpoints)
    return Proposal(preview, tuple(here), absent=len(members) - len(here))


def make(
    settings: Settings,
    source: Source,
    proposal: Proposal,
    *,
    name: str,
    seen_cents: Decimal,
    by: str,
) -> BatchJob:
    """Make the batch that was proposed for ``seen_cents``. Nothing is sent.

    Raises:
        UsageError: it would cost something else now, or as :meth:`Batches.create`.
    """
    preview = proposal.preview
    if preview.most_cents != seen_cents:
        raise UsageError(
            "The price has changed since it was shown; nothing was made.",
            f"It is at most ${preview.most_cents / 100:,.2f} now. Go back, look at it again, and decide.",
        )
    batches = Batches(settings)
    if not source.draft:
        return batches.create_from_properties(
            proposal.property_ids, name=name, endpoints=preview.endpoints, by=by
        )
    with drafts.opened(settings, source.draft) as path:
        made = batches.create(path, name=name, endpoints=preview.endpoints, by=by)
    drafts.forget(settings, source.draft)
    return made


def _best(batches: Batches, searcher: Searcher, source: Source, endpoints: Sequence[str] | None) -> Proposal:
    if bool(source.towns) == bool(source.saved_list):
        raise UsageError("Choose a town, or a saved list, to choose the best properties from.")
    wanted = {"towns": source.towns} if source.towns else {"lists": [source.saved_list]}
    if source.top is None and source.most_cents is None:
        raise UsageError("No limit is given.", "Give how many properties at most, or how many dollars.")
    choice = choose(
        batches,
        searcher,
        criteria_from(wanted),
        top=source.top,
        max_cents=source.most_cents,
        endpoints=endpoints,
    )
    assert choice.preview is not None
    return Proposal(choice.preview, tuple(c.property_id for c in choice.chosen), choice=choice)
