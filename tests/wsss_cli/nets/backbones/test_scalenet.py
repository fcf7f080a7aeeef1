"""ScaleNet: its block against the released one, its sizes, maps that are smaller than a branch's pooling."""

from typing import Any

import pytest
import torch

from reference_vectors import vectors
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones import scalenet
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.backbones.scalenet import SABlock


@vectors("ppmg/sablock")
def test_block_equals_the_released_one(ref: dict[str, Any]) -> None:
    x, y = torch.tensor(ref["x"]), torch.tensor(ref["y"])
    state = {k.removeprefix("w::"): torch.tensor(v) for k, v in ref.items() if k.startswith("w::")}
    row = [int(n) for n in ref["structure"].flatten()]
    stride, width = x.shape[2] // y.shape[2], y.shape[1] // 4
    errors = []
    for dilation in (1, 2, 4):  # the file does not say which
        block = SABlock(x.shape[1], width, row, stride, dilation, shortcut="downsample.0.weight" in state).eval()
        found = block.load_state_dict(state, strict=False)
        assert not found.unexpected_keys and all(k.endswith("num_batches_tracked") for k in found.missing_keys)
        with torch.no_grad():
            errors.append((block(x) - y).abs().max().item())
    assert min(errors) <= 1e-5


@pytest.mark.parametrize(
    ("stride", "strides"), [(8, (2, 4, 8, 8, 8)), (16, (2, 4, 8, 16, 16)), (32, (2, 4, 8, 16, 32))]
)
def test_sizes(stride: int, strides: tuple[int, ...]) -> None:
    with torch.device("meta"):
        backbone = Backbone("scalenet101", stride)
    assert backbone.strides == strides and backbone.channels == (64, 256, 512, 1024, 2048)
    assert round(sum(p.numel() for p in backbone.parameters()) / 1e6, 2) == 52.74


def test_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scalenet.DEPTHS, "scalenet50", (1, 1, 1, 1))
    backbone = Backbone("scalenet50", 8).eval()
    with torch.no_grad():
        levels = backbone(torch.randn(1, 3, 64, 96))
    assert [(x.shape[1], *x.shape[2:]) for x in levels] == [
        (c, 64 // s, 96 // s) for c, s in zip(backbone.channels, backbone.strides)
    ]
    assert backbone.body.layer4[0].conv2["0"].dilation == (4, 4)  # the first block as well
    assert Backbone("scalenet50", 8, dilate=False).body.layer4[0].conv2["0"].dilation == (1, 1)


@pytest.mark.parametrize("size", [(5, 9), (9, 5), (1, 1), (7, 7)])
def test_maps_smaller_than_the_pooling(size: tuple[int, int]) -> None:
    block = SABlock(32, 8, [3, 2, 2, 1, 14]).eval()
    x = torch.randn(1, 32, *size)
    assert block(x).shape == x.shape


def test_a_single_cell_is_seen_by_1x1() -> None:
    assert SABlock(32, 8, [3, 2, 2, 1, 7]).conv2["3"].kernel_size == (1, 1)
    assert SABlock(32, 8, [3, 2, 2, 1, 14]).conv2["3"].kernel_size == (3, 3)


def test_output_strides_are_named() -> None:
    with pytest.raises(WsssError, match="no output stride 4"):
        Backbone("scalenet50", 4)
