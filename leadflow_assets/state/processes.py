"""Which process holds something, and whether it still lives: a pid alone is used again."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


def this_process() -> str:
    """Host, pid and start of this process."""
    return _named(os.getpid())


@cache
def _named(pid: int) -> str:
    return named(pid)


def named(pid: int) -> str:
    """Host, pid and start of a process of this host."""
    return f"{socket.gethostname()}/{pid}/{_started(pid)}"


def is_gone(owner: str) -> bool:
    """Is it certain that the process has ended? A process of another host may always be alive."""
    host, pid, started = owner.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """When the process began, in ticks since boot; empty where the system does not tell.

    A process that has ended and was not yet waited for has no start: it holds nothing any more.
    """
    try:
        # The name in parentheses may hold spaces; state is the 1st field after it, starttime the 20th.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "ended" if fields[0] in "ZX" else fields[19]
