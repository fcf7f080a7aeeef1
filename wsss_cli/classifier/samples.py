"""What a classifier of tags is trained on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

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
        image = self.changed(mirrored(image, rng), rng)
        return {**cropped(image, None, self.config.crop, rng), "tags": multi_hot(sample.tags, self.num_classes)}

    def changed(self, image: NDArray[Any], rng: random.Random) -> NDArray[Any]:
        """What a method does to an image before it is cropped, uint8 (H, W, 3): nothing."""
        return image


def mirrored(image: NDArray[Any], rng: random.Random) -> NDArray[Any]:
    """Half of the images mirrored."""
    return flip(image) if rng.random() < 0.5 else image
