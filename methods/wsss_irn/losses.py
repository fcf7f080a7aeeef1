"""IRN's training losses: affinities from the boundary map, centroids from the displacement field.

[Ahn, Cho, Kwak, CVPR 2019, sec. 4.2, 4.3; constants as in the released code]

152 directions of 13,090 sources are 2 million pairs an image. Nothing of that size is kept: an affinity loss depends on
a pair only through the pixel where its path is steepest, so counting pairs per pixel and kind gives value and gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from wsss_cli.data.label_format import format_of
from wsss_irn.paths import Sources, directions, ranked

Reduce = Callable[[Tensor], Tensor]
"""Of the pair counts, over ranks. DDP averages gradients, so the mean over ranks gives the loss of the whole batch."""

NONE, BACKGROUND, FOREGROUND, NEGATIVE = range(4)
"""Kinds of pair: a pixel is ignored; both background; both of one class; two different labels."""

EPS = 1e-5
CHUNK = 1 << 22  # pairs counted at once: 16 MB of keys


@dataclass(frozen=True)
class Losses:
    """Scalars; `positive` and `total` are the released weighting."""

    background: Tensor
    foreground: Tensor
    negative: Tensor
    displacement_foreground: Tensor
    displacement_background: Tensor

    @property
    def positive(self) -> Tensor:
        return self.background / 2 + self.foreground / 2

    @property
    def total(self) -> Tensor:
        affinity = (self.positive + self.negative) / 2
        return affinity + (self.displacement_foreground + self.displacement_background) / 2

    def terms(self) -> dict[str, Tensor]:
        """The weighted terms, whose sum is `total`."""
        return {
            "affinity_background": self.background / 4,
            "affinity_foreground": self.foreground / 4,
            "affinity_negative": self.negative / 2,
            "displacement_foreground": self.displacement_foreground / 2,
            "displacement_background": self.displacement_background / 2,
        }


def irn_losses(
    edge: Tensor, displacement: Tensor, labels: Tensor, radius: int = 10, reduce: Reduce = lambda count: count
) -> Losses:
    """The five losses of a batch.

    With a_ij the affinity and D the displacement field, over pairs P_bg, P_fg (equal labels) and N (different ones):
    L_bg = sum_{P_bg} -log(a + eps) / (|P_bg| + eps), L_fg likewise,  L_neg = sum_N -log(1 + eps - a) / (|N| + eps),
    D_fg = sum_{P_fg} |D_i - D_j - (j - i)|_1 / (2 |P_fg| + eps),  D_bg = sum_{P_bg} |D_i - D_j|_1 / (2 |P_bg| + eps).
    [Ahn et al. 2019, eq. 4, 7, 8; eps = 1e-5]

    edge (B, 1, h, w) logits; displacement (B, 2, h, w) in (dy, dx); labels (B, h, w) ids and ignore.
    Returns scalars, 0 with gradients where there is no pair.  Raises ValueError if the map holds no source.
    """
    b, _, h, w = edge.shape
    sources = Sources(radius, h, w)
    order, rank = ranked(edge.detach().flatten(1))  # (B, h*w)
    counts = count_pairs(rank.view(b, h, w), labels, sources)  # (B, 4, h*w), by rank
    a = 1 - edge.float().flatten(1).gather(1, order).sigmoid()  # (B, h*w), by rank
    sums = torch.stack([-(a + EPS).log(), -(a + EPS).log(), -(1 + EPS - a).log()], 1) * counts[:, 1:]  # (B, 3, h*w)
    pairs = reduce(counts.sum((0, 2)).float())[1:]  # (3,)
    background, foreground, negative = (sums.sum((0, 2)) / (pairs + EPS)).unbind()
    distance: Tensor = _PairDistances.apply(displacement, labels, sources)  # (2,) background, foreground
    displacement_background, displacement_foreground = (distance / (2 * pairs[:2] + EPS)).unbind()
    return Losses(background, foreground, negative, displacement_foreground, displacement_background)


def count_pairs(rank: Tensor, labels: Tensor, sources: Sources) -> Tensor:
    """How many pairs of each kind have their steepest point at each pixel.

    rank (B, h, w) pixels by edge; labels (B, h, w).  Returns (B, 4, h*w) int64, by kind and rank.
    """
    b, h, w = rank.shape
    flat, bins = sources.flatten(rank), h * w
    ends = PairLabels(labels, sources)
    image = torch.arange(b, device=rank.device, dtype=torch.int32).view(b, 1, 1) * 4 * bins
    counts = torch.zeros(b * 4 * bins, dtype=torch.int64, device=rank.device)
    for some in _chunks(directions(sources.radius), max(1, CHUNK // (b * sources.rows * w))):
        keys = torch.empty(b, len(some), sources.rows * w, dtype=torch.int32, device=rank.device)
        for i, (dy, dx) in enumerate(some):
            torch.mul(ends.kind(dy, dx).int(), bins, out=keys[:, i])
            keys[:, i] += sources.path_max(flat, dy, dx)
        add = add_by_key if keys.is_cuda else add_by_bins
        add(counts, (keys + image).flatten())
    return counts.view(b, 4, bins)


def add_by_bins(counts: Tensor, keys: Tensor) -> None:
    """Add to counts (N,) int64 how often each of 0..N - 1 is among the keys (M,), in place: fast on a CPU."""
    counts += torch.bincount(keys, minlength=len(counts))


def add_by_key(counts: Tensor, keys: Tensor) -> None:
    """The same on a GPU, where bincount has the host wait for the largest key."""
    counts.scatter_add_(0, keys.long(), counts.new_ones(()).expand(len(keys)))


class PairLabels:
    """The labels at both ends of every pair of a batch (B, h, w), as runs of `sources`."""

    def __init__(self, labels: Tensor, sources: Sources) -> None:
        form = format_of(labels)
        self.sources, self.ignore = sources, form.ignore
        self.flat = sources.flatten(form.tensor(labels))  # (B, h*w + slack)
        start = sources.shifted(self.flat).clone()  # (B, rows*w)
        start.unflatten(-1, (sources.rows, sources.w))[..., sources.cols :] = self.ignore  # these are no sources
        self.start, self.valid = start, start != self.ignore
        self.same_kind = torch.where(self.start == 0, BACKGROUND, FOREGROUND).to(torch.uint8)

    def kind(self, dy: int, dx: int) -> Tensor:
        """The kind of each source's pair with (dy, dx): (B, rows*w) uint8."""
        end = self.sources.shifted(self.flat, dy, dx)
        kind = torch.where(end == self.start, self.same_kind, NEGATIVE)
        return kind.mul_(self.valid & (end != self.ignore))


