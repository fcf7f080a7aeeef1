"""Parameters and arithmetic of the networks, counted without computing anything: python -m wsss_cli.nets.sizes.measure"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from wsss_cli.errors import WsssError
from wsss_cli.files import write_text
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.config import Net, build_backbone, build_head
from wsss_cli.nets.heads.table import HEADS, HRNETS, MITS, RESNETS
from wsss_cli.nets.sizes.figures import FILE, OUTPUTS, SIDE, Figure

OTHERS = ("resnet50", "resnet101", "resnet101d", "resnext101_32x4d", "resnest101e", "res2net101d", "mobilenetv2_100")
WRITTEN = ("resnet50_caffe", "resnet101_caffe", "scalenet101", "wideresnet38")
BACKBONES = (*RESNETS, *OTHERS, *WRITTEN, "convnext_tiny", *HRNETS, *MITS, "fastscnn", "cgnet")
"""Those whose figures are kept."""


def measure(backbone: str, heads: Iterable[str] = HEADS) -> dict[str, Figure]:
    """The figures of each head that fits on the backbone, as it is built by default.

    Raises WsssError if there is no such backbone.
    """
    made: dict[Any, tuple[Backbone, list[Tensor], int]] = {}  # heads of one kind share the backbone
    found = {}
    for name in heads:
        net = Net(head=name, backbone=backbone, pretrained="none")
        kind = net.stride(), HEADS[name].mmseg, HEADS[name].contract_dilation
        if kind not in made:
            made[kind] = _levels(net)
        body, levels, operations = made[kind]
        try:
            with torch.device("meta"):
                head = build_head(net, body, OUTPUTS).eval()
        except WsssError:  # it needs a level that this backbone lacks
            continue
        params = sum(p.numel() for module in (body, head) for p in module.parameters())
        gflops = (operations + _count(head, levels)[0]) / 1e9
        found[name] = Figure(float(f"{params / 1e6:.2f}"), float(f"{gflops:.4g}"))
    return found


def _levels(net: Net) -> tuple[Backbone, list[Tensor], int]:
    with torch.device("meta"):
        body = build_backbone(net).eval()
        operations, levels = _count(body, torch.empty(1, 3, SIDE, SIDE))
    return body, levels, operations


def _count(module: torch.nn.Module, x: Any) -> tuple[int, Any]:
    """The operations of a forward pass, and its result."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        result = module(x)
    return counter.get_total_flops(), result


if __name__ == "__main__":
    rows = {name: {head: [f.params, f.gflops] for head, f in measure(name).items()} for name in BACKBONES}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(heads)}" for name, heads in rows.items())
    write_text(FILE, "{\n" + lines + "\n}\n")
