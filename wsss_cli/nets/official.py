"""Official checkpoints of whole segmentation networks, loaded with every key accounted for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from wsss_cli.nets.keymaps import BECO_NETWORKS, official_beco
from wsss_cli.nets.weights import Loaded, load_exactly, read_weights

log = logging.getLogger("wsss")


def load_official_beco(nets: Sequence[nn.Module], path: Path | str, trust: bool = False) -> tuple[Loaded, Loaded]:
    """Load best_ckpt.pth of BECO into its two networks, each a Segmenter of Net() with the classes of the file.

    Read without running code; `trust` (--trust-checkpoint) also reads a pickle that runs some.  Returns what became of
    each key, and logs the counts.  Raises WsssError if the file is another, or a tensor is missing, has another shape
    or has no place in the network.
    """
    one, two = (
        _load(net, state, name, str(path))
        for net, state, name in zip(
            nets, official_beco(read_weights(path, trust), str(path)), BECO_NETWORKS, strict=True
        )
    )
    return one, two


def _load(net: nn.Module, state: dict, name: str, source: str) -> Loaded:
    found = load_exactly(net, state, f"{name} of BECO", source)
    total = len(found.matched)
    log.info("%s of BECO: %d of %d tensors loaded from %s (0 missing, 0 unexpected)", name, total, total, source)
    return found
