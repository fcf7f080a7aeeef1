"""A backbone's tensors, whoever saved them, under our names."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from wsss_cli.nets.weights.names.lite import lite_to_timm
from wsss_cli.nets.weights.names.mmcls import mmcls_to_timm
from wsss_cli.nets.weights.names.mmseg import mmseg_backbone


def backbone_names(name: str, body: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names of the whole network, timm's or ours, for a file of any of the code bases that are known here."""
    return mmcls_to_timm(mmseg_backbone(name, body, lite_to_timm(name, state)))


def extractor_names(body: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The whole model's names turned into those of timm's feature extractor, which flattens outer Sequentials."""
    theirs = {full: own for own in body.state_dict() if (full := _full_name(own, state))}
    return {theirs.get(k, k): v for k, v in state.items()}


def _full_name(own: str, state: Mapping[str, Tensor]) -> str | None:
    """The whole model's name of an extractor's key: itself, "stages.0..." for "stages_0...", or without "body."."""
    first, dot, rest = own.partition(".")
    split = (first[:i] + "." + first[i + 1 :] + dot + rest for i, c in enumerate(first) if c == "_")
    return next((k for k in (own, *split, own.removeprefix("body.")) if k in state), None)
