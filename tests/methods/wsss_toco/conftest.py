"""A tiny data set of shapes and a recipe that runs every stage of ToCo on it in seconds; a network and four images."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from processes import Wsss
from tiny_shapes import shapes_and_recipe
from wsss_cli.config import resolve
from wsss_cli.data.prepared import Sample
from wsss_toco.config import Train
from wsss_toco.data import ToCoData
from wsss_toco.nets import ToCo, build

TRAIN: dict[str, Any] = {
    "net": {
        "backbone": "vit_tiny_patch16_224",
        "backbone_args": {"img_size": 64, "embed_dim": 24, "depth": 4, "num_heads": 2},
        "pretrained": "none",
        "width": 16,
        "dilation": 1,
        "prototypes": 32,
        "hidden": 24,
        "bottleneck": 12,
    },
    "views": {"crop": 64},
    "local": {"size": 24, "number": 3},
    "losses": {"segmentation_from": 3},
    "optimiser": {"lr": 1e-3, "warm_up": 2},
    "loop": {"iterations": 9, "batch": 4, "log_every": 1},
}
RECIPE: dict[str, Any] = {"train": TRAIN, "seeds": {"resize": 64}, "infer": {"scales": [1.0, 1.25]}}


@pytest.fixture(scope="module")
def wsss(tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    return shapes_and_recipe(tmp_path_factory.mktemp("toco"), RECIPE)


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
