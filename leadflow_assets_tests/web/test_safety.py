"""Who may see the page, from where, and what is refused."""

from __future__ import annotations

import httpx


def test_no_page_may_load_anything_from_elsewhere(client: httpx.Client) -> None:
    answer = client.get("/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert answer.status_code == 200 and policy["default-src"] == "'none'"
    assert policy["connect-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
