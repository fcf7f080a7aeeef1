"""Hybrid pooling against the released function, and on maps that it cannot take."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from reference_vectors import vectors
from wsss_locbe.pooling import LEVELS, hybrid_pool


@vectors("locbe/hybrid_pool")
def test_hybrid_pool(ref: dict[str, Any]) -> None:
    np.testing.assert_allclose(hybrid_pool(torch.from_numpy(ref["x"])), ref["out"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(8, 8), (17, 9), (19, 30), (23, 24)])
def test_means_are_those_of_whole_cells(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size)
    expected = 2 * F.adaptive_max_pool2d(x, 1)
    for level in LEVELS:
        cell = size[0] // level, size[1] // level
        expected = expected + F.adaptive_avg_pool2d(F.avg_pool2d(x, cell, stride=cell), 1)
    torch.testing.assert_close(hybrid_pool(x), expected / 5)


def test_a_map_smaller_than_the_finest_level_has_cells_of_one() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 2, 3, 9)
    plain = x.mean((2, 3)), x[..., :8].mean((2, 3)), x.mean((2, 3))
    expected = (2 * x.amax((2, 3)) + sum(plain)) / 5
    torch.testing.assert_close(hybrid_pool(x).flatten(1), expected)
