"""What we write, read by the programs it is for, and what they write, read by us: `make interop`, see run.sh."""

from pathlib import Path

import pytest

from drawn_labels import drawn_source
from wsss_cli.export.source import Source


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.interop)
            item.add_marker(pytest.mark.filterwarnings("default"))  # other programs' warnings are their own


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return drawn_source(tmp_path)
