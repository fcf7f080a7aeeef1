"""Whether the disk has room for what a plan is to make."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.files import deepest_there
from wsss_cli.plan import Step

LABEL_MAP = 0.1  # bytes a pixel of a compressed map: VOC's take 0.02, the busiest of COCO's 0.1
CAM = 0.2  # bytes a pixel and class: float16 at stride 4, and the maps of four scales
ROWS = 4096  # bytes of a table or a JSON of one image
CHECKPOINT = 500 << 20  # of the largest networks here with their optimiser: ResNet-101, ViT-B; of small ones a tenth
CHECKPOINTS = 2  # the one from before stays until the next is whole


def needed(steps: Sequence[Step], data: Prepared) -> int:
    """Bytes that the steps which run may take, from above."""
    samples = {sample.id: sample for sample in data.samples}
    names = [name for step in steps if step.runs for names in step.promises.values() for name in names]
    return sum(_size(name, samples.get(name.rpartition(".")[0])) for name in names)


def lack(steps: Sequence[Step], data: Prepared, root: Path) -> str:
    """What there is to say if the disk of the runs may be too small; "" if it is not."""
    need, free = needed(steps, data), free_space(root)
    if need <= free:
        return ""
    return (
        f"the disk of {root} may be too small: {free >> 20:,} MiB are free, and up to {need >> 20:,} MiB may be needed"
    )


def free_space(root: Path) -> int:
    """Bytes on the disk where a folder is, or will be."""
    return shutil.disk_usage(deepest_there(root)).free


def _size(name: str, sample: Sample | None) -> int:
    if name.endswith(".pt"):
        return CHECKPOINTS * CHECKPOINT
    if sample is None:
        return ROWS
    pixels = sample.width * sample.height
    per_pixel = {".npz": CAM * max(1, len(sample.tags)), ".npy": CAM * max(1, len(sample.tags)), ".png": LABEL_MAP}
    return ROWS + round(per_pixel.get(Path(name).suffix, 0) * pixels)
