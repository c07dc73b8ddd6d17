"""What the tests of the batch pages share: a vendor that can be made to wait, and the end of a process."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from leadflow_assets.settings import Settings
from leadflow_assets_tests.vendors.attom import AttomServer, Call


class WaitingAttom(AttomServer):
    """Answers ``most`` calls; the others wait until ``opened`` is set, and are refused without a bill."""

    def __init__(self, *args: Any, most: int) -> None:
        super().__init__(*args)
        self.most = most
        self.stuck, self.opened = threading.Event(), threading.Event()
        self._turn = threading.Lock()

    def _right(self, call: Call) -> tuple[int, bytes]:
        with self._turn:
            self.most -= 1
            waits = self.most < 0 and not self.opened.is_set()
        if not waits:
            return super()._right(call)
        self.stuck.set()
        self.opened.wait(timeout=120)
        return 503, b""


def kill_process(settings: Settings, job_id: str) -> None:
    """End the process that was started for a batch, as a power cut would."""
    kept = json.loads((settings.data_dir / "batches" / f"{job_id}.json").read_text())
    os.kill(int(kept["owner"].split("/")[1]), signal.SIGKILL)


def until(holds: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def idle(client: httpx.Client, path: str) -> dict[str, Any]:
    """The batch's state once nobody works at it any more."""
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.update(client.get(f"{path}/progress").json())
        return not found["working"]

    until(ended, "the process does not end")
    return found


def uploaded(client: httpx.Client, name: str, content: bytes) -> httpx.Response:
    """The page that a person sees after an upload."""
    return client.post("/batches/new/upload", files={"file": (name, content)})


def created(client: httpx.Client, priced: httpx.Response, name: str) -> str:
    """Create the batch whose price a page shows; gives its path."""
    found = re.search(r'name="cents" value="([^"]+)"', priced.text)
    assert found, priced.text[-3000:]
    answer = client.post(f"/batches/new?{priced.url.query.decode()}", data={"name": name, "cents": found[1]})
    assert answer.status_code == 200, answer.text[-2000:]
    return answer.url.path


def posted(client: httpx.Client, page: str, action: str) -> httpx.Response:
    """Press the button of a page whose form goes to ``action``, with the form's own hidden fields."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', client.get(page).text, re.DOTALL)
    assert form, f"{page} has no button for {action}"
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
    return client.post(action, data=fields)
