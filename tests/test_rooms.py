"""docs/design.md lists the rooms in the order that `lint-imports` holds; the host depends on no method's name."""

import ast
import re
import tomllib
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
METHODS = {folder.name.removeprefix("wsss_") for folder in (ROOT / "methods").glob("wsss_*")}


def test_the_rooms_of_the_design_are_those_of_the_linter() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [set(re.findall(r"\w+", line)) - {"__main__"} for line in contracts[0]["layers"]]
    table = (ROOT / "docs/design.md").read_text().split("## Rooms of the host")[1].split("## Words")[0]
    rows = [set(re.findall(r"`(\w+)/?`", row.split("|")[1])) for row in table.splitlines() if row.startswith("| `")]
    level = {room: i for i, layer in enumerate(layers) for room in layer}
    levels = [[level[room] for room in row] for row in rows]
    assert set().union(*rows) == level.keys()
    assert all(max(above) <= min(below) for above, below in pairwise(levels))


def test_the_host_names_no_method() -> None:
    """Neither code nor messages do; docstrings and descriptions name papers, which write themselves otherwise."""
    assert len(METHODS) >= 8
    named = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in sorted((ROOT / "wsss_cli").rglob("*.py"))
        for line, text in _words(ast.parse(path.read_text(encoding="utf-8")))
        if METHODS & set(re.split(r"[\W_]+", text))
    ]
    assert named == []


def _words(tree: ast.Module) -> list[tuple[int, str]]:
    """Every name and string of the code."""
    found = []
    for node in ast.walk(tree):
        for field in ("id", "name", "arg", "attr", "value"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found.append((getattr(node, "lineno", 0), value))
    return found
