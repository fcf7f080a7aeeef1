"""LOC-BE's iteration in the released order of work: whole forward passes, one for each thing, whatever its loss weighs.

What it has in common with ToCo is that transcription's; the network's weights are those of our `LocBe`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.released import toco
from wsss_cli.single_stage.network import Outputs
from wsss_locbe.config import Train
from wsss_locbe.nets import LocBe, Views
from wsss_toco import config as toco_config


class Released:
    """The losses of one iteration of all images of one GPU."""

    def __init__(self, net: LocBe, config: Train) -> None:
        self.net, self.config = net, config
        shared = toco_config.Train(thresholds=config.thresholds, par=config.par, energy=config.energy)
        self.toco = toco.Released(cast(Any, net), cast(Any, None), shared)
        device = next(net.parameters()).device
        self.attn_proj = nn.Conv2d(2 * net.encoder.body.blocks[0].attn.num_heads, 1, 1, device=device)

    def __call__(self, batch: dict[str, Any], k: int) -> dict[str, Tensor]:
        with attention_kept(self.net) as kept:
            return self.losses(batch, k, kept)

    def losses(self, batch: dict[str, Any], k: int, kept: list[Tensor]) -> dict[str, Tensor]:
        images, tags, boxes, w = batch["image"], batch["tags"], batch["box"].tolist(), self.config.phase(k)
        mean, std = toco.mean_and_std(images)
        denormalised = (images * std + mean).clamp(0, 255).to(torch.uint8) / 255
        cams, aux = self.toco.cams(images)
        regions = self.toco.regions(aux, tags)
        erased = images.clone()
        for region in (0, 2):
            erased[(regions == region)[:, None].expand_as(erased)] = 0
        crops = self.crops(images, regions, batch["draws"][0])

        out = self.everything(images, kept)
        boundary = self.net.classifier(hybrid(self.everything(erased, kept).features.patches)).flatten(1)
        local = [self.everything(crop, kept).features.cls for crop in crops]
        contrast = sum(loc_contrast(out.features.cls, t, tags) for t in local) / self.config.windows.number

        labels = self.toco.pseudo_labels(denormalised, cams * tags[:, :, None, None], tags, boxes)
        assert out.logits is not None
        logits = F.interpolate(out.logits, images.shape[2:], mode="bilinear", align_corners=False)
        return {
            "classification": F.multilabel_soft_margin_loss(out.tags, tags),
            "auxiliary": F.multilabel_soft_margin_loss(out.inner_tags, tags),
            "boundary": w.boundary * F.multilabel_soft_margin_loss(boundary, tags),
            "patch_contrast": w.patch_contrast * self.toco.patch_contrast(out.features.patches, aux, tags, boxes),
            "local": w.local * torch.as_tensor(contrast),
            "segmentation": w.segmentation * toco.two_parts(logits, labels),
            "energy": w.energy * self.toco.energy(images * std + mean, logits, labels, boxes),
        }

    def crops(self, images: Tensor, regions: Tensor, draws: Tensor) -> list[Tensor]:
        side, (h, w) = self.config.windows.side, images.shape[2:]
        sure, out = (regions == 2).nonzero().tolist(), []
        for draw in draws.tolist() if sure else []:
            _, y, x = sure[int(draw * len(sure))]
            y, x = y - side // 2, x - side // 2
            out.append(images[:, :, max(y, 0) : min(y + side, h), max(x, 0) : min(x + side, w)])
        return out

    def everything(self, images: Tensor, kept: list[Tensor]) -> Outputs:
        """All that the network gives, its projected attention included."""
        out = self.net(images, True, lambda _: Views()).whole
        self.attn_proj(torch.cat(kept[-2:], 1))  # (B, 1, N + 1, N + 1), of no use
        return out


@contextmanager
def attention_kept(net: LocBe) -> Iterator[list[Tensor]]:
    """Attention as whole matrices, those of the last forward pass kept in the list, block by block."""
    kept: list[Tensor] = []
    layers = [block.attn for block in net.encoder.body.blocks]
    before = [layer.fused_attn for layer in layers]

    def keep(_: nn.Module, __: Any, attention: Tensor) -> None:
        kept.append(attention)
        del kept[: -len(layers)]

    hooks = [layer.attn_drop.register_forward_hook(keep) for layer in layers]
    for layer in layers:
        layer.fused_attn = False
    try:
        yield kept
    finally:
        for layer, fused in zip(layers, before):
            layer.fused_attn = fused
        for hook in hooks:
            hook.remove()


def hybrid(maps: Tensor) -> Tensor:
    h, w = maps.shape[2:]
    total = 2 * F.adaptive_max_pool2d(maps, 1)
    for level in (1, 2, 8):
        cell = (h // level, w // level)
        total = total + F.adaptive_avg_pool2d(F.avg_pool2d(maps, cell, stride=cell), 1)
    return total / 5


def loc_contrast(whole: Tensor, local: Tensor, tags: Tensor) -> Tensor:
    """Every tag with every distance: over (B, 1, B, C, D)."""
    distance = ((whole[:, None] - local[None] + 1e-6) ** 2).sum(1).sqrt()  # (B, D)
    y, d = tags[:, None, None, :, None], distance[None, None, :, None, :]
    return (y * d**2 + (1 - y) * (1 - d).clamp(min=0) ** 2).mean()
