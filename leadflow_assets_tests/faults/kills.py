"""What the tests of kills share: calls that end in death, a child that dies of one, two small towns."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from leadflow_assets.settings import Settings
from leadflow_assets_tests.conftest import process_context
from leadflow_assets_tests.integration.pipeline_helpers import (
    GOSNOLD,
    MONROE,
    refresh,
    settings_for,
    write_small,
)

_SECONDS = 120


def dying(call: Callable[..., Any], at: int = 1, *, after: bool = False) -> Callable[..., Any]:
    """``call``, until it is called for the ``at``-th time: then death, before it or after it."""
    left = [at]

    def wrapped(*args: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        made = call(*args, **options)
        # Another thread may have been called since.
        if left[0] <= 0 and after:
            os.kill(os.getpid(), signal.SIGKILL)
        return made

    return wrapped


def die_at_step(step: int, *names: str) -> None:
    """For a child: it dies before the n-th call of these functions of ``os``, which are counted together."""
    counted = dying(lambda call, *args, **options: call(*args, **options), step)
    for name in names:
        setattr(os, name, partial(counted, getattr(os, name)))


def start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process of its own that does this; ``target`` is a function of a module."""
    child = process_context().Process(target=target, args=arguments)
    child.start()
    return child


def ended(child: BaseProcess) -> int | None:
    """How it ended: 0, or the negative number of the signal that killed it."""
    child.join(_SECONDS)
    return child.exitcode


def killed(target: Callable[..., None], *arguments: Any) -> None:
    """Let a process do this, which must die of it."""
    assert ended(start(target, *arguments)) == -signal.SIGKILL


def two_towns(folder: Path) -> Settings:
    """A lake of Monroe and Gosnold, as they are in small packages."""
    settings = settings_for(folder / "data")
    for town in (MONROE, GOSNOLD):
        assert refresh(settings, town, write_small(folder, town, seed=town.town_id)).status == "refreshed"
    return settings
