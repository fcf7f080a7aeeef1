"""A training step of LOC-BE (forward, backward, AdamW) against the released order of work: same weights and batch, CPU.

python -m bench.locbe
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from bench.released.locbe import Released
from bench.row import Row
from bench.steps import measure, rows
from bench.toco import BACKBONE, BATCH, CLASSES, SIDE, batch
from wsss_cli.engine.adamw import adamw
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_cli.single_stage.config import VitNet
from wsss_locbe.config import Train
from wsss_locbe.stages import build
from wsss_locbe.step import LocBeStep

PHASES = {"warm-up": 0, "all losses": 2001}
"""An iteration of each phase of the released VOC schedule."""


def main() -> list[Row]:
    return rows("bench.locbe", "LOC-BE", PHASES, f"{BACKBONE}, {BATCH} crops of {SIDE}")


def _run(which: str, phase: str) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.manual_seed(0)
    config = Train(net=VitNet(backbone=BACKBONE, pretrained="none"))
    net, k = build(config.net, CLASSES), PHASES[phase]
    content = batch() | {"draws": torch.rand(BATCH, config.windows.number, dtype=torch.float64)}
    ours, theirs = LocBeStep(net, config), Released(net, config)

    def losses() -> dict[str, Tensor]:
        return ours(net, content, k) if which == "ours" else theirs(content, k)

    measure(which, adamw(net, config.optimiser), losses)


if __name__ == "__main__":
    if sys.argv[1:]:
        _run(*sys.argv[1:])
    else:
        print(*main(), sep="\n")
