"""What CAMs lack: their mIoU beside bounds that know one thing more of the masks each.

python -m bench.cams DATA RUN_FOLDER...   (e.g. voc_mini runs/voc_mini/irn/seed0, after `wsss seeds irn`)

Every row at its own best background score, on the images of the data set's split "seeds" that have masks; then the
classes by how many images of the split "train" have them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.of_run import command
from wsss_cli.cam.label import strongest_label
from wsss_cli.cam.merge import upsample
from wsss_cli.cam.store import Cam, cam_path, read_cam
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.metrics.confusion import scores_of, sweep
from wsss_cli.metrics.evaluate import with_mask

BACKGROUND = torch.arange(1, 100) / 100
CELLS = (8, 16, 32)  # 16 is what the network of a recipe `mobile` sees at scale 1
GROUPS = 4


def main(data: Prepared, run: Path) -> str:
    """The tables, in Markdown."""
    found = totals(data, lambda sample, truth: bounds(cam_of(sample, truth, run), truth, data.num_classes))
    return "\n".join([table(data, found), "", *by_number(data, found["CAM"])])


def totals(data: Prepared, kinds: Callable[[Sample, Tensor], dict[str, Cam]]) -> dict[str, Tensor]:
    """The tallies (T, 3, K) of each kind of CAM that `kinds` makes of an image and its mask (H, W)."""
    total: dict[str, Tensor] = {}
    for sample in with_mask(data, data.split_for("seeds")):
        truth = torch.from_numpy(read_labels(sample.mask))  # type: ignore[arg-type]
        for name, cam in kinds(sample, truth).items():
            one = tallied(cam, truth, data.num_classes)
            total[name] = total[name] + one if name in total else one
    return total


def table(data: Prepared, found: dict[str, Tensor]) -> str:
    """Each kind's best mIoU, in Markdown."""
    images = len(with_mask(data, data.split_for("seeds")))
    head = f"| {images} images of {data.info.name} | best mIoU | background score |\n|---|---|---|"
    best = {name: (best_of(tally), tally) for name, tally in found.items()}
    rows = [f"| {name} | {100 * scores_of(t[i]).miou:.1f} | {BACKGROUND[i]:.2f} |" for name, (i, t) in best.items()]
    return "\n".join([head, *rows])


def cam_of(sample: Sample, truth: Tensor, run: Path) -> Cam:
    """One image's CAM; without maps where it has no tags, and so no file."""
    if sample.tags:
        return read_cam(cam_path(run / "seeds", sample))
    none = np.zeros((0, *truth.shape), np.float32)
    return Cam(np.zeros(0, np.int64), none, truth.shape, high_res=none)


def bounds(cam: Cam, truth: Tensor, classes: int) -> dict[str, Cam]:
    """One image's CAM as it is, and what it would be with one thing known."""
    maps = cam.full()  # (n, H, W)
    objects = truth == torch.from_numpy(cam.class_ids)[:, None, None]  # (n, H, W)
    own = float(BACKGROUND[best_of(tallied(cam, truth, classes))])
    known = {
        "CAM": lambda: maps,
        "each image at its own best background score": lambda: (maps + 0.5 - own).clamp(0, 1),
        "the right class wherever it finds an object": lambda: maps.where(~objects.any(0), objects * maps.amax(0)),
        "the true extent of all objects together": lambda: objects.any(0) * (0.5 + maps / 2),
    }
    known |= {f"the masks, averaged over cells of {n} pixels": partial(_in_cells, objects.float(), n) for n in CELLS}
    return {name: replace(cam, high_res=scores().numpy()) if len(maps) else cam for name, scores in known.items()}


def _in_cells(maps: Tensor, cell: int) -> Tensor:
    """Means of cells, the last ones as far as the image goes, enlarged again: (n, H, W) -> (n, H, W)."""
    return upsample(F.avg_pool2d(maps[None], cell, ceil_mode=True)[0], (maps.shape[1], maps.shape[2]))


def tallied(cam: Cam, truth: Tensor, classes: int) -> Tensor:
    """The tally (T, 3, K) of the labels by every background score."""
    score, label = strongest_label(cam.full(), torch.from_numpy(cam.class_ids))
    return sweep(truth, score, label_format(classes).tensor(label), BACKGROUND, classes + 1)


def best_of(tally: Tensor) -> int:
    """Which background score has the highest mIoU: (T, 3, K)."""
    mious = [scores_of(one).miou for one in tally]
    return max(range(len(mious)), key=mious.__getitem__)


def by_number(data: Prepared, tally: Tensor) -> Sequence[str]:
    """IoU of the classes at the CAM's best background score, in groups by the images that they are learnt from."""
    learnt = Counter(k for sample in data.split(data.split_for("train")) for k in sample.tags)
    iou = torch.tensor(scores_of(tally[best_of(tally)]).iou)  # (K,)
    order = sorted(range(1, data.num_classes + 1), key=lambda k: learnt[k])
    groups = [part.tolist() for part in np.array_split(order, min(GROUPS, len(order)))]
    lines = ["| classes, by images that they are learnt from | images of each | mean IoU |", "|---|---|---|"]
    for group in groups:
        named = ", ".join(data.info.classes[k - 1] for k in group)
        counts = [learnt[k] for k in group]
        lines.append(f"| {named} | {min(counts)} to {max(counts)} | {100 * float(iou[group].nanmean()):.1f} |")
    return lines


if __name__ == "__main__":
    command(main)
