"""Settings with which every stage of ToCo takes seconds."""

from typing import Any

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
