"""The names that other code bases give to the tensors of our networks, as pairs of prefixes.

A map is a tuple of (their prefix, our prefix); the first that fits a key is replaced, a key that none fits stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

Pairs = tuple[tuple[str, str], ...]

RESNETD_SHORTCUT: Pairs = (
    ("layer1.0.downsample.0.", "layer1.0.downsample.1."),
    ("layer1.0.downsample.1.", "layer1.0.downsample.2."),
)
"""timm keeps an Identity where released code has nothing, so the convolution is one further."""

MMCLS_RESNETD: Pairs = (
    ("stem.0.conv.", "conv1.0."),
    ("stem.0.bn.", "conv1.1."),
    ("stem.1.conv.", "conv1.3."),
    ("stem.1.bn.", "conv1.4."),
    ("stem.2.conv.", "conv1.6."),
    ("stem.2.bn.", "bn1."),
    *RESNETD_SHORTCUT,
)
"""mmcls' ResNetV1d -> timm's resnet*d."""

MMSEG_MIT_BLOCK: Pairs = (
    ("attn.attn.out_proj.", "attn.proj."),
    ("ffn.layers.0.", "mlp.fc1."),
    ("ffn.layers.1.", "mlp.dwconv.dwconv."),
    ("ffn.layers.4.", "mlp.fc2."),
)
"""Within a block: mmseg's MixVisionTransformer -> the released SegFormer, whose names are ours."""


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


def rename(key: str, pairs: Pairs) -> str:
    """The key with the first fitting prefix replaced."""
    for theirs, ours in pairs:
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    return key


def inverse(pairs: Pairs) -> Pairs:
    """The map in the other direction."""
    return tuple((ours, theirs) for theirs, ours in pairs)


def mmcls_to_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An mmcls ResNetV1d classifier (backbone.*, head.fc.*) under timm's names; any other state dict as it is."""
    if "backbone.stem.0.conv.weight" not in state:
        return dict(state)
    plain = {k.removeprefix("backbone.").replace("head.fc.", "fc."): v for k, v in state.items()}
    return {rename(k, MMCLS_RESNETD): v for k, v in plain.items()}


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


def mmseg_to_mit(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """mmseg's MixVisionTransformer under the names of the released SegFormer; any other state dict as it is."""
    if "layers.0.0.projection.weight" not in state:
        return dict(state)
    ours: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.startswith("layers."):
            ours |= _mit_tensors(key, value)
        else:
            ours[key] = value
    return ours


def _mit_tensors(key: str, value: Tensor) -> dict[str, Tensor]:
    """One tensor of mmseg's stage "layers.S": its patch embedding (part 0), blocks (1) or norm (2)."""
    _, stage, part, rest = key.split(".", 3)
    n = int(stage) + 1
    if part != "1":
        first = f"patch_embed{n}" if part == "0" else f"norm{n}"
        return {f"{first}.{rest.replace('projection.', 'proj.')}": value}
    block, _, name = rest.partition(".")
    where = f"block{n}.{block}"
    if name.startswith("attn.attn.in_proj_"):  # queries, keys and values in one
        kind, dim = name.removeprefix("attn.attn.in_proj_"), value.shape[0] // 3
        return {f"{where}.attn.q.{kind}": value[:dim], f"{where}.attn.kv.{kind}": value[dim:]}
    name = rename(name, MMSEG_MIT_BLOCK)
    linear = name in ("mlp.fc1.weight", "mlp.fc2.weight")  # a 1x1 convolution there: (out, in, 1, 1)
    return {f"{where}.{name}": value.flatten(1) if linear else value}
