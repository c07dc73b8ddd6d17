"""The outermost boundary: whatever goes wrong becomes one sentence, a way out and an exit code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

import leadflow_assets
from leadflow_assets.errors import LeadflowError

DEBUG = "LEADFLOW_DEBUG"
INTERRUPTED = 130
# What a shell reports for a program that a closed pipe ended (128 + SIGPIPE).
_BROKEN_PIPE = 141
_PACKAGE = Path(leadflow_assets.__file__).parent


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run ``command`` and return its exit code; errors are shown, never raised."""
    # Looked for by hand: a wrong option is found before any option has a value.
    as_json = "--json" in arguments
    try:
        with command.make_context("leadflow", list(arguments)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        return _usage(error, as_json)
    except LeadflowError as error:
        _debug()
        return _show(error.message, error.hint, error.exit_code, as_json)
    except (KeyboardInterrupt, click.Abort):
        return _show("interrupted; run the same command again to resume", "", INTERRUPTED, as_json, label="")
    except BrokenPipeError:
        # The reader has gone (`| head`): nobody is left to tell, and the last flush must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - everything ends here; texts may be personal data
        _debug()
        hint = f"This is a defect of the program. Set {DEBUG}=1 and run it again to see where it comes from."
        return _show(f"unexpected {type(error).__name__} at {_place(error)}", hint, 1, as_json)
    return 0


def _usage(error: click.ClickException, as_json: bool) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"Try '{context.command_path} --help'." if context else ""
    return _show(error.format_message(), hint, error.exit_code, as_json)


def _show(message: str, hint: str, exit_code: int, as_json: bool, *, label: str = "error: ") -> int:
    if as_json:
        document = {"error": message, "hint": hint, "exit_code": exit_code}
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        click.echo(f"{label}{message}", err=True)
        if hint:
            click.echo(f"hint: {hint}", err=True)
    return exit_code


def _debug() -> None:
    if os.environ.get(DEBUG) == "1":
        traceback.print_exc()


def _place(error: BaseException) -> str:
    """file:line of the last step inside this package, else of the last step."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    frame = (ours or frames)[-1]
    path = Path(frame.filename)
    shown = path.relative_to(_PACKAGE.parent) if path.is_relative_to(_PACKAGE) else Path(path.name)
    return f"{shown}:{frame.lineno}"
