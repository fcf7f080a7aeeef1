"""Training samples of ToCo: three views of an image, its tags, and the seed of what is drawn on the device."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import normalise
from wsss_cli.batches.views import augment, resized_crop, scaled_crop
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample
from wsss_toco.config import Views

IMAGES = ("image", "second", "local")


class ToCoData:
    """Tagged images in three views."""

    def __init__(self, samples: Sequence[Sample], num_classes: int, views: Views) -> None:
        self.samples, self.num_classes, self.views = samples, num_classes, views

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        """image, second, local (S, S, 3) uint8; box (4,) y0, y1, x0, x1; tags (C,) 0/1; seed of local crops."""
        sample, views = self.samples[index], self.views
        whole = read_image(sample.image)
        crop, box = scaled_crop(whole, views.scale, views.flip, views.crop, rng)
        still = {} if views.mirror_again else {"flip": 0.0}
        arrays = (
            augment(crop, views.main.model_copy(update=still), rng),
            augment(resized_crop(whole, views.area, views.crop, rng), views.second, rng),
            augment(crop, views.local.model_copy(update=still), rng),
        )
        item = {name: torch.from_numpy(array) for name, array in zip(IMAGES, arrays)}
        tags = multi_hot(sample.tags, self.num_classes)
        return {**item, "box": torch.tensor(box), "tags": tags, "seed": rng.getrandbits(62)}


def to_device(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """The batch on the device, its images normalised there: (B, 3, S, S); seeds and tags stay on the CPU."""
    moved: dict[str, Tensor] = {n: batch[n].to(device, non_blocking=True) for n in (*IMAGES, "box")}
    return batch | moved | {name: normalise(moved[name]) for name in IMAGES}
