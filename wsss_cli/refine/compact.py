"""The lattice's filter in as little memory as DenseCrf's C++: splat and slice share an index and a weight a corner."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from wsss_cli.refine.lattice import embedded, neighbours, numbered

CHANNELS = 8  # filtered at a time: only so many are held at the vertices
ROWS = 8192  # points sliced at a time, while their messages are in the cache


class CompactLattice:
    """The filter of `Lattice`, on the CPU, for values whose channels come first; a quarter of its memory.

    Kept are, for each corner of the points' simplices, a vertex and a weight (d + 1, N), and for each axis and vertex
    its two neighbours (M, 2), where M, a row of zeros, is none: 8 bytes each.
    """

    def __init__(self, features: Tensor) -> None:
        """Build it for features (N, d), each divided by its standard deviation; float32."""
        keys, weights, steps = embedded(features[None])
        ids, vertices = _ids(keys)
        del keys
        self.ids, self.weights = ids[:, : len(features)], weights[:, : len(features)]
        self.neighbours = [torch.stack([back[:-1], forth[:-1]], 1) for back, forth in neighbours(vertices, steps)]
        self.scale = 1 / (1 + 2.0 ** (1 - len(ids)))

    def add(self, out: Tensor, values: Tensor) -> None:
        """out += filtered values; both (C, N)."""
        parts = -(-len(values) // CHANNELS)
        for into, some in zip(out.tensor_split(parts), values.tensor_split(parts)):
            self._slice(self._blurred(self._splat(some)), into)

    def normalise(self, weight: float) -> None:
        """Make it weight * n_i kappa(f_i, f_j) n_j with n = 1 / sqrt(kappa 1)."""
        sums = torch.zeros_like(self.weights[:1])
        self.add(sums, torch.ones_like(sums))
        self.weights *= (sums + 1e-20).rsqrt()
        self.scale *= weight

    def _splat(self, values: Tensor) -> Tensor:
        """Values (C, N) -> sums at the vertices (M + 1, C), the last 0."""
        sums = values.new_zeros(max(len(values), 2), len(self.neighbours[0]) + 1)  # of one, embedding_bag is slow
        for channel, at in zip(values, sums):
            for ids, weights in zip(self.ids, self.weights):
                at.index_add_(0, ids, weights * channel)
        return sums.T.contiguous()

    def _blurred(self, at: Tensor) -> Tensor:
        """v + (v_back + v_forth) / 2 along each axis, in place: (M + 1, C)."""
        for pairs in self.neighbours:
            at[:-1].add_(embedding_bag(pairs, at, mode="sum"), alpha=0.5)
        return at

    def _slice(self, at: Tensor, out: Tensor) -> None:
        """out (C, N) += scale * each point's corners of (M + 1, C)."""
        parts = (x.split(ROWS, 1) for x in (self.ids, self.weights, out))
        for ids, weights, into in zip(*parts):
            rows = embedding_bag(ids.T.contiguous(), at, mode="sum", per_sample_weights=weights.T.contiguous())
            into.add_(rows.T[: len(into)], alpha=self.scale)


def _ids(keys: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The vertices of each point (d + 1, N') int32, and the ascending keys of those of each remainder.

    keys (N',) for each remainder.
    """
    ids = torch.empty(len(keys), len(keys[0]), dtype=torch.int32)
    ordered, owner = torch.empty_like(keys[0]), torch.empty_like(keys[0])
    vertices, total = [], 0
    for row, key in zip(ids, keys):
        unique, place = numbered(key, ordered, owner)
        row.index_copy_(0, owner, place.add_(total))
        vertices.append(unique)
        total += len(unique)
    return ids, vertices
