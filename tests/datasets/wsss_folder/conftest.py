"""`wsss prepare folder` in a folder of a test's own."""

import importlib
from pathlib import Path

import pytest

from tiny_folder import Folder

IMPORTED_ONCE = (  # here, not in every fork
    "pycocotools.mask",
    "rich.progress",
    "rich.table",
    "wsss_cli.app",
    "wsss_cli.commands.prepare",
    "wsss_folder.prepare",
)


@pytest.fixture(scope="session", autouse=True)
def imported() -> None:
    for module in IMPORTED_ONCE:
        importlib.import_module(module)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
