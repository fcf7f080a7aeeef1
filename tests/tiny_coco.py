"""A COCO folder of a few generated images with every kind of segmentation, for tests to use and to spoil."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO

W, H = 60, 40
CATEGORIES = {1: "person", 3: "car", 7: "train", 90: "toothbrush"}  # with gaps, as COCO's
Json = dict[str, Any]


def tiny_coco(folder: Path, images: int = 6, year: int = 2014) -> Path:
    """Build annotations/instances_{train,val}<year>.json and the images; the last image of each has no annotation."""
    for part, seed in (("train", 0), ("val", 1)):
        content = instances(f"COCO_{part}{year}_{{:012}}.jpg", images, seed)
        for image in content["images"]:
            write_image(folder / f"{part}{year}" / image["file_name"], image["id"])
        write(folder, part, content, year)
    return folder


def instances(names: str, images: int, seed: int) -> Json:
    """The content of an instances JSON; images are not in the order of their ids, nor annotations in that of images."""
    rng = np.random.default_rng(seed)
    ids = [int(i) for i in rng.permutation(images) * 3 + 100 * seed]
    rows = [{"id": i, "file_name": names.format(i), "width": W, "height": H} for i in ids]
    owners = [i for i in ids if i != max(ids) for _ in range(6)]
    kinds = [SEGMENTATIONS[k % len(SEGMENTATIONS)] for k in range(len(owners))]
    order = rng.permutation(len(owners))
    annotations = [annotation(1000 + k, owners[k], kinds[k](rng), list(CATEGORIES)[k % 4]) for k in order.tolist()]
    categories = [{"id": id, "name": name, "supercategory": "x"} for id, name in reversed(CATEGORIES.items())]
    return {"info": {"year": 2014}, "categories": categories, "images": rows, "annotations": annotations}


def annotation(id: int, image: int, segmentation: Any, category: int) -> Json:
    """An entry as COCO's; what is given as run lengths is a crowd."""
    runs = segmentation if isinstance(segmentation, dict) else rle.merge(rle.frPyObjects(segmentation, H, W))
    runs = rle.frPyObjects(runs, H, W) if isinstance(runs["counts"], list) else runs
    return {
        "id": id,
        "image_id": image,
        "category_id": category,
        "iscrowd": int(isinstance(segmentation, dict)),
        "segmentation": segmentation,
        "bbox": rle.toBbox(runs).tolist(),
        "area": float(rle.area(runs)),
    }


def decoded(segmentation: Any, width: int, height: int) -> NDArray[np.uint8]:
    """The mask (H, W) of 0 and 1 as pycocotools' own COCO.annToMask makes it."""
    coco = COCO()
    coco.imgs = {0: {"width": width, "height": height}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools 2.0 does not know NumPy 2's copy keyword
        mask: NDArray[np.uint8] = coco.annToMask({"image_id": 0, "segmentation": segmentation})
    return mask


def read(folder: Path, part: str = "train", year: int = 2014) -> Json:
    content: Json = json.loads(place(folder, part, year).read_text(encoding="utf-8"))
    return content


def write(folder: Path, part: str, content: Json, year: int = 2014) -> Path:
    path = place(folder, part, year)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def place(folder: Path, part: str, year: int = 2014) -> Path:
    return folder / "annotations" / f"instances_{part}{year}.json"


def write_image(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (H, W, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path)


def _blob(rng: np.random.Generator, radius: float = 15) -> list[float]:
    angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
    centre = rng.uniform(0, 1, 2) * (W, H)
    points = centre + radius * rng.uniform(0.5, 1, (9, 1)) * np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (9, 2)
    return [round(float(v), 2) for v in points.ravel()]


def _drawn(rng: np.random.Generator) -> NDArray[np.uint8]:
    drawn = decoded([_blob(rng)], W, H)
    drawn[::7] = 0
    return np.asfortranarray(drawn)


def polygon(rng: np.random.Generator) -> list[list[float]]:
    return [_blob(rng)]


def parts(rng: np.random.Generator) -> list[list[float]]:
    """Two polygons, which may overlap or touch the border."""
    return [_blob(rng), _blob(rng, 6)]


def ring(rng: np.random.Generator) -> list[list[float]]:
    """A hole, as COCO has it: the outline goes in, around, and out again."""
    x, y = (float(v) for v in rng.uniform(5, 20, 2))
    outer = [x, y, x + 20, y, x + 20, y + 14, x, y + 14, x, y]
    inner = [x + 5, y + 4, x + 5, y + 10, x + 15, y + 10, x + 15, y + 4, x + 5, y + 4]
    return [outer + inner]


def tiny(rng: np.random.Generator) -> list[list[float]]:
    """Smaller than a pixel: it may cover none."""
    x, y = (float(v) for v in rng.uniform(1, 30, 2))
    return [[x, y, x + 0.3, y, x + 0.3, y + 0.4]]


def outside(rng: np.random.Generator) -> list[list[float]]:
    """Partly beyond each border."""
    return [[-9.5, -7, W + 8, 5.5, W - 20, H + 30.25]]


def compressed(rng: np.random.Generator) -> Json:
    runs = rle.encode(_drawn(rng))
    return {"size": [H, W], "counts": runs["counts"].decode()}


def uncompressed(rng: np.random.Generator) -> Json:
    flat = _drawn(rng).ravel(order="F")
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return {"size": [H, W], "counts": [0, *counts] if flat[0] else counts}


SEGMENTATIONS = (polygon, compressed, ring, tiny, uncompressed, parts, outside)
