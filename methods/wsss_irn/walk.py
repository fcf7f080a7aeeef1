"""Random walk over inter-pixel affinities: spreads CAMs inside boundaries.  [Ahn, Cho, Kwak, CVPR 2019, sec. 4.4]"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from wsss_irn.paths import affinity, directions


def random_walk(x: Tensor, edge: Tensor, radius: int = 5, beta: float = 10, exp_times: int = 8) -> Tensor:
    """Walk the scores 2^exp_times steps along the affinities, starting off the edges.

    rw = vec(x * (1 - edge)) T^(2^exp_times), T_ij = a_ij^beta / sum_i a_ij^beta.  [Ahn et al. 2019, eq. 5, 6]

    x (K, h, w) scores; edge (h, w) in [0, 1]; beta and exp_times as released: 10 and 8, i.e. 256 steps.
    Returns (K, h, w). The released code squares a dense n x n matrix instead; this is 256 sparse products.
    """
    h, w = edge.shape
    step = transition(edge, radius, beta)
    walked = (x * (1 - edge)).flatten(1).T.contiguous()  # (h*w, K)
    for _ in range(2**exp_times):
        walked = step @ walked
    return walked.T.reshape(-1, h, w)


def walk_once(height: int, width: int, walk: Any) -> None:
    """The walk of two classes over so many cells, for its time; walk: its settings."""
    random_walk(torch.ones(2, height, width), torch.rand(height, width), walk.radius, walk.beta, walk.exp_times)


def transition(edge: Tensor, radius: int, beta: float) -> Tensor:
    """T transposed, sparse: row j holds where the walk comes from to pixel j; rows sum to 1.

    edge (h, w).  Returns (h*w, h*w) CSR with at most 69 entries a row for radius 5.
    """
    values, columns, inside = neighbours(edge, radius)  # each (h*w, M)
    values = values**beta
    values = values / values.sum(1, keepdim=True)
    return _csr(values, columns, inside)


def affinity_matrix(edge: Tensor, radius: int) -> Tensor:
    """The symmetric affinities of all pixels, 1 on the diagonal: edge (h, w) -> (h*w, h*w) CSR."""
    return _csr(*neighbours(edge, radius))


def neighbours(edge: Tensor, radius: int) -> tuple[Tensor, Tensor, Tensor]:
    """Each pixel's affinity to the M pixels of its disc, itself included, in ascending order of position.

    edge (h, w).  Returns values (h*w, M), 0 outside the image; flat positions (h*w, M); inside (h*w, M) bool.
    """
    h, w = edge.shape
    half = _affinity_from_all(edge, radius)  # {(dy, dx): (h, w)}
    ones = {(0, 0): torch.ones_like(edge)}
    back = {(-dy, -dx): torch.roll(a, (dy, dx), (0, 1)) for (dy, dx), a in half.items()}  # rolled-in values are 0
    disc = sorted((half | ones | back).items())
    at = torch.arange(h * w, device=edge.device)
    y, x = (at // w)[:, None], (at % w)[:, None]  # (h*w, 1)
    dy, dx = torch.tensor([d for d, _ in disc], device=edge.device).unbind(1)  # (M,)
    inside = (y + dy >= 0) & (y + dy < h) & (x + dx >= 0) & (x + dx < w)  # (h*w, M)
    values = torch.stack([a.flatten() for _, a in disc], 1)  # (h*w, M)
    return values, at[:, None] + dy * w + dx, inside


def _affinity_from_all(edge: Tensor, radius: int) -> dict[tuple[int, int], Tensor]:
    """Affinity of every pixel to each direction, 0 where it leaves the image: edge (h, w) -> (h, w) each.

    Padding makes every real pixel a source; an edge of 1.0 there leaves no affinity to cross it.
    """
    reach = radius - 1
    padded = torch.nn.functional.pad(edge, (reach, reach, 0, reach), value=1.0)
    return dict(zip(directions(radius), affinity(padded[None], radius)[0]))  # sources of the padded map: (h, w)


def _csr(values: Tensor, columns: Tensor, inside: Tensor) -> Tensor:
    """The entries inside the image as a sparse matrix; int32 indices, which are half the traffic of int64."""
    n = len(values)
    starts = torch.nn.functional.pad(inside.sum(1).cumsum(0), (1, 0))  # (n + 1,)
    # not by its argument check_invariants, in spite of which torch 2.11 warns that nothing is checked
    with warnings.catch_warnings(), torch.sparse.check_sparse_tensor_invariants():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state", UserWarning)
        return torch.sparse_csr_tensor(starts.int(), columns[inside].int(), values[inside], size=(n, n))


def dense_walk(x: Tensor, edge: Tensor, radius: int = 5, beta: float = 10, exp_times: int = 8) -> Tensor:
    """`random_walk` as released, by squaring the dense matrix: for tests and the benchmark, O((h*w)^3) work."""
    h, w = edge.shape
    matrix = transition(edge, radius, beta).to_dense().T  # (h*w, h*w)
    for _ in range(exp_times):
        matrix = matrix @ matrix
    return ((x * (1 - edge)).flatten(1) @ matrix).view(-1, h, w)
