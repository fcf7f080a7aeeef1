"""Segmentation networks: a backbone and a decode head."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.heads.head import Head
from wsss_cli.nets.heads.outputs import Map, Outputs


class Segmenter(nn.Module):
    """Images (B, 3, H, W) of any size -> logits (B, K, h, w) at the stride of the head's map.

    With `outputs` True (for training): all outputs by name, "main" first, with those of the auxiliary heads, each of
    whose losses weighs `auxiliary_weight`.  Under DDP a training must use every output that the network has.
    """

    def __init__(
        self, backbone: Backbone, head: Head, auxiliary: Sequence[Head] = (), auxiliary_weight: float = 0.4
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.auxiliary = nn.ModuleList(auxiliary)
        self.auxiliary_weight = auxiliary_weight

    def forward(self, images: Tensor, outputs: bool = False) -> Tensor | Outputs:
        levels = self.backbone(images)
        if not outputs:
            return self.head(levels)
        found: Outputs = self.head.outputs(levels)
        for i, head in enumerate(self.auxiliary, 1):
            name = "auxiliary" if len(self.auxiliary) == 1 else f"auxiliary{i}"
            found[name] = Map(head(levels), self.auxiliary_weight)
        return found

    def embeddings(self, images: Tensor) -> Tensor:
        """The features that the head's classifier sees: (B, D, h, w)."""
        return self.head.embeddings(self.backbone(images))
