"""The settings of a frozen CLIP. Imports no torch: configurations hold it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from wsss_cli import bounds
from wsss_cli.nets.normalisation import Pretrained
from wsss_cli.places import WEIGHTS

VIT_B16 = "vit_base_patch16_clip_quickgelu_224.openai"
"""OpenAI's ViT-B/16; timm's `vit_base_patch16_clip_224.openai` is the same weights with another activation."""


class ClipNet(Pretrained):
    """CLIP's visual transformer, frozen."""

    backbone: str = Field(VIT_B16, description="timm's name of CLIP's visual transformer")
    backbone_args: dict[str, Any] = Field({}, description="arguments of its constructor, e.g. {depth: 4}")
    pretrained: Annotated[str, WEIGHTS] = Field(
        "timm", description="timm: published weights, downloaded; none: random; or a FILE of OpenAI, open_clip or timm"
    )
    logit_scale: float = Field(
        100.0, gt=0, le=bounds.FACTOR, description="what cosines with names are multiplied by (OpenAI's CLIP)"
    )
