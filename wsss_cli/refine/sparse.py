"""Sparse matrices of float32, made to multiply many dense channels at once, on CPU and GPU."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, pad


class Sparse(NamedTuple):
    """A matrix (R, S) by rows: row i holds weights[a:b] in columns[a:b], where a, b = offsets[i], offsets[i + 1].

    A column may stand twice in a row: the two weights add. offsets (R + 1,) and columns (nnz,) int32; weights (nnz,).
    """

    offsets: Tensor
    columns: Tensor
    weights: Tensor

    def __matmul__(self, dense: Tensor) -> Tensor:
        """The product (R, S) @ (S, C) -> (R, C), differentiable in `dense`.

        A weighted embedding bag is this very product, and its CPU kernel, which prefetches and is compiled for C
        channels, takes half of the time of torch.sparse_csr_tensor's or less.
        """
        return embedding_bag(
            self.columns, dense, self.offsets, mode="sum", per_sample_weights=self.weights, include_last_offset=True
        )

    def scale_columns(self, scale: Tensor) -> Sparse:
        """The matrix times diag(scale), scale (S,)."""
        return self._replace(weights=self.weights * scale.index_select(0, self.columns))

    def scale_rows(self, scale: Tensor) -> Sparse:
        """diag(scale) times the matrix, scale (R,)."""
        return self._replace(weights=self.weights * scale.repeat_interleave(self.offsets.diff()))

    def take_rows(self, rows: Tensor) -> Sparse:
        """The matrix of these rows (R',) int64, in this order."""
        offsets = row_offsets(self.offsets.diff().index_select(0, rows))
        shift = self.offsets.index_select(0, rows) - offsets[:-1]
        place = shift.repeat_interleave(offsets.diff())
        place += torch.arange(len(place), dtype=torch.int32, device=place.device)
        return Sparse(offsets, self.columns.index_select(0, place), self.weights.index_select(0, place))

    def blocks(self, size: int) -> list[Sparse]:
        """The matrix cut into one of every `size` rows."""
        bounds = [*self.offsets[:-1:size].tolist(), len(self.columns)]
        return [
            Sparse(self.offsets[i * size : (i + 1) * size + 1] - a, self.columns[a:b], self.weights[a:b])
            for i, (a, b) in enumerate(itertools.pairwise(bounds))
        ]


def from_padded(columns: Tensor, present: Tensor, weights: Tensor) -> Sparse:
    """The matrix whose row i holds those of columns[i] that are present; columns, present (R, n), weights (n,)."""
    place = present.flatten().cumsum(0, dtype=torch.int32)  # 1 + where each present entry goes
    offsets = pad(place[columns.shape[1] - 1 :: columns.shape[1]], (1, 0))
    place = (place * present.flatten()).long()  # absent entries go to 0, which is dropped
    total = int(offsets[-1]) + 1
    kept = columns.new_empty(total).scatter_(0, place, columns.flatten())
    kept_weights = weights.new_empty(total).scatter_(0, place, weights.expand_as(columns).flatten())
    return Sparse(offsets, kept[1:], kept_weights[1:])


def stacked(parts: list[Sparse]) -> Sparse:
    """The matrix of the rows of all parts, one after the other; the list is emptied, so that nothing is held twice."""
    if len(parts) == 1:
        return parts.pop()
    per_row = torch.cat([part.offsets.diff() for part in parts])
    columns, weights = [part.columns for part in parts], [part.weights for part in parts]
    parts.clear()
    all_columns = torch.cat(columns)
    columns.clear()
    return Sparse(row_offsets(per_row), all_columns, torch.cat(weights))


def row_offsets(per_row: Tensor) -> Tensor:
    """Where each row begins, and the end: counts (R,) -> (R + 1,) int32."""
    return pad(per_row.cumsum(0, dtype=torch.int32), (1, 0))
