"""A classifier whose class maps are CAMs."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.classifier.config import Network
from wsss_cli.nets.backbones.backbone import Backbone, freeze_batchnorm


class Classifier(nn.Module):
    """Classifier whose class maps are CAMs: backbone, 1x1 convolution without bias, mean.

    `detach`: nothing up to the stride-8 level (layer2) trains [released IRN]; otherwise only the stem is fixed [ReCAM's
    variant, used for COCO].  `freeze_bn`: batch norm keeps the statistics of the pretraining; gamma and beta train.
    The paper's backbone: Backbone("resnet50.tv_in1k", output_stride=16, dilate=False).
    """

    def __init__(self, backbone: Backbone, num_classes: int, detach: bool = True, freeze_bn: bool = True) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = nn.Conv2d(backbone.channels[-1], num_classes, 1, bias=False)
        if freeze_bn:
            freeze_batchnorm(backbone)
        if detach:
            backbone.freeze(backbone.level(8))
        elif freeze_bn and 2 in backbone.strides:  # else the backbone starts from nothing, and all of it learns
            backbone.freeze(backbone.level(2))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, C) of images (B, 3, H, W)."""
        features = self.backbone(images)[-1]  # (B, D, h, w)
        return self.classifier(F.adaptive_avg_pool2d(features, 1)).flatten(1)  # (B, C)

    def cams(self, images: Tensor) -> Tensor:
        """Class maps (B, C, h, w) before the ReLU."""
        return self.classifier(self.backbone(images)[-1])


def build(config: Network, num_classes: int) -> Classifier:
    """The classification network with random weights."""
    return Classifier(build_backbone(config), num_classes, detach=config.detach, freeze_bn=config.freeze_bn)


def build_backbone(config: Network) -> Backbone:
    """Stride 16, random weights."""
    return Backbone(
        config.backbone,
        output_stride=16,
        dilate=config.dilate,
        args=config.backbone_args,
        normalise=config.normalisation(),
    )
