"""Segmentation networks from their configuration, which with the number of outputs is all that rebuilding one needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from wsss_cli.config import Config

if TYPE_CHECKING:
    from wsss_cli.nets.segmenter import Segmenter


class Net(Config):
    """A backbone and a decode head."""

    backbone: str = Field("resnet101d", description="timm's name; ResNet-D 101 [BECO sec. 4.1, released code]")
    backbone_args: dict[str, Any] = Field({}, description="arguments of timm's constructor, e.g. {pad_type: same}")
    pretrained: str = Field("timm", description="timm: its weights on the hub; none: random; or a weights FILE")
    freeze_bn: bool = Field(False, description="the backbone's batch norms keep their statistics: for small batches")
    output_stride: Literal[8, 16, 32] = Field(16, description="stride of the last feature map [DeepLabV3+ sec. 4]")
    official_resnetd: bool = Field(
        True,
        description="resnet*d: dilations 2, 4, 8 in layer4 and no pooling in its shortcut [mmcls, as BECO trains it]",
    )
    head: Literal["deeplabv3plus"] = Field("deeplabv3plus", description="decode head [Chen et al. 2018]")
    aspp_rates: tuple[int, int, int] | None = Field(
        None,
        description="dilations of ASPP; null: 6, 12, 18 at stride 16 [Chen et al. 2018]; less for small crops: a tap "
        "that lies outside them is never trained, but then met in whole images",
    )
    width: int = Field(256, gt=0, description="channels of the head [Chen et al. 2018]; fewer for small machines")


def build_segmenter(net: Net, num_outputs: int, trust: bool = False) -> Segmenter:
    """The network of a configuration with `num_outputs` = K logits, its backbone pretrained as `net` says.

    To fill it from a checkpoint build it with pretrained="none".  `trust`: read a weights file that is a pickle with
    code.  Raises WsssError as its parts do.
    """
    from wsss_cli.nets.backbones import Backbone, freeze_batchnorm, mmcls_resnetd  # torch: only once a network is built
    from wsss_cli.nets.pretrained import load_pretrained
    from wsss_cli.nets.segmenter import HEADS, Segmenter

    backbone = Backbone(net.backbone, net.output_stride, args=net.backbone_args)
    if net.official_resnetd:
        mmcls_resnetd(backbone)
    load_pretrained(backbone, net.pretrained, trust)
    if net.freeze_bn:
        freeze_batchnorm(backbone)
    head = HEADS[net.head](backbone.channels, backbone.strides, num_outputs, net.width, net.aspp_rates)
    return Segmenter(backbone, head)
