"""LOC-BE's network: the shared single-stage transformer, shown three kinds of pictures in a training step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from wsss_cli.nets.backbones.vit import Features
from wsss_cli.single_stage.network import Outputs, SingleStage
from wsss_locbe.pooling import hybrid_pool
from wsss_locbe.windows import by_size


class Crop(NamedTuple):
    """The same window of b images of the batch, `first` and those after it: (b, 3, h, w)."""

    first: int
    images: Tensor


class Views(NamedTuple):
    """What the network is shown beside B images, and the CAMs (B, C, H, W) in [0, 1]; nothing that is not needed.

    labelling  the CAMs that pseudo-labels come from
    inner      the auxiliary classifier's
    erased     (B, 3, H, W) images of which only the unsure region is left
    """

    labelling: Tensor | None = None
    inner: Tensor | None = None
    erased: Tensor | None = None
    crops: tuple[Crop, ...] = ()


class Seen(NamedTuple):
    """What the network says.

    whole        of the images
    erased_tags  (B, C) logits of the classes present in the erased ones, if there are any
    local        of each crop the class token (b, D)
    """

    whole: Outputs
    views: Views
    erased_tags: Tensor | None
    local: list[Tensor]


class LocBe(SingleStage):
    """Images -> `Seen`.

    All that a training step shows the network goes through one call, as DistributedDataParallel wants it: `look` makes
    the further views of what is seen in the images.  Tensor names are those of the released checkpoints but for
    `encoder.body.` and the unused `attn_proj.`.
    """

    def forward(  # type: ignore[override]
        self, images: Tensor, segment: bool, look: Callable[[Features], Views]
    ) -> Seen:
        whole = self.heads(self.encoder(images), segment)
        views = look(whole.features)
        erased = None if views.erased is None else self.hybrid_tag_logits(self.encoder(views.erased).patches)
        return Seen(whole, views, erased, self.class_tokens([crop.images for crop in views.crops]))

    def hybrid_tag_logits(self, patches: Tensor) -> Tensor:
        """`tag_logits` of hybrid-pooled features: (B, D, h, w) -> (B, C)."""
        return self.classifier(hybrid_pool(patches)).flatten(1)

    def class_tokens(self, crops: Sequence[Tensor]) -> list[Tensor]:
        """The class token (b, D) of each crop (b, 3, h, w); crops of one size in one pass."""
        tokens: dict[int, Tensor] = {}
        for same in by_size(crops):
            together = self.encoder(torch.cat([crops[i] for i in same])).cls
            tokens |= dict(zip(same, together.split([len(crops[i]) for i in same])))
        return [tokens[i] for i in range(len(crops))]
