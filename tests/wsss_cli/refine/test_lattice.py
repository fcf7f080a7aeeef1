"""The permutohedral lattice against DenseCRF's C++ filter, and what must hold of any such filter."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from reference_vectors import vectors
from wsss_cli.refine.lattice import Lattice


def bilateral(image: Tensor, sigma_xy: float, sigma_rgb: float) -> Lattice:
    """The lattice of (x, y, r, g, b), image (3, H, W)."""
    _, height, width = image.shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    place, colour = torch.stack([x, y]).float() / sigma_xy, image.float() / sigma_rgb
    return Lattice(torch.cat([place, colour]).flatten(1).T)


def filter_maps(lattice: Lattice, maps: Tensor) -> Tensor:
    """Filter (K, H, W)."""
    return lattice.filter(maps.flatten(1).T.contiguous()).T.reshape(maps.shape)


@vectors("toco/bilateral")
def test_equals_official_filter(ref: dict[str, Any]) -> None:
    lattice = bilateral(torch.from_numpy(ref["image"]), ref["sigma_xy"], ref["sigma_rgb"])
    filtered = filter_maps(lattice, torch.from_numpy(ref["values"]))
    np.testing.assert_allclose(filtered, ref["lattice_out"], atol=1e-5)


@vectors("puf/bilateral_lattice")
def test_equals_official_filter_of_a_batch(ref: dict[str, Any]) -> None:
    for image, seg, expected in zip(ref["img_u8"], ref["seg"], ref["filtered"]):
        lattice = bilateral(torch.from_numpy(image), ref["sigma_xy"], ref["sigma_rgb"])
        np.testing.assert_allclose(filter_maps(lattice, torch.from_numpy(seg)), expected, atol=1e-5)


@vectors("toco/energy_fn")
def test_equals_official_filter_in_energy(ref: dict[str, Any]) -> None:
    values = ref["S"] * ref["roi"][:, None]
    for image, value, expected in zip(ref["image"], values, ref["AS_lattice"]):
        lattice = bilateral(torch.from_numpy(image), ref["sigma_xy"], ref["sigma_rgb"])
        np.testing.assert_allclose(filter_maps(lattice, torch.from_numpy(value)), expected, atol=1e-5)


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 6, 8])
def test_looks_like_a_gaussian_in_any_dimension(dim: int) -> None:
    features = torch.randn(200, dim, generator=torch.Generator().manual_seed(dim)) * 0.3
    values = torch.rand(200, 3, generator=torch.Generator().manual_seed(0))
    exact = torch.exp(-torch.cdist(features, features).square() / 2) @ values
    filtered = Lattice(features).filter(values)
    assert torch.nn.functional.cosine_similarity(filtered, exact, 0).min() > 0.99


def test_hashed_keys_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    features, values = torch.randn(300, 5) * 3, torch.rand(300, 4)
    packed = Lattice(features).filter(values)
    monkeypatch.setattr("wsss_cli.refine.simplex.PACKED", 1)
    torch.testing.assert_close(Lattice(features).filter(values), packed, atol=1e-5, rtol=1e-5)


def test_gradient_is_the_transposed_filter() -> None:
    lattice = Lattice(torch.randn(101, 3))
    values, weights = torch.rand(101, 5, requires_grad=True), torch.rand(101, 5)
    (lattice.filter(values) * weights).sum().backward()
    matrix = lattice.filter(torch.eye(101))
    torch.testing.assert_close(values.grad, matrix.T @ weights, atol=1e-5, rtol=1e-5)


def test_vertices_are_numbered_by_their_first_points() -> None:
    splat = Lattice(torch.rand(200, 3) * 9).splat
    first = splat.columns[splat.offsets[:-1].long()]
    assert torch.equal(first, first.sort().values)


def test_scaled() -> None:
    lattice, values = Lattice(torch.randn(50, 2)), torch.rand(50, 2)
    before, after = torch.rand(50), torch.rand(50)
    expected = after[:, None] * lattice.filter(before[:, None] * values)
    torch.testing.assert_close(lattice.scaled(before, after).filter(values), expected)


@pytest.mark.parametrize("points", [52, 51])
def test_images_of_a_batch_have_nothing_to_do_with_each_other(points: int) -> None:
    features, values = torch.randn(3, points, 5), torch.rand(3, points, 4)
    features[2] = features[0]  # the same places, yet other vertices
    together = Lattice(features).filter(values.flatten(0, 1)).view_as(values)
    alone = torch.stack([Lattice(f).filter(v) for f, v in zip(features, values)])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-5)
