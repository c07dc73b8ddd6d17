"""Running a command as a process of its own and reading what the operating system says of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """Wall and CPU seconds of a command with its children; peak resident MiB, sampled, of all of them."""

    wall: float
    cpu: float
    peak_mib: float


def run(command: Sequence[str], env: Mapping[str, str] | None = None, folder: Path | None = None) -> Usage:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed; shows the end of what it printed.
    """
    before = os.times()
    started = time.monotonic()
    environment = {**os.environ, **(env or {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder
    )
    peak = _Peak(process.pid)
    output, _ = process.communicate()
    wall = time.monotonic() - started
    after = os.times()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} failed:\n{output[-2000:]}")
    cpu = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return Usage(wall, cpu, peak.stop())


class _Peak:
    """Samples the resident memory of a process tree ten times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._highest = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._done.set()
        self._thread.join()
        return self._highest

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self._highest = max(self._highest, sum(map(_resident_mib, _tree(self._pid))))


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(d for child in children for d in _tree(int(child)))]


def _resident_mib(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0.0


def python(*arguments: str) -> list[str]:
    """A command line for this Python."""
    return [sys.executable, *arguments]


def show(rows: Sequence[tuple[str, Usage]]) -> None:
    """Print usages, the last row's ratios to the first below them."""
    print(f"{'':34}{'wall s':>9}{'cpu s':>9}{'peak MiB':>10}")
    for name, usage in rows:
        print(f"{name:34}{usage.wall:9.1f}{usage.cpu:9.1f}{usage.peak_mib:10.0f}")
