"""Seeds of CLIP-ES against the released order of work: ViT-B/16 of random weights, images of VOC's size and tags.

python -m bench.clipes     with as many threads as OMP_NUM_THREADS says
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from bench.device import command, where
from bench.measure import alone, report
from bench.released.clipes import Released
from bench.row import Row
from bench.toco import images
from wsss_cli.batches.tags import multi_hot
from wsss_cli.nets.backbones.clip import MEAN, STD, ClipVisual
from wsss_cli.nets.normalisation import Normalisation
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_clipes.cams import cams_of, whole_patches
from wsss_clipes.config import Seeds

H, W, CLASSES, ROUNDS = 375, 500, 20, 2
TAGS = ((15,), (3, 15), (12,), (8, 20))
"""Of each image: 1.5 classes in the mean, a little more than VOC's."""
DEFAULT = "released, malloc's default"


def main(device: torch.device) -> list[Row]:
    """Rounds of all take turns; the least of each counts."""
    found: dict[str, list[float]] = {"ours": [], "released": [], DEFAULT: []}
    for _ in range(ROUNDS):
        for which, seconds in found.items():
            seconds.append(alone("bench.clipes", which, device=device)["seconds"] / len(TAGS))
    ours = min(found.pop("ours"))
    place = f"{torch.get_num_threads()} thread(s)" if device.type == "cpu" else where(device)
    note = f"ViT-B/16, {W} x {H}, 1.5 classes an image, {place}"
    return [
        Row("CLIP-ES seeds, seconds an image", ours, min(seconds), min(seconds) / ours, f"{note}; {which}")
        for which, seconds in found.items()
    ]


def _run(device: torch.device, which: str) -> None:
    if which != DEFAULT:
        keep_freed_memory()
    torch.manual_seed(0)
    tower, config = ClipVisual(normalise=Normalisation(mean=MEAN, std=STD)).eval().to(device), Seeds()
    classes, background = (torch.randn(n, tower.proj.out_features).to(device) for n in (CLASSES, 25))
    text = classes, background
    shown = [np.ascontiguousarray(image[:H, :W]) for image in images(len(TAGS), W + 12, 0).numpy()]

    def ours() -> list[Tensor]:
        batch = torch.from_numpy(np.stack([whole_patches(image, tower.patch) for image in shown])).to(device)
        tags = torch.stack([multi_hot(ids, CLASSES) for ids in TAGS]).to(device)
        return cams_of(tower, batch, tags, text, config)

    def theirs() -> list[Tensor]:
        released = Released(tower, text, config)
        return [released(image, ids) for image, ids in zip(shown, TAGS)]

    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    report(ours if which == "ours" else theirs, 1, device, clock)


if __name__ == "__main__":
    command(main, _run)
