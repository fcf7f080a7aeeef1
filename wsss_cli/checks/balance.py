"""How many images, boxes and pixels each class has in each split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_cli.checks.finding import Finding, some
from wsss_cli.data.prepared import DatasetInfo, Sample

FEW = 0.1  # of the median class's images: a class with fewer is named
STEPS = 20
"""Of the side of an object, in equal shares of the image's: see `Counts.sides`."""


class Counts:
    """Of one split; images, boxes, pixels (K,) by class id, 0 background.

    sides  (STEPS,) how many classes of an image's mask, or without a mask boxes, are of which size: the root of their
           share of the image's pixels
    """

    def __init__(self, num_classes: int) -> None:
        self.total = self.masks = self.ignored = 0
        self.images, self.boxes, self.pixels = np.zeros((3, num_classes + 1), np.int64)
        self.sides = np.zeros(STEPS, np.int64)

    def add(self, sample: Sample, pixels: Mapping[int, int] | None) -> None:
        k = len(self.images)
        self.total += 1
        self.masks += pixels is not None
        _increase(self.images, dict.fromkeys(sample.tags, 1))
        for box in sample.boxes:
            _increase(self.boxes, {box.label: 1})
        _increase(self.pixels, pixels or {})
        for share in _shares(sample, pixels, k):
            self.sides[min(STEPS - 1, int(STEPS * sqrt(share)))] += 1
        self.ignored += sum(n for c, n in (pixels or {}).items() if c >= k)


@dataclass
class Balance:
    """The counts of every split."""

    info: DatasetInfo
    splits: dict[str, Counts] = field(default_factory=dict)

    def add(self, sample: Sample, pixels: Mapping[int, int] | None) -> None:
        """Count a sample in; pixels: the class ids of its mask and how many pixels each has, None without mask."""
        for split in sample.splits:
            self.splits.setdefault(split, Counts(len(self.info.classes))).add(sample, pixels)

    def findings(self) -> list[Finding]:
        """Classes of the train split that no image is tagged with, or few in comparison with the others."""
        split = self.info.splits.get("train", "")
        counts = self.splits.get(split)
        if counts is None or not counts.images.any():
            return []
        images = counts.images[1:]  # (C,)
        few = (images > 0) & (images < FEW * np.median(images[images > 0]))
        found = []
        if (images == 0).any():
            what = f"{(images == 0).sum()} of {len(images)} classes have no image in split '{split}' (train)"
            remedy = "nothing can be learnt about them: tag some images, or leave the classes out"
            found.append(Finding("warning", f"{what}: {self._names(images == 0)}", remedy, "class-absent"))
        if few.any():
            what = f"{few.sum()} of {len(images)} classes have few images in split '{split}' (train)"
            listed = some([f"{self.info.classes[c]} ({images[c]})" for c in np.flatnonzero(few)])
            remedy = f"less than a tenth of the median class's {np.median(images[images > 0]):.0f}"
            found.append(Finding("warning", f"{what}: {listed}", remedy, "class-few"))
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: of each split the totals and a list of all classes."""
        return {split: self._split(counts) for split, counts in self.splits.items()}

    def _split(self, counts: Counts) -> dict[str, Any]:
        columns = (counts.images, counts.boxes, counts.pixels)
        classes = [
            {"id": c, "name": name, **{key: int(n[c]) for key, n in zip(("images", "boxes", "pixels"), columns)}}
            for c, name in enumerate(self.info.classes, 1)
        ]
        return {
            "images": counts.total,
            "masks": counts.masks,
            "background_pixels": int(counts.pixels[0]),
            "ignored_pixels": counts.ignored,
            "classes": classes,
        }

    def _names(self, chosen: NDArray[np.bool_]) -> str:
        return some([self.info.classes[c] for c in np.flatnonzero(chosen)])


def _shares(sample: Sample, pixels: Mapping[int, int] | None, k: int) -> list[float]:
    """Of the image that each class of the mask, or without one each box, takes."""
    if pixels is None:
        whole = sample.width * sample.height
        return [(box.x1 - box.x0) * (box.y1 - box.y0) / whole for box in sample.boxes]
    return [n / sum(pixels.values()) for c, n in pixels.items() if 0 < c < k]


def _increase(counts: NDArray[np.int64], by: Mapping[int, int]) -> None:
    for c, n in by.items():
        if 0 <= c < len(counts):  # other ids are told of as errors
            counts[c] += n
