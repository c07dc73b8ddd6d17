"""Making owners leads by hand, and where the conversation with each stands."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from leadflow_assets.domain.leads import FIRST, STATUSES
from leadflow_assets.enrich.leads.inputs import Inputs, read_inputs, view
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.tables import DISTRESS_SCORES, LEADS, PROPERTIES
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, leads
from leadflow_assets.state.leads import LeadEvent

NO_OWNER, NOT_APPLICABLE, NOT_SCORED, UNKNOWN = "no owner", "no score applies", "not scored", "no property"
_ASKED = """
SELECT a.property_id,
    CASE WHEN p.property_id IS NULL THEN 'no property'
        WHEN s.property_id IS NULL THEN 'not scored'
        WHEN s.state = 'not_applicable' THEN 'no score applies'
        WHEN p.owner_key IS NULL THEN 'no owner' END AS refused
FROM asked AS a LEFT JOIN properties AS p USING (property_id) LEFT JOIN scores AS s USING (property_id)
ORDER BY a.property_id
"""


@dataclass(frozen=True)
class Added:
    """``property_ids`` can be leads, ``added`` of them are new ones; ``refused``: why, by property."""

    property_ids: tuple[str, ...]
    added: int
    refused: dict[str, str]


def add_properties(
    settings: Settings,
    property_ids: Sequence[str],
    *,
    by: str,
    batch_id: str | None = None,
    skip: bool = False,
    now: datetime | None = None,
) -> Added:
    """Make the owners of properties leads, until :func:`make_leads` publishes them; nothing is added twice.

    ``skip`` leaves out what cannot be a lead; without it nothing is added where any cannot.

    Raises:
        UsageError: a property is not here or not scored, has no owner, or no score applies to it.
    """
    inputs = read_inputs(settings)
    found = _asked(inputs, property_ids)
    refused = {property_id: why for property_id, why in found.items() if why is not None}
    if refused and not skip:
        raise _refusal(*next(iter(refused.items())))
    fit = tuple(property_id for property_id in found if property_id not in refused)
    with database.session(settings) as session:
        added = leads.add(session, fit, by=by, now=now or datetime.now(UTC), batch_id=batch_id)
        session.commit()
    return Added(fit, added, refused)


def _asked(inputs: Inputs, property_ids: Sequence[str]) -> dict[str, str | None]:
    asked = pa.table({"property_id": pa.array(sorted(set(property_ids)), pa.string())})
    with contextlib.closing(connect(inputs.lake.settings, spatial=False)) as connection:
        view(connection, inputs.lake, "properties", PROPERTIES, inputs.all_properties.values())
        view(connection, inputs.lake, "scores", DISTRESS_SCORES, inputs.scores.values())
        connection.register("asked", asked)
        return dict(connection.execute(_ASKED).fetchall())


def _refusal(property_id: str, why: str) -> UsageError:
    if why == UNKNOWN:
        return UsageError(f"There is no property {property_id} here.", "Find it with `leadflow search`.")
    if why == NOT_SCORED:
        return UsageError(f"The property {property_id} is not scored.", "Run `leadflow score run` first.")
    if why == NO_OWNER:
        return UsageError(
            f"The property {property_id} has no owner on record, or one who asked to be left out.",
            "Such an owner cannot be a lead.",
        )
    return UsageError(
        f"The owner of {property_id} cannot be a lead: no score applies to it.",
        f"`leadflow score explain {property_id}` says why.",
    )


def set_status(
    settings: Settings,
    lead_ids: Sequence[str],
    status: str,
    *,
    by: str,
    note: str = "",
    now: datetime | None = None,
) -> list[LeadEvent]:
    """Say where the conversation with leads stands; all of them, or none. Earlier states are kept.

    Raises:
        UsageError: no such status or lead, nobody says so, or it is the same as before without a note.
    """
    if status not in STATUSES:
        raise UsageError(f"There is no status {status!r}.", f"Statuses: {', '.join(STATUSES)}.")
    if not by.strip():
        raise UsageError("A change needs the name of who makes it.", "Give --by NAME.")
    wanted = list(dict.fromkeys(lead_ids))
    places = best_properties(settings, wanted)
    moment = now or datetime.now(UTC)
    with database.session(settings) as session:
        before = leads.latest(session, wanted)
        for lead_id in wanted:
            if lead_id not in places and lead_id not in before:
                raise UsageError(f"There is no lead {lead_id}.", "`leadflow leads` lists them.")
            held = before[lead_id].status if lead_id in before else FIRST
            if held == status and not note:
                raise UsageError(f"The lead {lead_id} is {status} already.", "Give --note to add a remark.")
        events = [
            LeadEvent(lead_id, places.get(lead_id), status, by.strip(), moment, note) for lead_id in wanted
        ]
        leads.record(session, events)
        session.commit()
    return events


def best_properties(settings: Settings, lead_ids: Sequence[str]) -> dict[str, str]:
    """The best property of those leads that are published now."""
    inputs = read_inputs(settings)
    with contextlib.closing(connect(inputs.lake.settings, spatial=False)) as connection:
        view(connection, inputs.lake, "leads", LEADS, inputs.published.values())
        connection.register("asked", pa.table({"lead_id": pa.array(list(lead_ids), pa.string())}))
        found = connection.execute("SELECT lead_id, property_id FROM leads JOIN asked USING (lead_id)")
        return dict(found.fetchall())
