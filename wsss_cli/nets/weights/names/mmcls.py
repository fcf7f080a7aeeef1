"""mmcls' ResNetV1d under timm's names."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from wsss_cli.nets.weights.renaming import Pairs, rename

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


def mmcls_to_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An mmcls ResNetV1d classifier (backbone.*, head.fc.*) under timm's names; any other state dict as it is."""
    if "backbone.stem.0.conv.weight" not in state:
        return dict(state)
    plain = {k.removeprefix("backbone.").replace("head.fc.", "fc."): v for k, v in state.items()}
    return {rename(k, MMCLS_RESNETD): v for k, v in plain.items()}
