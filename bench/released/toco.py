"""ToCo's iteration in the released order of work: every pass for itself, every class, whatever its loss weighs.

The lattice is ours (the released one is C++), once for each image; the network's weights are those of our `ToCo`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.batches.transforms import MEAN, STD
from wsss_cli.nets.heads.projector import Projector
from wsss_cli.refine.lattice import Lattice
from wsss_toco.config import Train
from wsss_toco.nets import ToCo

Draw = Callable[[int, int], Tensor]
"""(image, n) -> a random permutation of 0..n-1."""


class Released:
    """The losses of one iteration."""

    def __init__(self, net: ToCo, teacher: Projector, config: Train) -> None:
        self.net, self.teacher, self.config = net, teacher, config

    def __call__(self, batch: dict[str, Any], draw: Draw, k: int) -> dict[str, Tensor]:
        net, w = self.net, self.config.losses
        images, tags, boxes = batch["image"], batch["tags"], batch["box"].tolist()
        for own, theirs in zip(self.teacher.parameters(), net.proj_head.parameters()):
            own.data = own.data * w.momentum + theirs.data * (1 - w.momentum)
        mean, std = mean_and_std(images)
        denormalised = (images * std + mean).clamp(0, 255).to(torch.uint8) / 255
        cams, aux = self.cams(images)
        regions = self.regions(aux, tags)
        crops, flags = self.crops(batch["local"], regions, draw)

        seen = net.encoder(images)  # one pass for the heads
        out = net.heads(seen)
        student = torch.cat(
            [
                net.proj_head(net.encoder(torch.cat([images, batch["second"]])).cls),  # one for the student
                net.proj_head(net.encoder(crops).cls),
            ]
        )
        with torch.no_grad():  # one for the teacher
            teacher = self.teacher(net.encoder(torch.cat([images, batch["second"]])).cls)

        labels = self.pseudo_labels(denormalised, cams * tags[:, :, None, None], tags, boxes)
        assert out.logits is not None
        logits = F.interpolate(out.logits, images.shape[2:], mode="bilinear", align_corners=False)
        on = float(k >= w.segmentation_from)
        return {
            "classification": F.multilabel_soft_margin_loss(out.tags, tags),
            "auxiliary": F.multilabel_soft_margin_loss(out.inner_tags, tags),
            "patch_contrast": w.patch_contrast * self.patch_contrast(seen.patches, aux, tags, boxes),
            "class_contrast": w.class_contrast * class_contrast(student, teacher, flags, w.temperature),
            "segmentation": on * w.segmentation * two_parts(logits, labels),
            "energy": on * w.energy * self.energy(images * std + mean, logits, labels, boxes),
        }

    @torch.no_grad()
    def cams(self, images: Tensor) -> tuple[Tensor, Tensor]:
        size, sums = images.shape[2:], []
        for scale in self.config.local.scales:
            small = [int(scale * n) for n in size]
            x = F.interpolate(images, small, mode="bilinear", align_corners=False)
            pair = []
            for maps in self.net.class_maps(self.net.encoder(torch.cat([x, x.flip(-1)]))):
                large = F.interpolate(maps, size, mode="bilinear", align_corners=False)
                half = len(images)
                pair.append(F.relu(torch.max(large[:half], large[half:].flip(-1))))
            sums.append(pair)
        out = []
        for maps in zip(*sums):
            total = torch.stack(maps).sum(0)
            total = total + F.adaptive_max_pool2d(-total, 1)
            out.append(total / (F.adaptive_max_pool2d(total, 1) + 1e-5))
        return out[0], out[1]

    def regions(self, aux: Tensor, tags: Tensor) -> Tensor:
        score = (aux * tags[:, :, None, None]).max(1)[0]
        out = torch.ones_like(score)
        out[score <= self.config.thresholds.low] = 0
        out[score >= self.config.thresholds.high] = 2
        return out

    def crops(self, source: Tensor, regions: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        local = self.config.local
        size, half = local.size, local.size // 2
        crops = source.new_zeros(local.number, len(source), 3, size, size)
        flags = source.new_ones(len(source), 2 + local.number)
        for i, region in enumerate(regions):
            inner = region[half : region.shape[0] - half, half : region.shape[1] - half]
            places = (inner <= 1).nonzero()
            if len(places) < local.number:
                places = (inner >= 0).nonzero()
            for j, (y, x) in enumerate(places[draw(i, len(places))[: local.number]].tolist()):
                crops[j, i] = source[i, :, y : y + size, x : x + size]
                if region[y : y + size, x : x + size].sum() / size**2 <= local.least:
                    flags[i, 2 + j] = 0
        return crops.flatten(0, 1), flags

    def patch_contrast(self, patches: Tensor, aux: Tensor, tags: Tensor, boxes: list[list[int]]) -> Tensor:
        small = F.interpolate(aux, patches.shape[2:], mode="bilinear", align_corners=False)
        labels = self.token_labels(small * tags[:, :, None, None], boxes).flatten(1)  # (B, n)
        mask = (labels[:, :, None] == labels[:, None]).long()
        mask[(labels == 255)[:, :, None].expand_as(mask)] = 255
        mask[(labels == 255)[:, None].expand_as(mask)] = 255
        mask[:, range(mask.shape[1]), range(mask.shape[1])] = 255
        unit = F.normalize(patches.flatten(2), dim=1, eps=1e-8)  # (B, D, n)
        alike = (unit.transpose(1, 2) @ unit).abs()
        same, other = (mask == 1).float(), (mask == 0).float()
        close, far = ((alike * m).sum() / (m.sum() + 1) for m in (same, other))
        return 0.5 * (1 - close) + 0.5 * far

    def token_labels(self, cams: Tensor, boxes: list[list[int]]) -> Tensor:
        score, label = cams.max(1)
        label = label + 1
        label[score <= self.config.thresholds.high] = 255
        label[score <= self.config.thresholds.low] = 0
        out = torch.full_like(label, 255)
        for i, (y0, y1, x0, x1) in enumerate(boxes):
            out[i, y0:y1, x0:x1] = label[i, y0:y1, x0:x1]
        return out

    @torch.no_grad()
    def pseudo_labels(self, images: Tensor, cams: Tensor, tags: Tensor, boxes: list[list[int]]) -> Tensor:
        size = images.shape[2:]
        half = [n // self.config.par.down for n in size]
        small = F.interpolate(images, half, mode="bilinear", align_corners=False)
        both = []
        for background in (self.config.thresholds.high, self.config.thresholds.low):
            every = torch.cat([torch.full_like(cams[:, :1], background), cams], 1)
            every = F.interpolate(every, half, mode="bilinear", align_corners=False)
            label = torch.full((len(images), *size), 255, device=images.device)
            for i, (y0, y1, x0, x1) in enumerate(boxes):
                keys = F.pad(tags[i].nonzero()[:, 0] + 1, (1, 0))  # background first
                refined = self.refine(small[i : i + 1], every[i : i + 1, keys].softmax(1))
                large = F.interpolate(refined, size, mode="bilinear", align_corners=False)
                label[i, y0:y1, x0:x1] = keys[large.argmax(1)[0]][y0:y1, x0:x1]
            both.append(label)
        out = both[0].clone()
        out[both[0] == 0] = 255
        out[both[0] + both[1] == 0] = 0
        return out

    def refine(self, images: Tensor, masks: Tensor) -> Tensor:
        """All neighbours of all channels as one tensor, as the released code has them."""
        settings = self.config.par
        around = neighbours(images, settings.dilations)  # (B, 3, N, h, w)
        deviation = around.std(2, keepdim=True)
        alike = -(((around - images[:, :, None]).abs() / (deviation + 1e-8) / settings.colour_weight) ** 2)
        corners = (2**0.5, 1, 2**0.5, 1, 1, 2**0.5, 1, 2**0.5)
        far = images.new_tensor([d * r for d in settings.dilations for r in corners])
        near = (-((far / (far.std() + 1e-8) / settings.colour_weight) ** 2)).softmax(0)
        weights = alike.mean(1, keepdim=True).softmax(2) + settings.place_weight * near.view(1, 1, -1, 1, 1)
        for _ in range(settings.iterations):
            masks = (neighbours(masks, settings.dilations) * weights).sum(2)
        return masks

    def energy(self, images: Tensor, logits: Tensor, labels: Tensor, boxes: list[list[int]]) -> Tensor:
        c = self.config.energy
        half = {"scale_factor": c.scale, "recompute_scale_factor": True}
        prob = F.interpolate(logits.softmax(1), mode="bilinear", align_corners=False, **half)
        small = F.interpolate(images, mode="nearest", **half)
        region = logits.new_zeros(labels.shape)
        for i, (y0, y1, x0, x1) in enumerate(boxes):
            region[i, y0:y1, x0:x1] = 1
        region = F.interpolate(region[:, None], mode="nearest", **half)
        unknown = F.interpolate(labels[:, None].float(), mode="nearest", **half) == 255
        with torch.no_grad():
            gate = (region - prob.max(1, keepdim=True)[0]).masked_fill(unknown, 1).clamp(min=0)
            pulled = torch.stack([pull(i, p, c.sigma_rgb, c.sigma_xy * c.scale) for i, p in zip(small, prob * region)])
            value = -(prob * region * gate * pulled).sum() / len(prob)
            gradient = -2 * gate * pulled * region / len(prob)
        surrogate = (prob * gradient).sum()  # its gradient is the released backward pass
        return c.weight * (surrogate - surrogate.detach() + value)


def mean_and_std(images: Tensor) -> tuple[Tensor, Tensor]:
    """Of the normalisation, in grey values, where the images are: (3, 1, 1) each."""
    mean, std = (images.new_tensor([255 * x for x in v]).view(3, 1, 1) for v in (MEAN, STD))
    return mean, std


def pull(image: Tensor, values: Tensor, sigma_rgb: float, sigma_xy: float) -> Tensor:
    """The lattice of one image, one use."""
    _, h, w = image.shape
    y, x = torch.meshgrid(*(torch.arange(n, device=image.device) for n in (h, w)), indexing="ij")
    features = torch.cat([torch.stack([x, y]).float() / sigma_xy, image / sigma_rgb]).flatten(1).T
    return Lattice(features).filter(values.flatten(1).T.contiguous()).T.reshape(values.shape)


def neighbours(maps: Tensor, dilations: tuple[int, ...]) -> Tensor:
    """(B, K, h, w) -> (B, K, N, h, w), by a convolution with eight unit kernels for each dilation."""
    b, k, h, w = maps.shape
    kernel = torch.eye(9, device=maps.device)[[0, 1, 2, 3, 5, 6, 7, 8]].view(8, 1, 3, 3)
    flat = maps.reshape(b * k, 1, h, w)
    out = [F.conv2d(F.pad(flat, (d,) * 4, mode="replicate"), kernel, dilation=d) for d in dilations]
    return torch.cat([x.view(b, k, 8, h, w) for x in out], 2)


def class_contrast(student: Tensor, teacher: Tensor, flags: Tensor, temperature: float) -> Tensor:
    images, total = len(flags), student.new_zeros(())
    for i in range(images):
        s, t = student[i::images], teacher[i::images]
        positive = flags[i] > 0
        for one in t:
            z = torch.exp(s @ one / temperature)
            negative = z[~positive].sum()
            terms = -torch.log(z[positive] / (z[positive] + negative + 1e-4)).sum() - torch.log(
                1 / (1 + negative + 1e-4)
            )
            total = total + terms / 2 / (positive.sum() + 1e-4)
    return total / images


def two_parts(logits: Tensor, labels: Tensor) -> Tensor:
    background, classes = labels.clone(), labels.clone()
    background[labels != 0] = 255
    classes[labels == 0] = 255
    return 0.5 * sum(F.cross_entropy(logits, part, ignore_index=255).nan_to_num() for part in (background, classes))
