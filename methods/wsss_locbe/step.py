"""LOC-BE's training step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.engine.distributed import mean_over_ranks
from wsss_cli.losses.nothing import nothing
from wsss_cli.losses.token_contrast import token_contrast
from wsss_cli.single_stage.supervision import pseudo_labels, segmentation_losses, token_labels
from wsss_locbe.config import Phase, Train
from wsss_locbe.looking import look
from wsss_locbe.losses import contrast_across_images, contrast_per_image
from wsss_locbe.nets import LocBe, Seen

Batch = dict[str, Tensor]
Losses = dict[str, Tensor]


class Step:
    """Classify, look at what the class activation maps show, and learn from that.

    net     the network as it is, for the maps; the step's model is the same, wrapped for DDP
    world   the ranks that share a batch
    What has no weight in an iteration is not computed, and is 0 among the losses.
    """

    def __init__(self, net: LocBe, config: Train, world: int = 1) -> None:
        self.net, self.config, self.world = net, config, world

    def __call__(self, model: nn.Module, batch: Batch, k: int) -> Losses:
        """batch: image (B, 3, H, W), tags (B, C), box (B, 4) y0, y1, x0, x1, draws (B, n)."""
        phase = self.config.phase(k)
        images, tags, none = batch["image"], batch["tags"], batch["image"].new_zeros(())
        seen: Seen = model(images, phase.needs_labels, lambda f: look(self.net, batch, f, phase, self.config))
        return {
            "tags": tag_loss(seen.whole.tags, tags),
            "inner_tags": tag_loss(seen.whole.inner_tags, tags),
            "erased_tags": none if seen.erased_tags is None else phase.erased * tag_loss(seen.erased_tags, tags),
            "contrast": phase.contrast * self.contrast(seen, batch) if phase.contrast else none,
            "local": phase.local * self.local(seen, tags) if seen.local else none,
            **self.segmentation(seen, batch, phase),
        }

    def contrast(self, seen: Seen, batch: Batch) -> Tensor:
        """L_sc: patch tokens of what the inner maps show as one class look alike, of others not."""
        patches, inner = seen.whole.features.patches, seen.views.inner
        assert inner is not None
        labels = token_labels(inner, (patches.shape[2], patches.shape[3]), self.config.thresholds, batch["box"])
        return token_contrast(patches, labels, mean_over_ranks, self.world)

    def local(self, seen: Seen, tags: Tensor) -> Tensor:
        """L_LOC: the mean over windows and groups of images; a group without a sure pixel counts 0."""
        settings, total = self.config.windows, []
        for crop, tokens in zip(seen.views.crops, seen.local):
            group = slice(crop.first, crop.first + len(tokens))
            whole = seen.whole.features.cls[group]
            if self.config.loc_loss == "official":
                loss = contrast_across_images(whole, tokens, tags[group], settings.margin)
            else:
                loss = contrast_per_image(whole, tokens, settings.margin)
            total.append(loss * len(tokens))
        return torch.stack(total).sum() / (settings.number * len(tags))

    def segmentation(self, seen: Seen, batch: Batch, phase: Phase) -> Losses:
        """L_seg and L_reg against pseudo-labels made of the maps that the phase says."""
        logits, views, config = seen.whole.logits, seen.views, self.config
        if logits is None:  # what it learns later
            zero = nothing(self.net.decoder.parameters())
            return {"segmentation": zero, "energy": zero.detach()}
        cams = views.cams if phase.labels == "cam" else views.inner
        assert cams is not None
        images, boxes = batch["image"], batch["box"]
        labels = pseudo_labels(images, cams, batch["tags"], boxes, config.thresholds, config.par)
        losses = segmentation_losses(images, logits, labels, boxes, config.energy, mean_over_ranks)
        return {"segmentation": phase.segmentation * losses[0], "energy": phase.energy * losses[1]}


def tag_loss(logits: Tensor, tags: Tensor) -> Tensor:
    """Multi-label soft margin, the mean over classes and images: (B, C) each."""
    return F.multilabel_soft_margin_loss(logits.float(), tags)
