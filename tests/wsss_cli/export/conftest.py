"""Label maps of a run, drawn."""

from pathlib import Path

import pytest

from drawn_labels import drawn_source
from wsss_cli.export.source import Source


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return drawn_source(tmp_path)
