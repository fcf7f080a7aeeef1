"""Why a network is below the labels it learnt from: classes that it mistakes, or images that it has not seen.

python -m bench.tags DATA RUN_FOLDER...   (e.g. shapes runs/shapes/toco/default, after `wsss train toco`)

Pseudo-labels are made of classes that the image's tags name; a prediction knows no tags.  So each is scored as it is
and among the tags, on images of split "val" and on as many of "train": those that were learnt from, or with another
data set of the same classes (`wsss prepare shapes --seed 1`) images neither learnt from nor reported.  Where the tags
give much, the classes are what costs; where the learnt images are far above the others, it is their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import wsss_cli as wsss
from bench.of_run import command
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.metrics.confusion import scores_of, tally
from wsss_cli.metrics.evaluate import with_mask

KINDS = ("as it is", "among the tags")


def main(data: Prepared, run: Path) -> str:
    """The table, in Markdown; mIoU in per cent."""
    network = wsss.load_model(run)
    val, train = (with_mask(data, data.split_for(role)) for role in ("val", "train"))
    lines = [f"| mIoU on {data.info.name} | {' | '.join(KINDS)} |", "|---|---|---|"]
    for title, samples in {"val": val, "train": train[: len(val)]}.items():
        mious = [f"{100 * scores_of(t).miou:.1f}" for t in tallied(network, samples, data.num_classes + 1)]
        lines.append(f"| {len(samples)} images of {title} | {' | '.join(mious)} |")
    return "\n".join(lines)


def tallied(network: wsss.Network, samples: Sequence[Sample], k: int) -> Tensor:
    """(2, 3, K), in the order of KINDS."""
    total = torch.zeros(2, 3, k, dtype=torch.int64)
    for sample in samples:
        truth = read_labels(sample.full.mask)
        scores = network.predict(sample.full.image, scores=True).scores
        for row, labels in zip(total, (scores.argmax(0), among(scores, sample.tags))):
            row += tally(truth, labels.astype(truth.dtype), k)
    return total


def among(scores: NDArray[np.float32], tags: Sequence[int]) -> NDArray[np.int64]:
    """The best of background and the tags: (K, H, W) -> ids (H, W)."""
    ids = np.array([0, *tags])
    return ids[scores[ids].argmax(0)]


if __name__ == "__main__":
    command(main)
