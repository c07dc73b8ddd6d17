"""``leadflow lists``: saved lists, their members, and who came and went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples, note_export
from leadflow_assets.cli.lists_output import (
    EVENTS,
    IMPORTS,
    LISTS,
    MEMBERS,
    tell_change,
    tell_import,
    tell_list,
)
from leadflow_assets.cli.output import emit_document, emit_rows, note, progress
from leadflow_assets.cli.search_options import SearchOptions, with_search_options
from leadflow_assets.errors import UsageError

if TYPE_CHECKING:
    from leadflow_assets.search.lists.service import SavedLists

_SCREEN_ROWS = 25
Name = Annotated[str, typer.Argument(help="Name of the list, in any case.")]
Ids = Annotated[list[str], typer.Argument(help="Property ids, or a file with one on each line.")]
Words = Annotated[list[str], typer.Argument(help="NAME and|or|not NAME ...", metavar="EXPRESSION")]
Description = Annotated[str, typer.Option("--description", help="What the list is for.")]
Limit = Annotated[int, typer.Option(help="Rows.", min=1)]
Offset = Annotated[int, typer.Option(help="Rows to skip.", min=0)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    lists = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        help="Saved lists: dynamic (filters), static (ids), imported (a CSV of addresses or ids).",
        epilog=examples(
            "leadflow lists save absentee --town bellingham --absentee any", "leadflow lists list"
        ),
    )
    lists.command("save", epilog=_SAVE_EXAMPLES)(with_search_options(save))
    for command, lines in _COMMANDS.items():
        name = command.__name__.removesuffix("_").removeprefix("show_")
        lists.command(name, epilog=examples(*lines))(command)
    app.add_typer(lists, name="lists")


def save(
    name: Annotated[str, typer.Argument(help="Name of the new list.")],
    options: SearchOptions,
    ids: Annotated[
        str | None,
        typer.Option("--ids", help="Property ids separated by commas, or a file.", metavar="IDS|FILE"),
    ] = None,
    import_: Annotated[
        Path | None, typer.Option("--import", help="CSV or .xlsx of addresses or ids.", metavar="FILE")
    ] = None,
    accept_probable: Annotated[
        bool, typer.Option("--accept-probable", help="Probable matches become members too.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Where the match report goes (CSV).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the matches.")] = False,
    description: Description = "",
    json: JsonFlag = False,
) -> None:
    """Save a list: of what filters find (dynamic), of ids (static), or of what a file names (imported).

    With --import, --town says where rows without a town or ZIP are. A file may have columns property_id,
    loc_id, parcel_id, address, city, state, zip; any encoding and delimiter. Probable matches (another
    unit or street type, a letter or two) are reported, and members only with --accept-probable.
    """
    if import_ is None and (accept_probable or report or dry_run):
        raise UsageError(
            "--accept-probable, --report and --dry-run belong to --import.", "Add --import FILE."
        )
    if ids is not None and import_ is not None:
        raise UsageError("--ids and --import exclude each other.", "Make two lists, or use lists add.")
    town = _one_town(options) if import_ is not None else None
    if ids is not None and not options.empty:
        raise UsageError("--ids and filters exclude each other.", "Leave one of them out.")
    with _opened() as lists:
        if import_ is not None:
            done = lists.save_import(
                name,
                import_,
                town=town,
                accept_probable=accept_probable,
                report=report,
                dry_run=dry_run,
                description=description,
            )
            tell_import(done, json)
        elif ids is not None:
            tell_change(lists.save_static(name, _ids([ids]), description=description), json)
        else:
            if options.empty:
                raise UsageError("A dynamic list needs filters.", "See `leadflow lists save --help`.")
            criteria = options.criteria(lists.searcher)
            tell_change(lists.save_dynamic(name, criteria, description=description), json)


_SAVE_EXAMPLES = examples(
    "leadflow lists save absentee --town bellingham --absentee any --min-value 400000",
    "leadflow lists save picked --ids 025-0012-0034-0000,025-0012-0035-0000",
    "leadflow lists save mailing --import addresses.csv --town bellingham --dry-run",
)


def _one_town(options: SearchOptions) -> str | None:
    towns = options.values.get("town", [])
    if set(options.values) - {"town"} or len(towns) > 1:
        raise UsageError("--import takes no filters but one --town.", "Leave the others out.")
    return towns[0] if towns else None


def list_(
    all_: Annotated[bool, typer.Option("--all", help="Archived ones too.")] = False, json: JsonFlag = False
) -> None:
    """List the saved lists."""
    from leadflow_assets.search.lists.showing import described

    with _opened() as lists:
        found = lists.all(archived=all_)
    if found or json:
        emit_rows([described(saved) for saved in found], LISTS, json)
    if not found:
        note("There are no lists. `leadflow lists save NAME ...` makes one.")


def show(name: Name, limit: Limit = _SCREEN_ROWS, offset: Offset = 0, json: JsonFlag = False) -> None:
    """Show a list and its members; those that are not in the lake now are marked."""
    from leadflow_assets.search.lists.showing import MEMBER_COLUMNS, described, member_row

    with _opened() as lists:
        saved = lists.find(name)
        members = lists.members(name, limit=limit, offset=offset)
        ids = [member.property_id for member in members]
        found = {
            row["property_id"]: row for row in lists.searcher.properties(ids, MEMBER_COLUMNS).to_pylist()
        }
    rows = [member_row(member, found.get(member.property_id)) for member in members]
    if json:
        emit_document({**described(saved), "offset": offset, "rows": rows})
        return
    if rows:
        emit_rows(rows, MEMBERS, False)
    shown = f"{offset + 1:,} to {offset + len(rows):,} of " if rows else ""
    kind = f"{saved.kind}, refreshed {saved.refreshed_at:%Y-%m-%d}"
    note(f"{saved.name} ({kind}): {shown}{saved.members:,} members")


def add(name: Name, ids: Ids, json: JsonFlag = False) -> None:
    """Add properties to a static or imported list."""
    with _opened() as lists:
        tell_change(lists.add(name, _ids(ids)), json)


def remove(name: Name, ids: Ids, json: JsonFlag = False) -> None:
    """Take properties off a static or imported list."""
    with _opened() as lists:
        tell_change(lists.remove(name, _ids(ids)), json)


def refresh(
    names: Annotated[list[str] | None, typer.Argument(help="Names of lists.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every list that is not archived.")] = False,
    json: JsonFlag = False,
) -> None:
    """Bring lists up to date: dynamic ones search anew, the others follow their properties.

    `leadflow lists diff NAME` shows who came, who went, and why.
    """
    if bool(names) == all_:
        raise UsageError("Name the lists, or give --all.", "leadflow lists refresh NAME")
    with _opened() as lists:
        wanted = names or [saved.name for saved in lists.all()]
        # All must exist before the first is changed.
        known = [lists.find(name).name for name in wanted]
        with progress("refreshing lists", len(known)) as bar:
            for name in known:
                change = lists.refresh(name)
                bar.advance(note=name)
                tell_change(change, json, line=True)


def diff(
    name: Name,
    since: Annotated[
        str | None, typer.Option(help="From that day or time on; none: the last refresh.")
    ] = None,
    event: Annotated[str | None, typer.Option(help="Only: came, went, followed or lost.")] = None,
    json: JsonFlag = False,
) -> None:
    """Show who came to a list, who went, who has another id or was lost, and why."""
    from leadflow_assets.lake.lake import first_moment
    from leadflow_assets.search.lists.showing import event_row
    from leadflow_assets.state.models import LIST_EVENTS

    if event is not None and event not in LIST_EVENTS:
        raise UsageError(f"There is no event {event!r}.", f"Events: {', '.join(LIST_EVENTS)}.")
    with _opened() as lists:
        saved = lists.find(name)
        moment = first_moment(since) if since is not None else None
        found = [line for line in lists.diff(name, since=moment) if event in (None, line.event)]
    if found or json:
        emit_rows([event_row(line) for line in found], EVENTS, json)
    if not found:
        note(f"Nothing changed on {saved.name} since {since or f'{saved.refreshed_at:%Y-%m-%d %H:%M} UTC'}.")


def report(name: Name, json: JsonFlag = False) -> None:
    """Show what became of each row of an imported file."""
    with _opened() as lists:
        saved = lists.find(name)
        if saved.kind != "imported":
            raise UsageError(f"The list {saved.name!r} was not imported.", "See `leadflow lists list`.")
        emit_rows([vars(row) for row in lists.import_report(name)], IMPORTS, json)


def archive(name: Name, json: JsonFlag = False) -> None:
    """Hide a list; nothing of it is lost."""
    with _opened() as lists:
        tell_list(lists.archive(name), "archived", json)


def restore(name: Name, json: JsonFlag = False) -> None:
    """Bring an archived list back."""
    with _opened() as lists:
        tell_list(lists.restore(name), "restored", json)


def combine(
    name: Annotated[str, typer.Argument(help="Name of the new list.")],
    expression: Words,
    description: Description = "",
    json: JsonFlag = False,
) -> None:
    """Make a static list of others, from left to right: A and B, A or B, A not B."""
    with _opened() as lists:
        tell_change(lists.combine(name, expression, description=description), json)


def export(
    name: Name,
    format: Annotated[str, typer.Option("--format", help="csv|xlsx|geojson|geoparquet|map")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    json: JsonFlag = False,
) -> None:
    """Write the members that are in the lake to a file, as a search would."""
    from leadflow_assets.search.criteria import SearchCriteria
    from leadflow_assets.search.exports.search import export_search

    with _opened() as lists:
        saved = lists.find(name)
        criteria = SearchCriteria(lists=(saved.name,), include_condominium_masters=True)
        with progress(f"writing {output.name}", saved.members) as bar:
            done = export_search(
                lists.searcher, criteria, output, format, list_name=saved.name, on_rows=bar.advance
            )
        note_export(lists.searcher.lake.settings, f"list {saved.id}", {}, done)
    absent = saved.members - done.rows
    if json:
        emit_document({"file": done.path, "sidecar": done.sidecar, "rows": done.rows, "format": done.format,
                       "sha256": done.sha256, "not_in_the_lake": absent})  # fmt: skip
        return
    note(f"{done.rows:,} properties written to {done.path}; what they are: {done.sidecar.name}")
    if absent:
        note(f"{absent:,} members are not in the lake now: leadflow lists show {saved.name!r}")


_COMMANDS: dict[Any, tuple[str, ...]] = {
    show: ("leadflow lists show absentee --limit 100",),
    list_: ("leadflow lists list", "leadflow lists list --all --json"),
    add: ("leadflow lists add picked 025-0012-0034-0000", "leadflow lists add picked ids.txt"),
    remove: ("leadflow lists remove picked 025-0012-0034-0000",),
    refresh: ("leadflow lists refresh absentee", "leadflow lists refresh --all"),
    diff: ("leadflow lists diff absentee", "leadflow lists diff absentee --since 2026-10-01 --event went"),
    report: ("leadflow lists report mailing",),
    archive: ("leadflow lists archive absentee",),
    restore: ("leadflow lists restore absentee",),
    export: ("leadflow lists export absentee --format xlsx -o absentee.xlsx",),
    combine: (
        "leadflow lists combine hot absentee and rich not called",
        'leadflow lists combine either "list one" or "list two"',
    ),
}


@contextmanager
def _opened() -> Iterator[SavedLists]:
    from leadflow_assets.search.lists.service import SavedLists

    with SavedLists(current_settings()) as lists:
        yield lists


def _ids(words: list[str]) -> list[str]:
    """Ids as typed (commas allowed), or the lines of a file."""
    from leadflow_assets.search.lists.showing import typed_ids

    parts: list[str] = []
    for word in words:
        path = Path(word)
        if "," not in word and path.is_file():
            try:
                parts.append(path.read_text(encoding="utf-8-sig"))
            except (OSError, UnicodeDecodeError):
                raise UsageError(
                    f"{path} is no text file with one id on each line.", "Use --import."
                ) from None
        else:
            parts.append(word)
    return typed_ids(parts)
