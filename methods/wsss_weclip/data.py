"""Training samples of WeCLIP: one view of an image, its tags, the channels that are left out; or what is kept of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsss_cli.batches.loader import torch_rng
from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import normalise
from wsss_cli.batches.views import scaled_crop
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample
from wsss_weclip.config import Augment
from wsss_weclip.keeping import read_evidence, whole_view
from wsss_weclip.nets import Evidence


class WeClipData:
    """Tagged images in one view.

    channels, dropout  how many fused channels there are, and the share of them that is left out
    kept               the folder of what the frozen networks see of the whole images; None: they are asked anew
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        num_classes: int,
        settings: Augment,
        channels: int,
        dropout: float,
        kept: Path | None = None,
    ) -> None:
        self.samples, self.num_classes, self.settings = samples, num_classes, settings
        self.channels, self.dropout, self.kept = channels, dropout, kept

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        """image (S, S, 3) uint8; box (4,) y0, y1, x0, x1; tags (C,) 0/1; kept (m,) 0 or 1 / (1 - p); perhaps seen."""
        sample, settings = self.samples[index], self.settings
        mirrored = False
        if settings.whole:
            mirrored = settings.flip and rng.random() < 0.5
            image, box = whole_view(read_image(sample.image), settings.crop, mirrored)
        else:
            image, box = scaled_crop(read_image(sample.image), settings.scale, settings.flip, settings.crop, rng)
        draws = torch.rand(self.channels, generator=torch_rng(rng))
        item = {
            "image": torch.from_numpy(image),
            "box": torch.tensor(box),
            "tags": multi_hot(sample.tags, self.num_classes),
            "kept": (draws >= self.dropout) / (1 - self.dropout),
        }
        return item if self.kept is None else item | {"seen": read_evidence(self.kept, sample.id, mirrored)}


def to_device(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """The batch on the device, its images normalised there (B, 3, S, S); black outside the image is so before.

    The tags stay on the CPU.
    """
    names = ("image", "box", "kept")
    moved: dict[str, Tensor] = {name: batch[name].to(device, non_blocking=True) for name in names}
    moved["tags"] = batch["tags"]
    moved["image"] = normalise(moved["image"])
    if "seen" not in batch:
        return moved
    seen = Evidence(*(x.to(device, non_blocking=True).float() for x in batch["seen"]))
    return moved | {"seen": seen._replace(levels=seen.levels.transpose(0, 1))}
