"""A tiny data set of shapes and a recipe that runs every stage of PPMG on it in seconds."""

from typing import Any

import pytest

import wsss_ppmg.stages  # noqa: F401  so that each command, a fork of this process, need not import it
from processes import Wsss
from tiny_shapes import shapes_and_recipe

LOOP = {"epochs": 1, "batch": 4, "channels_last": True, "sync_bn": False}
SEAM = {"backbone": "test_resnet", "pretrained": "none", "output_stride": 16, "freeze_bn": False, "freeze": None}
TRAINING = {"resize_long": [56, 72], "crop": 64, "loop": LOOP, "optimiser": {"lr": 0.01, "momentum": 0.9}}
INFER = {"scales": [1.0, 1.5], "short_side": 48, "window": 48, "window_stride": 40}
RECIPE: dict[str, Any] = {
    "seeds": {
        "net": SEAM,
        "training": TRAINING,
        "grid": {"scales": [1.0, 1.5], "crop": 64, "stride": 40},
        "rough": {
            "net": {**SEAM, "dropout": 0.0},
            "training": TRAINING,
            "scales": [1.0],
            "sure": 0.5,
        },
    },
    "train": {
        "net": {"backbone": "test_resnet", "pretrained": "none", "width": 32},
        "augment": {"crop": 64, "short_side": 64},
        "loop": LOOP,
        "under_fitting": {"beta": 3.0, "k": 1.0},
        "cyclic": {"infer": INFER},
    },
    "infer": INFER,
}


@pytest.fixture(scope="module")
def wsss(tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    return shapes_and_recipe(tmp_path_factory.mktemp("ppmg"), RECIPE)
