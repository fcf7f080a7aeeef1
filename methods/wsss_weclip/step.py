"""WeCLIP's training step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wsss_cli.cam.regions import inside
from wsss_cli.data.label_format import label_format
from wsss_cli.losses.segmentation import upsample
from wsss_cli.losses.two_part import two_part_cross_entropy
from wsss_cli.ranks.distributed import mean_over_ranks
from wsss_weclip.affinity import affinity_loss
from wsss_weclip.config import Labels, Train
from wsss_weclip.losses import dice_loss
from wsss_weclip.nets import Evidence, Outputs, WeClip
from wsss_weclip.refinement import enlarged, refined_label, spread_cams


class WeClipStep:
    """One training step: what the frozen networks see becomes pseudo-labels, which the decoder learns.

    net    the network as it is, for what its frozen parts see; the step's model is the same, wrapped for DDP
    ranks  how many share the batch
    """

    def __init__(self, net: WeClip, config: Train, ranks: int = 1) -> None:
        self.net, self.config, self.ranks = net, config, ranks

    def __call__(self, model: nn.Module, batch: dict[str, Any], k: int) -> dict[str, Tensor]:
        """batch: image (B, 3, H, W) normalised, box (B, 4) y0, y1, x0, x1, tags (B, C), kept (B, m); perhaps seen."""
        seen = batch.get("seen") or self.net.look(batch["image"], batch["tags"], self.config.labelling.maps)
        said: Outputs = model(seen, batch["kept"])
        with torch.autocast(batch["image"].device.type, enabled=False):
            return self.losses(batch, seen, said, k)

    def losses(self, batch: dict[str, Any], seen: Evidence, said: Outputs, k: int) -> dict[str, Tensor]:
        """Every loss with its weight."""
        w, grid = self.config.losses, (said.logits.shape[2], said.logits.shape[3])
        labels = self.labels(batch, seen, said, k)  # (B, H, W)
        logits = upsample(said.logits.float(), labels.shape[1:])
        related = affinity_loss(said.affinity, labels, grid, w.radius, mean_over_ranks, self.ranks)
        taught = self.with_sure(labels, logits, k)
        found = {
            "segmentation": two_part_cross_entropy(logits, taught, mean_over_ranks),
            "affinity": w.affinity * related,
        }
        if said.parts:
            found["cross"] = w.cross * cross_teaching(said.parts, labels)
        if w.dice:
            found["dice"] = w.dice * dice_loss(logits, taught, mean_over_ranks, self.ranks)
        return found

    def labels(self, batch: dict[str, Any], seen: Evidence, said: Outputs, k: int) -> Tensor:
        """Pseudo-labels (B, H, W) of the batch."""
        settings, images, tags = self.config.labelling, batch["image"], batch["tags"]
        cams = spread_cams(seen, tags, settings, said if k >= settings.guided_from else None)
        labels = labels_of(images, cams, tags, settings)
        if settings.padding:
            return labels
        ignore = label_format(tags.shape[1]).ignore
        return labels.masked_fill(~inside(batch["box"], labels.shape[1:]), ignore)

    def with_sure(self, labels: Tensor, logits: Tensor, k: int) -> Tensor:
        """The labels; late in the training, where the prediction is sure, the prediction."""
        settings = self.config.labelling
        if settings.trust_from is None or k < settings.trust_from:
            return labels
        score, predicted = logits.detach().softmax(1).max(1)
        return torch.where(score > settings.trust_above, predicted.to(labels.dtype), labels)


@torch.no_grad()
def labels_of(images: Tensor, cams: list[Tensor], tags: Tensor, settings: Labels) -> Tensor:
    """Normalised images (B, 3, H, W) and the CAMs of their classes, (n, h, w) each -> (B, H, W) ids."""
    form = label_format(tags.shape[1])
    present = [(row.nonzero()[:, 0] + 1).to(images.device, non_blocking=True) for row in tags]
    parts = zip(images, cams, present)
    return torch.stack([refined_label(i, enlarged(c, i.shape[1:]), keys, settings.par, form) for i, c, keys in parts])


def cross_teaching(parts: tuple[Tensor, ...], labels: Tensor) -> Tensor:
    """What each of two decodings is taught by the other's strongest classes, at the size of the labels.

    parts (B, K, h, w) twice; labels (B, H, W), for size and format alone.  Where a part of two_part_cross_entropy is
    empty it is 0 here, NaN there; the gradients are the same.
    """
    one, two = (upsample(logits.float(), labels.shape[1:]) for logits in parts)
    ones, twos = (x.detach().argmax(1).to(labels.dtype) for x in (one, two))
    return two_part_cross_entropy(one, twos, mean_over_ranks) + two_part_cross_entropy(two, ones, mean_over_ranks)
