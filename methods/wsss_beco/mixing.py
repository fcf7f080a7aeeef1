"""Class-wise mixing: some classes of a donor image are pasted, pixel by pixel, onto its neighbour in the batch.

Images 2i and 2i + 1 are each other's donors, so ranks and accumulation steps, which cut the batch, cut no pair.  The
released code pairs i with i + B / 2 and puts the results in this order; the order of a batch is random, so the two are
alike.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_beco.boundary import boundary_band
from wsss_cli.data.label_format import format_of, label_format


class Mixed(NamedTuple):
    """images (B, 3, H, W); labels (B, H, W) ids; masks, trusted pixels, and band, pasted boundaries, (B, H, W) bool."""

    images: Tensor
    labels: Tensor
    masks: Tensor
    band: Tensor


def mix_offline(images: Tensor, labels: Tensor, masks: Tensor, mixed: Tensor, priority: Tensor) -> Mixed:
    """Mixing by the given labels, as in the warm-up: no pixel counts as boundary.

    labels (B, H, W) ids; masks (B, H, W) bool; mixed (B,) bool, on the CPU: the samples onto which is pasted;
    priority (B, K) uniform draws, which choose the donor's classes.
    """
    rows = mixed.nonzero()[:, 0].to(labels.device, non_blocking=True)
    donor = labels[neighbour(rows)]
    pasted = pasted_pixels(donor, choose_classes(donor, priority[rows]))
    return paste(images, labels, masks, labels, masks, pasted, rows, band=0)


def mix_online(
    images: Tensor,
    labels: Tensor,
    masks: Tensor,
    own_labels: Tensor,
    own_masks: Tensor,
    mixed: Tensor,
    priority: Tensor,
    band: int = 1,
) -> Mixed:
    """Mixing by the networks' own labels: only their confident pixels are pasted, and a mixed sample takes their
    labels and masks everywhere, also where nothing was pasted; the others keep the given ones.
    """
    rows = mixed.nonzero()[:, 0].to(labels.device, non_blocking=True)
    other = neighbour(rows)
    donor = own_labels[other].masked_fill_(~own_masks[other], format_of(own_labels).ignore)
    pasted = pasted_pixels(donor, choose_classes(donor, priority[rows]))
    return paste(images, labels, masks, own_labels, own_masks, pasted, rows, band)


@torch.no_grad()
def online_labels(logits1: Tensor, logits2: Tensor, threshold: float = 0.95) -> tuple[Tensor, Tensor]:
    """The classes that both networks see together, and where they are confident.

    p = softmax((l1 + l2) / 2), label = argmax p, mask = max p > threshold.  [Rong et al. 2023, released code]

    logits (B, K, H, W).  Returns (B, H, W) ids and (B, H, W) bool.
    """
    score, label = ((logits1.float() + logits2.float()) / 2).softmax(1).max(1)
    return label_format(logits1.shape[1] - 1).tensor(label), score > threshold


def neighbour(rows: Tensor) -> Tensor:
    """Each sample's donor: of 2i it is 2i + 1, of 2i + 1 it is 2i."""
    return rows ^ 1


def choose_classes(donor: Tensor, priority: Tensor) -> Tensor:
    """ceil(n / 2) of the n classes of each donor, background and ignored pixels left out: those of highest priority.

    donor (B, H, W) ids; priority (B, K) uniform draws, K beyond every id.  Returns (B, N) bool, N beyond ignore too.
    """
    ids = format_of(donor).ignore + 1
    present = torch.zeros(len(donor), ids, dtype=torch.bool, device=donor.device)
    present.scatter_(1, donor.flatten(1).long(), True)
    present = present[:, : priority.shape[1]]  # ignore lies beyond
    present[:, 0] = False
    rank = priority.masked_fill(~present, -1).argsort(1, descending=True).argsort(1)  # (B, K)
    chosen = rank < (present.sum(1, keepdim=True) + 1) // 2
    return F.pad(chosen, (0, ids - chosen.shape[1]))


def pasted_pixels(donor: Tensor, chosen: Tensor) -> Tensor:
    """Where the donor (B, H, W) shows a chosen class (B, N): (B, H, W) bool."""
    return chosen.gather(1, donor.flatten(1).long()).view(donor.shape)


def paste(
    images: Tensor,
    labels: Tensor,
    masks: Tensor,
    new_labels: Tensor,
    new_masks: Tensor,
    pasted: Tensor,
    rows: Tensor,
    band: int,
) -> Mixed:
    """Samples `rows` with their donors' pixels where `pasted`, and the new labels and masks of both; the rest as given.

    pasted (len(rows), H, W) bool; band: half the width of the boundary, 0 for none.
    """

    def blend(given: Tensor, new: Tensor, flags: Tensor) -> Tensor:
        out = given.clone()
        out[rows] = where(flags, new[neighbour(rows)], new[rows])
        return out

    edges = torch.zeros_like(masks)
    if band:
        edges[rows] = boundary_band(pasted, band)
    return Mixed(
        blend(images, images, pasted[:, None]),
        blend(labels, new_labels, pasted).long(),
        blend(masks, new_masks, pasted),
        edges,
    )


def where(flags: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """torch.where for images, ids and masks; on a CPU many times faster."""
    return torch.lerp(no.float(), yes.float(), flags.float()).to(no.dtype)  # exact at 0 and 1
