"""One training step of each phase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from wsss_bcm.config import Train
from wsss_bcm.labels import resize_labels
from wsss_bcm.losses import mask_loss, segmentation_losses
from wsss_bcm.shifting import intended, official, top_share
from wsss_cli.losses.segmentation import upsample
from wsss_cli.nets.heads.outputs import Outputs
from wsss_cli.ranks.distributed import mean_over_ranks

Size = tuple[int, int]


def base_step(model: nn.Module, batch: dict[str, Any], k: int) -> dict[str, Tensor]:
    """DeepLabV2-MSC: the labels resized once to each output."""
    found: Outputs = model(batch["image"], outputs=True)
    largest = found.pop("main").logits
    # a network without further scales has one output, which is the largest too: it is trained on twice, as MSC's
    logits = [*(output.logits for output in found.values()), largest] if found else [largest, largest]
    labels = [resize_labels(batch["label"], _size(x)) for x in logits]
    return segmentation_losses(logits, labels, mean_over_ranks)


class MaskedStep:
    """The phases bcm and fr: labels edited by boxes and filling rates, cross-entropies, and the masks' loss.

    rates (C,), None where the mode needs none
    """

    def __init__(self, config: Train, rates: Tensor | None) -> None:
        self.config, self.rates = config, rates

    def __call__(self, model: nn.Module, batch: dict[str, Any], k: int) -> dict[str, Tensor]:
        logits, mask = model(batch["image"])
        labels = self.labels(batch["label"], batch["box"], logits[-1].detach(), [_size(x) for x in logits])
        losses = segmentation_losses(logits, labels, mean_over_ranks)
        boxes = resize_labels(batch["box"], _size(mask))
        return losses | {"mask": mask_loss(mask, boxes, self.config.mask_weight)}

    @torch.no_grad()
    def labels(self, labels: Tensor, boxes: Tensor, masked: Tensor, sizes: Sequence[Size]) -> list[Tensor]:
        """The label maps that the outputs learn, each at its size, of which the masked logits' stands last.

        Double: edited at that size, then resized to the others.  Single: each resized from the whole map, then edited.
        """
        if self.config.label_resize == "double":
            once = self.edited(resize_labels(labels, sizes[-1]), resize_labels(boxes, sizes[-1]), masked)
            return [resize_labels(once, size) for size in sizes]
        made: dict[Size, Tensor] = {}
        for size in sizes:
            if size not in made:
                here = resize_labels(labels, size), resize_labels(boxes, size), upsample(masked, size)
                made[size] = self.edited(*here)
        return [made[size] for size in sizes]

    def edited(self, labels: Tensor, boxes: Tensor, masked: Tensor) -> Tensor:
        """As `fr_mode` says: labels, boxes (B, h, w) ids, masked (B, K, h, w) logits -> (B, h, w)."""
        mode, shift = self.config.fr_mode, self.config.shift
        if mode == "off":
            return labels
        if mode == "official":
            return official(labels, boxes, shift.most)
        assert self.rates is not None
        prob = masked.float().softmax(1)
        if mode == "topk":
            return top_share(labels, boxes, prob, self.rates)
        return intended(labels, boxes, prob, self.rates, shift.strength, shift.low, shift.high, shift.most)


def _size(x: Tensor) -> Size:
    return x.shape[-2], x.shape[-1]
