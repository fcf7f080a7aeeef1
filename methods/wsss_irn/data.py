"""Training samples of IRN's two networks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from wsss_cli.batches.segmentation import cropped
from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import flip, long_side_scale, rescale, uniform_scale
from wsss_cli.data.images import read_image
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Sample
from wsss_irn.config import CamTraining, IrnTraining


class TaggedImages:
    """For the CAM network: a crop of the image, resized by its long side and mirrored, and its tags (C,) multi-hot."""

    def __init__(self, samples: Sequence[Sample], num_classes: int, config: CamTraining) -> None:
        self.samples, self.num_classes, self.config = samples, num_classes, config

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        sample = self.samples[index]
        image = read_image(sample.image)
        image = rescale(image, long_side_scale(image.shape[:2], *self.config.resize_long, rng), "bicubic")
        if rng.random() < 0.5:
            image = flip(image)
        return {**cropped(image, None, self.config.crop, rng), "tags": multi_hot(sample.tags, self.num_classes)}


class RelatedPixels:
    """For IRN: a crop of the image and its label (crop / 4, crop / 4) of certain foreground and background."""

    def __init__(self, samples: Sequence[Sample], labels: Callable[[Sample], Path], config: IrnTraining) -> None:
        self.samples, self.labels, self.config = samples, labels, config

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        sample = self.samples[index]
        image, label = read_image(sample.image), read_labels(self.labels(sample))
        scale = uniform_scale(*self.config.scale, rng)
        image, label = rescale(image, scale, "bicubic"), rescale(label, scale, "nearest")
        if rng.random() < 0.5:
            image, label = flip(image), flip(label)
        item = cropped(image, label, self.config.crop, rng)
        item["label"] = torch.from_numpy(rescale(item["label"].numpy(), 0.25, "nearest").copy())
        return item
