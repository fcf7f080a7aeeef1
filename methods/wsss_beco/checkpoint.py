"""The authors' best_ckpt.pth, which holds both networks, under our names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from wsss_beco.nets import TwoNetworks
from wsss_cli.errors import WsssError
from wsss_cli.nets.weights.checking import Loaded
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.names.mmcls import RESNETD_SHORTCUT
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import Pairs, rename

RESNETD: Pairs = (
    ("stem_layer.conv1.", "conv1.0."),
    ("stem_layer.bn1.", "conv1.1."),
    ("stem_layer.conv2.", "conv1.3."),
    ("stem_layer.bn2.", "conv1.4."),
    ("stem_layer.conv3.", "conv1.6."),
    ("stem_layer.bn3.", "bn1."),
    *RESNETD_SHORTCUT,
)
"""The ResNet-D backbone -> timm's resnet*d."""

DEEPLAB: Pairs = (
    *((f"backbone.{theirs}", f"backbone.body.{ours}") for theirs, ours in RESNETD),
    ("backbone.", "backbone.body."),
    ("", "head."),
)
"""One network of the checkpoint -> a Segmenter with a resnet*d backbone and the head deeplabv3plus."""

NETWORKS = ("network1", "network2")


def load_official(net: TwoNetworks, path: Path | str, trust: bool = False) -> tuple[Loaded, ...]:
    """Fill both networks, of Net() with the classes of the file; what became of each key.

    Read without running code; `trust` (--trust-checkpoint) also reads a pickle that runs some.
    Raises WsssError if the file is another, or a tensor is missing, has another shape or has no place in the network.
    """
    states = from_official(read_weights(path, trust), str(path))
    return tuple(
        load_exactly(net.get_submodule(name), state, f"{name} of BECO", str(path))
        for name, state in zip(NETWORKS, states)
    )


def from_official(
    state: Mapping[str, Tensor], source: str = "the state dict"
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The two networks of BECO's best_ckpt.pth, as read_weights gives it, under the names of a Segmenter.

    Raises WsssError naming `source` and the first key that belongs to neither network, or the network that is missing.
    """
    nets: dict[str, dict[str, Tensor]] = {name: {} for name in NETWORKS}
    remedy = "pass a best_ckpt.pth of BECO, which holds network1 and network2"
    for key, value in state.items():
        net, _, name = key.partition(".")
        if net not in nets:
            raise WsssError(f"{source} is no official checkpoint of BECO: it holds '{key}'", remedy)
        nets[net][rename(name, DEEPLAB)] = value
    for name, net_state in nets.items():
        if not net_state:
            raise WsssError(f"{source} is no official checkpoint of BECO: it holds no {name}", remedy)
    return nets["network1"], nets["network2"]
