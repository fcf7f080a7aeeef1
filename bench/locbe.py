"""A training step of LOC-BE (forward, backward, AdamW) against the released order of work: same weights and batch.

python -m bench.locbe
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.device import command
from bench.released.locbe import Released
from bench.row import Row
from bench.steps import measure, rows
from bench.toco import BACKBONE, BATCH, CLASSES, SIDE, images, two_tags
from wsss_cli.engine.adamw import adamw
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_cli.single_stage.config import VitNet
from wsss_locbe.config import Train
from wsss_locbe.data import to_device
from wsss_locbe.stages import build
from wsss_locbe.step import LocBeStep

PHASES = {"warm-up": 0, "all losses": 2001}
"""An iteration of each phase of the released VOC schedule."""


def main(device: torch.device) -> list[Row]:
    return rows("bench.locbe", "LOC-BE", PHASES, f"{BACKBONE}, {BATCH} crops of {SIDE}", device)


def batch(size: int, side: int, windows: int) -> dict[str, Tensor]:
    """Two tags an image, no padding."""
    draws = torch.rand(size, windows, dtype=torch.float64)
    box = torch.tensor([[0, side, 0, side]] * size)
    return {"image": images(size, side, 0), "tags": two_tags(size), "box": box, "draws": draws}


def _run(device: torch.device, which: str, phase: str) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.manual_seed(0)
    config = Train(net=VitNet(backbone=BACKBONE, pretrained="none"))
    net, k = build(config.net, CLASSES).to(device), PHASES[phase]
    content = to_device(batch(BATCH, SIDE, config.windows.number), device)
    ours, theirs = LocBeStep(net, config), Released(net, config)

    def losses() -> dict[str, Tensor]:
        return ours(net, content, k) if which == "ours" else theirs(content, k)

    measure(device, which, adamw(net, config.optimiser), losses)


if __name__ == "__main__":
    command(main, _run)
