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
    backbones          those that it was published on, by our names
    """

    head: str
    paper: str
    output_stride: int
    contract_dilation: bool = True
    auxiliary: tuple[Auxiliary, ...] = ()
    mmseg: bool = False
    backbones: tuple[str, ...] = ()

    def head_class(self) -> type[Head]:
        return load_object(self.head)


RESNETS = ("resnet50c", "resnet101c")
HRNETS = ("hrnet_w18_small_v2", "hrnet_w18", "hrnet_w48")
MITS = tuple(f"mit_b{i}" for i in range(6))


def _mmseg(
    head: str,
    paper: str,
    output_stride: int = 8,
    auxiliary: tuple[Auxiliary, ...] = (Auxiliary(),),
    backbones: tuple[str, ...] = RESNETS,
) -> Decoder:
    where = f"wsss_cli.nets.heads.{head}"
    return Decoder(where, paper, output_stride, auxiliary=auxiliary, mmseg=True, backbones=backbones)


FIXED_STRIDES = {"hrnet": 32, "fastscnn": 8, "cgnet": 8, "wideresnet38": 8}
"""Of backbones, by the beginning of their names, that have but one output stride."""

HEADS = {
    "deeplabv3plus": Decoder(
        "wsss_cli.nets.heads.deeplab:DeepLabV3Plus", "Chen et al. 2018", 16, backbones=("resnet101d",)
    ),
    "deeplabv2": Decoder(
        "wsss_cli.nets.heads.deeplabv2:DeepLabV2",
        "Chen et al. 2017",
        8,
        contract_dilation=False,
        backbones=("resnet101",),
    ),
    "segformer": Decoder("wsss_cli.nets.heads.segformer:SegFormer", "Xie et al. 2021", 32, backbones=MITS),
    "fcn": _mmseg("fcn:Fcn", "Long et al. 2015"),
    "fcn_hr": _mmseg("fcn:JoinedFcn", "Wang et al. 2020", 32, auxiliary=(), backbones=HRNETS),
    "pspnet": _mmseg("psp:Psp", "Zhao et al. 2017"),
    "deeplabv3": _mmseg("aspp:DeepLabV3", "Chen et al. 2017b"),
    "deeplabv3plus_mmseg": _mmseg("aspp:DeepLabV3PlusMmseg", "Chen et al. 2018"),
    "psanet": _mmseg("psa:Psa", "Zhao et al. 2018"),
    "upernet": _mmseg("uper:UPer", "Xiao et al. 2018", 32),
    "nonlocal": _mmseg("nonlocal_:NonLocal", "Wang et al. 2018"),
    "encnet": _mmseg("enc:Enc", "Zhang et al. 2018"),
    "ccnet": _mmseg("cc:Cc", "Huang et al. 2019"),
    "danet": _mmseg("da:Da", "Fu et al. 2019"),
    "gcnet": _mmseg("gc:Gc", "Cao et al. 2019"),
    "ann": _mmseg("ann:Ann", "Zhu et al. 2019"),
    "ocrnet": _mmseg("ocr:Ocr", "Yuan et al. 2020", auxiliary=(), backbones=(*HRNETS, *RESNETS)),
    "fastscnn": _mmseg(
        "sepfcn:SeparableFcn",
        "Poudel et al. 2019",
        auxiliary=(Auxiliary(-2, 32), Auxiliary(-3, 32)),
        backbones=("fastscnn",),
    ),
    "semfpn": _mmseg("fpn:SemanticFpn", "Kirillov et al. 2019", 32, auxiliary=()),
    "pointrend": _mmseg("point:PointRend", "Kirillov et al. 2020", 32, auxiliary=()),
    "emanet": _mmseg("ema:Ema", "Li et al. 2019"),
    "dnlnet": _mmseg("nonlocal_:Dnl", "Yin et al. 2020"),
    "cgnet": _mmseg("fcn:Linear", "Wu et al. 2021", auxiliary=(), backbones=("cgnet",)),
}
"""Every decode head by name."""
