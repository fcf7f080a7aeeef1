"""Multi-scale merging against the released code, one image and several at once."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from reference_vectors import vectors
from wsss_cli.batches.transforms import normalise
from wsss_cli.cam.merge import fold, merge, merge_high_res, strided_size
from wsss_cli.cam.multi_scale import multi_scale_cams, scaled


@vectors("beco/irn_make_cam")
def test_merge_is_the_released_one(ref: dict[str, Any]) -> None:
    size = tuple(ref["size"].tolist())
    raw = [fold(torch.from_numpy(ref[f"raw_{i}"])[:, ref["keys"]]) for i in range(len(ref["scales"]))]
    assert strided_size(size) == tuple(ref["strided_size"])
    np.testing.assert_array_equal(np.flatnonzero(ref["label"]), ref["keys"])
    np.testing.assert_allclose(merge(raw, size), ref["cam"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(merge_high_res(raw, size), ref["high_res"], rtol=0, atol=1e-5)


def _net(x: Tensor) -> Tensor:
    """Three class maps at stride 16."""
    pooled = torch.nn.functional.avg_pool2d(x, 16, ceil_mode=True)
    return torch.cat([pooled[:, :1], -pooled[:, 1:2], pooled[:, 2:] * pooled[:, :1]], 1)


@pytest.fixture
def images() -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (3, 50, 70, 3), dtype=np.uint8))


def test_a_batch_gives_what_each_image_gives(images: list[np.ndarray]) -> None:
    tags, cpu = [(1, 3), (), (2,)], torch.device("cpu")
    pyramids = [scaled(image) for image in images]
    together = multi_scale_cams(_net, pyramids, tags, (50, 70), cpu)
    for cam, pyramid, present in zip(together, pyramids, tags):
        (alone,) = multi_scale_cams(_net, [pyramid], [present], (50, 70), cpu)
        assert cam.class_ids.tolist() == list(present)
        assert cam.cam.shape == (len(present), 13, 18)
        assert cam.full().shape == (len(present), 50, 70)
        np.testing.assert_allclose(cam.cam, alone.cam, atol=1e-6)
        np.testing.assert_allclose(cam.full(), alone.full(), atol=1e-6)


@pytest.mark.parametrize("scales", [(0.5,), (2.0, 1.0), (0.5, 1.0, 1.5)])
def test_no_scale_need_be_the_images_own(images: list[np.ndarray], scales: tuple[float, ...]) -> None:
    (cam,) = multi_scale_cams(_net, [scaled(images[0], scales)], [(3, 1)], (50, 70), torch.device("cpu"))
    assert cam.size == (50, 70) and cam.cam.shape == (2, 13, 18) and cam.full().shape == (2, 50, 70)
    (other,) = multi_scale_cams(_net, [scaled(images[0], scales[::-1])], [(3, 1)], (50, 70), torch.device("cpu"))
    np.testing.assert_allclose(cam.cam, other.cam, atol=1e-6)


def test_cams_are_of_the_present_classes(images: list[np.ndarray]) -> None:
    pyramid = scaled(images[0])
    assert [p.shape for p in pyramid] == [(50, 70, 3), (25, 35, 3), (75, 105, 3), (100, 140, 3)]
    (cam,) = multi_scale_cams(_net, [pyramid], [(3, 1)], (50, 70), torch.device("cpu"))
    batches = [normalise(torch.from_numpy(p)[None]) for p in pyramid]
    folded = [fold(_net(torch.cat([b, b.flip(-1)])).unflatten(0, (2, 1))[:, 0]) for b in batches]  # (3, h, w) each
    np.testing.assert_allclose(cam.cam, merge(folded, (50, 70))[[2, 0]], atol=1e-6)
    np.testing.assert_allclose(cam.full(), merge_high_res(folded, (50, 70))[[2, 0]], atol=1e-6)
    assert cam.size == (50, 70)
