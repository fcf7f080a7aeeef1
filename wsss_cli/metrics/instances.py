"""Instance labels against true objects: average precision by pycocotools, and average best overlap."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from wsss_cli.data.objects import Objects, as_run_lengths, matched
from wsss_cli.data.prepared import INSTANCES, Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.plugins import methods
from wsss_cli.sound import read_text

OVERLAPS = (0.5, 0.75)
MOST = 100  # instances of an image that count, the surest first [COCO]


@dataclass(frozen=True)
class InstanceScores:
    """Per class 1..C, (C,) each, NaN for classes without a true object.

    ap50, ap75  average precision of masks, at overlaps (IoU) of 0.5 and 0.75  [COCO]
    abo         mean over true objects of the best overlap with an instance of the class in the image
    objects     number of true objects, crowds not among them
    """

    ap50: NDArray[np.float64]
    ap75: NDArray[np.float64]
    abo: NDArray[np.float64]
    objects: NDArray[np.int64]

    def means(self) -> dict[str, float]:
        """Over the classes that have true objects; NaN without any."""
        named = {"AP50": self.ap50, "AP75": self.ap75, "ABO": self.abo}
        there = self.objects > 0
        return {name: float(values[there].mean()) if there.any() else float("nan") for name, values in named.items()}


def instance_scores(truth: Sequence[Objects], found: Sequence[Objects], num_classes: int) -> InstanceScores:
    """Score the instances of images, image by image: annotations with run lengths, found ones with a `score`."""
    ap50, ap75 = average_precision(truth, found, num_classes)
    abo, objects = best_overlaps(truth, found, num_classes)
    return InstanceScores(ap50, ap75, abo, objects)


def average_precision(truth: Sequence[Objects], found: Sequence[Objects], num_classes: int) -> NDArray[np.float64]:
    """COCO's AP of masks of all sizes at the OVERLAPS: (2, C), NaN for classes without a true object."""
    if not any(map(len, found)) or not any(map(len, truth)):  # which pycocotools cannot index
        has = {row["category_id"] for rows in truth for row in rows if not row["iscrowd"]}
        row = [0.0 if c in has else np.nan for c in range(1, num_classes + 1)]
        return np.array([row, row])
    with contextlib.redirect_stdout(io.StringIO()):  # it reports its progress there
        scorer = COCOeval(_coco(truth, num_classes), _coco(found, num_classes), "segm")
        scorer.params.iouThrs = np.array(OVERLAPS)
        scorer.params.areaRng, scorer.params.areaRngLbl = [[0, 1e10]], ["all"]
        scorer.params.maxDets = [MOST]
        scorer.evaluate()
        scorer.accumulate()
    precision = scorer.eval["precision"][:, :, :, 0, 0]  # (2, recalls, C), -1 where a class has no true object
    mean = precision.mean(1)
    return np.where(mean < 0, np.nan, mean)


def best_overlaps(
    truth: Sequence[Objects], found: Sequence[Objects], num_classes: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """ABO per class, NaN without a true object, and the number of true objects, crowds left out: (C,) each."""
    best: list[list[float]] = [[] for _ in range(num_classes + 1)]
    for real, made in zip(truth, found, strict=True):
        objects = [row for row in real if not row["iscrowd"]]
        for label in {row["category_id"] for row in objects}:
            ours = [row["segmentation"] for row in objects if row["category_id"] == label]
            theirs = [row["segmentation"] for row in made if row["category_id"] == label]
            overlaps = rle.iou(theirs, ours, [0] * len(ours)) if theirs else np.zeros((1, len(ours)))  # (made, real)
            best[label] += np.asarray(overlaps).max(0).tolist()
    means = [np.mean(values) if values else np.nan for values in best[1:]]
    return np.array(means), np.array([len(values) for values in best[1:]])


def read_instances(path: Path, data: Prepared) -> dict[str, Objects]:
    """The instances of a run's instances.json by sample id.  Raises WsssError if there is none or it is damaged."""
    if not path.exists():
        raise no_instances(path)
    try:
        content = json.loads(read_text(path))
        samples = [sample.full for sample in data.samples]
        known = matched({i["id"]: i["file_name"] for i in content["images"]}, samples, samples)
        known |= _by_id(content["images"], samples)
        images = {i["id"]: (i, _sample(i, known, path)) for i in content["images"]}
        found: dict[str, Objects] = {sample.id: [] for _, sample in images.values()}
        for row in content["annotations"]:
            image, sample = images[row["image_id"]]
            coded = as_run_lengths(row["segmentation"], image["height"], image["width"])
            found[sample.id].append(row | {"segmentation": coded, "area": int(rle.area(coded))})
    except (ValueError, KeyError, TypeError) as error:
        raise WsssError(f"{path} cannot be read: {error!r}", "make it again: wsss pseudo --force") from error
    return found


def no_instances(path: Path) -> WsssError:
    """The error where a run has no instance labels."""
    able = ", ".join(name for name, method in methods().items() if method.writes("pseudo", "instances"))
    remedy = f"make them: --set pseudo.instances.enabled=true, in a method that has instances ({able})"
    return WsssError(f"there are no instance labels {path}", remedy)


def labels_file(folder: Path) -> Path:
    """Where a pseudo stage's folder has its instance labels."""
    return folder / "instances" / INSTANCES


def _by_id(images: Sequence[Mapping[str, Any]], samples: Sequence[Sample]) -> dict[Any, Sample]:
    """Those that tell which sample they are, as ours do."""
    known = {sample.id: sample for sample in samples}
    return {image["id"]: known[image["sample"]] for image in images if image.get("sample") in known}


def _sample(image: Mapping[str, Any], known: Mapping[Any, Sample], path: Path) -> Sample:
    sample = known.get(image["id"])
    if sample is None:
        raise WsssError(
            f"{path}: the data set has no image '{image['file_name']}'", "make it again: wsss pseudo --force"
        )
    return sample


def _coco(images: Sequence[Objects], num_classes: int) -> COCO:
    """An index of annotations; images by order from 1."""
    rows = [row | {"image_id": i} for i, mine in enumerate(images, 1) for row in mine]
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i, "height": 0, "width": 0} for i in range(1, len(images) + 1)],  # run lengths have sizes
        "categories": [{"id": c} for c in range(1, num_classes + 1)],
        "annotations": [{**row, "id": j} for j, row in enumerate(rows, 1)],
    }
    coco.createIndex()
    return coco
