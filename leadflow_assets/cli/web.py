"""``leadflow web``: the search page, and who may log in to it."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_rows, note
from leadflow_assets.errors import UsageError

HostOption = Annotated[str | None, typer.Option(help="Address to listen on; default: LEADFLOW_WEB_HOST.")]
PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="Default: LEADFLOW_WEB_PORT.")]
NameArgument = Annotated[str, typer.Argument(help="Name to log in with.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    web = typer.Typer(
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    web.callback(
        invoke_without_command=True,
        epilog=examples("leadflow web", "leadflow web --port 8080", "leadflow web add-user ann"),
    )(serve)
    web.command("users", epilog=examples("leadflow web users"))(users)
    web.command("add-user", epilog=examples("leadflow web add-user ann"))(add_user)
    web.command("remove-user", epilog=examples("leadflow web remove-user ann"))(remove_user)
    web.command("exports", epilog=examples("leadflow web exports --json"))(exports)
    app.add_typer(web, name="web")


def serve(context: typer.Context, host: HostOption = None, port: PortOption = None) -> None:
    """Start the page: search on a map, parcels, lists, leads, batches. Ctrl-C ends it.

    It listens on this machine only unless told otherwise, and then demands a login.
    """
    if context.invoked_subcommand is not None:
        return
    from leadflow_assets.web import server

    settings = current_settings()
    where, at = host or settings.leadflow_web_host, port or settings.leadflow_web_port
    remarks = server.check_bind(settings, where)
    scheme = "https" if settings.leadflow_web_certificate else "http"
    shown = f"[{where}]" if ":" in where else where
    note(f"LeadFlow: {scheme}://{shown}:{at}   lake: {settings.lake_uri}   Ctrl-C ends it")
    for text in remarks:
        note(text)
    server.serve(settings, where, at)


def users(json: JsonFlag = False) -> None:
    """Who may log in. As soon as there is anybody, everybody has to, on this machine too."""
    from leadflow_assets.state import database, web_users

    with database.session(current_settings()) as session:
        found = web_users.names(session)
    emit_rows([{"name": name} for name in found], (Column("name"),), json)
    if not found and not json:
        note("Nobody: the page asks for no login, and listens on this machine only.")


def add_user(name: NameArgument) -> None:
    """Let somebody log in, or give them a new password. It is asked for, or read from standard input."""
    from leadflow_assets.state import database, web_users

    password = _password()
    with database.session(current_settings()) as session:
        is_new = web_users.set_password(session, name, password, datetime.now(UTC))
        session.commit()
    done = "may log in" if is_new else "has a new password; open logins have ended"
    note(f"{name.lower()} {done}. A page that runs asks for logins after it is started again.")


def remove_user(name: NameArgument) -> None:
    """Let somebody log in no more; open logins end."""
    from leadflow_assets.state import database, web_users

    with database.session(current_settings()) as session:
        web_users.remove(session, name)
        session.commit()
    note(f"{name.lower()} may not log in any more.")


def exports(limit: Annotated[int, typer.Option(min=1, help="Lines.")] = 50, json: JsonFlag = False) -> None:
    """Who exported what and when, the newest first."""
    from leadflow_assets.state import database
    from leadflow_assets.state import exports as log

    with database.session(current_settings()) as session:
        found = log.latest(session, limit)
    columns = (
        Column("at", wrap=False),
        Column("person"),
        Column("way"),
        Column("what"),
        Column("filters"),
        Column("format"),
        Column("rows", number_format=","),
    )
    rows = [vars(line) | ({} if json else {"at": f"{line.at:%Y-%m-%d %H:%M}"}) for line in found]
    emit_rows(rows, columns, json)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise UsageError("The two passwords differ.", "Nothing was changed; try again.")
    return password
