"""What a classifier of tags is trained on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from wsss_cli.batches.segmentation import cropped
from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import flip, long_side_scale, rescale
from wsss_cli.classifier.config import TagTraining
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample


class TaggedImages:
    """A crop of the image, resized by its long side and mirrored, and its tags (C,) multi-hot."""

    def __init__(self, samples: Sequence[Sample], num_classes: int, config: TagTraining) -> None:
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
