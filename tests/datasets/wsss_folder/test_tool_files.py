"""Files that annotation tools wrote, as tests/tool_writers.py has them do: pixels, boxes and words."""

import pytest

from tiny_folder import Folder
from tool_files import FILES, READS, require_read


@pytest.mark.parametrize("name", READS)
def test_files_of_tools(folder: Folder, name: str) -> None:
    require_read(folder, FILES / name.partition("/")[0], READS[name])
