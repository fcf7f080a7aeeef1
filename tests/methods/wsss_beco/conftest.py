"""A tiny data set of shapes and a recipe that runs every stage of BECO on it in seconds."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from processes import Wsss

LOOP = {"epochs": 2, "batch": 4, "channels_last": True}
OPTIMISER = {"lr": 0.02, "momentum": 0.9}
NET = {"backbone": "test_resnet", "pretrained": "none", "width": 32, "aspp_rates": [1, 2, 3]}
RECIPE: dict[str, Any] = {
    "seeds": {
        "net": {"backbone": "test_resnet", "pretrained": "none", "detach": False, "freeze_bn": False},
        "training": {"resize_long": [56, 72], "crop": 64, "optimiser": OPTIMISER, "loop": LOOP},
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
    """The command in a folder with the data set prepared and tiny.yaml beside it."""
    folder: Path = tmp_path_factory.mktemp("beco")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    command = Wsss(folder, ())
    done = command("prepare", "shapes", "--train", 12, "--val", 6, "--size", 64)
    assert done.code == 0, done.text
    return command
