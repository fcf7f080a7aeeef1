"""A tiny data set of shapes and a recipe that runs every stage of BECO on it in seconds; and four pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from processes import Wsss
from tiny_shapes import shapes_and_recipe
from wsss_beco.config import Crop, Mixing, Train
from wsss_beco.data import CoTrainingData
from wsss_cli.data.labels import write_labels, write_mask01
from wsss_cli.data.prepared import Sample
from wsss_cli.nets.config import Net

LOOP = {"epochs": 2, "batch": 4, "channels_last": True}
OPTIMISER = {"lr": 0.02, "momentum": 0.9}
NET = {"backbone": "test_resnet", "pretrained": "none", "width": 32, "aspp_rates": [1, 2, 3]}
RECIPE: dict[str, Any] = {
    "seeds": {
        "net": {"backbone": "test_resnet", "pretrained": "none", "detach": False, "freeze_bn": False},
        "training": {"resize_long": [56, 72], "crop": 64, "optimiser": OPTIMISER, "loop": {**LOOP, "epochs": 1}},
        "scales": [1.0],
    },
    "pseudo": {
        "training": {"init": "cam", "crop": 64, "radius": 4, "loop": {**LOOP, "epochs": 1}},
        "walk": {"pad": None, "exp_times": 3},
    },
    "train": {
        "net": NET,
        "crop": {"size": 64},
        "mixing": {"threshold": 0.3},  # so that untrained networks are confident somewhere
        "optimiser": {"lr": 0.02},
        "loop": {**LOOP, "epochs": 4, "log_every": 1},
    },
}


@pytest.fixture(scope="module")
def wsss(tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    return shapes_and_recipe(tmp_path_factory.mktemp("beco"), RECIPE)


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
