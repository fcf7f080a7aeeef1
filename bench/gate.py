"""What a network gains if it predicts no class that the image's tags, as a classifier sees them, make improbable.

python -m bench.gate DATA RUN_FOLDER      (e.g. voc_mini runs/voc_mini/beco/seed0, after `wsss evaluate beco --train`)

Single-stage networks ask their own classifier (`infer.gate`); of the others it is the one whose CAMs the run began
with.  Scored on split "val"; with another data set of the same classes (`wsss prepare shapes --seed 1`) on images
neither learnt from nor reported, by which a gate may be chosen.  The last column knows the true tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

import wsss_cli as wsss
from bench.of_run import command
from bench.tags import among
from wsss_cli.batches.transforms import normalise
from wsss_cli.classifier.config import FOLDER, Network
from wsss_cli.classifier.network import Classifier, build
from wsss_cli.data.images import read_image
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.engine.part import PATH
from wsss_cli.metrics.confusion import scores_of, tally
from wsss_cli.metrics.evaluate import with_mask
from wsss_cli.plugins import method

GATES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
SCALES = (0.5, 0.75, 1.0)
"""At which the classifier of a run sees an image and its mirror image; the mean of their logits counts."""

Maps = Iterator[NDArray[np.int64]]


def main(data: Prepared, run: Path) -> str:
    """The table, in Markdown; mIoU in per cent."""
    samples, k = with_mask(data, data.split_for("val")), data.num_classes + 1
    total = torch.zeros(len(GATES) + 2, 3, k, dtype=torch.int64)
    predict = maps_of(run, data.num_classes)
    for sample in samples:
        truth = read_labels(sample.full.mask)
        for row, labels in zip(total, predict(sample), strict=True):
            row += tally(truth, labels.astype(truth.dtype), k)
    heads = ["none", *map(str, GATES), "the image's tags"]
    mious = [f"{100 * scores_of(row).miou:.1f}" for row in total]
    title = f"mIoU on {len(samples)} images of {data.info.name}, by gate"
    return "\n".join(
        [f"| {title} | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|", f"| {run} | {' | '.join(mious)} |"]
    )


def maps_of(run: Path, classes: int) -> Callable[[Sample], Maps]:
    """Of a sample the label maps without a gate, with each of GATES, and among its tags."""
    infer = method(run.resolve().parent.name).stage("infer")  # runs/DATA/METHOD/NAME
    assert infer is not None
    return by_itself(run) if "gate" in infer.config_class().model_fields else by_classifier(run, classes)


def by_itself(run: Path) -> Callable[[Sample], Maps]:
    """As `infer.gate` does it."""
    networks = [wsss.load_model(run, settings={"gate": gate}) for gate in (None, *GATES)]

    def maps(sample: Sample) -> Maps:
        every = [network.predict(sample.full.image, scores=True).scores for network in networks]
        yield from (scores.argmax(0) for scores in every)
        yield among(every[0], sample.tags)

    return maps


def by_classifier(run: Path, classes: int) -> Callable[[Sample], Maps]:
    """By that of the run's stage `seeds`; the most probable class always stays."""
    network, classifier = wsss.load_model(run), read_classifier(run / "seeds" / FOLDER / PATH, classes)

    def maps(sample: Sample) -> Maps:
        scores = network.predict(sample.full.image, scores=True).scores
        found = probabilities(classifier, read_image(sample.image))
        yield scores.argmax(0)
        for gate in GATES:
            yield among(scores, 1 + np.flatnonzero(found >= min(gate, found.max())))
        yield among(scores, sample.tags)

    return maps


def read_classifier(path: Path, classes: int) -> Classifier:
    """The trained network of a checkpoint."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    net = build(Network.stored(content["meta"]["net"]), classes)
    net.load_state_dict(content["model"])
    return net.eval()


@torch.inference_mode()
def probabilities(net: Classifier, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(C,) of each class, of an image (H, W, 3) at SCALES."""
    x = normalise(torch.from_numpy(image)[None])  # (1, 3, H, W)
    scaled = [F.interpolate(x, scale_factor=s, mode="bilinear", antialias=True) for s in SCALES]
    logits = torch.cat([net(view) for one in scaled for view in (one, one.flip(-1))])  # (2 S, C)
    return logits.mean(0).sigmoid().numpy()


if __name__ == "__main__":
    command(main)
