"""Four pictures with label maps and masks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tiny_beco import NET
from wsss_beco.config import Crop, Mixing, Train
from wsss_beco.data import CoTrainingData
from wsss_cli.data.labels import write_labels, write_mask01
from wsss_cli.data.prepared import Sample
from wsss_cli.nets.config import Net


@pytest.fixture
def data(tmp_path: Path) -> CoTrainingData:
    """Four noisy pictures with blocks of three classes, half of the pixels trusted."""
    samples = []
    for i in range(4):
        rng = np.random.default_rng(i)
        Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        labels = np.kron(rng.integers(0, 4, (5, 6)), np.ones((8, 8))).astype(np.uint8)
        write_labels(tmp_path / f"labels{i}.png", labels)
        write_mask01(tmp_path / f"mask{i}.png", rng.random((40, 48)) < 0.5)
        samples.append(Sample(str(i), tmp_path / f"{i}.png", 48, 40, (1, 2, 3)))

    def find(stem: str) -> Any:
        return lambda sample: tmp_path / f"{stem}{sample.id}.png"

    config = Train(net=Net(**NET), crop=Crop(size=32), mixing=Mixing(threshold=0.3))
    return CoTrainingData(samples, find("labels"), find("mask"), 4, config)
