"""A transformer that classifies, localises and segments: the network that ToCo, LOC-BE and PUF share."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.backbones.vit import Features, ViT
from wsss_cli.nets.gate import gated
from wsss_cli.nets.heads.largefov import LargeFov


class Outputs(NamedTuple):
    """What the network says of B images: its features, and what the heads make of them.

    tags, inner_tags (B, C) logits of the classes present, from the last and from the inner block's features;
    logits (B, K, h, w) of the segmentation, None where it was not asked for
    """

    features: Features
    tags: Tensor
    inner_tags: Tensor
    logits: Tensor | None


class SingleStage(nn.Module):
    """Images (B, 3, H, W) -> `Outputs`.

    A class is present where it is strongest: global max pooling, then a linear classifier.  Its class activation map
    is that classifier at every cell.  The auxiliary classifier does the same with an inner block's features, which are
    not yet smoothed over.  [Ru et al. 2023, sec. 3]

    Tensor names are those of ToCo's checkpoints but for `encoder.body.`.
    """

    def __init__(self, encoder: ViT, decoder: LargeFov, num_classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.classifier = nn.Conv2d(encoder.dim, num_classes, 1, bias=False)
        self.aux_classifier = nn.Conv2d(encoder.dim, num_classes, 1, bias=False)

    def forward(self, images: Tensor, segment: bool = True) -> Outputs:
        return self.heads(self.encoder(images), segment)

    def heads(self, features: Features, segment: bool = True) -> Outputs:
        """The heads on features that are there already."""
        return Outputs(
            features,
            self.tag_logits(features.patches),
            self.aux_classifier(peaks(features.inner)).flatten(1),
            self.decoder(features.patches) if segment else None,
        )

    def tag_logits(self, patches: Tensor) -> Tensor:
        """(B, D, h, w) -> (B, C)."""
        return self.classifier(peaks(patches)).flatten(1)

    def patches(self, images: Tensor) -> Tensor:
        """The last block's patch tokens (B, D, h, w)."""
        return self.encoder(images).patches

    def segmentation(self, images: Tensor, gate: float | None = None) -> Tensor:
        """Logits (B, K, h, w); with a gate those of `gated`."""
        patches = self.patches(images)
        logits: Tensor = self.decoder(patches)
        return logits if gate is None else gated(logits, self.tag_logits(patches), gate)

    @torch.no_grad()
    def class_maps(self, features: Features) -> tuple[Tensor, Tensor]:
        """Class activation maps before ReLU of the last and of the inner block: (B, C, h, w) each."""
        return F.conv2d(features.patches, self.classifier.weight), self.inner_class_maps(features.inner)

    @torch.no_grad()
    def inner_class_maps(self, inner: Tensor) -> Tensor:
        """(B, D, h, w) -> (B, C, h, w)."""
        return F.conv2d(inner, self.aux_classifier.weight)

    @torch.no_grad()
    def cams(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """`class_maps` of images (B, 3, H, W)."""
        return self.class_maps(self.encoder(images))

    @torch.no_grad()
    def inner_cams(self, images: Tensor) -> tuple[Tensor]:
        """The second of `cams` alone, without the blocks that only the first needs."""
        return (self.inner_class_maps(self.encoder.inner(images)),)


def peaks(maps: Tensor) -> Tensor:
    """Global max pooling: (B, D, h, w) -> (B, D, 1, 1)."""
    return F.adaptive_max_pool2d(maps, 1)


class Segmentation(nn.Module):
    """The segmentation of a network alone, for `infer`: images (B, 3, H, W) -> logits (B, K, h, w).

    net   whose method `segmentation` gives them: a SingleStage, or a method's own
    gate  of a SingleStage's: `infer.gate`
    """

    def __init__(self, net: nn.Module, gate: float | None = None) -> None:
        super().__init__()
        self.net: Any = net
        self.gate = gate

    def forward(self, images: Tensor) -> Tensor:
        return self.net.segmentation(images) if self.gate is None else self.net.segmentation(images, self.gate)
