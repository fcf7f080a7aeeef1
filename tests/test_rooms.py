"""docs/design.md lists the rooms in the order that `lint-imports` holds."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_rooms_of_the_design_are_those_of_the_linter() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [set(re.findall(r"\w+", line)) - {"__main__"} for line in contracts[0]["layers"]]
    table = (ROOT / "docs/design.md").read_text().split("## Rooms of the host")[1].split("## Words")[0]
    rows = [set(re.findall(r"`(\w+)/?`", row.split("|")[1])) for row in table.splitlines() if row.startswith("| `")]
    level = {room: i for i, layer in enumerate(layers) for room in layer}
    levels = [[level[room] for room in row] for row in rows]
    assert set().union(*rows) == level.keys()
    assert all(max(above) <= min(below) for above, below in pairwise(levels))
