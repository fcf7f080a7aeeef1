"""The generated pages say what the program says, and the READMEs name every method and data set."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from wsss_cli.plugins import datasets, methods

ROOT = Path(__file__).parents[1]
SCORE = re.compile(r"(?<![\d.,])(\d\d\.\d)(?![\d.])(?! (?:%|million|points|GiB|s\b))")
"""A mIoU in per cent, as tables have it; not shares of pixels, differences, sizes, seconds."""


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date(generate: ModuleType) -> None:
    for name, text in generate.pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"docs/{name} has drifted: run `make docs`"


def test_the_readme_names_every_plugin() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    installed = [(n, m.package) for n, m in methods().items()]
    installed += [(n, d.prepare.partition(".")[0]) for n, d in datasets().items()]
    for name in (n for n, package in installed if any(ROOT.glob(f"*/{package}/__init__.py"))):
        assert f"`{name}`" in readme


def test_each_method_says_how_it_differs() -> None:
    for method in methods().values():
        folder = ROOT / "methods" / method.package
        if folder.is_dir():
            assert "## Differences" in (folder / "README.md").read_text(encoding="utf-8")


def own_scores(readme: str) -> list[tuple[str, str]]:
    """What a README says of own results: each score and its line."""
    given = re.search(r"^## What it gives$(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    lines = given[1].splitlines() if given else []
    return [(score, line) for line in lines if "ublished" not in line for score in SCORE.findall(line)]


def held_scores(page: str) -> set[str]:
    """What a page that a command has written holds; of its tables not how long runs took."""
    found: set[str] = set()
    for part in page.split("\n\n"):
        rows = [line.strip("| ").split(" | ") for line in part.splitlines()]
        timed = rows[0].index("minutes") if "minutes" in rows[0] else None
        found.update(score for row in rows for i, cell in enumerate(row) if i != timed for score in SCORE.findall(cell))
    return found


def test_readmes_speak_of_no_score_that_no_table_holds() -> None:
    """The tables of the benchmarks, and of the benches that look into runs."""
    pages = [*ROOT.glob("docs/results*.md"), *ROOT.glob("docs/analysis/*.md")]
    held = set[str]().union(*(held_scores(path.read_text(encoding="utf-8")) for path in pages))
    readmes = {path.parent.name: path.read_text(encoding="utf-8") for path in ROOT.glob("methods/*/README.md")}
    unknown = [(name, *found) for name, text in readmes.items() for found in own_scores(text) if found[0] not in held]
    assert not unknown, "\n".join(": ".join(one) for one in unknown)
    assert any(own_scores(text) for text in readmes.values())


def test_scores_are_told_from_other_figures() -> None:
    text = "| a | 43.2 ± 1.6 [30.1, 45.0] | 12.2 |\n| 5.5 % open, 13.0 % left, 3.2 million, 12.7 points, 101.5, 10.25 |"
    assert SCORE.findall(text) == ["43.2", "30.1", "45.0", "12.2"]
    assert held_scores("made by\n\n| method | seeds | minutes |\n|---|---|---|\n| a | 41.0 | 12.2 |") == {"41.0"}
    readme = "# A\n\n99.9\n\n## What it gives\n\n| CAM | 41.0 |\nPublished: 70.2.\n\n## Speed\n\n33.3\n"
    assert own_scores(readme) == [("41.0", "| CAM | 41.0 |")]
