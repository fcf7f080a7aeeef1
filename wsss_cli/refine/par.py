"""Pixel-adaptive refinement: score maps spread to pixels of similar colour.  [Ru et al. 2022 (AFA), sec. 3.4; ToCo]"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.refine.par_config import Par

AROUND = tuple(step for step in product((-1, 0, 1), repeat=2) if step != (0, 0))  # row by row
EPS = 1e-8


class Kernel(NamedTuple):
    """What each pixel takes from its neighbours: weights (B, N, H, W), N the offsets (dy, dx) to them."""

    weights: Tensor
    offsets: tuple[tuple[int, int], ...]


def par(images: Tensor, masks: Tensor, settings: Par = Par()) -> Tensor:  # noqa: B008  # it is frozen
    """Refine score maps by the images' colours.

    images (B, 3, H, W) in [0, 1]; masks (B, K, h, w), brought to the images' size bilinearly with align_corners True.
    Returns (B, K, H, W).
    """
    masks = F.interpolate(masks, images.shape[2:], mode="bilinear", align_corners=True)
    return spread(masks, kernel(images, settings), settings.iterations)


def kernel(images: Tensor, settings: Par) -> Kernel:
    """Weights of the eight neighbours at each dilation, which sum to 1 + w2.

    W = softmax_n(-mean_c (|I_n - I| / (s w1))^2) + w2 softmax_n(-(d_n / (s_d w1))^2), s the deviation of the colour
    among the neighbours, s_d that of their distances d.  Pixels outside repeat the border.

    images (B, 3, H, W) in [0, 1].
    """
    steps = offsets(settings.dilations)
    around = torch.stack(list(_neighbours(images, steps)), 1)  # (B, N, 3, H, W)
    deviation = around.std(1, keepdim=True).add_(EPS).mul_(settings.colour_weight)
    alike = around.sub_(images[:, None]).div_(deviation).square_().mean(2).neg_()  # (B, N, H, W)
    near = settings.place_weight * place_logits(settings).softmax(0)  # (N,)
    return Kernel(alike.softmax(1).add_(near.to(images.device, non_blocking=True)[:, None, None]), steps)


def spread(masks: Tensor, kernel: Kernel, iterations: int) -> Tensor:
    """Each pixel takes the weighted sum of its neighbours, `iterations` times: (B, K, H, W) -> (B, K, H, W)."""
    for _ in range(iterations):
        total = torch.zeros_like(masks)
        for n, neighbour in enumerate(_neighbours(masks, kernel.offsets)):
            total.addcmul_(neighbour, kernel.weights[:, n, None])
        masks = total
    return masks


def offsets(dilations: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """(dy, dx) of the neighbours, dilation by dilation, from the top left to the bottom right."""
    return tuple((dy * d, dx * d) for d in dilations for dy, dx in AROUND)


def distances(dilations: Sequence[int]) -> Tensor:
    """How far each neighbour is: (N,) float32."""
    return torch.tensor([math.hypot(dy, dx) for dy, dx in offsets(dilations)])


def place_logits(settings: Par) -> Tensor:
    """-(d_n / (s_d w1))^2: (N,)."""
    far = distances(settings.dilations)
    return -((far / (far.std() + EPS) / settings.colour_weight) ** 2)


def _neighbours(maps: Tensor, steps: Sequence[tuple[int, int]]) -> Iterator[Tensor]:
    """What lies at each offset of each pixel, borders repeated: (B, K, H, W) each, views of one padded copy."""
    h, w = maps.shape[2:]
    reach = max(max(abs(dy), abs(dx)) for dy, dx in steps)
    padded = F.pad(maps, (reach,) * 4, mode="replicate")
    for dy, dx in steps:
        yield padded[:, :, reach + dy : reach + dy + h, reach + dx : reach + dx + w]
