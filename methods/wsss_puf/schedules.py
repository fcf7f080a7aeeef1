"""What changes while PUF trains: loss weights, masking, teacher. Iteration k counts from 0."""

from __future__ import annotations

import math
from typing import NamedTuple

from wsss_puf.config import Distillation, Losses


class Phase(NamedTuple):
    """The weight of each loss in an iteration; the classifications' are 1."""

    contrast: float
    segmentation: float
    energy: float
    classes: float
    patches: float

    @property
    def segments(self) -> bool:
        return self.segmentation > 0 or self.energy > 0

    @property
    def distils(self) -> bool:
        return self.classes > 0 or self.patches > 0


def phase(k: int, losses: Losses, distillation: Distillation) -> Phase:
    """The weights of iteration k: some begin later, self-distillation may end."""
    contrast, segment = k >= losses.contrast_from, k >= losses.segmentation_from
    distil = distillation.iterations is None or k < distillation.iterations
    return Phase(
        losses.patch_contrast * contrast,
        losses.segmentation * segment,
        losses.energy * segment,
        distillation.class_weight * distil,
        distillation.patch_weight * distil,
    )


def masks_uncertain(k: int, total: int, random_share: float) -> bool:
    """Whether the CAMs choose what is masked; before, chance alone does.  [released code: k + 1 > total / 5]"""
    return k + 1 > total * random_share


def teacher_temperature(k: int, total: int, first: float = 0.04, last: float = 0.07, share: float = 0.125) -> float:
    """From `first` to `last` in even steps over that share of the iterations, then `last`."""
    steps = int(total * share)
    return last if k >= steps else first + (last - first) * k / max(1, steps - 1)


def teacher_momentum(k: int, total: int, first: float = 0.9995) -> float:
    """1 - (1 - first) (1 + cos(pi k / total)) / 2: from `first` to 1."""
    return 1 - (1 - first) * (1 + math.cos(math.pi * k / total)) / 2
