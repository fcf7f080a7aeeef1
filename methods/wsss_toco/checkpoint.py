"""ToCo's official checkpoints, model_iter_N.pth, under our names."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from wsss_cli.nets.weights.renaming import inverse, rename
from wsss_cli.single_stage.official import NAMES, load_network

UNUSED = ("encoder.head.", "proj_head_t.")
"""ImageNet's classifier, and the teacher's projection head, which only training needs."""


def load_official(net: nn.Module, path: Path | str, trust: bool = False) -> tuple[str, ...]:
    """Load model_iter_N.pth into a ToCo of the same transformer and classes; returns and raises as `load_network`."""
    return load_network(net, path, "ToCo", UNUSED, trust)


def official_name(key: str) -> str:
    """The official name of one of our keys."""
    return rename(key, inverse(NAMES))
