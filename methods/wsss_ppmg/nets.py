"""SEAM's network on any backbone: a classifier whose class maps are revised by a pixel correlation module."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.backbones.backbone import Backbone, freeze_batchnorm
from wsss_ppmg.config import SeamNetwork
from wsss_ppmg.correlation import revise, sharpened


class Maps(NamedTuple):
    """Class maps with the background first, and the same revised: (B, K, H, W) each, at the size of the images."""

    cam: Tensor
    revised: Tensor


class SeamNet(nn.Module):
    """Backbone, 1x1 classifier and pixel correlation module  [Wang et al., CVPR 2020].

    The module looks at the image and two levels before the last; gradients of it do not reach the backbone.
    The layers of the head are named as in the released files; none has a bias.

    levels   which of the backbone's levels they are; widths: their channels in the module
    dropout  share of the last level's channels that is left out before the classifier
    small    scale of the second view that training compares
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        levels: tuple[int, int] = (-3, -2),
        widths: tuple[int, int] = (64, 128),
        dropout: float = 0.0,
        small: float = 0.3,
    ) -> None:
        super().__init__()
        self.backbone, self.levels, self.small = backbone, levels, small
        low, high = (backbone.channels[i] for i in levels)
        self.fc8 = nn.Conv2d(backbone.channels[-1], num_classes + 1, 1, bias=False)
        self.f8_3 = nn.Conv2d(low, widths[0], 1, bias=False)
        self.f8_4 = nn.Conv2d(high, widths[1], 1, bias=False)
        self.f9 = nn.Conv2d(sum(widths) + 3, sum(widths), 1, bias=False)
        self.dropout = nn.Dropout2d(dropout)
        nn.init.xavier_uniform_(self.fc8.weight)
        nn.init.kaiming_normal_(self.f8_3.weight)
        nn.init.kaiming_normal_(self.f8_4.weight)
        nn.init.xavier_uniform_(self.f9.weight, gain=4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What training compares: class maps, the same revised, and both of the images at scale `small`.

        images (B, 3, H, W).  Returns (B, K, H, W) twice, (B, K, h, w) twice, h = int(small H).
        """
        size = [int(self.small * n) for n in images.shape[2:]]
        return *self.maps(images), *self.maps(_resized(images, size))

    def maps(self, images: Tensor) -> Maps:
        """Both kinds of class maps, at the size of the images."""
        cam, features = self.cam_and_features(images)
        revised = revise(sharpened(cam), features)
        return Maps(*(_resized(x.float(), images.shape[2:]) for x in (cam, revised)))

    def revised_maps(self, images: Tensor, classes: Tensor) -> Tensor:
        """The revised maps of some classes alone: images (B, 3, H, W), classes (n,) of 1..C -> (B, n, H, W)."""
        cam, features = self.cam_and_features(images)
        return _resized(revise(sharpened(cam)[:, classes], features).float(), images.shape[2:])

    def cam_and_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Class maps (B, K, h, w), and the features (B, D, h, w) that tell which of their pixels look alike."""
        levels = self.backbone(images)
        cam = self.fc8(self.dropout(levels[-1]))
        parts = [
            images,
            *(F.relu(f(levels[i].detach())) for f, i in zip((self.f8_3, self.f8_4), self.levels)),
        ]
        size = cam.shape[2:]
        return cam, self.f9(torch.cat([_resized(x, size) for x in parts], 1))


def build(config: SeamNetwork, num_classes: int, small: float = 0.3) -> SeamNet:
    """The network of a configuration with random weights, frozen where it says so."""
    wide = config.backbone == "wideresnet38"
    dilate = wide if config.dilate is None else config.dilate
    args = ({"last_dilation": 2} if wide else {}) | config.backbone_args  # 4 is that of the segmentation network
    own = config.normalisation()
    backbone = Backbone(config.backbone, config.output_stride, dilate=dilate, args=args, normalise=own)
    if config.freeze_bn:
        freeze_batchnorm(backbone, affine=True)
    if config.freeze is not None:
        backbone.freeze(backbone.level(config.freeze))
    return SeamNet(backbone, num_classes, config.levels, config.widths, config.dropout, small)


def _resized(x: Tensor, size: list[int] | torch.Size) -> Tensor:
    """Bilinear, align_corners True."""
    return x if list(x.shape[2:]) == list(size) else F.interpolate(x, size, mode="bilinear", align_corners=True)
