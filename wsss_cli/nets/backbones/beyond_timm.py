"""The backbones that timm lacks: how to build them. Where their weights are stands in nets.weights.published."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.caffe_resnet import CaffeResNet
from wsss_cli.nets.backbones.cgnet import CgNet
from wsss_cli.nets.backbones.fastscnn import FastScnn
from wsss_cli.nets.backbones.mit import MixTransformer
from wsss_cli.nets.backbones.scalenet import ScaleNet
from wsss_cli.nets.backbones.wideresnet38 import WideResNet38

Build = Callable[..., nn.Module]


def _mit(depths: tuple[int, ...], dims: tuple[int, ...] = (64, 128, 320, 512)) -> Build:
    return partial(MixTransformer, dims, depths)


def _at_stride_8(network: Build) -> Build:
    """A network that ends at stride 8."""

    def build(output_stride: int = 32, **args: Any) -> nn.Module:
        if output_stride != 8:
            what = f"{network.__name__} ends at stride 8, not {output_stride}"
            raise WsssError(what, "leave net.output_stride unset")
        return network(**args)

    return build


BEYOND_TIMM: dict[str, Build] = {
    "resnet50_caffe": partial(CaffeResNet, (3, 4, 6, 3)),
    "resnet101_caffe": partial(CaffeResNet, (3, 4, 23, 3)),
    "mit_b0": _mit((2, 2, 2, 2), dims=(32, 64, 160, 256)),
    "mit_b1": _mit((2, 2, 2, 2)),
    "mit_b2": _mit((3, 4, 6, 3)),
    "mit_b3": _mit((3, 4, 18, 3)),
    "mit_b4": _mit((3, 8, 27, 3)),
    "mit_b5": _mit((3, 6, 40, 3)),
    "fastscnn": _at_stride_8(FastScnn),
    "cgnet": _at_stride_8(CgNet),
    "scalenet50": partial(ScaleNet, "scalenet50"),
    "scalenet101": partial(ScaleNet, "scalenet101"),
    "scalenet152": partial(ScaleNet, "scalenet152"),
    "wideresnet38": WideResNet38,
}
"""Our backbones by name: ResNets in the Caffe form [He et al. 2016]; mit_b*, sizes of Xie et al. 2021, table 6.

Called as build(output_stride=..., **backbone_args); each gives modules with timm's `feature_info`, whose children are
registered in the order of use.
"""
