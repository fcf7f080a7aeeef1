"""`wsss prepare folder` as a user types it, and as a function."""

import importlib
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processes import Result, Wsss
from wsss_cli.data.integrity import Finding
from wsss_cli.data.prepare import prepare
from wsss_cli.data.prepared import Prepared, Sample, read_prepared
from wsss_folder import DATASET

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


class Folder:
    """A data set being prepared in `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.images = path / "images"
        self.command = Wsss(path, ())

    def typed(self, *words: object) -> tuple[Prepared, str]:
        """The data set and what was said by `wsss prepare folder --images images ...`."""
        done = self.wsss(*words)
        assert done.code == 0, done.text
        return read_prepared(self.path / "data/folder"), " ".join(done.text.split())

    def wsss(self, *words: object) -> Result:
        return self.command("prepare", "folder", "--images", "images", *words)

    def prepare(self, skip_bad: bool = False, say: Callable[[Finding], None] | None = None, **options: Any) -> Prepared:
        """The same without a process."""
        config = DATASET.config_class()(**{"images": self.images, **options})
        return prepare(DATASET, config, "folder", self.path / "data", force=True, skip_bad=skip_bad, say=say)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


class Of:
    """Questions about a prepared data set."""

    @staticmethod
    def tags(prepared: Prepared, root: Path) -> dict[str, tuple[str, ...]]:
        """Names of the classes of each image, sorted, by its path below root."""
        classes = prepared.info.classes
        return {
            unicodedata.normalize("NFC", s.image.relative_to(root).as_posix()): tuple(
                sorted(classes[t - 1] for t in s.tags)
            )
            for s in prepared.samples
        }

    @staticmethod
    def sample(prepared: Prepared, id: str) -> Sample:
        return next(s for s in prepared.samples if s.id == id)


@pytest.fixture
def of() -> Of:
    return Of()
