"""Segmentation networks: a backbone and a decode head."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.heads.outputs import Map, Outputs


class Head(nn.Module):
    """Feature maps of a backbone, fine to coarse -> logits (B, K, h, w).

    A head is built as Class(channels, strides, num_outputs, **options) from the backbone's `channels` and `strides`,
    sets `classifier` (or says otherwise how to `classify`) and gives what the classifier sees.  Its options have
    defaults: those of the publication.  One that learns from more than its prediction says so in `outputs`.
    """

    classifier: nn.Module

    def embeddings(self, levels: Sequence[Tensor]) -> Tensor:
        """What the classifier sees: (B, D, h, w)."""
        raise NotImplementedError

    def classify(self, embeddings: Tensor) -> Tensor:
        """Logits (B, K, h, w) of (B, D, h, w)."""
        return self.classifier(embeddings)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        return self.classify(self.embeddings(levels))

    def outputs(self, levels: Sequence[Tensor]) -> Outputs:
        """All that the head learns by, "main" first."""
        return {"main": Map(self(levels))}


def level_of_stride_4(strides: Sequence[int], head: str, choice: str) -> int:
    """Which of a backbone's levels has stride 4.  Raises WsssError naming the head, and a backbone that has one."""
    if 4 not in strides:
        raise WsssError(f"{head} needs a level of stride 4, not only {tuple(strides)}", f"choose {choice}")
    return strides.index(4)


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
