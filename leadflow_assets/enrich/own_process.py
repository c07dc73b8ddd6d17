"""Work in a process of its own, which outlives the page and the server that started it.

Its settings travel in its environment, never in its command line, which everybody on the machine can read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import leadflow_assets
from leadflow_assets.settings import Settings


def start(settings: Settings, words: Sequence[str], output: Path, *, keep_open: Sequence[int] = ()) -> int:
    """Run ``python -m WORDS`` on its own; what it prints replaces ``output``. Returns its process id.

    ``keep_open``: file descriptors that it inherits.

    Raises:
        OSError: it cannot be started, or the output cannot be written.
    """
    output.unlink(missing_ok=True)
    # What an error prints may hold a name: for the eyes of this user only.
    with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=subprocess.DEVNULL,
            stdout=target,
            stderr=subprocess.STDOUT,
            env=environment(settings),
            # Ctrl-C at the page's terminal, and its end, are none of its business.
            start_new_session=True,
            pass_fds=keep_open,
        )
    # Somebody has to wait for a child, or it stays as a zombie.
    threading.Thread(target=process.wait, name=f"waits-for-{process.pid}", daemon=True).start()
    return process.pid


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which another process reads the very same settings and runs the same program."""
    made = dict(os.environ)
    for name in settings.model_fields_set:
        made[name.upper()] = _as_text(getattr(settings, name))
    made["LEADFLOW_DATA_DIR"] = str(settings.data_dir)
    made["LEADFLOW_LAKE"] = settings.lake_uri
    here = str(Path(leadflow_assets.__file__).parents[1])
    made["PYTHONPATH"] = os.pathsep.join(filter(None, (here, made.get("PYTHONPATH", ""))))
    return made


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value, default=str) if isinstance(value, dict | list | tuple) else str(value)
