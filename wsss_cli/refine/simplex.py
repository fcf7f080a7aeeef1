"""Where features lie in the permutohedral lattice: their simplices, barycentric weights, and one integer per vertex."""

from __future__ import annotations

import math

import torch
from torch import Tensor

PACKED = 2**62  # keys below this hold every coordinate exactly


def enclosing_simplex(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The simplex that holds each feature.  [Adams et al. 2010, sec. 3.1 and proposition 3.4]

    Each feature f is elevated to e = E f on the plane sum(e) = 0, its nearest multiple of d + 1 per coordinate found,
    and brought onto the plane where it lies off it. Rounds as DenseCrf's C++ does: the same steps in the same order.

    features (d, N) float32.  Returns, each (d + 1, N): the vertex of remainder 0; the rank of each coordinate by
    descending distance from that vertex, 0..d int64; the barycentric weights of the vertices of remainder 0..d.
    """
    dim = len(features)
    elevated = _elevate(features)
    down = _float32(1 / (dim + 1))
    corner = (elevated * down).round_()  # in units of d + 1
    off_plane = corner.sum(0)
    corner *= dim + 1
    rank = _descending_rank(elevated - corner) + off_plane
    back = ((rank < 0).float() - (rank > dim).float()) * (dim + 1)
    corner += back
    rank = (rank + back).long()

    by_rank = torch.empty_like(elevated).scatter_(0, rank, (elevated - corner) * down)
    weights = torch.empty_like(elevated)
    weights[0] = by_rank[-1] + (1 - by_rank[0])
    torch.sub(by_rank[:-1].flip(0), by_rank[1:].flip(0), out=weights[1:])
    return corner, rank, weights


def vertex_keys(corner: Tensor, rank: Tensor, strides: Tensor) -> Tensor:
    """One integer for each vertex of each simplex, linear in its coordinates 1..d (coordinate 0 follows from them).

    The vertex of remainder k has the coordinates corner + k, less d + 1 where rank > d - k. The last coordinate, which
    depends on the last feature alone, counts most: in an image's (x, y) keys then ascend as pixels do, row by row.

    corner, rank (d + 1, N); strides (d + 1,) int64, what each coordinate counts.  Returns keys (d + 1, N) int64.
    """
    dim = len(corner) - 1
    up = strides.sum()
    along = torch.empty_like(rank).scatter_(0, rank, strides[:, None].expand_as(rank))  # the strides by rank
    keys = torch.empty_like(rank)
    keys[0] = sum(corner[i].long() * strides[i] for i in range(1, dim + 1))
    for k in range(1, dim + 1):
        keys[k] = keys[k - 1] - along[dim + 1 - k] * (dim + 1) + up
    return keys


def key_strides(features: Tensor) -> Tensor:
    """What each coordinate counts in keys of these features (N, d) and of zeros, coordinate 0 nothing: (d + 1,) int64.

    From the features' range alone, so that keys can be made of a part of the features at a time.
    """
    dim = features.shape[1]
    low, high = torch.stack([features.amin(0).clamp(max=0), features.amax(0).clamp(min=0)]).double().cpu()
    span = (high - low) * torch.tensor(_scales(dim), dtype=torch.float64)  # each feature's part in a coordinate
    margin = 6 * (dim + 1)  # to both sides, for the vertices of a simplex and their neighbours
    extents = [math.ceil(float(span[j:].sum() + j * span[j - 1])) + margin for j in range(1, dim + 1)]
    return _strides(extents).to(features.device)


def key_steps(strides: Tensor) -> list[int]:
    """What a step back on each of the d + 1 axes, d + 1 more on it and 1 less on every coordinate, adds to a key."""
    return (len(strides) * strides - strides.sum()).tolist()


def _elevate(features: Tensor) -> Tensor:
    """E f, scaled so that splat, blur and slice together have standard deviation 1: (d, N) -> (d + 1, N)."""
    dim, points = features.shape
    scales = _scales(dim)
    elevated = features.new_empty(dim + 1, points)
    tail = features.new_zeros(points)
    for j in range(dim, 0, -1):  # e_j = sum_{i >= j} c_i - j c_{j-1}
        scaled = features[j - 1] * scales[j - 1]
        torch.sub(tail, scaled * j, out=elevated[j])
        tail = tail + scaled
    elevated[0] = tail
    return elevated


def _scales(dim: int) -> list[float]:
    spread = _float32(math.sqrt(2 / 3) * (dim + 1))
    return [_float32(1 / math.sqrt((j + 1) * j) * spread) for j in range(1, dim + 1)]


def _float32(value: float) -> float:
    return torch.tensor(value, dtype=torch.float32).item()


def _descending_rank(distance: Tensor) -> Tensor:
    """How many coordinates are larger, or equal and earlier: (n, N) -> (n, N) float32."""
    rank = torch.zeros_like(distance)
    for i in range(len(distance)):
        for j in range(i + 1, len(distance)):
            smaller = (distance[i] < distance[j]).float()
            rank[i] += smaller
            rank[j] += 1 - smaller
    return rank


def _strides(extents: list[int]) -> Tensor:
    """What each coordinate counts in a key, coordinate 0 nothing: mixed radix if 62 bits hold it, else a hash."""
    if math.prod(extents) < PACKED:
        strides = torch.tensor([math.prod(extents[:i]) for i in range(len(extents))])
    else:  # sums of odd 63-bit numbers modulo 2^64: among a million vertices a clash has odds of one in ten million
        strides = torch.randint(2**62, (len(extents),), generator=torch.Generator().manual_seed(0)) * 2 + 1
    return torch.cat([strides.new_zeros(1), strides])
