"""What `infer.gate` gives: mIoU of predictions without the classes whose tags the network finds less probable than it.

python -m bench.gate DATA RUN_FOLDER      (e.g. voc_mini runs/voc_mini/beco/seed0, after `wsss evaluate beco --train`)

Scored on split "val"; with another data set of the same classes (`wsss prepare shapes --seed 1`) on images neither
learnt from nor reported, by which a gate may be chosen.  The last column knows the true tags.
"""

from __future__ import annotations

from pathlib import Path

import torch

import wsss_cli as wsss
from bench.of_run import command
from bench.tags import among
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared
from wsss_cli.metrics.confusion import scores_of, tally
from wsss_cli.metrics.evaluate import with_mask

GATES = (None, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


def main(data: Prepared, run: Path) -> str:
    """The table, in Markdown; mIoU in per cent."""
    samples, k = with_mask(data, data.split_for("val")), data.num_classes + 1
    total = torch.zeros(len(GATES) + 1, 3, k, dtype=torch.int64)
    networks = [wsss.load_model(run, settings={"gate": gate}) for gate in GATES]
    for sample in samples:
        truth = read_labels(sample.full.mask)
        every = [network.predict(sample.full.image, scores=True).scores for network in networks]
        maps = [*(scores.argmax(0) for scores in every), among(every[0], sample.tags)]
        for row, labels in zip(total, maps, strict=True):
            row += tally(truth, labels.astype(truth.dtype), k)
    heads = ["none", *map(str, GATES[1:]), "the image's tags"]
    mious = [f"{100 * scores_of(row).miou:.1f}" for row in total]
    title = f"mIoU on {len(samples)} images of {data.info.name}, by gate"
    return "\n".join(
        [f"| {title} | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|", f"| {run} | {' | '.join(mious)} |"]
    )


if __name__ == "__main__":
    command(main)
