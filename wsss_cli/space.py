"""Whether the disk has room for what a plan is to make."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.files import deepest_there
from wsss_cli.nested import nested
from wsss_cli.nets.sizes.figures import figures
from wsss_cli.plan import Step

LABEL_MAP = 0.1  # bytes a pixel of a compressed map: VOC's take 0.02, the busiest of COCO's 0.1
CAM = 0.2  # bytes a pixel and class: float16 at stride 4, and the maps of four scales
ROWS = 4096  # bytes of a table or a JSON of one image
STATES = 6  # float32 kept of a weight: itself, AdamW's two means, and as many of a second network or a teacher
LARGE, SMALL = 100, 30  # millions of weights of a network whose size is not known: above ViT-B's 86 and ViT-S's 22
LITTLE = ("tiny", "small", "mini", "mobile", "lite", "nano", "test")  # in the names of small ones
CHECKPOINTS = 2  # the one from before stays until the next is whole


def needed(steps: Sequence[Step], data: Prepared) -> int:
    """Bytes that the steps which run may take, from above."""
    samples = {sample.id: sample for sample in data.samples}
    whole = {sample.id: sample.full for sample in data.samples}  # of whose size predictions are
    return sum(
        _checkpoint(step.config)
        if name.endswith(".pt")
        else _size(name, (whole if step.stage.name == "infer" else samples).get(name.rpartition(".")[0]))
        for step in steps
        if step.runs
        for names in step.promises.values()
        for name in names
    )


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


def _checkpoint(config: BaseModel) -> int:
    """Of the largest network that the settings name."""
    networks = [inner for _, inner in nested(config) if isinstance(getattr(inner, "backbone", None), str)]
    millions = (_millions(network.backbone, getattr(network, "head", "")) for network in networks)  # type: ignore[attr-defined]
    return round(CHECKPOINTS * STATES * 4e6 * max(millions, default=SMALL))


def _millions(backbone: str, head: str) -> float:
    """Without a head about that of the smallest; of a head whose size is not known that of the largest."""
    sizes = {name: size.params for name, size in figures().get(backbone.partition(".")[0], {}).items()}
    if sizes:
        return sizes.get(head) or (max if head else min)(sizes.values())
    return SMALL if any(word in backbone for word in LITTLE) else LARGE


def _size(name: str, sample: Sample | None) -> int:
    if sample is None:
        return ROWS
    pixels = sample.width * sample.height
    per_pixel = {".npz": CAM * max(1, len(sample.tags)), ".npy": CAM * max(1, len(sample.tags)), ".png": LABEL_MAP}
    return ROWS + round(per_pixel.get(Path(name).suffix, 0) * pixels)
