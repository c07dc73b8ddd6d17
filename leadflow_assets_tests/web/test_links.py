"""Every link of the page leads somewhere."""

from __future__ import annotations

import html
import re
from collections import Counter

import httpx

_BEGIN = ("/", "/lists", "/leads", "/changes", "/batches", "/batches/new", "/spend", "/review", "/health")
# Of pages of one kind so many are asked for: a lake has thousands of parcels.
_EACH = 2


def kind_of(path: str) -> str:
    """What a path is one of many of: ``/parcel/*?unit``."""
    place, _, query = path.partition("?")
    place = re.sub(r"^/(parcel|leads|batches|lists)/.*", r"/\1/*", place)
    return f"{place}?{'&'.join(sorted(part.split('=')[0] for part in query.split('&')))}"


def test_every_link_leads_somewhere(client: httpx.Client) -> None:
    waiting, asked, wrong = [(path, "the start") for path in (*_BEGIN, "/?all=yes")], Counter[str](), []
    known = {path for path, _ in waiting}
    while waiting:
        path, source = waiting.pop(0)
        if asked[kind_of(path)] >= _EACH:
            continue
        asked[kind_of(path)] += 1
        answer = client.get(path)
        if answer.status_code >= 400:
            wrong.append(f"{answer.status_code}: {kind_of(path)} on {kind_of(source)}")
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        ids = set(re.findall(r'\bid="([^"]+)"', answer.text))
        for found in re.findall(r'(?:href|src)="([^"]*)"', answer.text):
            link, _, part = html.unescape(found).partition("#")
            if not link and part not in ids:
                wrong.append(f"no part #{part} on {kind_of(path)}")
            if link.startswith("?"):
                link = path.partition("?")[0] + link
            if link.startswith("/") and link not in known:
                known.add(link)
                waiting.append((link, path))
    assert wrong == []
    assert {"/parcel/*?", "/leads/*?", "/batches/*?"} <= set(asked)
