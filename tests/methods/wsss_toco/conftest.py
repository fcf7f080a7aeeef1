"""A tiny ToCo and four images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tiny_toco import TRAIN
from wsss_cli.config import resolve
from wsss_cli.data.prepared import Sample
from wsss_toco.config import Train
from wsss_toco.data import ToCoData
from wsss_toco.nets import ToCo, build


@pytest.fixture(scope="module")
def config() -> Train:
    return resolve(Train, "train", TRAIN)


@pytest.fixture
def net(config: Train) -> ToCo:
    torch.manual_seed(0)
    return build(config.net, 4)


@pytest.fixture
def data(tmp_path: Path, config: Train) -> ToCoData:
    """Four noisy pictures with one or two of four tags."""
    samples = []
    for i in range(4):
        noise = np.random.default_rng(i).integers(0, 256, (6, 7, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((70, 60), Image.Resampling.BICUBIC).save(tmp_path / f"{i}.png")
        samples.append(Sample(str(i), tmp_path / f"{i}.png", 70, 60, (1, 2 + i) if i < 3 else (3,)))
    return ToCoData(samples, 4, config.views)
