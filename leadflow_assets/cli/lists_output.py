"""How `leadflow lists` shows lists, members, changes and imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadflow_assets.cli.output import Column, emit_document, emit_rows, note

if TYPE_CHECKING:
    from leadflow_assets.search.lists.service import Imported
    from leadflow_assets.search.lists.store import ListChange
    from leadflow_assets.state.saved_lists import SavedList

LISTS = (
    Column("name"),
    Column("kind", wrap=False),
    Column("members", number_format=","),
    Column("lost", number_format=","),
    Column("refreshed_at", "refreshed", wrap=False),
    Column("archived", styles={"yes": "dim"}),
    Column("description"),
)
MEMBERS = (
    Column("property_id", "property", wrap=False),
    Column("status", styles={"lost": "red", "town not here": "yellow"}),
    Column("site_address", "address"),
    Column("town", wrap=False),
    Column("owner_name", "owner"),
    Column("occupancy"),
    Column("total_value", "value $", ","),
    Column("last_sale_date", "last sale", wrap=False),
    Column("remark"),
)
EVENTS = (
    Column("happened_at", "when", wrap=False),
    Column("event", styles={"came": "green", "went": "yellow", "lost": "red"}),
    Column("property_id", "property", wrap=False),
    Column("reason", "why"),
)
IMPORTS = (
    Column("row_number", "row"),
    Column("result", styles={"exact": "green", "probable": "yellow", "none": "red"}),
    Column("property_id", "property", wrap=False),
    Column("given"),
    Column("why"),
)


def tell_list(saved: SavedList, what: str, json: bool) -> None:
    """A list after a command without changes of its members."""
    from leadflow_assets.search.lists.showing import described

    if json:
        emit_document(described(saved))
    else:
        note(f"{saved.name} is {what} ({saved.members:,} members).")


def tell_change(change: ListChange, json: bool, *, line: bool = False) -> None:
    """The list after a change; ``line``: as one of several, so JSON goes on one line."""
    from leadflow_assets.search.lists.showing import described

    counted = {event: change.count(event) for event in ("came", "went", "followed", "lost")}
    if json:
        document = {**described(change.saved), "changes": counted, "notes": change.notes}
        emit_rows([document], (), True) if line else emit_document(document)
        return
    told = ", ".join(f"{number:,} {event}" for event, number in counted.items() if number)
    note(
        f"{change.saved.name} ({change.saved.kind}): {change.saved.members:,} members; {told or 'no changes'}"
    )
    for text in change.notes:
        note(text)


def tell_import(done: Imported, json: bool) -> None:
    """What an import found."""
    from leadflow_assets.search.lists.showing import described

    if json:
        saved = described(done.change.saved) if done.change else None
        emit_document({"read_as": done.read_as, "counts": done.counts, "report": done.report, "list": saved})
        return
    note(f"Read as: {done.read_as}")
    emit_rows([done.counts], [Column(name, number_format=",") for name in done.counts], False)
    if done.report:
        note(f"Row by row: {done.report}")
    if done.change:
        tell_change(done.change, False)
        if done.counts["probable"] and not done.accept_probable:
            note("Probable matches are no members; see the report.")
