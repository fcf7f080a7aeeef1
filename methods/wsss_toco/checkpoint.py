"""ToCo's official checkpoints, model_iter_N.pth, under our names."""

from __future__ import annotations

import logging
from pathlib import Path

from torch import nn

from wsss_cli.nets.keymaps import Pairs, inverse, rename
from wsss_cli.nets.weights import load_exactly, read_weights

log = logging.getLogger("wsss")

NAMES: Pairs = (("encoder.", "encoder.body."),)
UNUSED = ("encoder.head.", "proj_head_t.")
"""ImageNet's classifier, and the teacher's projection head, which only training needs."""


def load_official(net: nn.Module, path: Path | str, trust: bool = False) -> tuple[str, ...]:
    """Load model_iter_N.pth into a ToCo of the same transformer and classes; returns the keys that are not used.

    Raises WsssError if the file is another, or a tensor is missing, has another shape or has no place in the network.
    """
    state = read_weights(path, trust)
    unused = tuple(k for k in state if k.startswith(UNUSED))
    found = load_exactly(net, {rename(k, NAMES): v for k, v in state.items() if k not in unused}, "ToCo", str(path))
    log.info("ToCo: %d tensors loaded from %s; not used: %s", len(found.matched), path, ", ".join(unused) or "none")
    return unused


def official_name(key: str) -> str:
    """The official name of one of our keys."""
    return rename(key, inverse(NAMES))
