"""The installed tools write anew what lies in tests/datasets/wsss_folder/tool_files: it is read as that is."""

from pathlib import Path

import pytest

from tiny_folder import Folder
from tool_files import READS, require_read
from tool_writers import WRITERS, write_all


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tools")
    write_all(root, root / "pictures")
    return root


def test_each_tool_is_read() -> None:
    assert {name.partition("/")[0] for name in READS} == WRITERS.keys()


@pytest.mark.parametrize("name", READS)
def test_files_of_tools(written: Path, tmp_path: Path, name: str) -> None:
    require_read(Folder(tmp_path), written / name.partition("/")[0], READS[name])
