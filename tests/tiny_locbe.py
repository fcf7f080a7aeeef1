"""Settings with which every stage of LOC-BE takes seconds."""

from typing import Any

TRAIN: dict[str, Any] = {
    "net": {
        "backbone": "vit_tiny_patch16_224",
        "backbone_args": {"img_size": 64, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 2},
        "pretrained": "none",
        "inner_block": -2,
        "width": 16,
        "dilation": 1,
    },
    "augment": {"crop": 64, "scale": [0.75, 1.5]},
    "windows": {"side": 24},
    "par": {"iterations": 3},
    "phases": [
        {"until": 1},
        {"until": 3, "boundary": 1.0, "patch_contrast": 0.3},
        {"boundary": 1.0, "local": 1.0, "patch_contrast": 0.3, "segmentation": 0.1, "energy": 0.05},
    ],
    "optimiser": {"lr": 0.001, "warm_up": 2},
    "loop": {"iterations": 8, "batch": 4, "log_every": 1},
}
RECIPE: dict[str, Any] = {"train": TRAIN, "seeds": {"resize": 64}, "infer": {"scales": [1.0]}}
