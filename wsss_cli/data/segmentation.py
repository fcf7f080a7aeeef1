"""Training samples of a segmentation network: an augmented crop of an image and of its label map."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field

from wsss_cli.config import Config
from wsss_cli.data.images import read_image
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.data.transforms import random_crop, random_flip, random_scale


class Augment(Config):
    """Random scale, mirror and crop, as DeepLab's training does."""

    scale: tuple[float, float] = Field((0.5, 2.0), description="range of the random scale (DeepLab)")
    flip: bool = Field(True, description="mirror half of the samples")
    crop: int = Field(512, gt=0, description="side of the random crop; smaller images are padded with ignored pixels")


class SegmentationData:
    """Crops of images and label maps: image (3, crop, crop) normalised float32, label (crop, crop) int64."""

    def __init__(self, samples: Sequence[Sample], labels: Callable[[Sample], Path], augment: Augment) -> None:
        self.samples, self.labels, self.augment = samples, labels, augment

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        sample, augment = self.samples[index], self.augment
        image, label = read_image(sample.image), read_labels(self.labels(sample))
        image, label = random_scale(image, label, augment.scale, rng)
        if augment.flip:
            image, label = random_flip((image, label), rng)
        image, label = random_crop(image, label, augment.crop, rng)
        return {"image": torch.from_numpy(np.ascontiguousarray(image)), "label": torch.from_numpy(label).long()}
