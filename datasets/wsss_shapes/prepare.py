"""Scenes -> samples: each image and mask is drawn from its own seed, so image i is the same however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from PIL import Image

from wsss_cli.data.labels import voc_palette, write_labels
from wsss_cli.data.prepared import Box, DatasetInfo, Sample
from wsss_cli.files import writing
from wsss_cli.parallel.ordered import ParallelMap
from wsss_shapes.config import Options
from wsss_shapes.draws import Draws
from wsss_shapes.geometry import CLASSES
from wsss_shapes.scene import Scene, make_scene

SPLITS = ("train", "val")


def prepare(options: Options, folder: Path) -> tuple[DatasetInfo, Iterable[Sample]]:
    """Draw every scene into folder/images, folder/masks and folder/objects."""
    info = DatasetInfo(
        name="shapes",
        kind="shapes",
        classes=tuple(CLASSES),
        splits={"train": "train", "val": "val", "seeds": "train"},
        source=f"generated from seed {options.seed}",
        masks="masks, drawn with the scenes",
        palette=voc_palette(len(CLASSES) + 1),
        instances=(folder / "objects",),
    )
    which = [("train", i) for i in range(options.train)] + [("val", i) for i in range(options.val)]
    return info, ParallelMap(partial(_sample, options=options, folder=folder), which)


def scene(split: str, index: int, size: int = 128, seed: int = 0) -> Scene:
    """Scene `index` of a split.  Classes take turns, so each is in a sixth of the images or more."""
    draws = Draws(seed, SPLITS.index(split), index, size)
    h, w = draws.pick(((size * 3 // 4, size), (size * 3 // 4, size), (size, size * 3 // 4), (size, size)))
    return make_scene(draws, h, w, 1 + index % len(CLASSES))


def _sample(which: tuple[str, int], options: Options, folder: Path) -> Sample:
    split, index = which
    made = scene(split, index, options.size, options.seed)
    id = f"{split}_{index:05d}"
    image, mask = folder / "images" / f"{id}.png", folder / "masks" / f"{id}.png"
    with writing(image, flushed=False) as aside:
        Image.fromarray(made.image).save(aside, format="PNG", compress_level=4)
    write_labels(mask, made.labels)
    write_labels(folder / "objects" / f"{id}.png", made.owners)
    h, w = made.labels.shape
    boxes = tuple(Box(*corners) for corners in made.objects)
    tags = tuple(sorted({box.label for box in boxes}))
    return Sample(id, image, w, h, tags, boxes, mask, (split,))
