"""The random walk against the released code, which squares a dense matrix."""

from typing import Any

import pytest
import torch

from reference_vectors import vectors
from wsss_irn.walk import affinity_matrix, dense_walk, random_walk, transition


@vectors("beco/irn_propagate")
def test_walk_is_the_released_one(ref: dict[str, Any]) -> None:
    x, edge = torch.from_numpy(ref["x"]), torch.from_numpy(ref["edge"])[0]

    def close(ours: torch.Tensor, theirs: str) -> None:
        torch.testing.assert_close(ours, torch.from_numpy(ref[theirs]), rtol=0, atol=1e-4)

    close(affinity_matrix(edge, 5).to_dense()[::7], "affinity_rows")
    close(transition(edge, 5, 10).to_dense().T[:, ::7], "transition_cols")
    close(random_walk(x, edge)[:, None], "rw_beta10_exp8")
    close(random_walk(x, edge, beta=5, exp_times=3)[:, None], "rw_beta5_exp3")


@pytest.mark.parametrize("size", [(7, 11), (3, 4), (1, 1), (20, 3)])
def test_sparse_walk_is_the_dense_walk(size: tuple[int, int]) -> None:
    torch.manual_seed(1)
    x, edge = torch.rand(3, *size, dtype=torch.float64), torch.rand(size, dtype=torch.float64)
    torch.testing.assert_close(random_walk(x, edge), dense_walk(x, edge))


def test_a_closed_edge_keeps_the_scores_apart() -> None:
    edge = torch.zeros(9, 21)
    edge[:, 10] = 1
    x = torch.zeros(1, 9, 21)
    x[:, :, :10] = 1
    walked = random_walk(x, edge)[0]
    torch.testing.assert_close(walked[:, :10], torch.ones(9, 10))
    assert walked[:, 10:].abs().max() == 0


def test_each_map_walks_alone() -> None:
    x, edge = torch.rand(4, 8, 9), torch.rand(8, 9)
    together = random_walk(x, edge)
    for k in range(4):
        torch.testing.assert_close(together[k : k + 1], random_walk(x[k : k + 1], edge))
