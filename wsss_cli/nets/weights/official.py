"""Official checkpoints of whole segmentation networks, loaded with every key accounted for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from wsss_cli.nets.weights.checking import Loaded
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import BECO_NETWORKS, Pairs, official_beco, official_deeplab_msc

log = logging.getLogger("wsss")


def load_official_beco(nets: Sequence[nn.Module], path: Path | str, trust: bool = False) -> tuple[Loaded, Loaded]:
    """Load best_ckpt.pth of BECO into its two networks, each a Segmenter of Net() with the classes of the file.

    Read without running code; `trust` (--trust-checkpoint) also reads a pickle that runs some.  Returns what became of
    each key, and logs the counts.  Raises WsssError if the file is another, or a tensor is missing, has another shape
    or has no place in the network.
    """
    one, two = (
        _load(net, state, f"{name} of BECO", str(path))
        for net, state, name in zip(
            nets, official_beco(read_weights(path, trust), str(path)), BECO_NETWORKS, strict=True
        )
    )
    return one, two


def load_official_msc(net: nn.Module, path: Path | str, trust: bool = False, more: Pairs = ()) -> Loaded:
    """Load a DeepLabV2-MSC of kazuto1011/deeplab-pytorch into a Segmenter of resnet101_caffe and deeplabv2.

    more  pairs of names for a network that holds further tensors.  Reads, returns and raises as load_official_beco.
    """
    return _load(net, official_deeplab_msc(read_weights(path, trust), str(path), more), "DeepLabV2-MSC", str(path))


def _load(net: nn.Module, state: dict[str, Tensor], what: str, source: str) -> Loaded:
    found = load_exactly(net, state, what, source)
    total = len(found.matched)
    log.info("%s: %d of %d tensors loaded from %s (0 missing, 0 unexpected)", what, total, total, source)
    return found
