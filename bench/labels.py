"""mIoU of a folder of label maps, such as those that a training made for itself.

python -m bench.labels DATA FOLDER...   (e.g. voc_mini runs/voc_mini/ppmg/seed0/train/cyclic/labels_crf)

Of each split with masks, those of its images that the folder has.
"""

from __future__ import annotations

from pathlib import Path

import torch

from bench.of_run import command
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared
from wsss_cli.metrics.confusion import scores_of, tally
from wsss_cli.metrics.evaluate import with_mask


def main(data: Prepared, folder: Path) -> str:
    """The table, in Markdown."""
    lines = [f"| label maps of {data.info.name} in {folder} | images | mIoU |", "|---|---|---|"]
    for split in sorted({name for sample in data.samples if sample.mask for name in sample.splits}):
        pairs = [(s.mask, folder / f"{s.id}.png") for s in with_mask(data, split)]
        tallies = [
            tally(*(torch.from_numpy(read_labels(path)) for path in pair), num_classes=data.num_classes + 1)  # type: ignore[arg-type]
            for pair in pairs
            if pair[1].exists()
        ]
        if tallies:
            lines.append(f"| {split} | {len(tallies)} | {100 * scores_of(torch.stack(tallies).sum(0)).miou:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    command(main)
