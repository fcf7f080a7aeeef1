"""PUF's training step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.cam.online import Maker, Maps, online_cams
from wsss_cli.engine.ema import follow
from wsss_cli.losses.segmentation import upsample
from wsss_cli.losses.token_contrast import token_contrast
from wsss_cli.losses.two_part import two_part_cross_entropy
from wsss_cli.losses.zero import zero_loss
from wsss_cli.ranks.distributed import mean_over_ranks
from wsss_cli.single_stage.supervision import pseudo_labels, segmentation_losses, token_labels
from wsss_puf.config import Train
from wsss_puf.losses import class_distillation, patch_distillation
from wsss_puf.masking import masked_blocks, masked_number, to_tokens, uncertain
from wsss_puf.nets import SecondView, Seen, SelfReinforced
from wsss_puf.schedules import Phase, masks_uncertain, phase, teacher_momentum, teacher_temperature
from wsss_puf.teacher import Centres

Batch = dict[str, Tensor]


class SelfReinforcement:
    """One training step: what an image's first view teaches, and what comparing its second view with a teacher does.

    net    the student as it is, for its CAMs; the step's model is the same, wrapped for DDP
    total  iterations of the whole training
    ranks  how many share the batch
    Nothing is computed for losses that have no weight in an iteration.
    """

    def __init__(
        self,
        net: SelfReinforced,
        teacher: SelfReinforced,
        centres: Centres,
        config: Train,
        total: int,
        ranks: int = 1,
    ) -> None:
        self.net, self.teacher, self.centres = net, teacher, centres
        self.config, self.total, self.ranks = config, total, ranks

    def __call__(self, model: nn.Module, batch: Batch, k: int) -> dict[str, Tensor]:
        now, images = self.phase(k), batch["view1"]
        tags = batch["tags"].to(images.device, non_blocking=True)
        second = self.second(batch, now, k) if now.distils else None
        out: Seen = model(images, second, now.segments)
        return {
            "classification": F.multilabel_soft_margin_loss(out.tags.float(), tags),
            "auxiliary": F.multilabel_soft_margin_loss(out.inner_tags.float(), tags),
            **self.distillation(images, second, out, now, k),
            **self.localisation(images, batch["tags"], out, now),
        }

    def after(self, k: int) -> None:
        """Once iteration k has changed the weights, centres and teacher follow."""
        if self.phase(k).distils:
            self.centres.update()
            follow(self.teacher, self.net, teacher_momentum(k, self.total, self.config.distillation.momentum))

    def phase(self, k: int) -> Phase:
        return phase(k, self.config.losses, self.config.distillation)

    def second(self, batch: Batch, now: Phase, k: int) -> SecondView:
        """The second view, partly masked, and what is wanted of it."""
        local = batch["local"] if len(batch["local"]) else None
        ratio, mask = self.config.masking.ratio, self.mask(batch, k)
        blocks = batch["noise"][0].numel()
        masked = masked_number(blocks, ratio) * (mask[0].numel() // blocks)
        return SecondView(batch["view2"], mask, local, now.classes > 0, now.patches > 0 and ratio > 0, masked)

    def mask(self, batch: Batch, k: int) -> Tensor:
        """Which patches of the second view are masked: (B, h, w) bool."""
        m, unsure = self.config.masking, None
        if m.ratio and masks_uncertain(k, self.total, m.random_share):
            (cams,) = self.cams(self.net.inner_cams, batch["view2"], batch["tags"])
            unsure = uncertain(cams, m.low, m.high, m.block)
        return to_tokens(masked_blocks(batch["noise"], unsure, m.ratio), m.block // self.net.encoder.patch)

    def distillation(
        self, images: Tensor, second: SecondView | None, out: Seen, now: Phase, k: int
    ) -> dict[str, Tensor]:
        """The losses of the comparison with the teacher."""
        d = self.config.distillation
        temps = teacher_temperature(k, self.total, *d.teacher_temp, d.teacher_temp_share), d.student_temp
        classes, patches = zero_loss(self.net.encoder.gathering()), zero_loss(self.net.comparing())
        if out.classes is not None:
            scores = self.teacher.class_scores(images)  # (B, P)
            self.centres.see("classes", scores.float().mean(0, keepdim=True))
            loss = class_distillation(out.classes, scores, self.centres.classes, *temps)
            classes = now.classes * loss
        if second is not None and out.masked is not None:
            scores, mean = self.teacher.patch_scores(second.images, second.mask, second.masked)  # (M, P), (1, P)
            self.centres.see("patches", mean)
            loss = patch_distillation(out.masked, scores, self.centres.patches, second.mask, *temps)
            patches = now.patches * loss
        return {"class_distillation": classes, "patch_distillation": patches}

    def localisation(self, images: Tensor, tags: Tensor, out: Seen, now: Phase) -> dict[str, Tensor]:
        """What the student's own CAMs of the first view teach its patch tokens and its segmentation."""
        cams, inner = self.own_cams(images, tags, out, now)
        nil = torch.zeros((), device=images.device)
        losses = {"patch_contrast": nil, "segmentation": zero_loss(self.net.decoder.parameters()), "energy": nil}
        with torch.autocast(images.device.type, enabled=False):
            if now.contrast and inner is not None:
                size = (out.patches.shape[2], out.patches.shape[3])
                cells = token_labels(inner, size, self.config.thresholds)  # (B, h, w)
                contrast = token_contrast(out.patches, cells, mean_over_ranks, self.ranks)
                losses["patch_contrast"] = now.contrast * contrast
            if out.logits is not None and cams is not None:
                losses |= self.segmentation(images, out.logits, cams, tags, now)
        return losses

    def own_cams(self, images: Tensor, tags: Tensor, out: Seen, now: Phase) -> tuple[Tensor | None, Tensor | None]:
        """The last block's CAMs of the first view and the inner one's, (B, C, H, W) each, where they are wanted."""
        if now.segments:
            last, inner = self.cams(self.net.cams, images, tags, self.net.maps_of(out.patches, out.inner))
            return last, inner
        if now.contrast:
            (inner,) = self.cams(self.net.inner_cams, images, tags, (self.net.inner_class_maps(out.inner),))
            return None, inner
        return None, None

    def segmentation(self, images: Tensor, logits: Tensor, cams: Tensor, tags: Tensor, now: Phase) -> dict[str, Tensor]:
        """The losses of the segmentation, whose labels are the refined CAMs."""
        c = self.config
        labels = pseudo_labels(images, cams, tags, None, c.thresholds, c.par)  # (B, H, W)
        if not now.energy:
            large = upsample(logits.float(), labels.shape[1:])
            return {"segmentation": now.segmentation * two_part_cross_entropy(large, labels, mean_over_ranks)}
        segment, energy = segmentation_losses(images, logits, labels, None, c.energy, mean_over_ranks)
        return {"segmentation": now.segmentation * segment, "energy": now.energy * energy}

    def cams(self, maker: Maker, images: Tensor, tags: Tensor, known: Maps | None = None) -> Maps:
        """CAMs by the weights that are being trained, with stochastic depth as in training unless `steady`."""
        steady = self.config.distillation.steady
        self.net.train(not steady)
        cams = online_cams(maker, images, tags, self.config.scales, relu_first=True, known=None if steady else known)
        self.net.train()
        return cams
