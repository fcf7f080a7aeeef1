"""A training step of EfficientNet-Lite0 on a CPU: its depthwise convolutions' gradients by oneDNN, and quickened.

python -m bench.depthwise
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.device import described
from bench.measure import CPU, in_turns
from bench.row import Row, table
from wsss_cli.nets.backbones.backbone import Backbone, freeze_batchnorm
from wsss_cli.nets.layers.depthwise import quicken

BATCH, SIDE, ROUNDS = 8, 193, 8  # sizes of the recipes `mobile`


def main() -> list[Row]:
    torch.set_num_threads(1)
    images = torch.randn(BATCH, 3, SIDE, SIDE).to(memory_format=torch.channels_last)
    theirs, ours = _net(), _net()
    quicken(ours)
    quick, plain = in_turns([lambda: _step(ours, images), lambda: _step(theirs, images)], ROUNDS)
    note = f"EfficientNet-Lite0 at stride 16, frozen up to stride 4, {BATCH} x {SIDE}, forward and backward"
    return [Row("training step, seconds", quick, plain, plain / quick, note)]


def _net() -> nn.Module:
    net = Backbone("tf_efficientnet_lite0", output_stride=16).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    freeze_batchnorm(net, affine=True)
    net.freeze(net.level(4))
    return net.train()


def _step(net: nn.Module, images: Tensor) -> None:
    net.zero_grad()
    sum(level.square().mean() for level in net(images) if level.requires_grad).backward()


if __name__ == "__main__":
    print(described(CPU), table(main()), sep="\n")
