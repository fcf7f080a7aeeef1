"""Networks of mmseg under our names: backbone, head and auxiliary heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from wsss_cli.nets.weights.names.beyond_timm import OURS
from wsss_cli.nets.weights.renaming import Pairs, rename

if TYPE_CHECKING:
    from wsss_cli.nets.segmenter import Segmenter

DEEP_STEM: Pairs = (
    ("stem.0.", "conv1.0."),
    ("stem.1.", "conv1.1."),
    ("stem.3.", "conv1.3."),
    ("stem.4.", "conv1.4."),
    ("stem.6.", "conv1.6."),
    ("stem.7.", "bn1."),
)
"""mmseg's ResNetV1c, ResNetV1d and ResNeSt -> timm's resnet*c, resnet*d and resnest*."""

WHOLE: Pairs = (
    ("neck.", "head.neck."),
    ("decode_head.0.", "head.coarse."),  # of two heads in a row the first predicts coarsely
    ("decode_head.1.", "head."),
    ("decode_head.", "head."),
    *((f"auxiliary_head.{i}.", f"auxiliary.{i}.") for i in range(4)),
    ("auxiliary_head.", "auxiliary.0."),
)
"""A whole network of mmseg, but its backbone, -> a Segmenter."""


def is_mmseg(state: Mapping[str, Tensor]) -> bool:
    """Whether it is a whole network of mmseg."""
    return any(key.startswith("decode_head.") for key in state)


def whole_names(net: Segmenter, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A whole network of mmseg under the names of a Segmenter."""
    body = {key.removeprefix("backbone."): value for key, value in state.items() if key.startswith("backbone.")}
    body = mmseg_backbone(net.backbone.name, net.backbone.body, body)
    rest = {rename(key, WHOLE): value for key, value in state.items() if not key.startswith("backbone.")}
    return {f"backbone.body.{key}": value for key, value in body.items()} | rest


def mmseg_backbone(name: str, body: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A backbone of mmseg under our names of it; what already has them stays."""
    if name in OURS:
        return OURS[name](state)
    if "layer1.0.conv.0.conv.weight" in state:
        return {_mobilenet_name(key): value for key, value in state.items()}
    if "stem.7.weight" in state:
        state = {rename(key, DEEP_STEM): value for key, value in state.items()}
    own = body.state_dict()
    return {_shortcut_name(key, own, state): value for key, value in state.items()}


def _shortcut_name(key: str, own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """Where mmseg has no pooling in a shortcut timm keeps an Identity, so the convolution is one further."""
    before, found, after = key.partition(".downsample.")
    shifted = f"{before}.downsample.0.weight" in state and f"{before}.downsample.2.weight" in own
    if not (found and shifted):
        return key
    number, _, tensor = after.partition(".")
    return f"{before}.downsample.{int(number) + 1}.{tensor}"


def _mobilenet_name(key: str) -> str:
    """mmseg's MobileNetV2 -> timm's: layer1.0.conv.1.bn.weight -> blocks.0.0.bn2.weight."""
    if key.startswith("conv1."):
        return key.replace("conv1.conv.", "conv_stem.").replace("conv1.bn.", "bn1.")
    layer, block, _, number, kind, tensor = key.split(".")
    stage, n = int(layer.removeprefix("layer")) - 1, int(number)
    convs = ("conv_dw", "conv_pw") if stage == 0 else ("conv_pw", "conv_dw", "conv_pwl")
    return f"blocks.{stage}.{block}.{convs[n] if kind == 'conv' else f'bn{n + 1}'}.{tensor}"
