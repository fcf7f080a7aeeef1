"""Settings with which every stage of IRN takes seconds."""

from typing import Any

LOOP = {"epochs": 2, "batch": 4, "channels_last": True}
OPTIMISER = {"lr": 0.02, "momentum": 0.9}
RECIPE: dict[str, Any] = {
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
