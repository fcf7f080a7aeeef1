"""A VOC devkit of a few generated images, in the official layout, for tests to use and to spoil."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from wsss_cli.data.labels import write_labels

SIZE = (48, 36)  # width, height
CLASSES = {"cat": 8, "dog": 12, "person": 15}  # VOC's ids
TRAIN, TRAIN_AUG, VAL = ("img_0", "img_1"), ("img_0", "img_1", "img_2", "img_3"), ("img_4", "img_5")

Object = tuple[str, Sequence[float | str]]  # name; xmin, ymin, xmax, ymax as VOC writes them, 1-based inclusive


def tiny_voc(folder: Path, masks: Iterable[str] = ("SegmentationClass", "SegmentationClassAug")) -> Path:
    """Build VOCdevkit/VOC2012 in `folder` with the lists above; returns the folder VOC2012."""
    devkit = folder / "VOCdevkit" / "VOC2012"
    for number in range(6):
        name = list(CLASSES)[number % 3]
        x, y = 5 + 3 * number, 4 + 2 * number
        write_annotation(devkit, f"img_{number}", [(name, (x + 1, y + 1, x + 16, y + 12))])
        write_image(devkit, f"img_{number}", (x, y, x + 16, y + 12))
        labels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        labels[y : y + 12, x : x + 16] = CLASSES[name]
        labels[y - 1, x : x + 16] = 255
        for sub in masks:
            write_labels(devkit / sub / f"img_{number}.png", labels)
    for split, ids in (("train", TRAIN), ("train_aug", TRAIN_AUG), ("val", VAL)):
        write_list(devkit, split, ids)
    return devkit


def write_image(devkit: Path, id: str, box: tuple[int, int, int, int]) -> Path:
    """Noise with a brighter half-open box, as JPEG."""
    rng = np.random.default_rng(len(id))
    pixels = rng.integers(0, 100, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] += 120
    path = devkit / "JPEGImages" / f"{id}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)
    return path


def write_annotation(devkit: Path, id: str, objects: Iterable[Object], size: tuple[int, int] = SIZE) -> Path:
    """An XML as VOC's, with <size> and one <object> per item."""
    corners = ("xmin", "ymin", "xmax", "ymax")
    rows = [
        f"<object><name>{name}</name><difficult>1</difficult><bndbox>"
        + "".join(f"<{c}>{v}</{c}>" for c, v in zip(corners, box, strict=True))
        + "</bndbox><part><name>head</name></part></object>"
        for name, box in objects
    ]
    path = devkit / "Annotations" / f"{id}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"<filename>{id}.jpg</filename><size><width>{size[0]}</width><height>{size[1]}</height></size>"
    path.write_text(f"<annotation>{head}{''.join(rows)}</annotation>", encoding="utf-8")
    return path


def write_list(devkit: Path, split: str, lines: Iterable[str]) -> Path:
    """ImageSets/Segmentation/<split>.txt."""
    path = devkit / "ImageSets" / "Segmentation" / f"{split}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
