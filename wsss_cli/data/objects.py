"""The true objects of images, for scoring instance labels: from COCO JSONs or VOC's object maps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from pycocotools import mask as rle

from wsss_cli.data.coco_entries import is_crowd, plain_id
from wsss_cli.data.instances import run_length_mask
from wsss_cli.data.label_format import format_of
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.data.segmentation import outline_of, require_near
from wsss_cli.data.unchanged import require_same_objects
from wsss_cli.errors import WsssError
from wsss_cli.sound import read_text

Objects = list[dict[str, Any]]
"""COCO annotations of one image, without ids: category_id (1..C), segmentation (run lengths), area, bbox, iscrowd."""


def true_objects(data: Prepared, samples: Sequence[Sample], given: str | None = None) -> dict[str, Objects]:
    """The objects of those of the images that have them, by sample id.

    given  a COCO JSON or a folder of object maps, instead of what the data set names
    Raises WsssError if there is no ground truth of objects for any of the images, or a file cannot be read.
    """
    if given is None:
        require_same_objects(data.info)
    samples = [sample.full for sample in samples]
    paths = (Path(given),) if given is not None else data.info.instances
    found: dict[str, Objects] = {}
    for path in paths:
        found |= from_maps(path, samples) if path.is_dir() else from_json(path, samples, data.info.classes)
    if not found:
        tried = ", ".join(map(str, paths)) or "the data set names none"
        raise WsssError(
            f"data set '{data.info.name}' has no true instances for these images ({tried})",
            "give a COCO JSON or a folder of VOC object maps: --set evaluate.true_instances=PATH",
        )
    return found


def from_maps(folder: Path, samples: Sequence[Sample]) -> dict[str, Objects]:
    """Object maps `<id>.png` as VOC's SegmentationObject: 0 none, 255 ignored, else an object's number.

    An object's class is the smallest one that the mask has under it.
    """
    return {s.id: _of_map(folder / f"{s.id}.png", s) for s in samples if s.mask and (folder / f"{s.id}.png").exists()}


def _of_map(path: Path, sample: Sample) -> Objects:
    assert sample.mask is not None
    numbers, classes = read_labels(path), read_labels(sample.mask)
    if numbers.shape != classes.shape:
        raise WsssError(f"{path} and {sample.mask} are not of one size", "give object maps that belong to the masks")
    rows = []
    for number in np.unique(numbers).tolist():
        mask = numbers == number
        under = classes[mask & (classes != 0) & (classes != format_of(classes).ignore)]
        if number not in (0, format_of(numbers).ignore) and under.size:
            rows.append(annotation(run_length_mask(mask), int(under.min())))
    return rows


def from_json(path: Path, samples: Sequence[Sample], classes: Sequence[str]) -> dict[str, Objects]:
    """The annotations of a COCO JSON, matched by the images' paths or names; other categories are left out."""
    try:
        content = json.loads(read_text(path))
        named = {plain_id(c["id"]): classes.index(c["name"]) + 1 for c in content["categories"] if c["name"] in classes}
        known = by_name(samples)
        images = {
            plain_id(i["id"]): s for i in content["images"] if (s := sample_of(i["file_name"], known)) is not None
        }
        found: dict[str, Objects] = {sample.id: [] for sample in images.values()}
        rows = content["annotations"]
        crowds_count = not all(map(is_crowd, rows))  # where every object is marked as one, they are objects
        for row in rows:
            image, category = plain_id(row["image_id"]), plain_id(row["category_id"])
            if image in images and category in named:
                sample = images[image]
                coded = as_run_lengths(row["segmentation"], sample.height, sample.width)
                crowd = int(crowds_count and is_crowd(row))
                found[sample.id].append(annotation(coded, named[category], crowd))
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WsssError(
            f"{path} is no instances JSON: {error!r}", "give a file as COCO's instances_val2014.json"
        ) from error
    return found


def annotation(coded: dict[str, Any], label: int, crowd: int = 0) -> dict[str, Any]:
    """One object, its mask as run lengths."""
    box = rle.toBbox(coded).tolist()
    return {"category_id": label, "segmentation": coded, "area": int(rle.area(coded)), "bbox": box, "iscrowd": crowd}


def as_run_lengths(segmentation: Any, height: int, width: int) -> dict[str, Any]:
    """Polygons, or run lengths of either kind -> compressed run lengths, as pycocotools draws them."""
    outline = outline_of(segmentation)
    if not outline:
        raise ValueError("an object has no outline")
    for points in outline.polygons:
        require_near(points, width, height)
    for counts in (run["counts"] for run in outline.runs if isinstance(run["counts"], list)):
        if min(counts) < 0 or sum(counts) != height * width:
            raise ValueError(f"its run lengths do not cover {width} x {height} pixels")
    parts = rle.frPyObjects(outline.polygons, height, width) if outline.polygons else []
    parts += [rle.frPyObjects(r, height, width) if isinstance(r["counts"], list) else r for r in outline.runs]
    return parts[0] if len(parts) == 1 else rle.merge(parts)


def by_name(samples: Sequence[Sample]) -> dict[str, Sample]:
    """Samples by id and, where it is no other's too, by the name of the image without its ending."""
    count = Counter(s.image.stem for s in samples)
    return {s.image.stem: s for s in samples if count[s.image.stem] == 1} | {s.id: s for s in samples}


def sample_of(file_name: str, known: Mapping[str, Sample]) -> Sample | None:
    """The sample that a `file_name` of a COCO JSON means, of those `by_name`."""
    path = PurePosixPath(file_name).with_suffix("")
    return known.get(path.as_posix()) or known.get(path.name)
