"""PUF's iteration in the released order of work: three times all CAMs, every token projected, whatever a loss weighs.

What it shares with ToCo's is there. The weights are those of our networks.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.released import toco
from bench.released.toco import two_parts
from wsss_puf.config import Train
from wsss_puf.nets import SelfReinforced
from wsss_puf.schedules import masks_uncertain, phase, teacher_momentum, teacher_temperature
from wsss_puf.teacher import Centres


class Released(toco.Released):
    """The losses of one iteration; what follows it."""

    def __init__(
        self, net: SelfReinforced, teacher: SelfReinforced, centres: Centres, config: Train, total: int
    ) -> None:
        self.net, self.teacher, self.centres = net, teacher, centres
        self.config, self.total = config, total

    def __call__(self, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
        c, one, two, tags = self.config, batch["view1"], batch["view2"], batch["tags"]
        now, n = phase(k, c.losses, c.distillation), len(one)
        boxes = [[0, one.shape[2], 0, one.shape[3]]] * n
        _, aux = self.cams(two)
        mask = self.mask(aux * tags[:, :, None, None], batch["noise"], k)
        student = whole(self.net, torch.cat([one, two]), torch.cat([torch.zeros_like(mask), mask]))
        with torch.no_grad():
            teacher = whole(self.teacher, torch.cat([one, two]), None)
        cams, aux = self.cams(one)
        second, _ = self.cams(two)  # only shown
        mean, std = toco.mean_and_std(one)
        bytes_ = [(x * std + mean).clamp(0, 255).to(torch.uint8) / 255 for x in (one, two)]
        labels = self.pseudo_labels(bytes_[0], cams * tags[:, :, None, None], tags, boxes)
        self.pseudo_labels(bytes_[1], second * tags[:, :, None, None], tags, boxes)  # only shown
        logits = F.interpolate(student["logits"], one.shape[2:], mode="bilinear", align_corners=False)
        classes, patches = self.distil(student["scores"], teacher["scores"], mask, k)
        return {
            "classification": F.multilabel_soft_margin_loss(student["tags"], tags),
            "auxiliary": F.multilabel_soft_margin_loss(student["inner_tags"], tags),
            "class_distillation": now.classes * classes,
            "patch_distillation": now.patches * patches,
            "patch_contrast": now.contrast * self.patch_contrast(student["patches"], aux, tags, boxes),
            "segmentation": now.segmentation * two_parts(logits, labels),
            "energy": now.energy * self.energy(one * std + mean, logits, labels, boxes),
        }

    @torch.no_grad()
    def after(self, k: int) -> None:
        """The teacher follows, parameter by parameter."""
        m = teacher_momentum(k, self.total, self.config.distillation.momentum)
        for own, theirs in zip(self.teacher.parameters(), self.net.parameters()):
            own.data.mul_(m).add_((1 - m) * theirs.data)

    @torch.no_grad()
    def cams(self, images: Tensor) -> tuple[Tensor, Tensor]:
        size, sums, half = images.shape[2:], [], len(images)
        for scale in self.config.scales:
            small = [int(scale * n) for n in size]
            x = F.interpolate(images, small, mode="bilinear", align_corners=False)
            pair = []
            for maps in whole(self.net, torch.cat([x, x.flip(-1)]), None, segment=False)["maps"]:
                large = F.interpolate(F.relu(maps), size, mode="bilinear", align_corners=False)
                pair.append(F.relu(torch.max(large[:half], large[half:].flip(-1))))
            sums.append(pair)
        out = []
        for maps in zip(*sums):
            total = torch.stack(maps).sum(0)
            total = total + F.adaptive_max_pool2d(-total, 1)
            out.append(total / (F.adaptive_max_pool2d(total, 1) + 1e-5))
        return out[0], out[1]

    def mask(self, cams: Tensor, noise: Tensor, k: int) -> Tensor:
        m, side = self.config.masking, noise.shape[1]
        score = cams.max(1)[0]
        unsure = ((score > m.low) & (score < m.high)).float()[:, None]
        small = F.interpolate(unsure, (side, side), mode="nearest")[:, 0] > 0
        score = noise.clone()
        if masks_uncertain(k, self.total, m.random_share):
            score[small] += 1
        order = score.flatten(1).argsort(1, descending=True)[:, : math.ceil(side * side * m.ratio)]
        blocks = score.new_zeros(len(cams), side * side).scatter_(1, order, 1).view(-1, 1, side, side)
        each = m.block // self.net.encoder.patch
        return F.interpolate(blocks, scale_factor=each, mode="nearest")[:, 0] > 0

    def distil(self, student: Tensor, teacher: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """All tokens' scores (2 B, 1 + N, P) -> both losses; the centres follow."""
        d, c, n = self.config.distillation, self.centres, len(mask)
        temp = teacher_temperature(k, self.total, *d.teacher_temp, d.teacher_temp_share)
        logs = (student / d.student_temp).log_softmax(-1)
        classes = ((teacher[:n, 0] - c.classes) / temp).softmax(-1)
        patches = ((teacher[n:, 1:] - c.patches) / temp).softmax(-1)
        per_token = -(patches * logs[n:, 1:]).sum(-1)  # (B, N)
        hidden = mask.flatten(1).float()
        for centre, seen in ((c.classes, teacher[:n, 0].mean(0)), (c.patches, teacher[n:, 1:].mean((0, 1)))):
            centre.copy_(centre * c.momentum + (1 - c.momentum) * seen[None])
        per_image = (per_token * hidden).sum(1) / hidden.sum(1).clamp(min=1)
        return -(classes * logs[n:, 0]).sum(-1).mean(), per_image.mean()


def whole(net: SelfReinforced, images: Tensor, mask: Tensor | None, segment: bool = True) -> dict[str, Tensor]:
    """Every head on every token; with a mask the images are two views, and the first one alone is classified."""
    encoder = net.encoder
    tokens = encoder.tokens(images, mask)
    every = torch.cat([encoder.gather(tokens.last)[:, None], encoder.body.norm(tokens.last)], 1)  # (B, 1 + N, D)
    first = len(images) // (1 if mask is None else 2)
    patches, inner = (x[:first] for x in encoder.maps(tokens))
    return {
        "scores": net.projector(every),
        "tags": net.classifier(F.adaptive_max_pool2d(patches, 1)).flatten(1),
        "inner_tags": net.aux_classifier(F.adaptive_max_pool2d(inner, 1)).flatten(1),
        "patches": patches,
        "maps": net.maps_of(patches, inner),
        **({"logits": net.decoder(patches)} if segment else {}),
    }
