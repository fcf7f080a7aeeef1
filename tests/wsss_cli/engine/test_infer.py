"""How predictions of scales are fused, and the size at which images are seen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reference_vectors import vectors
from wsss_cli.batches.transforms import normalise
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.infer import Infer, _logits_of_scales, fuse_logits, predict
from wsss_cli.nets.multi_scale import MultiScale


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


@pytest.mark.parametrize("fusion", ["mean", "max", "coarse_max", "sum_max", "max_sum"])
def test_one_scale_is_the_networks_own_prediction(images: Tensor, fusion: Any) -> None:
    expected = enlarged(Average()(normalise(images)), (32, 48)).softmax(1)
    torch.testing.assert_close(predict(Average(), images, Infer(fusion=fusion), (32, 48)), expected)


@pytest.mark.parametrize("fusion", ["mean", "max", "coarse_max"])
def test_the_mirrored_image_of_a_symmetric_network_changes_nothing(images: Tensor, fusion: Any) -> None:
    plain = predict(Average(), images, Infer(fusion=fusion), (32, 48))
    torch.testing.assert_close(predict(Average(), images, Infer(fusion=fusion, flip=True), (32, 48)), plain)


class Patches(nn.Module):
    """The reference's toy network: a convolution of patches."""

    def __init__(self, ref: dict[str, Any]) -> None:
        super().__init__()
        self.stride, self.weight, self.bias = ref["stride"], *(torch.from_numpy(ref[n]) for n in ("w_seg", "b_seg"))

    def forward(self, images: Tensor) -> Tensor:
        return F.conv2d(images, self.weight, self.bias, stride=self.stride)


@vectors("toco/ms_seg")
def test_fusions_of_toco(ref: dict[str, Any]) -> None:
    net, x, size = Patches(ref), torch.from_numpy(ref["inputs"]), ref["label_hw"].tolist()
    voc = Infer(scales=ref["scales"].tolist(), flip=True, fusion="sum_max", rounding="down")
    coco = Infer(scales=(1.0, 1.25, 1.5), flip=True, fusion="max_sum", rounding="down")
    small = enlarged(x, ref["coco_resize"].tolist())
    for images, config, expected in ((x, voc, ref["voc_logits"]), (small, coco, ref["coco_logits"])):
        found = fuse_logits(_logits_of_scales(net, images, config, size), config.fusion)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_resizing_by_torch_does_not_smooth(images: Tensor) -> None:
    config = Infer(resize=16, resize_by="torch")
    expected = enlarged(Average()(enlarged(normalise(images), (16, 16))), (32, 48)).softmax(1)
    torch.testing.assert_close(predict(Average(), images, config, (32, 48)), expected)


class Pixels(nn.Module):
    """Logits at each pixel."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([images, images**2], 1)


@pytest.mark.parametrize("size", [(1, 40), (40, 1), (1, 1)])
@pytest.mark.parametrize(
    "options",
    [
        *({"scales": (0.5, 1.0, 0.25), "rounding": rounding} for rounding in ("nearest", "down", "factor")),
        {"long_side": 8, "scales": (0.5,)},
        {"short_side": 2, "scales": (0.1,)},
    ],
    ids=str,
)
def test_an_image_of_one_pixel_a_side_keeps_it(size: tuple[int, int], options: dict[str, Any]) -> None:
    photos = torch.full((1, *size, 3), 200, dtype=torch.uint8)
    for net in (Pixels(), MultiScale(Pixels(), (0.5, 0.25))):
        scores = predict(net, photos, Infer(**options), size)
        assert scores.shape == (1, 6, *size)
        torch.testing.assert_close(scores, predict(Pixels(), photos, Infer(), size))  # of a photo of one colour


def test_the_typical_size_that_a_network_sees_has_pixels() -> None:
    thin = Sample("a", Path("a.png"), 1, 400, (), (), None, ("val",))
    assert Infer(long_side=8).seen_size([thin]) == (8, 1)
