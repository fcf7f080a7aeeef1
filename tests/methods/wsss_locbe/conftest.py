"""A tiny LOC-BE and a batch of noise."""

import pytest
import torch
from torch import Tensor

from tiny_locbe import TRAIN
from wsss_cli.config import resolve
from wsss_locbe.config import Train
from wsss_locbe.nets import LocBe
from wsss_locbe.stages import build


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
