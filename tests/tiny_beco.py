"""Settings with which every stage of BECO takes seconds."""

from typing import Any

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
