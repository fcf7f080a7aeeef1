"""Training samples of PUF: two crops of an image, its tags, and the draws that choose what is masked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_cli.batches.loader import torch_rng
from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import normalise
from wsss_cli.batches.views import View, augment, resized_crop
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample
from wsss_puf.config import Masking, Views


class TwoViews:
    """Tagged images.

    What chooses the masked blocks is drawn here, so that it too depends on (seed, epoch, index) only.
    """

    def __init__(self, samples: Sequence[Sample], num_classes: int, views: Views, masking: Masking) -> None:
        self.samples, self.num_classes, self.views = samples, num_classes, views
        self.blocks = (views.size // masking.block,) * 2

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Tensor]:
        """view1, view2 (S, S, 3) uint8; local (L, s, s, 3) uint8; tags (C,) 0/1; noise (blocks, blocks) in [0, 1)."""
        sample, v = self.samples[index], self.views
        image = read_image(sample.image)

        def view(area: tuple[float, float], side: int, changes: View) -> np.ndarray[Any, Any]:
            return augment(resized_crop(image, area, side, rng), changes, rng)

        views = [torch.from_numpy(view(v.area, v.size, v.view)) for _ in range(2)]
        local = [view(v.local_area, v.local_size, v.local_view) for _ in range(v.local_crops)]
        empty = np.zeros((0, v.local_size, v.local_size, 3), np.uint8)
        return {
            "view1": views[0],
            "view2": views[1],
            "local": torch.from_numpy(np.stack(local) if local else empty),
            "tags": multi_hot(sample.tags, self.num_classes),
            "noise": torch.rand(self.blocks, generator=torch_rng(rng)),
        }


def to_device(batch: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """The batch on the device, images normalised there: views (B, 3, S, S), local (L B, 3, s, s), crop after crop.

    The tags stay on the CPU.
    """
    moved = {n: value if n == "tags" else value.to(device, non_blocking=True) for n, value in batch.items()}
    local = moved["local"].transpose(0, 1).flatten(0, 1)  # (L B, s, s, 3)
    views = {name: normalise(moved[name]) for name in ("view1", "view2")}
    return moved | views | {"local": normalise(local)}