class _PairDistances(torch.autograd.Function):
    """sum over background pairs |D_i - D_j|_1 and over foreground pairs |D_i - D_j - (j - i)|_1: (2,).

    Each gradient is a sum of signs, so the forward pass keeps one field per sum in place of all pairs.
    """

    @staticmethod
    def forward(ctx, field: Tensor, labels: Tensor, sources: Sources) -> Tensor:  # type: ignore[no-untyped-def]
        flat = sources.flatten(field.float())  # (B, 2, h*w + slack)
        ends = PairLabels(labels, sources)
        sums = torch.zeros(2, device=field.device)
        grads = torch.zeros(2, *flat.shape, device=field.device)
        steps = directions(sources.radius)
        targets = torch.tensor(steps, dtype=torch.float32).to(field.device, non_blocking=True)  # (D, 2) dy, dx
        for (dy, dx), target in zip(steps, targets[:, :, None]):
            difference = sources.shifted(flat) - sources.shifted(flat, dy, dx)  # (B, 2, rows*w)
            kind = ends.kind(dy, dx)[:, None]  # (B, 1, rows*w)
            for i, residual in enumerate(
                (difference * (kind == BACKGROUND), (difference - target) * (kind == FOREGROUND))
            ):
                sums[i] += residual.abs().sum()
                sign = residual.sign_()
                sources.shifted(grads[i]).add_(sign)
                sources.shifted(grads[i], dy, dx).sub_(sign)
        ctx.save_for_backward(grads[..., : field[0, 0].numel()].view(2, *field.shape))
        return sums

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[no-untyped-def]
        (grads,) = ctx.saved_tensors  # (2, B, 2, h, w)
        return torch.einsum("s,sbchw->bchw", grad, grads), None, None


def _chunks(items: tuple[Any, ...], size: int) -> list[tuple[Any, ...]]:
    return [items[i : i + size] for i in range(0, len(items), size)]
