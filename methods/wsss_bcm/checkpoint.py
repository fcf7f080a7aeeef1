"""Official checkpoints of the phases: deeplab-pytorch's DeepLabV2-MSC and BCM's own."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from wsss_bcm.nets import Masked
from wsss_cli.nets.multi_scale import MultiScale
from wsss_cli.nets.weights.filling import Loaded
from wsss_cli.nets.weights.official import load_official_msc
from wsss_cli.nets.weights.renaming import Pairs

BCM: Pairs = (("aspp.bcm.", "bcm."),)
"""What BCM's network has more than DeepLabV2-MSC."""


def load_official(net: nn.Module, path: Path | str, trust: bool = False) -> Loaded:
    """Fill a phase's network from the authors' file: of deeplab-pytorch, or, with the masking branch, of BCM.

    Raises WsssError if the file is another, or a tensor is missing, has another shape or has no place in the network.
    """
    if isinstance(net, Masked):
        return load_official_msc(net, path, trust, BCM)
    return load_official_msc(net.net if isinstance(net, MultiScale) else net, path, trust)
