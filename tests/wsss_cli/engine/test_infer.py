"""How predictions of scales are fused, and the size at which images are seen."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.data.transforms import normalise
from wsss_cli.engine.infer import Infer, predict


class Average(nn.Module):
    """Logits at stride 4: the mean of each cell, and its negative."""

    def forward(self, images: Tensor) -> Tensor:
        cells = F.avg_pool2d(images.mean(1, keepdim=True), 4)
        return torch.cat([cells, -cells, cells**2], 1)


@pytest.fixture
def images() -> Tensor:
    return torch.randint(0, 256, (2, 32, 48, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def enlarged(x: Tensor, size: Any) -> Tensor:
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=False)


def test_coarse_max_is_taken_on_the_grid_of_the_unscaled_image(images: Tensor) -> None:
    """The released test_msc: maps of every scale on the grid of scale 1, the largest logit, then enlarged."""
    net, x, size = Average(), normalise(images), (40, 50)
    maps = [enlarged(net(x if s == 1 else enlarged(x, (32 * s, 48 * s))), (8, 12)) for s in (2, 1)]
    expected = enlarged(torch.maximum(*maps), size).softmax(1)
    found = predict(net, images, Infer(scales=(2.0, 1.0), fusion="coarse_max"), size)
    torch.testing.assert_close(found, expected)
    fine = predict(net, images, Infer(scales=(2.0, 1.0), fusion="max"), size)
    assert fine.shape == found.shape and not torch.allclose(fine, found)


@pytest.mark.parametrize("fusion", ["mean", "max", "coarse_max"])
def test_one_scale_is_the_networks_own_prediction(images: Tensor, fusion: Any) -> None:
    expected = enlarged(Average()(normalise(images)), (32, 48)).softmax(1)
    torch.testing.assert_close(predict(Average(), images, Infer(fusion=fusion), (32, 48)), expected)


@pytest.mark.parametrize("fusion", ["mean", "max", "coarse_max"])
def test_the_mirrored_image_of_a_symmetric_network_changes_nothing(images: Tensor, fusion: Any) -> None:
    plain = predict(Average(), images, Infer(fusion=fusion), (32, 48))
    torch.testing.assert_close(predict(Average(), images, Infer(fusion=fusion, flip=True), (32, 48)), plain)
