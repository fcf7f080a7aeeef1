"""Which two background scores make the best labels of a single-stage network's CAMs, on images that were learnt from.

python -m bench.thresholds DATA RUN_FOLDER...   (e.g. shapes runs/shapes/toco/default, after `wsss seeds toco`)

The labels are those of `pseudo`, refined with each pair: a class where the higher score says so, background where the
lower one does, open between. Pixels left open count as missed. On 300 images with masks.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from torch import Tensor

from bench.of_run import command
from wsss_cli.cam.store import cam_path, read_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared
from wsss_cli.metrics.confusion import scores_of, tally
from wsss_cli.metrics.evaluate import with_mask
from wsss_cli.single_stage.config import Pseudo
from wsss_cli.single_stage.dump import label_of

IMAGES = 300
SCORES = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.45, 0.7)
PAIRS = [(high, low) for low, high in itertools.combinations(SCORES, 2)]


def main(data: Prepared, run: Path) -> str:
    """The table, in Markdown, the best pair first."""
    samples = with_mask(data, data.split_for("train"))[:IMAGES]
    form = label_format(data.num_classes)
    total = torch.zeros(len(PAIRS), 4, data.num_classes + 1, dtype=torch.int64)
    for sample in samples:
        image, cam = torch.from_numpy(read_image(sample.image)), read_cam(cam_path(run / "seeds", sample))
        truth, maps, keys = read_labels(sample.full.mask), cam.full(), torch.from_numpy(cam.class_ids)
        for row, (high, low) in zip(total, PAIRS):
            labels = label_of(image, maps, keys, Pseudo(thresholds={"high": high, "low": low}), form).numpy()
            row[:3] += tally(truth, labels, data.num_classes + 1)
            row[3, 0] += int((labels == form.ignore).sum())
    ranked = sorted(zip(PAIRS, total), key=lambda one: -scores_of(one[1][:3]).miou)
    head = f"| background scores, {len(samples)} images of {data.info.name} | mIoU | left open |\n|---|---|---|"
    return "\n".join([head, *(_row(*one) for one in ranked)])


def _row(pair: tuple[float, float], counts: Tensor) -> str:
    open_ = counts[3, 0] / counts[1].sum()
    return f"| {pair[0]}, {pair[1]} | {100 * scores_of(counts[:3]).miou:.1f} | {100 * open_:.1f} % |"


if __name__ == "__main__":
    command(main)
