"""Caffe ResNets: deeplab-pytorch's names, which are ours, and torchvision's."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from wsss_cli.nets.weights.renaming import Pairs, rename

CAFFE_BLOCK: Pairs = (
    ("conv1.", "reduce.conv."),
    ("bn1.", "reduce.bn."),
    ("conv2.", "conv3x3.conv."),
    ("bn2.", "conv3x3.bn."),
    ("conv3.", "increase.conv."),
    ("bn3.", "increase.bn."),
    ("downsample.0.", "shortcut.conv."),
    ("downsample.1.", "shortcut.bn."),
)
"""Within a bottleneck: torchvision's names -> deeplab-pytorch's, which are ours for resnet*_caffe."""


def to_caffe_resnet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """deeplab-pytorch's networks, with "base." or without, or a ResNet under torchvision's names -> resnet*_caffe's.

    torchvision's own weights are of a network that strides elsewhere: only Caffe ones saved under such names fit well.
    """
    if "layer1.0.conv1.weight" not in state:
        return {key.removeprefix("base."): value for key, value in state.items()}
    return {_caffe_name(key): value for key, value in state.items()}


def _caffe_name(key: str) -> str:
    layer, _, rest = key.partition(".")
    if not layer.startswith("layer"):
        return rename(key, (("conv1.", "layer1.conv1.conv."), ("bn1.", "layer1.conv1.bn.")))
    block, _, name = rest.partition(".")
    return f"layer{int(layer[5:]) + 1}.block{int(block) + 1}.{rename(name, CAFFE_BLOCK)}"
