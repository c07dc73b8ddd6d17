"""Generated pages are what the code says now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from leadflow_assets.lake.tables import QUARANTINE, TABLES
from leadflow_assets.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def test_generated_pages_are_current() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, f"run `python docs/generate.py`:\n{found.stderr}"


def test_every_setting_is_on_the_page_with_its_meaning() -> None:
    lines = (DOCS / "settings.md").read_text(encoding="utf-8").splitlines()
    for name, field in Settings.model_fields.items():
        (line,) = [line for line in lines if line.startswith(f"| `{name.upper()}` |")]
        assert f"`{name}`" in line
        assert str(field.description) in line


def test_every_table_and_column_has_its_place() -> None:
    index = (DOCS / "tables" / "README.md").read_text(encoding="utf-8")
    for table in TABLES:
        assert f"({table.view}.md)" in index
        page = (DOCS / "tables" / f"{table.view}.md").read_text(encoding="utf-8")
        for column in table.model.to_schema().columns if table.model else ():
            assert f"| `{column}` |" in page
        for column in table.pii:
            (line,) = [line for line in page.splitlines() if line.startswith(f"| `{column}` |")]
            assert "| PII |" in line
    quarantine = (DOCS / "tables" / "quarantine.md").read_text(encoding="utf-8")
    assert all(f"| `{column}` |" in quarantine for column in QUARANTINE.schema.names)
