"""The scenes that recipes of every method run on."""

from collections.abc import Iterator

import pytest
import torch

from tiny_recipes import small_scenes
from wsss_cli.data.prepared import Prepared


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A small data set; meanwhile torch has one thread, for which such images are too small to be shared out."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield small_scenes(tmp_path_factory.mktemp("scenes"))
    torch.set_num_threads(threads)
