"""A small prepared data set of generated images, for tests to spoil: six in train, three in val."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample, read_prepared, write_prepared

WIDTH, HEIGHT = 20, 16
INFO = DatasetInfo("mine", "test", ("cat", "dog"), {"train": "train", "val": "val", "seeds": "part"}, "generated")


def drawn_folder(root: Path, change: Callable[[list[Sample]], list[Sample]] = list) -> Prepared:
    """Write `root/mine`, images and masks inside it, after a change of its samples."""
    folder = root / "mine"
    samples = change([_sample(folder, n) for n in range(9)])
    write_prepared(folder, INFO, samples)
    (root / "latest").write_text("mine\n")
    return read_prepared(folder)


def changed(samples: list[Sample], at: int, **values: object) -> list[Sample]:
    return [replace(s, **values) if i == at else s for i, s in enumerate(samples)]  # type: ignore[arg-type]


def _sample(folder: Path, n: int) -> Sample:
    """A picture of noise with a brighter box of class 1 or 2; ä0 .. ä8, of which ä0 and ä1 are in split part too."""
    image, mask = folder / "images" / f"ä{n}.png", folder / "masks" / f"ä{n}.png"
    image.parent.mkdir(parents=True, exist_ok=True)
    label, (x, y) = 1 + n % 2, (2 + n, 3)
    pixels = np.random.default_rng(n).integers(0, 150, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    pixels[y : y + 8, x : x + 6] += 100
    Image.fromarray(pixels).save(image)
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[y : y + 8, x : x + 6] = label
    labels[0] = 255
    write_labels(mask, labels)
    splits = ("val",) if n >= 6 else ("train", "part") if n < 2 else ("train",)
    return Sample(f"ä{n}", image, WIDTH, HEIGHT, (label,), (Box(label, x, y, x + 6, y + 8),), mask, splits)
