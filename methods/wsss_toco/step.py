"""ToCo's training step."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.cam.online import online_cams
from wsss_cli.cam.regions import in_tokens, region_map
from wsss_cli.engine.ema import follow
from wsss_cli.losses.token_contrast import token_contrast
from wsss_cli.losses.zero import zero_loss
from wsss_cli.nets.backbones.vit import Features
from wsss_cli.nets.heads.projector import Projector
from wsss_cli.ranks.distributed import mean_over_ranks
from wsss_cli.single_stage.supervision import pseudo_labels, segmentation_losses, token_labels
from wsss_toco.config import Train
from wsss_toco.crops import crop_corners, crop_flags, cut
from wsss_toco.losses import class_token_contrast
from wsss_toco.nets import Seen, ToCo


class Needs(NamedTuple):
    """What an iteration needs: the contrasts, the segmentation, and the last block's CAMs (else the inner one's do)."""

    contrast: bool
    segment: bool
    last: bool


class Cams(NamedTuple):
    """CAMs (B, C, H, W) in [0, 1] of the classes present: those that pseudo-labels come from, and the inner block's."""

    labelling: Tensor
    inner: Tensor


class ToCoStep:
    """One training step: CAMs of the batch, local crops where they are unsure, pseudo-labels, six losses.

    net      the network as it is, for its CAMs; the step's model is the same, wrapped for DDP
    teacher  its teacher's projection head, which follows before each iteration
    ranks    how many share the batch
    Nothing is computed for losses that do not count yet.
    """

    def __init__(self, net: ToCo, teacher: Projector, config: Train, ranks: int = 1) -> None:
        self.net, self.teacher, self.config, self.ranks = net, teacher, config, ranks
        self.followed = -1  # the last iteration before which the teacher followed: accumulation has several passes

    def __call__(self, model: nn.Module, batch: dict[str, Any], k: int) -> dict[str, Tensor]:
        if self.followed != k:
            follow(self.teacher, self.net.proj_head, self.config.losses.momentum)
            self.followed = k
        needs, images, tags = self.needs(k), batch["image"], batch["tags"]
        made: list[tuple[Cams, Tensor]] = []

        def cut_crops(features: Features) -> Tensor:
            cams = self.cams(images, tags, features, needs)
            crops, flags = self.local_crops(cams.inner, batch["local"], batch["seed"])
            made.append((cams, flags))
            return crops

        seen: Seen = model(images, batch["second"] if needs.contrast else None, cut_crops, needs.segment)
        cams, flags = made[0] if made else (None, None)
        if cams is None and needs.segment:
            cams = self.cams(images, tags, seen.out.features, needs)
        with torch.autocast(images.device.type, enabled=False):
            return self.losses(batch, seen, cams, flags)

    def needs(self, k: int) -> Needs:
        """What iteration k needs."""
        w = self.config.losses
        contrast = k >= w.contrast_from and w.patch_contrast + w.class_contrast > 0
        segment = k >= w.segmentation_from and w.segmentation + w.energy > 0
        return Needs(contrast, segment, segment and k >= w.cam_from)

    @torch.no_grad()
    def cams(self, images: Tensor, tags: Tensor, features: Features, needs: Needs) -> Cams:
        """The batch's CAMs; of the images as they are, the features are there already."""
        scales = self.config.local.scales
        if not needs.last:
            known = (self.net.inner_class_maps(features.inner),)
            (inner,) = online_cams(self.net.inner_cams, images, tags, scales, known=known)
            return Cams(inner, inner)
        return Cams(*online_cams(self.net.cams, images, tags, scales, known=self.net.class_maps(features)))

    @torch.no_grad()
    def local_crops(self, cams: Tensor, source: Tensor, seeds: Tensor) -> tuple[Tensor, Tensor]:
        """Crops (n B, 3, s, s) where the CAMs (B, C, H, W) are unsure, and the flags (B, 2 + n) of `crop_flags`."""
        local, thresholds = self.config.local, self.config.thresholds
        regions = region_map(cams, thresholds.low, thresholds.high)  # (B, H, W)

        def corners(region: Tensor, seed: int) -> Tensor:
            generator = torch.Generator().manual_seed(seed)
            return crop_corners(region, local.size, local.number, lambda n: torch.randperm(n, generator=generator))

        on_host = regions.cpu()  # the one thing in a step that the host waits for: what is drawn depends on it
        at = torch.stack([corners(region, seed) for region, seed in zip(on_host, seeds.tolist())])  # (B, n, 2)
        return cut(source, at, local.size), crop_flags(regions, at, local.size, local.least)

    def losses(self, batch: dict[str, Any], seen: Seen, cams: Cams | None, flags: Tensor | None) -> dict[str, Tensor]:
        """The six losses with their weights; without CAMs only the two classifications, the others 0."""
        w, tags = self.config.losses, batch["tags"].to(batch["image"].device, non_blocking=True)
        found = {
            "classification": F.multilabel_soft_margin_loss(seen.out.tags.float(), tags),
            "auxiliary": F.multilabel_soft_margin_loss(seen.out.inner_tags.float(), tags),
        }
        if cams is not None and flags is not None:
            found |= {
                "patch_contrast": w.patch_contrast * self.patch_contrast(batch, seen, cams),
                "class_contrast": w.class_contrast * self.class_contrast(seen, flags),
            }
        else:
            zero = zero_loss(self.net.proj_head.parameters())
            found |= {"patch_contrast": zero.detach(), "class_contrast": zero}
        if cams is not None and seen.out.logits is not None:
            segmentation, energy = self.segmentation(batch, seen.out.logits, cams)
            found |= {"segmentation": w.segmentation * segmentation, "energy": w.energy * energy}
        else:
            zero = zero_loss(self.net.decoder.parameters())
            found |= {"segmentation": zero, "energy": zero.detach()}
        return found

    def patch_contrast(self, batch: dict[str, Any], seen: Seen, cams: Cams) -> Tensor:
        """Between the last block's patch tokens, by the inner block's CAMs."""
        patches = seen.out.features.patches  # (B, D, h, w)
        size = (patches.shape[2], patches.shape[3])
        boxes = batch["box"]
        if self.config.losses.token_box == "scaled":
            boxes = in_tokens(boxes, batch["image"].shape[2] // size[0])
        labels = token_labels(cams.inner, size, self.config.thresholds, boxes)
        return token_contrast(patches, labels, mean_over_ranks, self.ranks)

    def class_contrast(self, seen: Seen, flags: Tensor) -> Tensor:
        """Between the class tokens of the views and of the local crops."""
        assert seen.tokens is not None and seen.student is not None
        with torch.no_grad():
            teacher = self.teacher(seen.tokens.float())
        return class_token_contrast(seen.student, teacher, flags, self.config.losses.temperature)

    def segmentation(self, batch: dict[str, Any], logits: Tensor, cams: Cams) -> tuple[Tensor, Tensor]:
        """The cross-entropy with the refined CAMs, and the dense energy."""
        c, images, boxes = self.config, batch["image"], batch["box"]
        labels = pseudo_labels(images, cams.labelling, batch["tags"], boxes, c.thresholds, c.par)
        return segmentation_losses(images, logits, labels, boxes, c.energy, mean_over_ranks)
