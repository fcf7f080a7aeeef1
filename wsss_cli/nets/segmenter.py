"""Segmentation networks: a backbone and a decode head."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones import Backbone


class Head(nn.Module):
    """Feature maps of a backbone, fine to coarse -> logits (B, K, h, w).

    A head is built as Class(channels, strides, num_outputs, **options) from the backbone's `channels` and `strides`,
    sets `classifier` and gives what the classifier sees.  Its options have defaults: those of the publication.
    """

    classifier: nn.Module

    def embeddings(self, levels: Sequence[Tensor]) -> Tensor:
        """What the classifier sees: (B, D, h, w)."""
        raise NotImplementedError

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        return self.classifier(self.embeddings(levels))


def level_of_stride_4(strides: Sequence[int], head: str, choice: str) -> int:
    """Which of a backbone's levels has stride 4.  Raises WsssError naming the head, and a backbone that has one."""
    if 4 not in strides:
        raise WsssError(f"{head} needs a level of stride 4, not only {tuple(strides)}", f"choose {choice}")
    return strides.index(4)


class Segmenter(nn.Module):
    """Images (B, 3, H, W) of any size -> logits (B, K, h, w) at the stride of the head's map."""

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.backbone(images))

    def embeddings(self, images: Tensor) -> Tensor:
        """The features that the head's classifier sees: (B, D, h, w)."""
        return self.head.embeddings(self.backbone(images))
