"""Official checkpoints of the phases: deeplab-pytorch's DeepLabV2-MSC and BCM's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from wsss_bcm.nets import Masked
from wsss_cli.errors import WsssError
from wsss_cli.nets.multi_scale import MultiScale
from wsss_cli.nets.weights.checking import Loaded
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import Pairs, rename

DEEPLAB_MSC: Pairs = (
    *((f"aspp.c{i}.", f"head.classifier.convs.{i}.") for i in range(4)),
    ("", "backbone.body."),
)
"""DeepLabV2 of deeplab-pytorch, without "base." -> a Segmenter with a resnet*_caffe backbone and the head deeplabv2."""

BCM: Pairs = (("aspp.bcm.", "bcm."), *DEEPLAB_MSC)
"""BCM's network, which has the masking branch more."""


def load_official(net: nn.Module, path: Path | str, trust: bool = False) -> Loaded:
    """Fill a phase's network from the authors' file: of deeplab-pytorch, or, with the masking branch, of BCM.

    Read without running code; `trust` (--trust-checkpoint) also reads a pickle that runs some.
    Raises WsssError if the file is another, or a tensor is missing, has another shape or has no place in the network.
    """
    pairs = BCM if isinstance(net, Masked) else DEEPLAB_MSC
    state = from_official(read_weights(path, trust), pairs, str(path))
    return load_exactly(net.net if isinstance(net, MultiScale) else net, state, "DeepLabV2-MSC", str(path))


def from_official(state: Mapping[str, Tensor], pairs: Pairs, source: str) -> dict[str, Tensor]:
    """A DeepLabV2-MSC as read_weights gives it, under our names.  Raises WsssError naming a key without "base."."""
    for key in state:
        if not key.startswith("base."):
            what = f"{source} is no DeepLabV2-MSC of deeplab-pytorch: it holds '{key}', not only 'base.'"
            raise WsssError(what, "weights to start from, such as its COCO initialisation, are net.pretrained=FILE")
    return {rename(key.removeprefix("base."), pairs): value for key, value in state.items()}
