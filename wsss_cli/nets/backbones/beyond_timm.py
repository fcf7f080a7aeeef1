"""The backbones that timm lacks: how to build them, and where their weights are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.caffe_resnet import CaffeResNet
from wsss_cli.nets.backbones.cgnet import CgNet
from wsss_cli.nets.backbones.fastscnn import FastScnn
from wsss_cli.nets.backbones.mit import MixTransformer
from wsss_cli.nets.backbones.scalenet import ScaleNet
from wsss_cli.nets.backbones.wideresnet38 import WideResNet38, from_main
from wsss_cli.nets.weights.renaming import mmseg_to_mit, to_caffe_resnet


@dataclass(frozen=True)
class Own:
    """A backbone that is not timm's.

    build       called as build(output_stride=..., **backbone_args); gives modules with timm's `feature_info`, whose
                children are registered in the order of use
    weights     address of published ImageNet weights; "" where there is none that a program may fetch
    ours        a published state dict -> the same tensors under our names
    classifier  prefixes of the tensors that published files have more than the backbone
    """

    build: Callable[..., nn.Module]
    weights: str
    ours: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    classifier: tuple[str, ...] = ("head.",)


def _mit(depths: tuple[int, ...], file: str, dims: tuple[int, ...] = (64, 128, 320, 512)) -> Own:
    folder = "https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/segformer"
    return Own(partial(MixTransformer, dims, depths), f"{folder}/{file}.pth", mmseg_to_mit)


def _caffe(blocks: tuple[int, ...], file: str) -> Own:
    folder = "https://download.openmmlab.com/pretrain/third_party"
    return Own(partial(CaffeResNet, blocks), f"{folder}/{file}.pth", to_caffe_resnet, ("fc.", "aspp."))


def _at_stride_8(network: Callable[..., nn.Module]) -> Own:
    """A network that ends at stride 8 and whose published files hold it under our names, without a classifier."""

    def build(output_stride: int = 32, **args: Any) -> nn.Module:
        if output_stride != 8:
            what = f"{network.__name__} ends at stride 8, not {output_stride}"
            raise WsssError(what, "leave net.output_stride unset")
        return network(**args)

    return Own(build, "", dict, ())


SEAM_HEAD = ("fc8.", "f8_3.", "f8_4.", "f9.")
"""What files of SEAM's networks hold beside the backbone."""


def _scalenet(name: str) -> Own:
    return Own(partial(ScaleNet, name), "", dict, ("fc.", *SEAM_HEAD))


OWN = {
    "resnet50_caffe": _caffe((3, 4, 6, 3), "resnet50_msra-5891d200"),
    "resnet101_caffe": _caffe((3, 4, 23, 3), "resnet101_msra-6cc46731"),
    "mit_b0": _mit((2, 2, 2, 2), "mit_b0_20220624-7e0fe6dd", dims=(32, 64, 160, 256)),
    "mit_b1": _mit((2, 2, 2, 2), "mit_b1_20220624-02e5a6a1"),
    "mit_b2": _mit((3, 4, 6, 3), "mit_b2_20220624-66e8bf70"),
    "mit_b3": _mit((3, 4, 18, 3), "mit_b3_20220624-13b1141c"),
    "mit_b4": _mit((3, 8, 27, 3), "mit_b4_20220624-d588d980"),
    "mit_b5": _mit((3, 6, 40, 3), "mit_b5_20220624-658746d9"),
    "fastscnn": _at_stride_8(FastScnn),
    "cgnet": _at_stride_8(CgNet),
    "scalenet50": _scalenet("scalenet50"),
    "scalenet101": _scalenet("scalenet101"),
    "scalenet152": _scalenet("scalenet152"),
    "wideresnet38": Own(WideResNet38, "", from_main, SEAM_HEAD),
}
"""Our backbones by name: ResNets in the Caffe form [He et al. 2016]; mit_b*, sizes of Xie et al. 2021, table 6."""
