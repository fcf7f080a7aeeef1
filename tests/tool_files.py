"""Small files that annotation tools themselves wrote of one scene, and what the importer is to make of them.

tests/tool_writers.py has the tools write them: those in tests/datasets/wsss_folder/tool_files are its output.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tiny_folder import Folder
from wsss_cli.checks.finding import Finding
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Sample

WIDTH, HEIGHT = 24, 18
CLASSES = ("cat", "dog")
FILES = Path(__file__).parent / "datasets/wsss_folder/tool_files"
Labels = NDArray[np.uint8]


def scene() -> dict[str, Labels]:
    """Label maps (H, W) of two images: a ring that touches a bar, an object at the border and a pixel in the corner."""
    one, two = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    one[2:10, 3:12], one[4:7, 5:8] = 1, 0
    one[2:10, 12:15] = one[17, 23] = 2
    one[12:16, 0:5] = 1
    two[5:9, 6:10] = 2
    return {"one": one, "two": two}


def objects(labels: Labels) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Class and mask (H, W) of each connected object."""
    for label in (1, 2):
        numbered, count = ndimage.label(labels == label)
        yield from ((label, numbered == n) for n in range(1, count + 1))


def write_images(folder: Path) -> Path:
    """one.png, two.png: noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, name in enumerate(scene()):
        pixels = np.random.default_rng(n).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


@dataclass(frozen=True)
class Read:
    """How to read the files of a tool, and what is to come of it.

    options  of `wsss prepare folder` by the folder of the files
    pixels   of each class in image one and two; None: every pixel is that of the scene; (): an image has no mask
    boxes    of image one, as many as objects if they are tight: else what the tool says
    says     a part of what is told
    """

    options: Callable[[Path], dict[str, Any]]
    pixels: tuple[dict[int, int], ...] | None = None
    boxes: int = 4
    says: str = ""


def read(folder: Folder, root: Path, how: Read) -> tuple[dict[str, Sample], list[Finding]]:
    """The samples by id, and what was said of them."""
    said: list[Finding] = []
    options = {"masks_from_shapes": True, "val": 0.5, **how.options(root)}
    images = write_images(folder.path / "pictures")
    prepared = folder.prepare(images=images, classes=",".join(CLASSES), say=said.append, **options)
    return {s.id: s for s in prepared.samples}, said


def require_read(folder: Folder, root: Path, how: Read) -> None:
    """The test: pixels, boxes and words of what was read are those expected."""
    samples, said = read(folder, root, how)
    truth = scene()
    maps = [None if samples[id].mask is None else read_labels(samples[id].mask) for id in truth]
    if how.pixels is None:
        assert all((labels == truth[id]).all() for id, labels in zip(truth, maps))
    else:
        found = [{} if m is None else {c: int((m == c).sum()) for c in (1, 2, 255) if (m == c).any()} for m in maps]
        assert tuple(found) == how.pixels
    assert len(samples["one"].boxes) == how.boxes
    assert any(how.says in finding.what for finding in said)


MASKS = {"masks_from_shapes": False, "tags_from_masks": True}
BOXES = {"masks_from_shapes": False}
NONE = ({}, {})
FILLED = ({1: 92, 2: 25}, {2: 16})  # polygons without the hole
# the lines of polygons that OpenCV's findContours gives go through the centres of pixels: drawn as COCO does, the right
# column and the lower row of an object are missing, and a lone pixel has neither polygon nor area
CUT = ({1: 42 + 12, 2: 14}, {2: 9})
READS: dict[str, Read] = {
    "datumaro/coco": Read(lambda at: {"coco": (at / "coco.json",)}, says="5 of 5 objects are marked as crowds"),
    "datumaro/cvat": Read(lambda at: {"cvat": (at / "cvat.xml",)}),
    "datumaro/voc": Read(
        lambda at: {"masks": at / "voc/SegmentationClass", "mask_values": str(at / "voc/labelmap.txt"), **MASKS},
        boxes=0,
    ),
    "datumaro/label_me_xml": Read(lambda at: {"xml": at / "label_me_xml/Annotations", **BOXES}, NONE),
    "datumaro/yolo": Read(
        lambda at: {"yolo": at / "yolo/obj_train_data", "names": at / "yolo/obj.names", **BOXES}, NONE
    ),
    "label_studio/brushes": Read(lambda at: {"label_studio": (at / "brushlabels.json",)}),
    "label_studio/min": Read(lambda at: {"label_studio": (at / "min/result.json",)}),
    "label_studio/polygons": Read(lambda at: {"label_studio": (at / "polygonlabels.json",)}, FILLED),
    "label_studio/coco": Read(lambda at: {"coco": (at / "coco/result.json",)}, FILLED),
    "label_studio/yolo": Read(lambda at: {"yolo": at / "yolo/labels"}, FILLED),
    "labelformat/coco": Read(lambda at: {"coco": (at / "coco.json",)}, says="5 of 5 objects are marked as crowds"),
    "labelformat/voc": Read(lambda at: {"masks": at / "voc/SegmentationClass", **MASKS}, boxes=0),
    "labelformat/yolo": Read(lambda at: {"yolo": at / "yolo/labels"}, FILLED),
    "labelme/json": Read(lambda at: {"labelme": at}),
    "pylabel/coco": Read(
        lambda at: {"coco": (at / "coco.json",), **BOXES}, NONE, 3, "1 object(s) have a box without area"
    ),
    "pylabel/yolo": Read(
        lambda at: {"yolo": at / "yolo/labels", **BOXES}, NONE, 3, "1 object(s) have a box without area"
    ),
    "supervision/coco": Read(
        lambda at: {"coco": (at / "coco.json",), "crowd": "paint"},
        ({1: 63 + 12, 2: 14}, {2: 9}),
        3,
        "1 object(s) have a box without area",
    ),
    "supervision/yolo": Read(lambda at: {"yolo": at / "yolo/labels"}, CUT, 3, "1 object(s) have a box without area"),
    "supervision/voc": Read(lambda at: {"xml": at / "voc"}, ({}, {2: 9})),
}
