"""Label maps at the size of the logits, and what the masking branch is taught."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from wsss_cli.data.label_format import format_of


def resize_labels(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """PIL's nearest resize of label maps (B, H, W), on their device: (B, h, w), same type."""
    rows, columns = (nearest(n, m).to(labels.device, non_blocking=True) for n, m in zip(labels.shape[1:], size))
    return labels[:, rows[:, None], columns]


@lru_cache(maxsize=64)
def nearest(source: int, target: int) -> Tensor:
    """Which of `source` pixels PIL's nearest takes for each of `target`: (target,) int64.

    floor(t / 2 + i t), t = source / target, its sum grown term by term in float64 as PIL does: neither torch's
    "nearest" nor "nearest-exact" picks the same pixels at every size.
    """
    step = source / target
    steps = np.full(target, step)
    steps[0] = step / 2
    return torch.from_numpy(np.cumsum(steps).astype(np.int64))


def box_target(boxes: Tensor, num_outputs: int) -> Tensor:
    """What the masking branch is to say: 1 for a class in its boxes and for background, 1/2 elsewhere.

    T_c = 1 where the box map is c or unknown, else 1/2; T_0 = 1.  [Song et al. 2019, released code]

    boxes (B, h, w) painted box map, ignore: unknown.  Returns (B, K, h, w) float32.
    """
    unknown = (boxes == format_of(boxes).ignore)[:, None]  # (B, 1, h, w)
    index = boxes[:, None].long().masked_fill(unknown, 0)
    target = torch.full((len(boxes), num_outputs, *boxes.shape[1:]), 0.5, device=boxes.device)
    target.scatter_(1, index, 1.0).masked_fill_(unknown, 1.0)
    target[:, 0] = 1.0
    return target
