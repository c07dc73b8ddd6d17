"""The layers point one way, and no module grows beyond a sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import leadflow_assets

ROOT = Path(leadflow_assets.__file__).parent
# Each layer may import itself and what stands before it in its list.
BASE = {"errors", "domain"}
ALLOWED = {
    "domain": {"errors"},
    "sources": {*BASE},
    "lake": {*BASE, "settings"},
    "state": {*BASE, "settings"},
    "sampleton": {*BASE},
    "pipeline": {*BASE, "lake", "sources"},
    "refresh": {*BASE, "settings", "lake", "sources", "state", "pipeline"},
    "search": {*BASE, "settings", "lake", "sources", "state"},
    "enrich": {*BASE, "settings", "lake", "sources", "state", "pipeline", "refresh", "search"},
    "assets": {*BASE, "settings", "lake", "refresh", "search", "enrich", "partitions"},
    "web": {*BASE, "settings", "lake", "sources", "state", "refresh", "search", "enrich"},
    "automation": {*BASE, "settings", "lake", "refresh", "search", "enrich", "partitions", "assets"},
}
NO_IO = {"open", "print", "input"}


def _modules(layer: str) -> list[Path]:
    return sorted((ROOT / layer).rglob("*.py"))


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("leadflow_assets."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1] for alias in node.names if alias.name.startswith("leadflow_assets.")
            }
    return found


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_imports_only_what_lies_below_it(layer: str) -> None:
    modules = _modules(layer)
    assert modules, f"{layer} has no modules: the list here is stale"
    wrong = {
        str(path.relative_to(ROOT)): _imported(path) - ALLOWED[layer] - {layer}
        for path in modules
        if _imported(path) - ALLOWED[layer] - {layer}
    }
    assert wrong == {}


def test_only_the_dagster_layers_and_one_command_import_dagster() -> None:
    allowed = {"definitions.py", "partitions.py", "cli/ui.py"}
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if any(name.split(".")[0] == "dagster" for name in names):
                found.add(path.relative_to(ROOT).as_posix())
    assert {n for n in found if not n.startswith(("assets/", "automation/"))} == allowed


def test_the_domain_does_no_io() -> None:
    for path in _modules("domain"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in NO_IO, f"{path.name} calls {node.func.id}"


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "versions" not in path.parts and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []
