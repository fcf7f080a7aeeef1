"""Segmentation networks from their configuration, which with the number of outputs is all that rebuilding one needs."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from wsss_cli import bounds, ranges
from wsss_cli.errors import WsssError
from wsss_cli.nearest import nearest
from wsss_cli.nets.heads.table import FIXED_STRIDES, HEADS, Auxiliary, Decoder
from wsss_cli.nets.normalisation import Pretrained
from wsss_cli.places import WEIGHTS

if TYPE_CHECKING:
    from wsss_cli.nets.backbones.backbone import Backbone
    from wsss_cli.nets.backbones.vit import ViT
    from wsss_cli.nets.heads.head import Head
    from wsss_cli.nets.segmenter import Segmenter

AUXILIARY_WEIGHT = 0.4
"""Of an auxiliary head's loss beside the head's [Zhao et al. 2017, sec. 5.2]."""


def _known(head: str) -> str:
    if head not in HEADS:
        context = {"near": nearest(head, HEADS), "names": ", ".join(HEADS)}
        raise PydanticCustomError("unknown_head", "there is no such decode head, only {names}{near}", context)
    return head


class Net(Pretrained):
    """A backbone and a decode head."""

    backbone: str = Field("resnet101d", description="timm's name, or mit_b0 to mit_b5; ResNet-D 101 [BECO sec. 4.1]")
    backbone_args: dict[str, Any] = Field({}, description="arguments of its constructor, e.g. {pad_type: same}")
    pretrained: Annotated[str, WEIGHTS] = Field(
        "timm",
        description="timm: published weights, downloaded; none: random; or a weights FILE of the backbone, or of a "
        "whole network of mmseg",
    )
    freeze_bn: bool = Field(False, description="the backbone's batch norms keep their statistics: for small batches")
    freeze: int | None = Field(
        None,
        ge=0,
        le=64,
        description="no weights up to the backbone's level of this stride learn, which saves time; null: all learn",
    )
    output_stride: Literal[8, 16, 32] | None = Field(
        None,
        description="stride of the last feature map; null: as the head was published (docs/nets.md)",
    )
    official_resnetd: bool = Field(
        True,
        description="resnet*d: dilations 2, 4, 8 in layer4 and no pooling in its shortcut [mmcls, as BECO trains it]; "
        "with the heads of mmseg its backbones instead of timm's (docs/nets.md)",
    )
    contract_dilation: bool | None = Field(
        None,
        description="the first block of a ResNet's dilated stage has half its dilation [torchvision, mmseg]; null: "
        "true, but false for deeplabv2 [BECO, released code] and for res2net* under the heads of mmseg [PMM]",
    )
    head: Annotated[str, AfterValidator(_known)] = Field(
        "deeplabv3plus", description="decode head; `wsss nets` lists them all (docs/nets.md)"
    )
    head_args: dict[str, Any] = Field({}, description="arguments of the head's constructor, e.g. {dropout: 0.0}")
    auxiliary: float | None = Field(
        None,
        ge=0,
        le=bounds.FACTOR,
        description="weight of the loss of an auxiliary FCN head on the last map but one, in training alone; 0: none; "
        "null: 0.4 where the head was published with one [Zhao et al. 2017, mmseg]",
    )
    aspp_rates: tuple[ranges.Stride, ...] | None = Field(
        None,
        min_length=1,
        description="dilations of ASPP; null: 6, 12, 18 at stride 16 [Chen et al. 2018], deeplabv2: 6, 12, 18, 24 at "
        "stride 8; less for small crops: a tap that lies outside them is never trained, but then met in whole images",
    )
    width: int | None = Field(
        None,
        gt=0,
        le=bounds.CHANNELS,
        description="channels of the head; null: as published, mostly 256 or 512; fewer for small machines",
    )

    def stride(self) -> int:
        """The output stride: as set, or else the only one that the backbone has, or the head's."""
        only = next((stride for name, stride in FIXED_STRIDES.items() if self.backbone.startswith(name)), None)
        return self.output_stride or only or HEADS[self.head].output_stride


class StemNet(Pretrained):
    """The convolutional network of a hybrid, whose last map is what the transformer sees as patches."""

    backbone: str = Field("tf_efficientnet_lite0", description="timm's name; its last map has the stride of a patch")
    pretrained: Annotated[str, WEIGHTS] = Field(
        "timm", description="timm: published weights, downloaded; none: random; or a weights FILE"
    )
    frozen: bool = Field(True, description="it stays as pretrained, and only the transformer on it learns")


def build_segmenter(net: Net, num_outputs: int, trust: bool = False) -> Segmenter:
    """The network of a configuration with `num_outputs` = K logits, its backbone pretrained as `net` says.

    To fill it from a checkpoint build it with pretrained="none".  `trust`: read a weights file that is a pickle with
    code.  Raises WsssError as its parts do.
    """
    from wsss_cli.nets.segmenter import Segmenter  # torch: only once a network is built
    from wsss_cli.nets.weights.pretrained import load_segmenter

    backbone = build_backbone(net)
    head = build_head(net, backbone, num_outputs)
    auxiliary = build_auxiliary(net, backbone, num_outputs)
    segmenter = Segmenter(backbone, head, auxiliary, net.auxiliary or AUXILIARY_WEIGHT)
    load_segmenter(segmenter, net.pretrained, trust)
    return segmenter


def build_backbone(net: Net) -> Backbone:
    """The backbone with the edits that `net` asks for, its weights random."""
    from wsss_cli.nets.backbones.backbone import Backbone, freeze_batchnorm, mmcls_resnetd, uniform_dilation
    from wsss_cli.nets.backbones.mmseg import mmseg_form

    decoder = HEADS[net.head]
    raw = decoder.mmseg and net.backbone.startswith("hrnet")  # its branches as they are, not widened for classification
    args = ({"feature_location": ""} if raw else {}) | net.backbone_args
    backbone = Backbone(net.backbone, net.stride(), args=args, normalise=net.normalisation())
    if not _contracts(net, decoder):
        uniform_dilation(backbone)
    if net.official_resnetd:
        (mmseg_form if decoder.mmseg else mmcls_resnetd)(backbone)
    if net.freeze_bn:
        freeze_batchnorm(backbone)
    if net.freeze is not None:
        backbone.freeze(backbone.level(net.freeze))
    return backbone


def _contracts(net: Net, decoder: Decoder) -> bool:
    """Whether the first block of a dilated stage has half its dilation."""
    if net.contract_dilation is not None:
        return net.contract_dilation
    return decoder.contract_dilation and not (decoder.mmseg and net.backbone.startswith("res2net"))


def build_auxiliary(net: Net, backbone: Backbone, num_outputs: int) -> list[Head]:
    """The auxiliary heads; none if `net.auxiliary` is 0."""
    from wsss_cli.nets.heads.fcn import Fcn

    published = HEADS[net.head].auxiliary
    wanted = published if net.auxiliary is None else (published or (Auxiliary(),)) if net.auxiliary else ()
    shape = backbone.channels, backbone.strides, num_outputs
    widths = (min(a.width, net.width or a.width) for a in wanted)
    return [Fcn(*shape, width=w, num_convs=1, concat=False, level=a.level) for w, a in zip(widths, wanted)]


def build_head(net: Net, backbone: Backbone, num_outputs: int) -> Head:
    """The head on that backbone.

    Raises WsssError naming an option that the head has not, and those it has, and for a value that it cannot have.
    """
    make = HEADS[net.head].head_class()
    set_ = {"width": net.width, "aspp_rates": net.aspp_rates}
    options = {key: value for key, value in set_.items() if value is not None} | net.head_args
    known = list(inspect.signature(make).parameters)[3:]  # after channels, strides, num_outputs
    strange = next((key for key in options if key not in known), None)
    if strange is not None:
        what = f"decode head '{net.head}' has no option '{strange}'{nearest(strange, known)}"
        unset = f"; --set net.{strange}=null unsets what a recipe says" if strange in set_ else ""
        raise WsssError(what, f"its options are {', '.join(known)}{unset}")
    try:
        return make(backbone.channels, backbone.strides, num_outputs, **options)
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        what = f"cannot build decode head '{net.head}' with {options}: {error}"
        raise WsssError(what, "check head_args, width and aspp_rates") from error


def add_stem(vit: ViT, net: StemNet, trust: bool = False) -> None:
    """Let a transformer that has its weights see the maps of another network, pretrained as `net` says, as patches.

    Raises WsssError as its parts do.
    """
    from wsss_cli.nets.backbones.backbone import Backbone
    from wsss_cli.nets.backbones.stem import give_stem
    from wsss_cli.nets.weights.pretrained import load_pretrained

    backbone = Backbone(net.backbone, vit.patch, args=net.backbone_args, normalise=net.normalisation())
    load_pretrained(backbone, net.pretrained, trust)
    give_stem(vit, backbone, net.frozen)
