"""What can be judged of predictions without masks: by tags, by boxes, by the predictions of another run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_cli.data.certainty import read_certainties
from wsss_cli.data.label_format import Labels
from wsss_cli.data.labels import map_path, read_labels
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.metrics.confusion import Scores, scores_of, tally
from wsss_cli.promises import absent, each
from wsss_cli.protocol import MeanOver
from wsss_cli.ranks.distributed import shard, sum_over_ranks
from wsss_cli.runs import classes_mark, read_record

PRESENT = 0.001
"""The share of an image's pixels from which a class counts as predicted: fewer are specks."""
SPANNED = 0.5
"""The share of a box that the pixels of its class within it must span, for the box to count as found."""

AP, EXTRA, MISSED = "AP of tags", "predicted, not tagged", "tagged, not predicted"
INSIDE, FOUND, AGAINST = "within the boxes", "boxes found", "mIoU against"

SAYS = {
    AP: "average precision: whether images that have a tag rank above the others by the class's largest score; right "
    "classes, not right outlines",
    EXTRA: f"share of the predicted classes, of {PRESENT:.1%} of the pixels or more, that no tag names: made up by "
    "the network, or forgotten by who tagged",
    MISSED: f"share of the tags of whose class less than {PRESENT:.1%} of the pixels is predicted",
    INSIDE: "share of the pixels of a class that lie within its boxes: at most so many are right",
    FOUND: f"share of the boxes of which the pixels of their class within span {SPANNED:.0%} or more: not how well "
    "outlines fit",
    AGAINST: "predictions of one run against the other's, the same whichever is first: that they agree, not that they "
    "are right",
}
"""What each measure is, and what it is not."""


@dataclass
class Counts:
    """Of each class 1..C, numbers of images, pixels or boxes.

    By name, (C,): predicted, extra (and not tagged), tagged, missed (and not predicted), of images with tags;
    pixels, inside, boxes, found, of images with boxes.
    """

    num_classes: int
    of: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        names = ("predicted", "extra", "tagged", "missed", "pixels", "inside", "boxes", "found")
        self.of = {name: torch.zeros(self.num_classes, dtype=torch.int64) for name in names}

    def add(self, sample: Sample, labels: Labels) -> None:
        pixels = np.bincount(labels.ravel(), minlength=self.num_classes + 1)[1 : self.num_classes + 1]
        if sample.tags:
            tagged = np.isin(np.arange(1, self.num_classes + 1), sample.tags)
            predicted = pixels >= PRESENT * labels.size
            self._sum(predicted=predicted, extra=predicted & ~tagged, tagged=tagged, missed=tagged & ~predicted)
        if sample.boxes:
            self._sum(pixels=pixels, **_boxed(sample, labels, self.num_classes))

    def _sum(self, **more: NDArray[Any]) -> None:
        for name, values in more.items():
            self.of[name] += torch.from_numpy(values.astype(np.int64))

    def over_ranks(self, device: torch.device) -> None:
        self.of = {name: sum_over_ranks(values.to(device)).cpu() for name, values in self.of.items()}


def judged(
    job: Job, samples: Sequence[Sample], maps: Mapping[str, Path], other: Path | None, mean_over: MeanOver
) -> list[dict[str, Any]]:
    """A row of each measure that the data allows.

    maps   the folder of each kind of label map, by what scores call it
    other  the folder of another run's predictions; mean_over, the classes of the mIoU of both
    Each row: name, of (what it is taken of), value and classes as shares, images, says (what it is and is not).
    """
    told = _among_tags(job)
    if told and any(sample.tags for sample in samples):
        what = "these predictions are among the images' tags (infer.among), and agree with them"
        job.say(f"no {AP}, no '{EXTRA}': {what}")
    rows = [] if told else [*_of_tags(job, samples)]
    for kind, folder in maps.items():
        counts, agreed = Counts(job.data.num_classes), torch.zeros(3, job.data.num_classes + 1, dtype=torch.int64)
        mine = shard(samples, job.runtime)
        with job.track(f"judge {kind}", len(mine)) as tick:
            for sample in mine:
                labels = read_labels(map_path(folder, sample))
                counts.add(sample.full, labels)  # of the photo's size, as are the boxes then
                if other is not None:
                    agreed += tally(_same_size(map_path(other, sample), labels), labels, len(agreed[0]))
                tick(1)
        counts.over_ranks(job.runtime.device)
        shares = {name: found for name, found in _shares(counts, samples) if not (told and name == EXTRA)}
        rows += [_row(name, kind, *found, job.data) for name, found in shares.items()]
        if other is not None:
            total = sum_over_ranks(agreed.to(job.runtime.device)).cpu()
            rows.append(_against(job, kind, name_of(other), scores_of(total, mean_over), len(samples)))
    return rows


def against_problem(against: str, samples: Sequence[Sample], data: Prepared) -> WsssError | None:
    """Why the predictions of another run cannot be compared with."""
    folder = Path(against)
    if classes_mark(folder.parent) not in (None, data.mark()):
        what = f"{name_of(folder)} predicts other classes than those of '{data.info.name}'"
        return WsssError(what, "compare with a run on data of the same classes")
    if missing := absent(folder, each(samples, ".png")):
        what = f"{name_of(folder)} has no prediction of {len(missing)} of {len(samples)} images, first {missing[0]}"
        return WsssError(
            f"{what}, in {folder}", "make them: wsss infer METHOD --name NAME, and --split if it is another"
        )
    return None


