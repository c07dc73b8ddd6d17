"""How the page writes sentences of the services."""

from __future__ import annotations

import pytest

from leadflow_assets.web.rendering import commands, told


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("auction scheduled, 2026-11-29 (ATTOM)", "auction scheduled, Nov 29, 2026 (ATTOM)"),
        ("from 2026-10-08 on", "from Oct 8, 2026 on"),
        ("property 025-0012-0034-0000", "property 025-0012-0034-0000"),
        ("docket 2026-11-29-0001", "docket 2026-11-29-0001"),
        ("2026-02-31 is no day", "2026-02-31 is no day"),
        ("run `leadflow refresh TOWN`", "run <code>leadflow refresh TOWN</code>"),
        ("`<b>` & co", "<code>&lt;b&gt;</code> &amp; co"),
    ],
)
def test_sentences_are_written_for_the_page(given: str, written: str) -> None:
    assert told(given) == written


def test_a_day_that_says_how_days_are_typed_stays() -> None:
    assert commands("Write 2005-06-30, see `leadflow search`") == (
        "Write 2005-06-30, see <code>leadflow search</code>"
    )
