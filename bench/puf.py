"""A step of PUF (forward, backward, AdamW, teacher) against the released order of work: same weights, same batch, CPU.

python -m bench.puf
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from bench.measure import alone
from bench.released.puf import Released
from bench.row import Row
from bench.steps import measure, rows
from bench.toco import images
from wsss_cli.batches.transforms import normalise
from wsss_cli.engine.adamw import adamw
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_puf.config import Net, Train
from wsss_puf.nets import build
from wsss_puf.step import SelfReinforcement
from wsss_puf.teacher import Centres, make_teacher

BACKBONE, SIDE, BATCH, CLASSES, TOTAL = "vit_tiny_patch16_224", 448, 2, 20, 20000
NET = Net(
    backbone=BACKBONE,
    pretrained="none",
    drop_path=0.0,  # so that both can be compared
    width=128,
    projection={"hidden": 512, "bottleneck": 64, "outputs": 1024},
)
"""ViT-B's network at a quarter of all widths, so that its parts weigh what they weigh there."""
PHASES = {"random masks": 0, "random masks, all losses": 2000, "masks of CAMs, all losses": 4000}
"""An iteration of each phase of the released schedule."""


def main() -> list[Row]:
    alone("bench.puf", "check", list(PHASES)[-1])
    return rows("bench.puf", "PUF", PHASES, f"ViT-B at a quarter of its width, {BATCH} crops of {SIDE}")


def batch() -> dict[str, Tensor]:
    """Two tags an image."""
    tags = torch.zeros(BATCH, CLASSES)
    tags[:, 3], tags[0, 7], tags[1, 11] = 1, 1, 1
    noise = torch.rand(BATCH, SIDE // 64, SIDE // 64, generator=torch.Generator().manual_seed(0))
    views = {f"view{i}": normalise(images(BATCH, SIDE, i)) for i in (1, 2)}
    return {**views, "local": torch.zeros(0, 3, 96, 96), "tags": tags, "noise": noise}


def _run(which: str, phase: str) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.manual_seed(0)
    config = Train(net=NET)
    net, content, k = build(config.net, CLASSES), batch(), PHASES[phase]
    teacher, centres = make_teacher(net, steady=False), Centres(config.net.projection.outputs)
    ours = SelfReinforcement(net, teacher, centres, config, TOTAL)
    theirs = Released(net, teacher, centres, config, TOTAL)
    if which == "check":
        found = ours(net, content, k)  # first: the released order changes the centres at once
        torch.testing.assert_close(found, theirs(content, k), rtol=1e-3, atol=1e-5)
        print("{}")
        return

    def losses() -> dict[str, Tensor]:
        return ours(net, content, k) if which == "ours" else theirs(content, k)

    measure(which, adamw(net, config.optimiser), losses, lambda: (ours if which == "ours" else theirs).after(k))


if __name__ == "__main__":
    if sys.argv[1:]:
        _run(*sys.argv[1:])
    else:
        print(*main(), sep="\n")
