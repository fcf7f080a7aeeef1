"""Official checkpoints of whole networks, loaded with every key accounted for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from wsss_cli.nets.weights.checking import Loaded
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import Pairs, official_deeplab_msc

log = logging.getLogger("wsss")


def load_official(net: nn.Module, state: Mapping[str, Tensor], what: str, source: str) -> Loaded:
    """Fill the network with its authors' weights under our names, and log how many there are.

    what, source  of messages: the network and the file.  Returns what became of each key.
    Raises WsssError if a tensor is missing, has another shape or has no place in the network.
    """
    found = load_exactly(net, state, what, source)
    total = len(found.matched)
    log.info("%s: %d of %d tensors loaded from %s (0 missing, 0 unexpected)", what, total, total, source)
    return found


def load_official_msc(net: nn.Module, path: Path | str, trust: bool = False, more: Pairs = ()) -> Loaded:
    """Load a DeepLabV2-MSC of kazuto1011/deeplab-pytorch into a Segmenter of resnet101_caffe and deeplabv2.

    Read without running code; `trust` (--trust-checkpoint) also reads a pickle that runs some.
    more  pairs of names for a network that holds further tensors.  Returns and raises as `load_official`.
    """
    state = official_deeplab_msc(read_weights(path, trust), str(path), more)
    return load_official(net, state, "DeepLabV2-MSC", str(path))
