"""``leadflow review``: uncertain matches, decided by a person, remembered.

Two kinds wait: court cases that may belong to a property's owner, and records of ATTOM that may be a property
of ours. The id tells which kind is meant: a case match's begins with m, an ATTOM id is a number.
"""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_document, emit_rows, note


class Kind(StrEnum):
    """What waits."""

    CASES = "cases"
    PROPERTIES = "properties"


_CASES: Final = (
    Column("match_id", "match", wrap=False, min_width=17),
    Column("probability", "likely", ".0%"),
    Column("place", "property", min_width=9),
    Column("owner_name", "owner on record", min_width=10),
    Column("party_name", "party", min_width=10),
    Column("case", min_width=11),
)
_PROPERTIES: Final = (
    Column("attom_id", "ATTOM id", wrap=False),
    Column("town", wrap=False),
    Column("site_address", "address"),
    Column("site_unit", "unit"),
    Column("reason"),
    Column("candidates", "may be"),
)
_HISTORY: Final = (
    Column("decided_at", "when"),
    Column("decision"),
    Column("decided_by", "by"),
    Column("reason"),
    Column("probability", "model said", ".1%"),
)
_SHOWN_CANDIDATES: Final = 3
_EXAMPLE: Final = "m5f0c2a9b1d3e4f67"
By = Annotated[str | None, typer.Option("--by", help="Who decides; default: the user of this machine.")]
Reason = Annotated[str, typer.Option("--reason", "--note", help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    review = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        help="Decide about matches that are not certain: court cases of owners, records of ATTOM.",
        epilog=examples(
            "leadflow review list --kind cases",
            f"leadflow review confirm {_EXAMPLE} --reason 'same middle name on the deed'",
            "leadflow review confirm 184713191 025-0012-0034-0000",
        ),
    )
    for name, command, lines in (
        (
            "list",
            list_,
            ("leadflow review list --kind cases --town bellingham --all", "leadflow review list --json"),
        ),
        ("show", show, (f"leadflow review show {_EXAMPLE}",)),
        (
            "confirm",
            confirm,
            (f"leadflow review confirm {_EXAMPLE}", "leadflow review confirm 184713191 025-0012-0034-0000"),
        ),
        (
            "reject",
            reject,
            (f"leadflow review reject {_EXAMPLE} --reason 'a namesake'", "leadflow review reject 184713191"),
        ),
    ):
        review.command(name, epilog=examples(*lines))(command)
    app.add_typer(review, name="review")


def list_(
    kind: Annotated[Kind | None, typer.Option(help="Only court cases, or only records of ATTOM.")] = None,
    town: Annotated[list[str] | None, typer.Option("--town", help="Only this town; repeatable.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most case matches to list.")] = 50,
    all_: Annotated[
        bool, typer.Option("--all", help="Also cases that are more likely a namesake's (below 50 %).")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """List what waits for a decision, the most valuable first.

    Case matches come by what is at stake: open cases first, then the property's value times how likely it is
    the right one.
    """
    from leadflow_assets.domain.towns import find_town

    towns = [find_town(name).town_id for name in town or ()]
    shown = 0
    for wanted, lister, columns in (
        (Kind.CASES, _cases, _CASES),
        (Kind.PROPERTIES, _properties, _PROPERTIES),
    ):
        if kind not in (None, wanted):
            continue
        rows = lister(towns, limit, all_, json)
        if rows or json:
            shown_rows = rows if json or wanted is Kind.PROPERTIES else [_shown(row) for row in rows]
            emit_rows([{"kind": wanted.value, **row} for row in shown_rows], columns, json)
        shown += len(rows)
    if not shown:
        note("Nothing waits for a decision.")


def show(match: Annotated[str, typer.Argument(help="Id of a case match.")], json: JsonFlag = False) -> None:
    """Show why a case match is believed, and everything that was decided about it."""
    from leadflow_assets.enrich.case_matches.reviews import look_at

    found = look_at(current_settings(), _case_match(match))
    history = [vars(decision) for decision in found.history]
    if json:
        emit_document({"match": vars(found.match) if found.match else None, "history": history})
        return
    if found.match:
        emit_rows([_shown(vars(found.match))], _CASES, False)
        for sentence in found.match.evidence:
            typer.echo(f"  {sentence}")
    else:
        note("Nothing is published of this match any more.")
    if history:
        emit_rows(history, _HISTORY, False)


def _shown(match: Mapping[str, Any]) -> dict[str, Any]:
    """A case match in columns that fit a window: where it is, and which case of when."""
    filed = match["date_filed"] or "no day yet"
    case = f"{str(match['case_type']).replace('_', ' ')} {match['docket_number'] or ''}".strip()
    place = f"{match['site_address'] or match['property_id']}, {match['town']}"
    return {**match, "place": place, "case": f"{case}, {filed}"}


def confirm(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Case match (m…) or ATTOM id.")],
    property_id: Annotated[
        str | None, typer.Argument(help="For an ATTOM id: our property that it is.")
    ] = None,
    by: By = None,
    reason: Reason = "",
    json: JsonFlag = False,
) -> None:
    """Say that a case belongs to the property's owner, or which property a record of ATTOM is."""
    from leadflow_assets.errors import UsageError

    who = by or getpass.getuser()
    if _is_case_match(id_):
        if property_id is not None:
            raise UsageError("A case match has its property already.", f"leadflow review confirm {id_}")
        _decide_case(id_, "confirmed", who, reason, json)
        return
    attom_id = _attom_id(id_)
    if property_id is None:
        raise UsageError(
            "Which property is it? A record of ATTOM is confirmed together with one of ours.",
            f"leadflow review confirm {id_} PROPERTY_ID; `leadflow review list` shows what it may be.",
        )
    from leadflow_assets.enrich.unified.reviews import confirm as decide

    done = decide(current_settings(), attom_id, property_id, by=who, note=reason)
    _tell(attom_id, f"is {property_id}", vars(done), json)


def reject(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Case match (m…) or ATTOM id.")],
    by: By = None,
    reason: Reason = "",
    json: JsonFlag = False,
) -> None:
    """Say that a case is somebody else's, or that a record of ATTOM is none of our properties."""
    who = by or getpass.getuser()
    if _is_case_match(id_):
        _decide_case(id_, "rejected", who, reason, json)
        return
    from leadflow_assets.enrich.unified.reviews import reject as decide

    attom_id = _attom_id(id_)
    done = decide(current_settings(), attom_id, by=who, note=reason)
    _tell(attom_id, "is none of our properties", vars(done), json)


def _cases(towns: list[int], limit: int, everything: bool, json: bool) -> list[dict[str, Any]]:
    from leadflow_assets.enrich.case_matches.reviews import waiting

    least = {"least": 0.0} if everything else {}
    return [vars(row) for row in waiting(current_settings(), towns=towns or None, limit=limit, **least)]


def _properties(towns: list[int], limit: int, everything: bool, json: bool) -> list[dict[str, Any]]:
    from leadflow_assets.enrich.unified.reviews import waiting

    return [_row(vars(row), json) for row in waiting(current_settings(), towns=towns)]


def _decide_case(match_id: str, decision: str, who: str, reason: str, json: bool) -> None:
    from leadflow_assets.enrich.case_matches.reviews import decide

    done = decide(current_settings(), match_id, decision, by=who, reason=reason)
    if json:
        emit_document({"match_id": match_id, "decision": decision, **vars(done)})
    else:
        others = len(done.match_ids) - 1
        with_it = f", and {others} more that tell the same" if others else ""
        note(f"Match {match_id} is {decision}{with_it}; remembered.")


def _is_case_match(text: str) -> bool:
    return re.fullmatch(r"m[0-9a-f]{16}", text) is not None


def _case_match(text: str) -> str:
    from leadflow_assets.errors import UsageError

    if not _is_case_match(text):
        raise UsageError(f"{text!r} is no id of a case match.", "They begin with m: `leadflow review list`.")
    return text


def _attom_id(text: str) -> int:
    from leadflow_assets.errors import UsageError

    if not re.fullmatch(r"\d{1,18}", text):
        raise UsageError(
            f"{text!r} is no id of a match.",
            "A case match's begins with m, an ATTOM id is a number: `leadflow review list` shows both.",
        )
    return int(text)


def _row(waiting: dict[str, Any], json: bool) -> dict[str, Any]:
    """For the screen a few of the candidates, and how many more there are."""
    candidates = waiting["candidates"]
    if json or len(candidates) <= _SHOWN_CANDIDATES:
        return waiting
    more = f"and {len(candidates) - _SHOWN_CANDIDATES} more"
    return {**waiting, "candidates": [*candidates[:_SHOWN_CANDIDATES], more]}


def _tell(attom_id: int, what: str, merged: dict[str, object], json: bool) -> None:
    if json:
        emit_document({"attom_id": attom_id, "decision": what, "merge": merged})
    else:
        note(f"ATTOM {attom_id} {what}; remembered.")
