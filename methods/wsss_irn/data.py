"""Training samples of IRN's two networks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wsss_cli.data.images import read_image
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.data.transforms import normalised, random_crop, random_flip, random_resize_long, random_scale, reduce_labels
from wsss_irn.config import CamTraining, IrnTraining


class TaggedImages:
    """For the CAM network: image (3, crop, crop) normalised, tags (C,) multi-hot.

    Order of the released code: resize the long side, normalise, flip, crop with the mean colour around.
    """

    def __init__(self, samples: Sequence[Sample], num_classes: int, config: CamTraining) -> None:
        self.samples, self.num_classes, self.config = samples, num_classes, config

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        sample, config = self.samples[index], self.config
        image = random_resize_long(read_image(sample.image), *config.resize_long, rng)
        (image,) = random_flip((normalised(image),), rng)
        (image,) = random_crop((image,), config.crop, (0,), rng)  # 0 is the mean colour
        return {"image": chw(image), "tags": multi_hot(sample.tags, self.num_classes)}


class RelatedPixels:
    """For IRN: image (3, crop, crop) normalised, label (crop / 4, crop / 4) of certain foreground and background."""

    def __init__(self, samples: Sequence[Sample], labels: Callable[[Sample], Path], config: IrnTraining) -> None:
        self.samples, self.labels, self.config = samples, labels, config

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        sample, config = self.samples[index], self.config
        image, label = read_image(sample.image), read_labels(self.labels(sample))
        image, label = random_scale((image, label), config.scale, rng)
        image, label = random_flip((normalised(image), label), rng)
        image, label = random_crop((image, label), config.crop, (0, 255), rng)
        return {"image": chw(image), "label": torch.from_numpy(reduce_labels(label))}


def chw(image: np.ndarray) -> torch.Tensor:
    """(H, W, 3) -> (3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def multi_hot(tags: Sequence[int], num_classes: int) -> torch.Tensor:
    """Class ids 1..C -> (C,) of 0 and 1."""
    row = torch.zeros(num_classes)
    row[[t - 1 for t in tags]] = 1
    return row
