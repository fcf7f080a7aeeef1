"""Training samples of LOC-BE: one view of an image, its tags, and the draws of its windows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import normalise
from wsss_cli.batches.views import augment, scaled_crop
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample
from wsss_locbe.config import Augment


class LocBeData:
    """Tagged images in one view; ToCo's two others, which the released code still makes, serve nothing."""

    def __init__(self, samples: Sequence[Sample], num_classes: int, settings: Augment, windows: int) -> None:
        self.samples, self.num_classes, self.settings, self.windows = samples, num_classes, settings, windows

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        """image (S, S, 3) uint8; box (4,) y0, y1, x0, x1 of its real pixels; tags (C,) 0/1; draws (n,) in [0, 1)."""
        sample, settings = self.samples[index], self.settings
        crop, box = scaled_crop(read_image(sample.image), settings.scale, settings.flip, settings.crop, rng)
        view = settings.view if settings.mirror_again else settings.view.model_copy(update={"flip": 0.0})
        return {
            "image": torch.from_numpy(augment(crop, view, rng)),
            "box": torch.tensor(box),
            "tags": multi_hot(sample.tags, self.num_classes),
            "draws": torch.tensor([rng.random() for _ in range(self.windows)], dtype=torch.float64),
        }


def to_device(batch: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """The batch on the device, its images normalised there: (B, 3, S, S); draws and tags stay on the CPU."""
    moved = {name: x if name in ("draws", "tags") else x.to(device, non_blocking=True) for name, x in batch.items()}
    return moved | {"image": normalise(moved["image"])}
