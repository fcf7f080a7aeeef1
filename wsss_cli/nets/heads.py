"""The table of decode heads, without torch: what `net.head` may be, and how each was published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsss_cli.method import load_object

if TYPE_CHECKING:
    from wsss_cli.nets.segmenter import Head


@dataclass(frozen=True)
class Auxiliary:
    """A head that only training has: one 3x3 convolution onto `width` channels on the backbone's map `level`."""

    level: int = -2
    width: int = 256


@dataclass(frozen=True)
class Decoder:
    """A decode head and the backbone that it was published on.

    head               "package.module:Class", built as Class(channels, strides, num_outputs, **options)
    paper              where it comes from
    output_stride      of the backbone, where the settings leave it open
    contract_dilation  of a dilated ResNet, likewise: see nets.backbones.uniform_dilation
    auxiliary          the auxiliary heads it is trained with, likewise
    mmseg              it is one of mmseg's, whose backbones differ from timm's: see nets.edits
    """

    head: str
    paper: str
    output_stride: int
    contract_dilation: bool = True
    auxiliary: tuple[Auxiliary, ...] = ()
    mmseg: bool = False

    def head_class(self) -> type[Head]:
        return load_object(self.head)


def _mmseg(head: str, paper: str, output_stride: int = 8, auxiliary: tuple[Auxiliary, ...] = (Auxiliary(),)) -> Decoder:
    return Decoder(f"wsss_cli.nets.zoo.{head}", paper, output_stride, auxiliary=auxiliary, mmseg=True)


HEADS = {
    "deeplabv3plus": Decoder("wsss_cli.nets.deeplab:DeepLabV3Plus", "Chen et al. 2018", 16),
    "deeplabv2": Decoder("wsss_cli.nets.deeplabv2:DeepLabV2", "Chen et al. 2017", 8, contract_dilation=False),
    "segformer": Decoder("wsss_cli.nets.segformer:SegFormer", "Xie et al. 2021", 32),
    "fcn": _mmseg("fcn:Fcn", "Long et al. 2015"),
    "pspnet": _mmseg("psp:Psp", "Zhao et al. 2017"),
}
"""Every decode head by name."""
