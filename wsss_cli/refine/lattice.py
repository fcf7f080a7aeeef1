"""The permutohedral lattice: Gaussian filtering of any number of channels in any number of feature dimensions.

[Adams, Baek, Davis 2010, "Fast high-dimensional filtering using the permutohedral lattice"; to the rounding, the one of
Kraehenbuehl and Koltun's DenseCRF, so that labels equal those of pydensecrf.]
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from wsss_cli.refine.simplex import enclosing_simplex, key_steps, key_strides, vertex_keys
from wsss_cli.refine.sparse import Sparse, from_padded, row_offsets, stacked

APART = 0x5851F42D4C957F2D  # an odd 63-bit number: vertices of different images differ, as hashed ones do
PART = 16384  # points or vertices of which a CPU makes the parts at a time: what it needs for that stays small
BLOCK = 4  # DenseCRF embeds points four at a time and fills the last block up with zero vectors


class Lattice:
    """The filter out_i ~ sum_j exp(-|f_i - f_j|^2 / 2) v_j of fixed features f: linear, j = i included, not normalised.

    Splat onto the vertices of the simplex around each feature, blur along each of the d + 1 axes, slice where splatted.
    It returns less than the exact sum (about half in 5 dimensions); divide by the filtered ones where that matters.

    Its factors are sparse: splat (M, N), blurs each (M, M), slice (N, M); filter = slice @ blurs[-1] @ ... @ splat.
    A blur holds two axes; of an odd number of axes the slice holds the last.
    It is fastest if points that are close in order have close features.
    """

    def __init__(self, features: Tensor) -> None:
        """Build it for features (N, d), each divided by its standard deviation; float32, on CPU or GPU.

        Of features (B, N, d) it is the filter of B images that have nothing to do with each other, in one pass: what is
        (N, C) elsewhere is (B N, C) then. That saves a GPU's launches, not a CPU's time.
        """
        batch = features.float() if features.dim() == 3 else features[None].float()
        points, dim = batch.shape[0] * batch.shape[1], batch.shape[2]
        keys, weights, steps = embedded(batch)
        vertices, self.splat, self.slice = _splat_and_slice(keys, weights, points)
        del keys, weights
        order, number = _by_first_point(self.splat)
        self.splat = self.splat.take_rows(order[:-1])
        self.slice = self.slice._replace(columns=number.index_select(0, self.slice.columns))
        axes = [_renumbered(axis, order, number) for axis in neighbours(vertices, steps)]
        del vertices, order, number
        self.blurs = []
        while len(axes) > 1:  # two axes at a time: fewer passes
            self.blurs.append(_blur(axes.pop(0), axes.pop(0)))
        if axes:
            self.slice = _after_blur(self.slice, axes[0], dim + 1)

    def filter(self, values: Tensor) -> Tensor:
        """Filter every channel: values (N, C) -> (N, C) float32, differentiable in `values`."""
        return self.slice @ self.to_vertices(values)

    def add(self, out: Tensor, values: Tensor) -> None:
        """out += filtered values; both (N, C)."""
        out += self.filter(values)

    def to_vertices(self, values: Tensor) -> Tensor:
        """Splat and blur: values (N, C) -> (M, C)."""
        values = self.splat @ values
        for blur in self.blurs:
            values = blur @ values
        return values

    def scaled(self, before: Tensor, after: Tensor) -> Lattice:
        """The filter diag(after) . filter . diag(before), at no cost per use; before, after (N,)."""
        other = copy.copy(self)
        other.splat, other.slice = self.splat.scale_columns(before), self.slice.scale_rows(after)
        return other


def embedded(batch: Tensor) -> tuple[list[Tensor], Tensor, list[int]]:
    """Keys (N',) of each remainder's vertices of the features' simplices, their weights (d + 1, N'), the keys' steps.

    batch (B, N, d); N' = B N features, and then what fills up each image's last block.
    """
    images, points, dim = batch.shape
    rest = -points % BLOCK
    strides = key_strides(batch.flatten(0, 1))
    numbers = torch.arange(images, dtype=torch.int16, device=batch.device)
    image = numbers.repeat_interleave(points).split(_part(batch)) + numbers.repeat_interleave(rest).split(_part(batch))
    filled = batch.flatten(0, 1).split(_part(batch)) + batch.new_zeros(images * rest, dim).split(_part(batch))
    keys = [torch.empty(images * (points + rest), dtype=torch.int64, device=batch.device) for _ in strides]
    weights = batch.new_empty(len(keys), len(keys[0]))
    start = 0
    for features, of_image in zip(filled, image):  # never copied: each part is embedded from where it lies
        here = slice(start, start + len(features))
        corner, rank, weights[:, here] = enclosing_simplex(features.T.contiguous())
        for whole, some in zip(keys, vertex_keys(corner, rank, strides)):
            torch.add(some, of_image, alpha=APART, out=whole[here])
        start += len(features)
    return keys, weights, key_steps(strides)


def _part(rows: Tensor) -> int:
    """How many rows to do at a time: all on a GPU."""
    return PART if rows.device.type == "cpu" else max(rows.numel(), 1)


def numbered(key: Tensor, ordered: Tensor, owner: Tensor) -> tuple[Tensor, Tensor]:
    """The ascending keys (m,) of one remainder's vertices, and the number of each point's vertex, in the points' order.

    key (N',) of each point. The points' order is left in `owner`, and `ordered` is overwritten: both (N',) int64, to be
    used again, as what is freed between arrays that stay is of no use to larger ones.
    """
    torch.sort(key, stable=True, out=(ordered, owner))  # stable: each vertex sums its points in their order
    first = torch.ones_like(ordered, dtype=torch.bool)
    torch.ne(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first], first.cumsum(0, dtype=torch.int32).sub_(1)


def _splat_and_slice(keys: list[Tensor], weights: Tensor, points: int) -> tuple[list[Tensor], Sparse, Sparse]:
    """Number the vertices, remainder after remainder in the order of their keys, and link the points with them.

    keys, weights as from `embedded`.  Returns the ascending keys of the vertices of each remainder
    (vertices of different remainder are never the same), the matrix to the vertices (M, N) and the one back (N, M).
    """
    weights[:, points:] = 0  # points that only fill the last block make vertices, nothing else
    alpha = 1 / (1 + 2.0 ** (1 - len(keys)))
    corners, filled = weights.shape
    ids = torch.empty(filled, corners, dtype=torch.int32, device=weights.device)
    owners, splatted = torch.empty_like(weights, dtype=torch.int32), torch.empty_like(weights)
    ordered, owner = torch.empty_like(keys[0]), torch.empty_like(keys[0])
    vertices, per_vertex, total = [], [], 0
    for k, key in enumerate(keys):
        unique, place = numbered(key, ordered, owner)
        per_vertex.append(place.bincount())
        ids[:, k].index_copy_(0, owner, place.add_(total))
        vertices.append(unique)
        torch.index_select(weights[k], 0, owner, out=splatted[k])
        owners[k] = owner.clamp(max=points - 1)
        total += len(unique)
    splat = Sparse(row_offsets(torch.cat(per_vertex)), owners.flatten(), splatted.flatten())
    offsets = torch.arange(points + 1, dtype=torch.int32, device=weights.device) * corners
    slice_ = Sparse(offsets, ids[:points].flatten(), (weights[:, :points].T * alpha).flatten())
    return vertices, splat, slice_


def _by_first_point(splat: Sparse) -> tuple[Tensor, Tensor]:
    """The vertices in the order of their first points (M + 1,) int64, and their numbers in it, int32; M, none, is last.

    Points that follow one another then go to vertices that are near in memory.
    """
    order = splat.columns.index_select(0, splat.offsets[:-1]).argsort(stable=True)
    order = pad(order, (0, 1), value=len(order))
    numbers = torch.arange(len(order), dtype=torch.int32, device=order.device)
    return order, torch.empty_like(numbers).scatter_(0, order, numbers)


def _renumbered(axis: tuple[Tensor, Tensor], order: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
    """Neighbours from `neighbours` in the order, and by the numbers, from `_by_first_point`."""
    back, forth = (number.index_select(0, side.index_select(0, order)) for side in axis)
    return back, forth


def neighbours(vertices: list[Tensor], steps: list[int]) -> Iterator[tuple[Tensor, Tensor]]:
    """For each axis, the vertex one step back and the one a step forth of each vertex: (M + 1,) int32 each, M if none.

    A step back leads from remainder k to k - 1 and adds the same number to every key. Entry M, no vertex, leads to M.
    """
    starts = [0]
    for keys in vertices:
        starts.append(starts[-1] + len(keys))
    none = starts[-1]
    itself = torch.arange(none, dtype=torch.int32, device=vertices[0].device)
    for step in steps:
        back, forth = torch.full((2, none + 1), none, dtype=torch.int32, device=itself.device)
        for k, keys in enumerate(vertices):
            among, wanted = vertices[k - 1], keys + step
            place = _search(among, wanted).clamp_(max=len(among) - 1)
            found = among.index_select(0, place) == wanted
            there = torch.where(found, place + starts[k - 1 if k else -2], none)
            back[starts[k] : starts[k + 1]] = there
            forth.index_copy_(0, there, itself[starts[k] : starts[k + 1]])
        forth[none] = none  # where the vertices without a neighbour wrote
        yield back, forth


def _search(ascending: Tensor, wanted: Tensor) -> Tensor:
    """torch.searchsorted for wanted numbers that ascend, too; on the CPU numpy's, which profits from that threefold."""
    if ascending.device.type == "cpu":
        return torch.from_numpy(np.searchsorted(ascending.numpy(), wanted.numpy()))
    return torch.searchsorted(ascending, wanted)


def _blur(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> Sparse:
    """The matrix (M, M) of the blurs v + (v_back + v_forth) / 2 along two axes, each from `neighbours`."""
    none = len(first[0]) - 1
    itself = torch.arange(none, dtype=torch.int32, device=first[0].device)
    weights = torch.tensor([1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.5, 0.25, 0.25], device=itself.device)
    parts = []
    for rows in torch.stack([itself, second[0][:none], second[1][:none]]).split(_part(itself), 1):  # (3, rows)
        columns = torch.stack([*rows, *(step.index_select(0, side) for step in first for side in rows)], 1)
        parts.append(from_padded(columns, columns < none, weights))  # of columns (rows, 9)
    return stacked(parts)


def _after_blur(slice_: Sparse, axis: tuple[Tensor, Tensor], corners: int) -> Sparse:
    """slice @ blur along `axis`, for a slice (N, M) of `corners` entries per row; missing neighbours weigh 0."""
    none = len(axis[0]) - 1
    columns = torch.stack([slice_.columns, *(step.index_select(0, slice_.columns) for step in axis)], 1)
    weights = torch.stack([slice_.weights, *[slice_.weights / 2] * 2], 1).mul_(columns < none)
    return Sparse(slice_.offsets * 3, columns.clamp_(max=none - 1).flatten(), weights.flatten())
