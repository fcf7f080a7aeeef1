"""Training samples of a segmentation network: an augmented crop of an image and of its label map."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from wsss_cli import bounds, ranges
from wsss_cli.batches.photometric import distorted
from wsss_cli.batches.transforms import (
    flip,
    normalise,
    place,
    place_labels,
    random_crop,
    rescale,
    short_side_scale,
    uniform_scale,
)
from wsss_cli.config import Config
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import Labels, format_of
from wsss_cli.data.labels import read_labels
from wsss_cli.data.long_side import at_image_size
from wsss_cli.data.prepared import Sample

REDRAWS = 10  # of a crop with too much of one class (mmseg)


class Augment(Config):
    """Random scale, mirror and crop, as DeepLab's training does."""

    scale: ranges.Scales = Field((0.5, 2.0), description="range of the random scale (DeepLab)")
    flip: bool = Field(True, description="mirror half of the samples")
    crop: int = Field(
        512, gt=0, le=bounds.SIDE, description="side of the random crop; smaller images are padded with ignored pixels"
    )
    short_side: int | None = Field(
        None,
        gt=0,
        le=bounds.SIDE,
        description="the scale counts from this length of the shorter side, not from the image's (mmseg: 512)",
    )
    largest_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="a crop in which one class has more of the labelled pixels is drawn anew (mmseg: 0.75)",
    )
    photometric: bool = Field(False, description="random brightness, contrast, saturation and hue (mmseg, SSD)")


class SegmentationData:
    """Crops of images and of their label maps, which `read` reads."""

    def __init__(
        self,
        samples: Sequence[Sample],
        labels: Callable[[Sample], Path],
        augment: Augment,
        read: Callable[[Path], Labels] = read_labels,
    ) -> None:
        self.samples, self.labels, self.augment, self.read = samples, labels, augment, read

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        sample, augment = self.samples[index], self.augment
        image, label = read_image(sample.image), at_image_size(self.read(self.labels(sample)), sample)
        scale = uniform_scale(*augment.scale, rng) * short_side_scale(image.shape[:2], augment.short_side)
        image, label = rescale(image, scale, "bilinear"), rescale(label, scale, "nearest")
        if augment.flip and rng.random() < 0.5:
            image, label = flip(image), flip(label)
        item = cropped(image, label, augment.crop, rng, augment.largest_share)
        if augment.photometric:
            item["image"] = distorted(item["image"], rng)
        return item


def cropped(
    image: NDArray[Any], label: NDArray[Any] | None, crop: int, rng: random.Random, largest_share: float = 1.0
) -> dict[str, Tensor]:
    """A random crop: image (crop, crop, 3) uint8, valid (4,) the box of its real pixels, label (crop, crop).

    Drawn anew, ten times at most, while one class has a `largest_share` of the labelled pixels or more.
    """
    at = random_crop((image.shape[0], image.shape[1]), crop, rng)
    if label is not None and largest_share < 1:
        for _ in range(REDRAWS):
            if _share(label[at.top : at.top + at.h, at.left : at.left + at.w]) < largest_share:
                break
            at = random_crop((image.shape[0], image.shape[1]), crop, rng)
    item = {"image": torch.from_numpy(place(image, at, crop)), "valid": torch.tensor(at.valid)}
    if label is not None:
        item["label"] = torch.from_numpy(place_labels(label, at, crop))
    return item


def _share(label: NDArray[Any]) -> float:
    """Of the most frequent class among the labelled pixels; 1 where there are none."""
    counts = np.bincount(label[label != format_of(label).ignore], minlength=1)
    return counts.max() / max(1, counts.sum()) if counts.any() else 1.0


def to_device(batch: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """A batch on the device, its image normalised there: (B, 3, crop, crop), 0 outside the valid box."""
    moved = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
    moved["image"] = normalise(moved["image"], moved.pop("valid"))
    return moved
