"""CAM to label map: the strongest class, or background where it is weak."""

from __future__ import annotations

import torch
from torch import Tensor


def strongest(cam: Tensor) -> tuple[Tensor, Tensor]:
    """The highest score at each pixel, and which of the n maps has it, counted from 1.

    cam (n, H, W).  Returns score (H, W), index (H, W) int64 in 1..n, the first of equal ones; both 0 if n is 0.
    """
    if not len(cam):
        return cam.new_zeros(cam.shape[1:]), torch.zeros(cam.shape[1:], dtype=torch.long, device=cam.device)
    score, index = cam.max(0)
    return score, index + 1


def threshold_index(cam: Tensor, background: float) -> Tensor:
    """argmax over [background, cam_1, ..., cam_n], the first of equal ones: (n, H, W) -> (H, W) int64 in 0..n."""
    score, index = strongest(cam)
    return index.masked_fill_(score <= background, 0)


def with_background(keys: Tensor) -> Tensor:
    """Class ids (n,) of the maps -> (n + 1,) ids by index, 0 first."""
    return torch.nn.functional.pad(keys, (1, 0))


def strongest_label(cam: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """The highest score at each pixel and its class: cam (n, H, W), keys (n,) ids -> score (H, W), ids (H, W)."""
    score, index = strongest(cam)
    return score, with_background(keys)[index]


def threshold_label(cam: Tensor, keys: Tensor, background: float) -> Tensor:
    """The label map of a constant background score: cam (n, H, W), keys (n,) ids -> (H, W) ids."""
    return with_background(keys)[threshold_index(cam, background)]
