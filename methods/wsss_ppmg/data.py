"""Training samples of SEAM's networks: random crops with the image's tags, or cells with the tags that hold there."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision.transforms.functional as TF
from numpy.typing import NDArray
from PIL import Image

from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import resize
from wsss_cli.classifier.samples import TaggedImages, mirrored
from wsss_cli.data.images import read_image
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Sample
from wsss_ppmg.config import Grid, Jitter, SeamTraining
from wsss_ppmg.grid import Cell, cells, regions, tags_in


class RandomCrops(TaggedImages):
    """The same crops as of any classifier of tags, recoloured."""

    config: SeamTraining

    def changed(self, image: NDArray[Any], rng: random.Random) -> NDArray[Any]:
        return recoloured(image, self.config.jitter, rng)


class TaggedCells:
    """A cell of the image, mirrored, recoloured and resized to a square, and the tags (C,) that hold in it.

    rough    finds an image's rough mask
    overlap  see `tags_in`
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        num_classes: int,
        grid: Grid,
        jitter: Jitter,
        rough: Callable[[Sample], Path],
        overlap: float,
    ) -> None:
        self.samples, self.num_classes, self.grid, self.jitter = samples, num_classes, grid, jitter
        self.rough, self.overlap = rough, overlap

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        sample, side = self.samples[index], self.grid.crop
        image = read_image(sample.image)
        cell, tags = self.draw(sample, rng)
        image = recoloured(mirrored(cut(image, cell), rng), self.jitter, rng)
        return {
            "image": torch.from_numpy(np.ascontiguousarray(resize(image, (side, side), "bilinear"))),
            "valid": torch.tensor((0, 0, side, side)),
            "tags": multi_hot(tags, self.num_classes),
        }

    def draw(self, sample: Sample, rng: random.Random) -> tuple[Cell, list[int]]:
        """A cell of a random scale, drawn again, as often as there are cells, while no tag holds in it."""
        choice = cells(sample.width, sample.height, rng.choice(self.grid.scales), self.grid.crop, self.grid.stride)
        sure = regions(read_labels(self.rough(sample)), sample.tags)  # (n, H, W)
        for _ in choice:
            cell = rng.choice(choice)
            holds = tags_in(cell, sure, self.overlap)
            if holds.any():
                break
        return cell, [tag for tag, here in zip(sample.tags, holds) if here]


def cut(image: NDArray[Any], cell: Cell) -> NDArray[Any]:
    x0, y0, x1, y1 = cell
    return image[y0:y1, x0:x1]


def recoloured(image: NDArray[Any], jitter: Jitter, rng: random.Random) -> NDArray[Any]:
    """torchvision's colour jitter by PIL, its four changes in random order; uint8 (H, W, 3) -> the same."""
    shown = Image.fromarray(image)
    changes = [
        (TF.adjust_brightness, _factor(jitter.brightness, rng)),
        (TF.adjust_contrast, _factor(jitter.contrast, rng)),
        (TF.adjust_saturation, _factor(jitter.saturation, rng)),
        (TF.adjust_hue, rng.uniform(-jitter.hue, jitter.hue)),
    ]
    rng.shuffle(changes)
    for change, amount in changes:
        shown = change(shown, amount)
    return np.array(shown)


def _factor(spread: float, rng: random.Random) -> float:
    return rng.uniform(1 - spread, 1 + spread)