def name_of(folder: Path) -> str:
    """DATA/METHOD/NAME of a folder runs/DATA/METHOD/NAME/infer/labels."""
    return "/".join(folder.absolute().parts[-5:-2])


def average_precision(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float | None:
    """The mean over the true ones of the precision among all that score as high or higher; None if none is true.

    scores, truth (n,).  Ties are taken together, without interpolation.  [scikit-learn, average_precision_score]
    """
    if not truth.any():
        return None
    order = np.argsort(-scores, kind="stable")
    scores, truth = scores[order], truth[order]
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True))  # of those that score the same
    hits = np.cumsum(truth)[last]
    return float((np.diff(hits, prepend=0) * hits / (last + 1)).sum() / hits[-1])


def _of_tags(job: Job, samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    """The average precision of the images' tags by the network's scores."""
    sure = read_certainties(job.inputs["infer"])
    known = [s for s in samples if s.tags and s.id in sure]
    if not known:
        if any(s.tags for s in samples):
            job.say(f"no {AP}: an older version predicted without keeping the scores; wsss infer --force keeps them")
        return
    peaks = np.array([sure[s.id]["peaks"] for s in known])  # (n, C)
    tags = np.array([[c in s.tags for c in range(1, job.data.num_classes + 1)] for s in known])
    found = [average_precision(peaks[:, c], tags[:, c]) for c in range(job.data.num_classes)]
    values = [value for value in found if value is not None]
    held_out = not _learnt(job) & {s.id for s in known}
    row = _row(AP, "scores", float(np.mean(values)), found, len(known), job.data)
    yield row | {"says": f"{row['says']}; {'held-out tags' if held_out else 'tags that were learnt from'}"}


def _among_tags(job: Job) -> bool:
    """Whether the predictions were told the tags of their images."""
    return bool((read_record(job.inputs["infer"]) or {}).get("config", {}).get("among"))


def _learnt(job: Job) -> set[str]:
    """The images of the split that the network learnt from."""
    config = (read_record(job.inputs["infer"].parent / "train") or {}).get("config", {})
    split = job.data.split_for("train", config.get("split"))
    return {s.id for s in job.data.samples if split in s.splits}


def _boxed(sample: Sample, labels: Labels, num_classes: int) -> dict[str, NDArray[np.int64]]:
    """Of each class the pixels within its boxes, its boxes, and those of them that are found."""
    inside, boxes, found = np.zeros((3, num_classes), np.int64)
    for c in {box.label for box in sample.boxes}:
        here, within = labels == c, np.zeros(labels.shape, bool)
        for box in (box for box in sample.boxes if box.label == c):
            place = np.s_[box.y0 : box.y1, box.x0 : box.x1]
            within[place] = True
            boxes[c - 1] += 1
            found[c - 1] += _spanned(here[place]) >= SPANNED
        inside[c - 1] = (here & within).sum()
    return {"inside": inside, "boxes": boxes, "found": found}


def _spanned(here: NDArray[np.bool_]) -> float:
    """The share of a box (h, w) that lies within the rectangle around its true pixels."""
    rows, columns = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
    if not len(rows):
        return 0.0
    return float((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1) / here.size)


def _shares(counts: Counts, samples: Sequence[Sample]) -> Iterator[tuple[str, tuple[float, list[float | None], int]]]:
    """Of each measure the share, that of each class, and the images."""
    of, tagged, boxed = counts.of, sum(bool(s.tags) for s in samples), sum(bool(s.boxes) for s in samples)
    for name, part, whole, images in (
        (EXTRA, "extra", "predicted", tagged),
        (MISSED, "missed", "tagged", tagged),
        (INSIDE, "inside", "pixels", boxed),
        (FOUND, "found", "boxes", boxed),
    ):
        if int(of[whole].sum()):
            each_ = [float(p) / float(w) if w else None for p, w in zip(of[part].tolist(), of[whole].tolist())]
            yield name, (float(of[part].sum() / of[whole].sum()), each_, images)


def _against(job: Job, kind: str, other: str, found: Scores, images: int) -> dict[str, Any]:
    background, *classes = (None if value != value else float(value) for value in found.iou)
    row = _row(AGAINST, kind, float(found.miou), classes, images, job.data)
    return row | {"name": f"{AGAINST} {other}", "classes": {"background": background, **row["classes"]}}


def _row(
    name: str, of: str, value: float, classes: Sequence[float | None], images: int, data: Prepared
) -> dict[str, Any]:
    named = dict(zip(data.info.classes, classes))
    return {"name": name, "of": of, "value": value, "images": images, "classes": named, "says": SAYS[name]}


def _same_size(path: Path, labels: Labels) -> Labels:
    other = read_labels(path)
    if other.shape != labels.shape:
        what = f"{path} is {other.shape[1]} x {other.shape[0]}, the prediction {labels.shape[1]} x {labels.shape[0]}"
        raise WsssError(what, "compare with a run on the same images")
    return other
