"""The dense energy loss: pixels that look alike should be scored alike.  [Tang et al. 2018; as in AFA and ToCo]

No normalisation, the truncated filter of the permutohedral lattice, and a backward pass that is not the derivative:
all as in the released C++, for the loss weights of the papers are meant for these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.cam.regions import inside
from wsss_cli.data.label_format import format_of
from wsss_cli.refine.lattice import Lattice

WEIGHT = 1e-7


def dense_energy_loss(
    images: Tensor,
    logits: Tensor,
    labels: Tensor,
    boxes: Tensor | None = None,
    weight: float = WEIGHT,
    sigma_rgb: float = 15.0,
    sigma_xy: float = 100.0,
    scale: float = 0.5,
) -> Tensor:
    """`weight` times the `energy` of softmax(logits) at `scale`; it is negative.

    Images, labels and boxes are scaled by the nearest pixel, probabilities bilinearly; sigma_xy counts pixels of the
    unscaled image.

    images (B, 3, H, W) in 0..255; logits (B, K, H, W); labels (B, H, W) ids and ignore, in their format; boxes (B, 4)
    y0, y1, x0, x1 of the real pixels, None: all.
    """
    prob = _scaled(logits.float().softmax(1), scale, "bilinear")
    small = _scaled(images.float(), scale, "nearest")
    unknown = labels == format_of(labels).ignore
    region = torch.ones_like(unknown) if boxes is None else inside(boxes, labels.shape[1:])
    unknown, region = (_scaled(x[:, None].float(), scale, "nearest")[:, 0] for x in (unknown, region))
    return weight * energy(small, prob, region, unknown.bool(), sigma_rgb, sigma_xy * scale)


def energy(images: Tensor, prob: Tensor, region: Tensor, unknown: Tensor, sigma_rgb: float, sigma_xy: float) -> Tensor:
    """E = -1/B sum_b,k,i S_ki G_i (A S)_ki, with A_ij ~ exp(-|f_i - f_j|^2 / 2) of f = (x, y, r, g, b) / sigma.

    S = prob * region; the gate G is 1 - max_k prob, at least 0 and 1 where the label is unknown.  Its gradient, by the
    released code, is -2/B G A S region: the gate counts as a constant, and its transposed term is left out.

    images (B, 3, h, w) 0..255; prob (B, K, h, w); region (B, h, w) 0/1; unknown (B, h, w) bool.
    """
    with torch.no_grad():
        gate = (region - prob.amax(1)).masked_fill_(unknown, 1).clamp_(min=0)  # (B, h, w)
        parts = images.split(1 if images.device.type == "cpu" else len(images))
        lattices = [bilateral_lattice(part, sigma_rgb, sigma_xy) for part in parts]
    return _Energy.apply(prob, region[:, None], gate[:, None], lattices)


def bilateral_lattice(images: Tensor, sigma_rgb: float, sigma_xy: float) -> Lattice:
    """The filter over place and colour of images (B, 3, h, w), 0..255."""
    h, w = images.shape[2:]
    rows, columns = (torch.arange(n, dtype=torch.float32, device=images.device) for n in (h, w))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    place = (torch.stack([x, y]) / sigma_xy).expand(len(images), -1, -1, -1)  # (B, 2, h, w)
    features = torch.cat([place, images / sigma_rgb], 1)
    return Lattice(features.flatten(2).transpose(1, 2))


def filtered(maps: Tensor, lattices: Sequence[Lattice]) -> Tensor:
    """Each lattice's filter of its images, every channel at once: (B, K, h, w) -> (B, K, h, w)."""
    parts = maps.flatten(2).transpose(1, 2).contiguous().chunk(len(lattices))  # (b, h*w, K) each
    rows = [lattice.filter(part.flatten(0, 1)) for part, lattice in zip(parts, lattices)]  # (b*h*w, K)
    return torch.cat(rows).unflatten(0, (len(maps), -1)).transpose(1, 2).reshape(maps.shape)


class _Energy(torch.autograd.Function):
    """The energy and the released code's gradient of it."""

    @staticmethod
    def forward(ctx: Any, prob: Tensor, region: Tensor, gate: Tensor, lattices: list[Lattice]) -> Tensor:
        seen = prob * region  # (B, K, h, w)
        pulled = filtered(seen, lattices).mul_(gate)
        ctx.save_for_backward(pulled * region)
        return -(seen * pulled).sum() / len(prob)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (pulled,) = ctx.saved_tensors
        return pulled * (-2 / len(pulled) * grads[0]), None, None, None


def _scaled(maps: Tensor, scale: float, mode: str) -> Tensor:
    """(B, C, H, W) -> (B, C, floor(H scale), floor(W scale)), align_corners False."""
    if scale == 1:
        return maps
    corners = False if mode == "bilinear" else None
    return F.interpolate(maps, scale_factor=scale, mode=mode, align_corners=corners, recompute_scale_factor=True)
