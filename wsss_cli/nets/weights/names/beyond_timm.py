"""The backbones that timm lacks under our names, as their released files and those of other code bases have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from wsss_cli.nets.backbones.wideresnet38 import from_main
from wsss_cli.nets.weights.names.caffe import to_caffe_resnet
from wsss_cli.nets.weights.names.mit import mmseg_to_mit

OURS: dict[str, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]] = {
    **dict.fromkeys(("resnet50_caffe", "resnet101_caffe"), to_caffe_resnet),
    **{f"mit_b{i}": mmseg_to_mit for i in range(6)},
    **dict.fromkeys(("fastscnn", "cgnet", "scalenet50", "scalenet101", "scalenet152"), dict),
    "wideresnet38": from_main,
}
"""By name of the backbone (nets.backbones.beyond_timm): a state dict -> the same tensors under our names."""
