"""What mmseg's backbones have otherwise than timm's of the same name and weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from timm.layers import AvgPool2dSame
from timm.models.hrnet import HighResolutionModule
from torch import Tensor, nn

from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.layers.bricks import enlarge


def mmseg_form(backbone: Backbone) -> None:
    """Turn timm's network into mmseg's: nothing for plain and C ResNets and ResNeXts, which are the same.

    resnet*d, resnest*, res2net*d  no pooling in the shortcut of a stage that keeps the resolution
    hrnet*                         branches are enlarged bilinearly, to any size
    mobilenetv2*                   of a dilated stage the first block alone is dilated
    """
    unpooled_shortcuts(backbone.body)
    if backbone.name.startswith("hrnet"):
        bilinear_branches(backbone.body)
    if backbone.name.startswith("mobilenetv2"):
        for stage in backbone.body.blocks:
            dilated_at_first(stage)


def unpooled_shortcuts(body: nn.Module) -> None:
    """No 2x2 pooling of stride 1 in the shortcuts of dilated stages."""
    for name, module in list(body.named_modules()):
        if isinstance(module, AvgPool2dSame):
            body.set_submodule(name, nn.Identity())


class AnySizeModule(HighResolutionModule):  # type: ignore[misc]  # timm has no types
    """timm's, whose branches need not have sizes that are multiples of each other."""

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        x = [branch(y) for branch, y in zip(self.branches, x)]
        return [self.fuse_act(_sum_at(row, x, i)) for i, row in enumerate(self.fuse_layers)]


def _sum_at(layers: Any, x: Sequence[Tensor], i: int) -> Tensor:
    """The sum of all branches at the size of branch i."""
    first, *others = (enlarge(layer(y), x[i]) for layer, y in zip(layers, x))
    for other in others:
        first = first + other
    return first


def bilinear_branches(body: nn.Module) -> None:
    """In HRNet: enlarge by interpolation where timm repeats pixels."""
    for module in body.modules():
        if isinstance(module, HighResolutionModule) and module.num_branches > 1:
            module.__class__ = AnySizeModule  # the same parts, summed by another forward
        if isinstance(module, nn.Upsample):
            module.mode, module.align_corners = "bilinear", False


def dilated_at_first(stage: Sequence[Any]) -> None:
    """The depthwise convolution of the first block takes the stage's dilation, those of the others none."""
    convs = [block.conv_dw for block in stage]
    dilation = max(conv.dilation[0] for conv in convs)
    for i, conv in enumerate(convs):
        d = dilation if i == 0 else 1
        conv.dilation = (d, d)
        if conv.padding != (0, 0):  # 0: "same" padding, found at run time
            conv.padding = tuple(d * (k // 2) for k in conv.kernel_size)
