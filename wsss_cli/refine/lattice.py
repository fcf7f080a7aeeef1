"""The permutohedral lattice: Gaussian filtering of any number of channels in any number of feature dimensions.

[Adams, Baek, Davis 2010, "Fast high-dimensional filtering using the permutohedral lattice"; to the rounding, the one of
Kraehenbuehl and Koltun's DenseCRF, so that labels equal those of pydensecrf.]
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn.functional import pad

from wsss_cli.refine.simplex import enclosing_simplex, vertex_keys
from wsss_cli.refine.sparse import Sparse, compressed, row_offsets

BLOCK = 4  # DenseCRF embeds points four at a time and fills the last block up with zero vectors


class Lattice:
    """The filter out_i ~ sum_j exp(-|f_i - f_j|^2 / 2) v_j of fixed features f: linear, j = i included, not normalised.

    Splat onto the vertices of the simplex around each feature, blur along each of the d + 1 axes, slice where splatted.
    It returns less than the exact sum (about half in 5 dimensions); divide by the filtered ones where that matters.

    Its factors are sparse: splat (M, N), blurs each (M, M), slice (N, M); filter = slice @ blurs[-1] @ ... @ splat.
    """

    def __init__(self, features: Tensor) -> None:
        """Build it for features (N, d), each divided by its standard deviation; float32, on CPU or GPU."""
        points, dim = features.shape
        filled = pad(features.float(), (0, 0, 0, -points % BLOCK))  # (N', d)
        corner, rank, weights = enclosing_simplex(filled.T.contiguous())
        keys, steps = vertex_keys(corner, rank)
        vertices, self.splat, self.slice = _splat_and_slice(keys, weights, points)
        neighbours = _neighbours(vertices, steps)
        self.blurs = [_blur(neighbours[i : i + 2]) for i in range(0, dim + 1, 2)]  # two axes at a time: fewer passes
        self.alpha = 1 / (1 + 2.0**-dim)

    def filter(self, values: Tensor) -> Tensor:
        """Filter every channel: values (N, C) -> (N, C) float32, differentiable in `values`."""
        at_vertices = self.splat @ values  # (M, C)
        for blur in self.blurs:
            at_vertices = blur @ at_vertices
        return self.slice @ at_vertices

    def scaled(self, before: Tensor, after: Tensor) -> Lattice:
        """The filter diag(after) . filter . diag(before), at no cost per use; before, after (N,)."""
        other = copy.copy(self)
        other.splat, other.slice = self.splat.scale_columns(before), self.slice.scale_rows(after)
        return other


def _splat_and_slice(keys: Tensor, weights: Tensor, points: int) -> tuple[list[Tensor], Sparse, Sparse]:
    """Number the vertices, remainder by remainder in the order of their keys, and link the points with them.

    keys, weights (d + 1, N') of each point's vertices.  Returns the ascending keys of the vertices of each remainder
    (vertices of different remainder are never the same), the matrix to vertices (M, N) and the one back (N, M).
    """
    weights[:, points:] = 0  # points that only fill the last block make vertices, nothing else
    alpha = 1 / (1 + 2.0 ** (1 - len(keys)))
    ids = torch.empty_like(keys, dtype=torch.int32)
    vertices, per_vertex, order, total = [], [], [], 0
    for k, key in enumerate(keys):
        ordered, by_key = key.sort(stable=True)  # stable: each vertex sums its points in their order
        unique, place, count = ordered.unique_consecutive(return_inverse=True, return_counts=True)
        ids[k, by_key] = place.int() + total
        vertices.append(unique)
        per_vertex.append(count)
        order.append(by_key)
        total += len(unique)

    to_vertices = torch.stack(order)  # (d + 1, N')
    splat = Sparse(
        row_offsets(torch.cat(per_vertex)),
        to_vertices.clamp(max=points - 1).int().flatten(),
        weights.gather(1, to_vertices).flatten(),
    )
    slice_ = Sparse(
        torch.arange(points + 1, dtype=torch.int32, device=keys.device) * len(keys),
        ids[:, :points].T.flatten(),  # (N (d + 1),)
        weights[:, :points].T.flatten() * alpha,
    )
    return vertices, splat, slice_


def _neighbours(vertices: list[Tensor], steps: list[int]) -> list[Tensor]:
    """For each axis the three vertices that its blur averages, (M + 1, 3) int32: itself, one back, one forth; M if none.

    A step back leads from remainder k to k - 1 and adds the same number to every key; row M stands for no vertex.
    """
    starts = [0, *torch.tensor([len(v) for v in vertices]).cumsum(0).tolist()]
    none = starts[-1]
    itself = torch.arange(none + 1, dtype=torch.int32, device=vertices[0].device)
    axes = []
    for step in steps:
        back, forth = torch.full_like(itself, none), torch.full_like(itself, none)
        for k, keys in enumerate(vertices):
            among, wanted = vertices[k - 1], keys + step
            place = torch.searchsorted(among, wanted, out_int32=True).clamp_(max=len(among) - 1)
            found = among.index_select(0, place) == wanted
            there = torch.where(found, place + starts[k - 1 if k else -2], none)
            back[starts[k] : starts[k + 1]] = there
            forth.index_copy_(0, there.long(), itself[starts[k] : starts[k + 1]])
        forth[none] = none  # where the vertices without a neighbour wrote
        axes.append(torch.stack([itself, back, forth], 1))
    return axes


def _blur(axes: list[Tensor]) -> Sparse:
    """The matrix (M, M) of the blurs v + (v_back + v_forth) / 2 along `axes` in turn, each (M + 1, 3) of _neighbours."""
    total = len(axes[0]) - 1
    columns, weights = axes[-1][:-1], axes[0].new_tensor([1.0, 0.5, 0.5], dtype=torch.float32)
    step = weights
    for axis in reversed(axes[:-1]):
        columns = axis.index_select(0, columns.flatten()).view(total, -1)  # (M, n) -> (M, 3 n)
        weights = (weights[:, None] * step).flatten()  # (3 n,)
    return compressed(columns, columns < total, weights)
