"""A tiny data set of shapes and a recipe that runs every stage of IRN on it in seconds."""

import pytest

from processes import Wsss
from tiny_shapes import shapes_and_recipe

LOOP = {"epochs": 2, "batch": 4, "channels_last": True}
OPTIMISER = {"lr": 0.02, "momentum": 0.9}
RECIPE = {
    "seeds": {
        "net": {"backbone": "test_resnet", "pretrained": "none", "detach": False, "freeze_bn": False},
        "training": {"resize_long": [56, 72], "crop": 64, "optimiser": OPTIMISER, "loop": LOOP},
        "scales": [1.0, 0.5],
    },
    "pseudo": {
        "training": {"init": "cam", "crop": 64, "radius": 4, "loop": LOOP},
        "walk": {"pad": None, "exp_times": 3},
    },
    "train": {
        "net": {"backbone": "test_resnet", "pretrained": "none"},
        "augment": {"crop": 64},
        "loop": LOOP,
    },
}


@pytest.fixture(scope="module")
def wsss(tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    return shapes_and_recipe(tmp_path_factory.mktemp("irn"), RECIPE)
