"""Segmentation networks: a backbone and a decode head."""

from __future__ import annotations

from torch import Tensor, nn

from wsss_cli.nets.backbones import Backbone
from wsss_cli.nets.deeplab import DeepLabV3Plus

Head = DeepLabV3Plus
HEADS: dict[str, type[Head]] = {"deeplabv3plus": DeepLabV3Plus}
"""Decode heads by name, built as head(channels, strides, num_outputs, width); a second one makes `Head` a union."""


class Segmenter(nn.Module):
    """Images (B, 3, H, W) of any size -> logits (B, K, h, w), at stride 4 with deeplabv3plus."""

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.backbone(images))

    def embeddings(self, images: Tensor) -> Tensor:
        """The features that the head's classifier sees: (B, width, h, w)."""
        return self.head.embeddings(self.backbone(images))
