"""The weights that PUF's released code saves (student.pth, teacher.pth), under our names."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from wsss_cli.nets.weights.checking import Loaded
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import Pairs, inverse, rename

OFFICIAL: Pairs = (
    ("encoder.mask_token", "encoder.mask_token"),
    ("encoder.cls_blocks.", "encoder.cls_blocks."),
    ("encoder.", "encoder.body."),
    ("top_classifier.", "classifier."),
    ("projector.last_layer.parametrizations.weight.original0", "projector.last_layer.weight_g"),  # newer torch's name
    ("projector.last_layer.parametrizations.weight.original1", "projector.last_layer.weight_v"),
)
"""The released code's names -> ours."""


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A released state dict under our names."""
    return {rename(key, OFFICIAL): value for key, value in state.items()}


def to_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The other way round: loads in the released code."""
    return {rename(key, inverse(OFFICIAL[:4])): value for key, value in state.items()}


def load_official(net: nn.Module, path: str, trust: bool = False) -> Loaded:
    """Fill the network from student.pth or teacher.pth; every tensor must fit, and none be left over.

    Raises WsssError naming the file and the first tensor that is missing, of another shape, or has no place.
    """
    return load_exactly(net, from_official(read_weights(path, trust)), "PUF's network", path)
