"""Four pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_cli.data.prepared import Sample


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Smooth pictures with one or two tags."""
    folder: Path = tmp_path_factory.mktemp("pictures")
    found = []
    for i, tags in enumerate([(1,), (1, 3), (2,), (2, 3)]):
        rng = np.random.default_rng(i)
        small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        small.resize((96, 72), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
        found.append(Sample(str(i), folder / f"{i}.png", 96, 72, tags))
    return found
