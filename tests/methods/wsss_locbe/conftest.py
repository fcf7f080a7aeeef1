"""A tiny LOC-BE: settings that run every stage in seconds, a network, and a batch of noise."""

from typing import Any

import pytest
import torch
from torch import Tensor

from processes import Wsss
from tiny_shapes import shapes_and_recipe
from wsss_cli.config import resolve
from wsss_locbe.config import Train
from wsss_locbe.nets import LocBe
from wsss_locbe.stages import build

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


@pytest.fixture(scope="session")
def config() -> Train:
    return resolve(Train, "train", TRAIN)


@pytest.fixture
def net(config: Train) -> LocBe:
    torch.manual_seed(0)
    return build(config.net, 3)


@pytest.fixture
def batch() -> dict[str, Tensor]:
    """Four pictures, blocks of colours; the last is padded at two sides."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, 3, 8, 8, generator=generator).repeat_interleave(8, 2).repeat_interleave(8, 3)
    tags = torch.tensor([[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]], dtype=torch.float32)
    box = torch.tensor([[0, 64, 0, 64]] * 3 + [[0, 50, 10, 64]])
    draws = torch.rand(4, 4, generator=generator, dtype=torch.float64)
    return {"image": images, "tags": tags, "box": box, "draws": draws}


@pytest.fixture(scope="module")
def wsss(tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    recipe = {"train": TRAIN, "seeds": {"resize": 64}, "infer": {"scales": [1.0]}}
    return shapes_and_recipe(tmp_path_factory.mktemp("locbe"), recipe)
