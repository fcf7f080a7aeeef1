"""WeCLIP's networks of the reference, and of tests that need no weights."""

from typing import Any

import torch
from torch import Tensor

from tiny_clip import state_of, tower_of
from wsss_cli.nets.weights import load_exactly
from wsss_weclip.checkpoint import trained_name
from wsss_weclip.config import Net
from wsss_weclip.nets import WeClip


def text(weights: dict[str, Any], coco: bool = False) -> tuple[Tensor, Tensor]:
    """The features of the classes' and of background's names."""
    names = ("fg_text_coco", "bg_text_coco") if coco else ("fg_text", "bg_text")
    classes, background = (torch.from_numpy(weights[name]) for name in names)
    return classes, background


def reference_network(weights: dict[str, Any], coco: bool = False, **settings: Any) -> WeClip:
    """The network of weights_<case>.npz."""
    width = len(weights["fuse.linear_fuse.bias"])
    net = Net(width=width, logit_scale=float(torch.tensor(weights["logit_scale"]).exp()), **settings)
    model = WeClip(tower_of(state_of(weights), weights["heads"]), None, net, text(weights, coco))
    fill(model, state_of(weights, "fuse."), "decoder_fts_fuse.")
    if not coco:  # the weights are of VOC's
        fill(model, state_of(weights, "decoder."), "decoder.")
    return model.eval()


def fill(model: WeClip, state: dict[str, Tensor], prefix: str) -> None:
    """Tensors after the released prefix into the part of the network that they are of."""
    ours = {trained_name(prefix + k): v for k, v in state.items()}
    part = next(iter(ours)).partition(".")[0]
    load_exactly(model.get_submodule(part), {k.removeprefix(f"{part}."): v for k, v in ours.items()}, part, "reference")
