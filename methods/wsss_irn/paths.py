"""Inter-pixel paths: which neighbours a pixel is paired with, and the largest edge on the way to each.

[Ahn, Cho, Kwak, CVPR 2019, sec. 4.2; order of directions and points as in the released code]
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

Offset = tuple[int, int]  # dy, dx


@cache
def directions(radius: int) -> tuple[Offset, ...]:
    """The half disc of neighbours (dy, dx) with |(dy, dx)| < radius: the channel order of IRN.

    Ordered by the number of points on the path, then as scanned; 34 for radius 5, 152 for radius 10.
    """
    reach = range(1 - radius, radius)
    right = [(0, dx) for dx in range(1, radius)]
    below = [(dy, dx) for dy in range(1, radius) for dx in reach if dy * dy + dx * dx < radius * radius]
    return tuple(sorted(right + below, key=lambda d: len(path(*d))))


@cache
def path(dy: int, dx: int) -> tuple[Offset, ...]:
    """The points between the origin and (dy, dx), both included, the far end first.

    Every integer point of their bounding box that lies less than one pixel off the line.
    """
    square = dy * dy + dx * dx
    box = [(y, x) for y in _between(dy) for x in _between(dx)]
    near = [(y, x) for y, x in box if (dy * x - dx * y) ** 2 < square]
    return tuple(sorted(near, key=lambda p: -abs(p[0]) - abs(p[1])))


def _between(end: int) -> range:
    return range(min(0, end), max(0, end) + 1)


@dataclass(frozen=True)
class Sources:
    """The pixels of an h x w map whose every direction stays inside it, as one run of its flattened pixels.

    In a flattened map a shift by (dy, dx) is a shift by dy * w + dx. So all sources at once, shifted, are one
    contiguous slice, and no index is ever gathered. Between rows the run also holds pixels that are no sources;
    `crop` drops them.

    Raises ValueError if the map is too small to hold one source.
    """

    radius: int
    h: int
    w: int

    def __post_init__(self) -> None:
        if self.rows < 1 or self.cols < 1:
            raise ValueError(f"a {self.h} x {self.w} map holds no pair source of radius {self.radius}")

    @property
    def rows(self) -> int:
        return self.h - (self.radius - 1)

    @property
    def cols(self) -> int:
        return self.w - 2 * (self.radius - 1)

    def flatten(self, x: Tensor) -> Tensor:
        """(..., h, w) -> (..., h*w + slack), the slack being where the last row's surplus pixels fall."""
        return torch.nn.functional.pad(x.flatten(-2), (0, 2 * (self.radius - 1)))

    def shifted(self, flat: Tensor, dy: int = 0, dx: int = 0) -> Tensor:
        """The sources moved by (dy, dx): a view (..., rows*w) of `flatten(x)`."""
        return flat.narrow(-1, self.radius - 1 + dy * self.w + dx, self.rows * self.w)

    def crop(self, run: Tensor) -> Tensor:
        """(..., rows*w) -> (..., rows, cols), a view."""
        return run.unflatten(-1, (self.rows, self.w))[..., : self.cols]

    def path_max(self, flat: Tensor, dy: int, dx: int) -> Tensor:
        """The maximum over the path of each source: (..., h*w + slack) -> (..., rows*w)."""
        end, *others = path(dy, dx)
        best = torch.maximum(self.shifted(flat, *end), self.shifted(flat, *others[0]))
        for point in others[1:]:
            torch.maximum(best, self.shifted(flat, *point), out=best)
        return best


def ranked(values: Tensor) -> tuple[Tensor, Tensor]:
    """Each map's pixels by value: their order and every pixel's rank.

    The maximum of ranks over a path says which pixel is the maximum, so one pass gives value and gradient; ranks of
    maps up to 32,768 pixels are int16, which halves the traffic. Of equal values the later pixel ranks higher.

    values (B, n).  Returns order (B, n) int64 with values.gather(1, order) ascending, rank (B, n) int16 or int32.
    """
    b, n = values.shape
    order = values.detach().argsort(dim=1, stable=True)  # (B, n)
    kind = torch.int16 if n <= torch.iinfo(torch.int16).max + 1 else torch.int32
    ranks = torch.arange(n, dtype=kind, device=values.device).expand(b, n)
    return order, torch.empty_like(ranks, memory_format=torch.contiguous_format).scatter_(1, order, ranks)


def affinity(edge: Tensor, radius: int) -> Tensor:
    """How well two pixels belong together: no strong edge on the path between them.

    a_ij = 1 - max_{k on the path i..j} edge_k.  [Ahn et al. 2019, eq. 2]

    edge (B, h, w) in [0, 1].
    Returns (B, directions, rows, cols); its gradient goes to the one pixel that is the maximum.
    """
    b, h, w = edge.shape
    sources = Sources(radius, h, w)
    order, rank = ranked(edge.flatten(1))
    flat = sources.flatten(rank.view(b, h, w))
    steepest = [sources.path_max(flat, dy, dx) for dy, dx in directions(radius)]  # D of (B, rows*w)
    top = torch.stack([sources.crop(s) for s in steepest], 1)  # (B, D, rows, cols)
    ascending = edge.flatten(1).gather(1, order)  # (B, h*w)
    return 1 - ascending.gather(1, top.flatten(1).long()).view(top.shape)
