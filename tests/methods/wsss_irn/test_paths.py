"""Directions, paths and affinities against the released index tables, and the gradient of the path maximum."""

from typing import Any

import numpy as np
import pytest
import torch

from reference_vectors import vectors
from wsss_irn.paths import Sources, affinity, directions, path, ranked


@vectors("beco/irn_path_index")
def test_paths_are_the_released_ones(ref: dict[str, Any]) -> None:
    radius, (h, w) = ref["radius"], ref["size"].tolist()
    chosen = directions(radius)
    assert ref["search_dst"].tolist() == [list(d) for d in chosen]
    sources = Sources(radius, h, w)
    flat = sources.flatten(torch.arange(h * w).view(h, w))

    def at(dy: int, dx: int) -> np.ndarray:
        return sources.crop(sources.shifted(flat, dy, dx)).flatten().numpy()

    np.testing.assert_array_equal(at(0, 0), ref["src_indices"])
    np.testing.assert_array_equal(np.stack([at(*d) for d in chosen]), ref["dst_indices"])
    remaining = iter(chosen)
    for i in range(ref["n_lengths"]):
        points, indices = ref[f"search_paths_{i}"], ref[f"path_indices_{i}"]
        paths = [path(*next(remaining)) for _ in points]
        np.testing.assert_array_equal(paths, points)
        np.testing.assert_array_equal([[at(*p) for p in points] for points in paths], indices)
    assert next(remaining, None) is None


@pytest.mark.parametrize(("radius", "count", "longest"), [(5, 34, 11), (10, 152, 22)])
def test_numbers_of_directions(radius: int, count: int, longest: int) -> None:
    lengths = [len(path(*d)) for d in directions(radius)]
    assert (len(lengths), max(lengths)) == (count, longest)
    assert lengths == sorted(lengths)


def test_affinity_and_its_gradient_are_those_of_torch_max() -> None:
    torch.manual_seed(0)
    edge = torch.rand(2, 14, 23, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 34, 10, 15, dtype=torch.float64)
    ours = affinity(edge, 5)
    (grad,) = torch.autograd.grad((ours * weights).sum(), edge)
    shifted = [[edge[:, y : y + 10, 4 + x : 19 + x] for y, x in path(*d)] for d in directions(5)]
    plain = 1 - torch.stack([torch.stack(points).max(0).values for points in shifted], 1)
    (expected,) = torch.autograd.grad((plain * weights).sum(), edge)
    torch.testing.assert_close(ours, plain, rtol=0, atol=0)
    torch.testing.assert_close(grad, expected)


def test_ties_send_the_gradient_to_one_pixel() -> None:
    edge = torch.full((1, 12, 16), 0.5, requires_grad=True)
    a = affinity(edge, 5)
    (grad,) = torch.autograd.grad(a.sum(), edge)
    assert grad.sum().item() == -a.numel()
    assert torch.equal(grad, grad.round())


def test_ranks_of_a_large_map_are_wider() -> None:
    assert ranked(torch.rand(1, 2**15))[1].dtype == torch.int16
    order, rank = ranked(torch.rand(1, 2**15 + 1))
    assert rank.dtype == torch.int32
    assert torch.equal(rank.gather(1, order)[0], torch.arange(2**15 + 1, dtype=torch.int32))


def test_a_map_without_sources_is_refused() -> None:
    with pytest.raises(ValueError, match="4 x 30 map holds no pair source of radius 5"):
        affinity(torch.rand(1, 4, 30), 5)
