"""A training step of ToCo (forward, backward, AdamW) against the released order of work: same weights, same batch.

python -m bench.toco
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.device import command
from bench.released.toco import Released
from bench.row import Row
from bench.steps import measure, rows
from wsss_cli.engine.adamw import adamw
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_toco.config import Net, Train
from wsss_toco.data import IMAGES, to_device
from wsss_toco.nets import build, make_teacher
from wsss_toco.step import ToCoStep

BACKBONE, SIDE, BATCH, CLASSES = "vit_tiny_patch16_224", 448, 2, 20
PHASES = {"contrasts": 0, "all losses": 2001}
"""An iteration of each phase of the released schedule."""


def main(device: torch.device) -> list[Row]:
    return rows("bench.toco", "ToCo", PHASES, f"{BACKBONE}, {BATCH} crops of {SIDE}", device)


def images(count: int, side: int, seed: int) -> Tensor:
    """Smooth noise, about as photographs are: (count, side, side, 3) uint8."""
    noise = torch.rand(count, 3, side // 16, side // 16, generator=torch.Generator().manual_seed(seed))
    large = F.interpolate(noise, size=(side, side), mode="bicubic", align_corners=False).clamp_(0, 1)
    return large.mul_(255).byte().permute(0, 2, 3, 1)


def two_tags(size: int) -> Tensor:
    """One class in every image and another one in each: (B, C) 0/1."""
    tags = torch.zeros(size, CLASSES)
    tags[:, 3] = 1
    tags[range(size), [(7 + 4 * i) % CLASSES for i in range(size)]] = 1
    return tags


def batch(size: int = BATCH, side: int = SIDE) -> dict[str, Any]:
    """Two tags an image, no padding."""
    tags = two_tags(size)
    views = {name: images(size, side, i) for i, name in enumerate(IMAGES)}
    box = torch.tensor([[0, side, 0, side]] * size)
    return {**views, "tags": tags, "box": box, "seed": torch.arange(size)}


def _run(device: torch.device, which: str, phase: str) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.manual_seed(0)
    config = Train(net=Net(backbone=BACKBONE, pretrained="none"))
    net, content, k = build(config.net, CLASSES).to(device), to_device(batch(), device), PHASES[phase]
    teacher = make_teacher(net)
    ours, theirs = ToCoStep(net, teacher, config), Released(net, teacher, config)

    def losses() -> dict[str, Tensor]:
        return ours(net, content, k) if which == "ours" else theirs(content, lambda _, n: torch.randperm(n), k)

    measure(device, which, adamw(net, config.optimiser), losses)


if __name__ == "__main__":
    command(main, _run)
