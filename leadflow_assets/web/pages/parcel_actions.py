"""What can be done with a parcel: keep it on a list, make its owner a lead."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from leadflow_assets.domain.towns import find_town
from leadflow_assets.enrich.leads.adding import add_properties
from leadflow_assets.enrich.leads.service import make_leads
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.search.cases import properties_at
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.settings import Settings
from leadflow_assets.web.links import parcel_path
from leadflow_assets.web.problems import NotFoundError
from leadflow_assets.web.rendering import plural, query
from leadflow_assets.web.site import CurrentSite, Person, redirect

router = APIRouter()
Text = Annotated[str, Form(max_length=200)]


@router.post("/parcel/{town}/{loc_id:path}/list")
def add_to_list(
    site: CurrentSite, town: str, loc_id: str, name: Text = "", new_name: Text = "", unit: Text = ""
) -> Response:
    """Add the parcel's properties (or ``unit`` alone) to a static list; ``new_name`` makes one."""
    ids = _properties(site.settings, town, loc_id, unit)
    wanted = new_name.strip()
    if not wanted and not name:
        raise UsageError("No list was chosen.", "Choose a list, or name a new one.")
    with site.searchers.take() as searcher:
        # Without master records of condominiums, which are no properties.
        ids = searcher.ids(SearchCriteria(property_ids=tuple(ids))) or ids
        lists = SavedLists(site.settings, searcher=searcher)
        if wanted:
            lists.save_static(wanted, ids)
            told = f"A new list holds {plural(len(ids), 'property', 'properties')} of this parcel."
        else:
            came = lists.add(name, ids).count("came")
            here = len(ids) - came
            told = f"{plural(came, 'property', 'properties')} added to the list."
            told += f" {here} on it already." if here else ""
    return redirect(_back(town, loc_id, unit), told)


@router.post("/parcel/{town}/{loc_id:path}/lead")
def make_lead(site: CurrentSite, person: Person, town: str, loc_id: str, unit: Text = "") -> Response:
    """Make the owners of the parcel's properties (or of ``unit`` alone) leads."""
    ids = _properties(site.settings, town, loc_id, unit)
    added = add_properties(site.settings, ids, by=person, skip=len(ids) > 1)
    make_leads(site.settings)
    if not added.property_ids:
        why = ", ".join(sorted(set(added.refused.values())))
        raise UsageError(f"None of these properties can be a lead: {why}.", "Nothing was changed.")
    left_out = f" {len(added.refused)} cannot be leads and were left out." if added.refused else ""
    told = f"Added to the leads: {plural(len(added.property_ids), 'property', 'properties')}.{left_out}"
    return redirect(_back(town, loc_id, unit), told)


def _properties(settings: Settings, town: str, loc_id: str, unit: str) -> list[str]:
    """Ids of the parcel's properties, or the one named.

    Raises:
        NotFoundError: there is no such town, parcel or unit.
    """
    try:
        ids, _ = properties_at(Lake(settings), find_town(town, demo=settings.demo_on), loc_id)
    except UsageError as error:
        raise NotFoundError(error.message, error.hint) from None
    if unit and unit not in ids:
        raise NotFoundError("That unit is not on the parcel.", "Go back and open the parcel anew.")
    return [unit] if unit else ids


def _back(town: str, loc_id: str, unit: str) -> str:
    return parcel_path(town, loc_id) + query({"unit": unit})
