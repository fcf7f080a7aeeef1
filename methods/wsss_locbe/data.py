"""Training samples of LOC-BE: one augmented crop of an image, its tags, and the draws of its windows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample
from wsss_cli.data.transforms import normalise
from wsss_cli.data.views import augment, scaled_crop
from wsss_cli.single_stage.dump import present
from wsss_locbe.config import Train


class LocBeData:
    """Crops of tagged images."""

    def __init__(self, samples: Sequence[Sample], num_classes: int, config: Train) -> None:
        self.samples, self.num_classes, self.config = samples, num_classes, config

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        """image (S, S, 3) uint8; box (4,) y0, y1, x0, x1 of what of it is image; tags (C,) 0/1; draws (n,) in [0, 1).

        As released, the view mirrors half of the crops and not their boxes.
        """
        sample, config = self.samples[index], self.config
        crop = scaled_crop(read_image(sample.image), config.crop.scale, config.crop.flip, config.crop.crop, rng)
        return {
            "image": torch.from_numpy(augment(crop.image, config.view, rng)),
            "box": torch.tensor(crop.box),
            "tags": present([sample], self.num_classes)[0],
            "draws": torch.tensor([rng.random() for _ in range(config.windows.number)]),
        }


def to_device(batch: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """A batch on the device, its images normalised there: (B, 3, S, S)."""
    moved = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
    return moved | {"image": normalise(moved["image"])}
