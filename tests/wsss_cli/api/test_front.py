"""`import wsss_cli as wsss`: what is public is there, and costs nothing until it is used."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import wsss_cli as wsss

ROOT = Path(__file__).parents[3]


def test_every_public_name_is_there_and_told() -> None:
    page = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    told = {word for row in re.findall(r"^\| (`.*)", page, re.MULTILINE) for word in re.findall(r"\w+", row)}
    public = [name for name in wsss.__all__ if name != "__version__"]
    assert dir(wsss) == wsss.__all__ and all(getattr(wsss, name).__doc__ for name in public)
    assert set(public) <= told


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'load_modle'"):
        _ = wsss.load_modle  # type: ignore[attr-defined]


def test_the_import_brings_neither_torch_nor_numpy() -> None:
    code = "import sys, wsss_cli as wsss; wsss.WsssError; print({'torch', 'numpy', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stdout.strip() == "set()", done.stderr
