"""What a segmentation network gives while it is trained: one or more outputs, each with its own way of being judged.

A head names its outputs; the first, "main", is what it predicts by.  `training_losses` turns them into named losses by
any loss on pixels, so a method changes that loss for all outputs at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from wsss_cli.data.label_format import format_of

PixelLoss = Callable[[Tensor, Tensor], Tensor]
"""Logits (B, K, h, w) and labels (B, H, W), ids and ignore -> a scalar; it enlarges the logits to the labels."""


@dataclass(frozen=True)
class Map:
    """Logits (B, K, h, w) of every pixel."""

    logits: Tensor
    weight: float = 1.0

    def loss(self, labels: Tensor, pixel_loss: PixelLoss) -> Tensor:
        return self.weight * pixel_loss(self.logits, labels)


@dataclass(frozen=True)
class Points:
    """Logits (B, K, P) at points (B, P, 2), x and y in [0, 1] of the image; judged by the label of the pixel there."""

    logits: Tensor
    points: Tensor
    weight: float = 1.0

    def loss(self, labels: Tensor, pixel_loss: PixelLoss) -> Tensor:
        return self.weight * pixel_loss(self.logits[..., None], labels_at(labels, self.points)[..., None])


@dataclass(frozen=True)
class Presence:
    """Logits (B, K) of the classes that an image holds; judged by binary cross-entropy [Zhang et al. 2018]."""

    logits: Tensor
    weight: float = 1.0

    def loss(self, labels: Tensor, pixel_loss: PixelLoss) -> Tensor:
        present = classes_in(labels, self.logits.shape[1])
        return self.weight * F.binary_cross_entropy_with_logits(self.logits.float(), present)


Output = Map | Points | Presence
Outputs = dict[str, Output]
"""By name; "main" is a Map and the first."""


def training_losses(outputs: Mapping[str, Output], labels: Tensor, pixel_loss: PixelLoss) -> dict[str, Tensor]:
    """The weighted loss of each output under its name; their sum is what is minimised."""
    return {name: output.loss(labels, pixel_loss) for name, output in outputs.items()}


def labels_at(labels: Tensor, points: Tensor) -> Tensor:
    """The nearest pixels' labels: (B, H, W) and points (B, P, 2) in [0, 1] -> (B, P) of the same type."""
    grid = 2 * points.float()[:, :, None] - 1  # (B, P, 1, 2)
    found = F.grid_sample(labels[:, None].float(), grid, mode="nearest", align_corners=False)  # (B, 1, P, 1)
    return found[:, 0, :, 0].to(labels.dtype)


def classes_in(labels: Tensor, num_outputs: int) -> Tensor:
    """Which of K ids each label map holds: (B, H, W) -> (B, K) of 0 and 1, float; ignored pixels are of none."""
    ids = labels.flatten(1).long()  # (B, H * W)
    ids = ids.masked_fill(ids == format_of(labels).ignore, num_outputs)
    present = ids.new_zeros(len(ids), num_outputs + 1).scatter_(1, ids, 1)  # (B, K + 1)
    return present[:, :num_outputs].float()
