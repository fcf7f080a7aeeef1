"""The generated pages say what the program says, and the READMEs name every method and data set."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from wsss_cli.plugins import datasets, methods

ROOT = Path(__file__).parents[1]


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
