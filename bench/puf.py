"""A step of PUF (forward, backward, AdamW, teacher) against the released order of work: same weights, same batch.

python -m bench.puf
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.device import command
from bench.measure import alone
from bench.released.puf import Released
from bench.row import Row
from bench.steps import measure, rows
from bench.toco import images, two_tags
from wsss_cli.engine.adamw import adamw
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_puf.config import Net, Train
from wsss_puf.data import to_device
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


def main(device: torch.device) -> list[Row]:
    alone("bench.puf", "check", list(PHASES)[-1], device=device)
    return rows("bench.puf", "PUF", PHASES, f"ViT-B at a quarter of its width, {BATCH} crops of {SIDE}", device)


def batch(size: int = BATCH, side: int = SIDE) -> dict[str, Tensor]:
    """Two tags an image."""
    noise = torch.rand(size, side // 64, side // 64, generator=torch.Generator().manual_seed(0))
    views = {f"view{i}": images(size, side, i) for i in (1, 2)}
    local = torch.zeros(size, 0, 96, 96, 3, dtype=torch.uint8)
    return {**views, "local": local, "tags": two_tags(size), "noise": noise}


def _run(device: torch.device, which: str, phase: str) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.manual_seed(0)
    config = Train(net=NET)
    net, content, k = build(config.net, CLASSES).to(device), to_device(batch(), device), PHASES[phase]
    teacher, centres = make_teacher(net, steady=False), Centres(config.net.projection.outputs).to(device)
    ours = SelfReinforcement(net, teacher, centres, config, TOTAL)
    theirs = Released(net, teacher, centres, config, TOTAL)
    if which == "check":
        found = ours(net, content, k)  # first: the released order changes the centres at once
        torch.testing.assert_close(found, theirs(content, k), rtol=1e-3, atol=1e-5)
        print("{}")
        return

    def losses() -> dict[str, Tensor]:
        return ours(net, content, k) if which == "ours" else theirs(content, k)

    measure(device, which, adamw(net, config.optimiser), losses, lambda: (ours if which == "ours" else theirs).after(k))


if __name__ == "__main__":
    command(main, _run)
