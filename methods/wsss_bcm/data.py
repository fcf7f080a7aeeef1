"""Training samples of BCM: a crop of the image, of its label map and of its box map."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from wsss_bcm.augment import augment
from wsss_bcm.boxes import box_map
from wsss_bcm.config import Crop
from wsss_cli.batches.transforms import normalise
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import LabelFormat, Labels
from wsss_cli.data.labels import read_labels
from wsss_cli.data.long_side import at_image_size
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError

Find = Callable[[Sample], Path]


class BoxedData:
    """Crops; box maps are painted from the boxes, or read from `boxes`."""

    def __init__(
        self, samples: Sequence[Sample], labels: Find, boxes: Find | None, form: LabelFormat, crop: Crop
    ) -> None:
        self.samples, self.labels, self.boxes, self.form, self.crop = samples, labels, boxes, form, crop

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        """image (S, S, 3) float32 RGB of 0..255, label and box (S, S) ids.  Raises WsssError if files do not fit."""
        sample = self.samples[index]
        image = read_image(sample.image)
        maps = [_of_size(self.labels(sample), sample, image.shape[:2]), self._box_map(sample, image.shape[:2])]
        made, (label, box) = augment(image, maps, self.crop, rng)
        return {"image": made, "label": label, "box": box}

    def _box_map(self, sample: Sample, size: tuple[int, ...]) -> Labels:
        if self.boxes is None:
            return box_map(sample.boxes, (size[0], size[1]), self.form)
        return _of_size(self.boxes(sample), sample, size)


def _of_size(path: Path, sample: Sample, size: tuple[int, ...]) -> Labels:
    labels = at_image_size(read_labels(path), sample)
    if labels.shape != tuple(size):
        found = f"{labels.shape[1]} x {labels.shape[0]}, its image {size[1]} x {size[0]}"
        raise WsssError(f"{path} is {found}", "give maps of the images' own size")
    return labels


def to_device(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """The batch on the device, its image normalised there: (B, S, S, 3) -> (B, 3, S, S)."""
    moved = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
    return moved | {"image": normalise(moved["image"])}
