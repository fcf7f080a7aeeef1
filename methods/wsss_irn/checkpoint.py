"""IRN's official checkpoints, res50_cam.pth and res50_irn.pth, under our names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from wsss_cli.classifier.network import Classifier
from wsss_cli.errors import WsssError
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import Pairs, inverse, rename
from wsss_irn.nets import IrnNet

CAM: Pairs = (("resnet50.", "backbone.body."),)

IRN: Pairs = (
    ("resnet50.", "backbone.body."),
    *((f"fc_edge{i}.", f"boundary.levels.{i - 1}.") for i in range(1, 6)),
    ("fc_edge6.", "boundary.out."),
    *((f"fc_dp{i}.", f"displacement.levels.{i - 1}.") for i in range(1, 6)),
    ("fc_dp6.", "displacement.deep."),
    ("fc_dp7.", "displacement.out."),
    ("mean_shift.", "displacement.mean_shift."),
)

# IRN keeps its layers in several containers, so torch saves the same tensors under several names
ALIAS = re.compile(r"(stage\d|backbone\.\d|newly_added|edge_layers|dp_layers|fc_dp7\.4)\.")
BUFFER = re.compile(r"path_indices\d+$|disp_target$")


@dataclass(frozen=True)
class Keys:
    """An official state dict taken apart: tensors under our names, names of aliases, names of buffers of the loss."""

    used: dict[str, Tensor]
    aliases: tuple[str, ...]
    buffers: tuple[str, ...]


def sort_keys(state: Mapping[str, Tensor], pairs: Pairs, source: str) -> Keys:
    """Account for every key.  Raises WsssError naming the first that is neither used, an alias nor a buffer."""
    aliases = tuple(k for k in state if ALIAS.match(k))
    buffers = tuple(k for k in state if BUFFER.match(k))
    used = {k: v for k, v in state.items() if k not in {*aliases, *buffers}}
    known = (*(theirs for theirs, _ in pairs), "classifier.")
    strange = [k for k in used if not k.startswith(known)]
    if strange:
        raise WsssError(f"{source} is no official checkpoint of IRN: key '{strange[0]}'", "check which file you pass")
    return Keys({rename(k, pairs): v for k, v in used.items()}, aliases, buffers)


def official_name(key: str, pairs: Pairs) -> str:
    """The official name of one of our keys."""
    return rename(key, inverse(pairs))


def load_official_cam(net: Classifier, path: Path | str, trust: bool = False) -> Keys:
    """Load res50_cam.pth into a Classifier with a resnet50.  Raises WsssError if it is another file or class count."""
    return _load(net, path, CAM, "CAM net", trust)


def load_official_irn(net: IrnNet, path: Path | str, trust: bool = False) -> Keys:
    """Load res50_irn.pth into an IrnNet with a resnet50.  Raises WsssError if it is another file."""
    return _load(net, path, IRN, "IRN net", trust)


def _load(net: nn.Module, path: Path | str, pairs: Pairs, what: str, trust: bool) -> Keys:
    keys = sort_keys(read_weights(path, trust), pairs, str(path))
    load_exactly(net, keys.used, what, str(path), keys.aliases + keys.buffers)
    return keys
