"""Training samples of BECO: a weakly augmented image, its label map and confidence mask, and all random draws."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_beco.augment import draw_jitter
from wsss_beco.config import Train
from wsss_cli.batches.loader import torch_rng
from wsss_cli.batches.transforms import Mode, flip, normalise, random_resized_crop, resize
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import read_labels, read_mask01
from wsss_cli.data.long_side import at_image_size
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError

Find = Callable[[Sample], Path]


class CoTrainingData:
    """Crops of images, label maps and confidence masks; without a place for masks every labelled pixel is trusted.

    What is drawn later, on the device, for mixing and colours, is drawn here, so that it too depends on (seed, epoch,
    index) only.
    """

    def __init__(
        self, samples: Sequence[Sample], labels: Find, masks: Find | None, num_outputs: int, config: Train
    ) -> None:
        self.samples, self.labels, self.masks = samples, labels, masks
        self.num_outputs, self.config = num_outputs, config

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        """image (S, S, 3) uint8, label (S, S) ids, mask (S, S) bool; mixed, whether; priority (K,); jitter."""
        generator = torch_rng(rng)
        image, label, mask = self._read(self.samples[index])
        crop, side = self.config.crop, (self.config.crop.size,) * 2
        window = random_resized_crop((image.shape[0], image.shape[1]), generator, crop.area, crop.aspect)
        mirrored = coin(generator) and crop.flip

        def cut(x: NDArray[Any], mode: Mode) -> Tensor:
            square = resize(window.cut(x), side, mode)
            return torch.from_numpy(flip(square) if mirrored else np.ascontiguousarray(square))

        return {
            "image": cut(image, "bilinear"),
            "label": cut(label, "nearest"),
            "mask": cut(mask, "nearest"),
            "mixed": coin(generator, self.config.mixing.probability),
            "priority": torch.rand(self.num_outputs, generator=generator),
            "jitter": draw_jitter(generator, self.config.strong),
        }

    def _read(self, sample: Sample) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Raises WsssError if the files do not fit each other or a label is no class."""
        image, path = read_image(sample.image), self.labels(sample)
        label = at_image_size(read_labels(path), sample)
        _check_size(path, label, image)
        ignore = label_format(self.num_outputs - 1).ignore
        known = label[label != ignore]
        if known.size and known.max() >= self.num_outputs:
            raise WsssError(
                f"{path} holds the id {known.max()}, the data set's classes are 1..{self.num_outputs - 1}",
                f"give label maps of this data set: 0 background, {ignore} ignore",
            )
        if self.masks is None:
            return image, label, label != ignore
        mask = at_image_size(read_mask01(self.masks(sample)), sample)
        _check_size(self.masks(sample), mask, image)
        return image, label, mask


def _check_size(path: Path, labels: NDArray[Any], image: NDArray[Any]) -> None:
    if labels.shape != image.shape[:2]:
        (h, w), (height, width) = labels.shape, image.shape[:2]
        raise WsssError(f"{path} is {w} x {h}, its image {width} x {height}", "give maps of the images' own size")


def to_device(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """The batch on the device, its image normalised there; what says which samples are changed stays on the CPU."""
    moved = {name: batch[name].to(device, non_blocking=True) for name in ("image", "label", "mask", "priority")}
    moved["image"] = normalise(moved["image"])  # (B, S, S, 3) -> (B, 3, S, S)
    return batch | moved


def coin(generator: torch.Generator, p: float = 0.5) -> bool:
    """True with probability p."""
    return torch.rand(1, generator=generator).item() < p
