"""ToCo's network: the single-stage network with a projection head for class tokens, and its teacher."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from wsss_cli.nets.backbones.vit import Features, ViT
from wsss_cli.nets.heads.largefov import LargeFov
from wsss_cli.nets.heads.projector import Projector
from wsss_cli.single_stage.build import build_decoder, build_encoder
from wsss_cli.single_stage.network import Outputs, SingleStage
from wsss_toco.config import Net


class Seen(NamedTuple):
    """What an iteration sees: the first view's outputs; without a second view, no more.

    tokens (2B, D) class tokens of the two views, without gradient, and student ((2 + n) B, P) the projection of these
    and of the local crops' ones; rows go view by view, within each image by image
    """

    out: Outputs
    tokens: Tensor | None
    student: Tensor | None


class ToCo(SingleStage):
    """Tensor names are those of the released checkpoints but for `encoder.body.`."""

    def __init__(self, encoder: ViT, decoder: LargeFov, num_classes: int, net: Net) -> None:
        super().__init__(encoder, decoder, num_classes)
        self.proj_head = Projector(encoder.dim, net.prototypes, net.hidden, net.bottleneck)

    def forward(  # type: ignore[override]  # of images alone it is a SingleStage
        self,
        images: Tensor,
        second: Tensor | None = None,
        cut: Callable[[Features], Tensor] | None = None,
        segment: bool = True,
    ) -> Seen:
        """The whole network of an iteration in one pass, as DDP wants it.

        The two views go through the encoder as one batch, which serves the classifiers, the decoder, the student and,
        without gradient, the teacher; the released code runs it three times.

        images, second (B, 3, H, W) the two views; cut: the first view's features -> local crops (n B, 3, s, s), crop by
        crop, for where they lie depends on the CAMs.
        """
        both = self.encoder(images if second is None else torch.cat([images, second]))
        features = Features(*(x[: len(images)] for x in both))
        out = self.heads(features, segment)
        if second is None or cut is None:
            return Seen(out, None, None)
        local = self.encoder(cut(features)).cls  # (n B, D)
        return Seen(out, both.cls.detach(), self.proj_head(torch.cat([both.cls, local])))


def build(net: Net, num_classes: int, trust: bool = False) -> ToCo:
    """The network for C classes, its transformer pretrained as `net` says."""
    encoder = build_encoder(net, trust)
    return ToCo(encoder, build_decoder(net, encoder.dim, num_classes), num_classes, net)


def make_teacher(net: ToCo) -> Projector:
    """A copy of the projection head that is not trained."""
    return copy.deepcopy(net.proj_head).requires_grad_(False)
