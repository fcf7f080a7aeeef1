"""What mmseg's backbones have otherwise than timm's of the same name and weights."""

from __future__ import annotations

from timm.layers import AvgPool2dSame
from torch import nn

from wsss_cli.nets.backbones import Backbone


def mmseg_edits(backbone: Backbone) -> None:
    """Turn timm's network into mmseg's: nothing for plain and C ResNets and ResNeXts, which are the same.

    resnet*d, resnest*, res2net*d: no pooling in the shortcut of a stage that keeps the resolution.
    """
    unpooled_shortcuts(backbone.body)


def unpooled_shortcuts(body: nn.Module) -> None:
    """No 2x2 pooling of stride 1 in the shortcuts of dilated stages."""
    for name, module in list(body.named_modules()):
        if isinstance(module, AvgPool2dSame):
            body.set_submodule(name, nn.Identity())
