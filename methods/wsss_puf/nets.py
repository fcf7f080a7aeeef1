"""PUF's network: student in training, its teacher, and what `infer` and `seeds` use."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.heads.largefov import LargeFov
from wsss_cli.nets.heads.projector import Projector
from wsss_cli.single_stage.build import build_decoder, fill
from wsss_cli.single_stage.network import SingleStage, peaks
from wsss_puf.config import Net
from wsss_puf.encoder import GatheringViT, Tokens
from wsss_puf.masking import masked_tokens


class SecondView(NamedTuple):
    """What is compared with the first view of B images.

    images (B, 3, H, W) the second view; mask (B, h, w) bool, the patches of it that the student does not see;
    local (L B, 3, s, s) small views, the first ones of all images first, or None;
    classes, patches  which comparisons are wanted: of class tokens, of masked patches
    masked  how many patches are masked in every image; None: not known, or not the same in all
    """

    images: Tensor
    mask: Tensor
    local: Tensor | None = None
    classes: bool = True
    patches: bool = True
    masked: int | None = None


class Seen(NamedTuple):
    """What the student makes of its views.

    Of the first view: tags, inner_tags (B, C) logits; logits (B, K, h, w) or None; patches, inner (B, D, h, w) feature
    maps.
    Of the others, where they are wanted: classes (1 + L, B, P) scores of the class tokens, masked (M, P) those of the
    masked patches of all images, one image after the other.
    """

    tags: Tensor
    inner_tags: Tensor
    logits: Tensor | None
    patches: Tensor
    inner: Tensor
    classes: Tensor | None
    masked: Tensor | None


class SelfReinforced(SingleStage):
    """The single-stage network on a `GatheringViT`, with the head that compares tokens.

    Tensor names are those of the released checkpoints but for `encoder.body.` and `classifier`: see `checkpoint`.
    """

    encoder: GatheringViT

    def __init__(self, encoder: GatheringViT, decoder: LargeFov, projector: Projector, num_classes: int) -> None:
        super().__init__(encoder, decoder, num_classes)
        self.projector = projector

    def forward(self, images: Tensor, second: SecondView | None = None, segment: bool = True) -> Seen:  # type: ignore[override]
        """One training pass: images (B, 3, H, W) the first view."""
        n = len(images)
        tokens = self._tokens(images, second)
        patches, inner = self.encoder.maps(Tokens(tokens.last[:n], tokens.inner[:n], tokens.grid))
        return Seen(
            self.tag_logits(patches),
            self.aux_classifier(peaks(inner)).flatten(1),
            self.decoder(patches) if segment else None,
            patches,
            inner,
            *((None, None) if second is None else self._compared(tokens.last[n:], second)),
        )

    @torch.no_grad()
    def class_scores(self, images: Tensor) -> Tensor:
        """The teacher's scores of the class tokens: (B, 3, H, W) -> (B, P)."""
        return self.projector(self.encoder.gather(self.encoder.tokens(images).last))

    @torch.no_grad()
    def patch_scores(self, images: Tensor, mask: Tensor, masked: int | None = None) -> tuple[Tensor, Tensor]:
        """The teacher's scores of those patches that the student does not see (M, P); and the mean of all (1, P).

        images (B, 3, H, W), seen whole; mask (B, h, w) bool; masked as in `SecondView`.  The last layer is linear: the
        mean of its outputs is its output of the mean, so that it need not see them all.
        """
        patches = self.encoder.body.norm(self.encoder.tokens(images).last)  # (B, N, D)
        units = self.projector.bottleneck(patches)  # (B, N, d)
        mean = units.float().mean((0, 1))[None]  # (1, d)
        return self.projector.cosines(masked_tokens(units, mask, masked)), self.projector.cosines(mean)

    def patches(self, images: Tensor) -> Tensor:
        return self.encoder.maps(self.encoder.tokens(images))[0]

    @torch.no_grad()
    def cams(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.maps_of(*self.encoder.maps(self.encoder.tokens(images)))

    @torch.no_grad()
    def maps_of(self, patches: Tensor, inner: Tensor) -> tuple[Tensor, Tensor]:
        """Class activation maps before ReLU, of features that are there: (B, D, h, w) -> (B, C, h, w)."""
        return F.conv2d(patches, self.classifier.weight), self.inner_class_maps(inner)

    def comparing(self) -> list[nn.Parameter]:
        """The parameters that only self-distillation uses."""
        return [self.encoder.mask_token, *self.encoder.gathering(), *self.projector.parameters()]

    def _tokens(self, images: Tensor, second: SecondView | None) -> Tokens:
        """Of the first view and, in the same pass, of the second one, which is masked."""
        if second is None:
            return self.encoder.tokens(images)
        mask = torch.cat([torch.zeros_like(second.mask), second.mask])
        return self.encoder.tokens(torch.cat([images, second.images]), mask)

    def _compared(self, last: Tensor, second: SecondView) -> tuple[Tensor | None, Tensor | None]:
        """`Seen.classes` and `Seen.masked` of the second view's tokens (B, N, D); only what is wanted."""
        hidden = second.mask.flatten(1)  # (B, N)
        classes = masked = None
        if second.classes:
            tokens = [self.encoder.gather(last, ~hidden if self.encoder.gather_seen else None)]
            if second.local is not None:
                tokens.append(self.encoder.gather(self.encoder.tokens(second.local).last))
            classes = self.projector(torch.cat(tokens)).unflatten(0, (-1, len(last)))  # (1 + L, B, P)
        if second.patches:
            masked = self.projector(self.encoder.body.norm(masked_tokens(last, second.mask, second.masked)))  # (M, P)
        return classes, masked


def build(net: Net, num_classes: int, trust: bool = False) -> SelfReinforced:
    """The network for C classes, pretrained as `net` says.  Raises WsssError as its parts do."""
    args = {**net.backbone_args, "drop_path_rate": net.drop_path}
    encoder = GatheringViT(net.backbone, args, net.inner_block, net.gather_depth, net.gather_seen, net.normalisation())
    fill(encoder, net, trust)
    encoder.set_side(net.input_size)  # only now: timm would resample the pretrained positions otherwise than PUF
    p = net.projection
    projector = Projector(encoder.dim, p.outputs, p.hidden, p.bottleneck)
    return SelfReinforced(encoder, build_decoder(net, encoder.dim, num_classes), projector, num_classes)
