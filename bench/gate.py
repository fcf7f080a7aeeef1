"""What `infer.gate` gives: mIoU of predictions without the classes whose tags the network finds less probable than it.

python -m bench.gate DATA RUN_FOLDER...   (e.g. voc_mini runs/voc_mini/beco/seed0, after `wsss evaluate beco --train`)

Scored on split "val"; with another data set of the same classes (`wsss prepare shapes --seed 1`) on images neither
learnt from nor reported, by which a gate may be chosen.  The last column knows the true tags.
"""

from __future__ import annotations

from pathlib import Path

import wsss_cli as wsss
from bench.of_run import command
from bench.tags import tallied
from wsss_cli.data.prepared import Prepared
from wsss_cli.metrics.confusion import scores_of
from wsss_cli.metrics.evaluate import with_mask

GATES = (None, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


def main(data: Prepared, run: Path) -> str:
    """The table, in Markdown; mIoU in per cent."""
    samples, k = with_mask(data, data.split_for("val")), data.num_classes + 1
    found = [tallied(wsss.load_model(run, settings={"gate": gate}), samples, k) for gate in GATES]
    heads = ["none", *map(str, GATES[1:]), "the image's tags"]
    rows = [*(as_it_is for as_it_is, _ in found), found[0][1]]
    mious = [f"{100 * scores_of(row).miou:.1f}" for row in rows]
    title = f"mIoU on {len(samples)} images of {data.info.name}, by gate"
    return "\n".join(
        [f"| {title} | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|", f"| {run} | {' | '.join(mious)} |"]
    )


if __name__ == "__main__":
    command(main)
