"""The data set: each picture has a red or a blue dot, or both, on grey."""

import random
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw

from wsss_cli.data.prepared import Box, DatasetInfo, Sample
from wsss_cli.errors import WsssError
from wsss_toy.options import Options

SIDE = 16
COLOURS = ((200, 40, 40), (40, 40, 200))


def prepare(options: Options, folder: Path) -> tuple[DatasetInfo, Iterator[Sample]]:
    if options.images < 3:
        raise WsssError(f"dots.images = {options.images} leaves a split without images", "make it 3 or more")
    info = DatasetInfo(
        name="dots",
        kind="dots",
        classes=("red", "blue"),
        splits={"train": "train", "val": "val", "seeds": "train"},
        source=f"drawn with seed {options.seed}",
        masks="drawn",
        palette=((0, 0, 0), *COLOURS),
    )
    return info, (draw(i, options, folder) for i in range(options.images))


def draw(index: int, options: Options, folder: Path) -> Sample:
    rng = random.Random(options.seed * 10_000 + index)
    tags = ((1,), (2,), (1, 2))[index % 3]
    image, mask = Image.new("RGB", (SIDE, SIDE), (128, 128, 128)), Image.new("L", (SIDE, SIDE), 0)
    boxes = []
    for tag in tags:
        x, y = 8 * (tag - 1) + rng.randrange(3), rng.randrange(10)
        ImageDraw.Draw(image).rectangle((x, y, x + 4, y + 4), fill=COLOURS[tag - 1])
        ImageDraw.Draw(mask).rectangle((x, y, x + 4, y + 4), fill=tag)
        boxes.append(Box(tag, x, y, x + 5, y + 5))
    name = f"dot{index:02d}"
    for kind, picture in (("images", image), ("masks", mask)):
        (folder / kind).mkdir(exist_ok=True)
        picture.save(folder / kind / f"{name}.png")
    return Sample(
        id=name,
        image=folder / "images" / f"{name}.png",
        width=SIDE,
        height=SIDE,
        tags=tags,
        boxes=tuple(boxes),
        mask=folder / "masks" / f"{name}.png",
        splits=("val" if index >= options.images * 2 // 3 else "train",),
    )
