"""The third party's plugin, installed as its users would, and the `wsss` command in a folder of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from processes import Wsss, import_once

THIRD_PARTY = Path(__file__).parents[1] / "third_party"


@pytest.fixture(scope="session")
def toy_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the toy plugin in it, put there by pip."""
    site, source = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source") / "toy"
    shutil.copytree(THIRD_PARTY, source, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", site, source], check=True, capture_output=True, timeout=60)
    import_once()
    return site


@pytest.fixture(scope="session")
def dots(toy_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a prepared data set of 10 training and 5 validation pictures in `data/dots`."""
    folder = tmp_path_factory.mktemp("dots")
    result = Wsss(folder, (toy_site,))("prepare", "dots", "--images", 15)
    assert result.code == 0, result.text
    return folder


@pytest.fixture
def wsss(dots: Path, toy_site: Path, tmp_path: Path) -> Wsss:
    """The command in a folder of its own with `data/dots` in it; no reader processes."""
    shutil.copytree(dots / "data", tmp_path / "data")
    return Wsss(tmp_path, (toy_site,))
