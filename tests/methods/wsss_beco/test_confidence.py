"""Confidence masks of somebody else's are looked at before training."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_beco.stages import require_masks
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError

SAMPLES = [Sample(id, Path(f"{id}.jpg"), 6, 4, (1,)) for id in ("a", "b")]


@pytest.mark.parametrize(
    ("size", "value", "says"),
    [
        ((4, 6), 255, None),
        ((4, 6), 1, None),
        ((8, 12), 255, r"b\.png is 12 x 8, but its image b\.jpg is 6 x 4"),
        ((4, 6), 7, r"b\.png holds 0, 7, neither 0/1 nor 0/255"),
    ],
    ids=["255", "1", "twice-the-size", "another-value"],
)
def test_size_and_values(tmp_path: Path, size: tuple[int, int], value: int, says: str | None) -> None:
    for sample, shape, high in zip(SAMPLES, ((4, 6), size), (255, value)):
        mask = np.zeros(shape, np.uint8)
        mask[0] = high
        Image.fromarray(mask).save(tmp_path / f"{sample.id}.png")
    if says is None:
        require_masks(SAMPLES, tmp_path)
    else:
        with pytest.raises(WsssError, match=says):
            require_masks(SAMPLES, tmp_path)
