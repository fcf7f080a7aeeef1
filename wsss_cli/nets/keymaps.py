"""The names that other code bases give to the tensors of networks we take from timm, as pairs of prefixes.

A map is a tuple of (their prefix, our prefix); the first that fits a key is replaced, a key that none fits stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

Pairs = tuple[tuple[str, str], ...]

_SHORTCUT: Pairs = (  # timm keeps an Identity where these have nothing, so the convolution is one further
    ("layer1.0.downsample.0.", "layer1.0.downsample.1."),
    ("layer1.0.downsample.1.", "layer1.0.downsample.2."),
)

BECO_RESNETD: Pairs = (
    ("stem_layer.conv1.", "conv1.0."),
    ("stem_layer.bn1.", "conv1.1."),
    ("stem_layer.conv2.", "conv1.3."),
    ("stem_layer.bn2.", "conv1.4."),
    ("stem_layer.conv3.", "conv1.6."),
    ("stem_layer.bn3.", "bn1."),
    *_SHORTCUT,
)
"""BECO's ResNet-D backbone -> timm's resnet*d."""

MMCLS_RESNETD: Pairs = (
    ("stem.0.conv.", "conv1.0."),
    ("stem.0.bn.", "conv1.1."),
    ("stem.1.conv.", "conv1.3."),
    ("stem.1.bn.", "conv1.4."),
    ("stem.2.conv.", "conv1.6."),
    ("stem.2.bn.", "bn1."),
    *_SHORTCUT,
)
"""mmcls' ResNetV1d -> timm's resnet*d."""

BECO_DEEPLAB: Pairs = (
    *((f"backbone.{theirs}", f"backbone.body.{ours}") for theirs, ours in BECO_RESNETD),
    ("backbone.", "backbone.body."),
    ("", "head."),
)
"""One network of BECO's checkpoint -> a Segmenter with a resnet*d backbone and the head deeplabv3plus."""


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
