"""LOC-BE's training step."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.cam.regions import in_tokens
from wsss_cli.losses.token_contrast import token_contrast
from wsss_cli.losses.zero import zero_loss
from wsss_cli.ranks.distributed import mean_over_ranks
from wsss_cli.single_stage.supervision import pseudo_labels, segmentation_losses, token_labels
from wsss_locbe.config import Phase, Train
from wsss_locbe.losses import contrast_across_images, contrast_per_image
from wsss_locbe.nets import LocBe, Seen
from wsss_locbe.views import make_views

Batch = dict[str, Tensor]
Losses = dict[str, Tensor]


class LocBeStep:
    """One training step: tags of the images, then what their CAMs teach; up to seven losses.

    net    the network as it is, for its CAMs; the step's model is the same, wrapped for DDP
    ranks  how many share the batch
    Nothing is computed for losses without a weight, which are 0.
    """

    def __init__(self, net: LocBe, config: Train, ranks: int = 1) -> None:
        self.net, self.config, self.ranks = net, config, ranks

    def __call__(self, model: nn.Module, batch: Batch, k: int) -> Losses:
        """batch: image (B, 3, H, W) normalised, box (B, 4) y0, y1, x0, x1, tags (B, C) 0/1, draws (B, n)."""
        phase, images = self.config.phase(k), batch["image"]
        views = partial(make_views, self.net, batch, phase=phase, config=self.config)
        seen: Seen = model(images, phase.segments, views)
        with torch.autocast(images.device.type, enabled=False):
            return self.losses(batch, seen, phase)

    def losses(self, batch: Batch, seen: Seen, phase: Phase) -> Losses:
        """Every loss with its weight."""
        tags, zero = batch["tags"].to(batch["image"].device, non_blocking=True), batch["image"].new_zeros(())
        return {
            "classification": tag_loss(seen.whole.tags, tags),
            "auxiliary": tag_loss(seen.whole.inner_tags, tags),
            "boundary": zero if seen.erased_tags is None else phase.boundary * tag_loss(seen.erased_tags, tags),
            "patch_contrast": phase.patch_contrast * self.patch_contrast(batch, seen) if phase.patch_contrast else zero,
            "local": phase.local * self.local(seen, tags) if seen.local else zero,
            **self.segmentation(batch, seen, phase),
        }

    def patch_contrast(self, batch: Batch, seen: Seen) -> Tensor:
        """L_sc, ToCo's L_ptc: between the last block's patch tokens, by the auxiliary classifier's CAMs."""
        patches, inner, boxes = seen.whole.features.patches, seen.views.inner, batch["box"]
        assert inner is not None
        if self.config.token_box == "scaled":
            boxes = in_tokens(boxes, self.net.encoder.patch)
        labels = token_labels(inner, (patches.shape[2], patches.shape[3]), self.config.thresholds, boxes)
        return token_contrast(patches, labels, mean_over_ranks, self.ranks)

    def local(self, seen: Seen, tags: Tensor) -> Tensor:
        """L_LOC, the mean over windows and images; images of a group that surely shows nothing count 0."""
        settings, losses = self.config.windows, []
        for crop, tokens in zip(seen.views.crops, seen.local):
            group = slice(crop.first, crop.first + len(tokens))
            whole = seen.whole.features.cls[group]
            if settings.loc_loss == "official":
                loss = contrast_across_images(whole, tokens, tags[group], settings.margin)
            else:
                loss = contrast_per_image(whole, tokens, settings.margin)
            losses.append(loss * len(tokens))
        return torch.stack(losses).sum() / (settings.number * len(tags))

    def segmentation(self, batch: Batch, seen: Seen, phase: Phase) -> Losses:
        """L_seg, the cross-entropy with the refined CAMs, and L_reg, the dense energy."""
        cams, logits = seen.views.labelling, seen.whole.logits
        if cams is None or logits is None:
            zero = zero_loss(self.net.decoder.parameters())
            return {"segmentation": zero, "energy": zero.detach()}
        c, images, boxes = self.config, batch["image"], batch["box"]
        labels = pseudo_labels(images, cams, batch["tags"], boxes, c.thresholds, c.par)
        weighted = c.energy.model_copy(update={"weight": phase.energy * c.energy.weight})
        segmentation, energy = segmentation_losses(images, logits, labels, boxes, weighted, mean_over_ranks)
        return {"segmentation": phase.segmentation * segmentation, "energy": energy}


def tag_loss(logits: Tensor, tags: Tensor) -> Tensor:
    """Multi-label soft margin loss, the mean over classes and images: (B, C) each."""
    return F.multilabel_soft_margin_loss(logits.float(), tags)
