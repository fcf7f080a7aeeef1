"""The table of decode heads, without torch: what `net.head` may be, and how each was published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsss_cli.method import load_object

if TYPE_CHECKING:
    from wsss_cli.nets.segmenter import Head


@dataclass(frozen=True)
class Decoder:
    """A decode head and the backbone that it was published on.

    head               "package.module:Class", built as Class(channels, strides, num_outputs, **options)
    paper              where it comes from
    output_stride      of the backbone, where the settings leave it open
    contract_dilation  of a dilated ResNet, likewise: see nets.backbones.uniform_dilation
    """

    head: str
    paper: str
    output_stride: int
    contract_dilation: bool = True

    def head_class(self) -> type[Head]:
        return load_object(self.head)


HEADS = {
    "deeplabv3plus": Decoder("wsss_cli.nets.deeplab:DeepLabV3Plus", "Chen et al. 2018", 16),
    "deeplabv2": Decoder("wsss_cli.nets.deeplabv2:DeepLabV2", "Chen et al. 2017", 8, contract_dilation=False),
    "segformer": Decoder("wsss_cli.nets.segformer:SegFormer", "Xie et al. 2021", 32),
}
"""Every decode head by name."""
