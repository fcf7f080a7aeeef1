"""DeepLabV3+: BECO's head, any size, a batch of one.  The whole network: test_official.py."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from reference_vectors import vectors
from wsss_cli.errors import WsssError
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.heads.deeplab import DeepLabV3Plus, PooledBatchNorm

MOBILE = Net(backbone="mobilenetv2_100", backbone_args={"pad_type": "same"}, pretrained="none")


def close(ours: Tensor, theirs: Any, tolerance: float) -> None:
    """Largest difference relative to the largest value."""
    theirs = torch.as_tensor(theirs)
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


@vectors("beco/head")
def test_head_equals_beco(ref: dict[str, Any]) -> None:
    state = {k.removeprefix("param:"): torch.tensor(v) for k, v in ref.items() if k.startswith("param:")}
    low, high = torch.tensor(ref["f1"]), torch.tensor(ref["f4"])
    width, low_width = state["aspp.projector.0.weight"].shape[0], state["projector.0.weight"].shape[0]
    channels, num_outputs = (low.shape[1], high.shape[1]), state["classifier.weight"].shape[0]
    head = DeepLabV3Plus(channels, (4, 16), num_outputs, width, low_width=low_width, dropout=0.0)
    head.load_state_dict(state)
    head.eval()
    logits = head([low, high])
    full = F.interpolate(logits, scale_factor=4, mode="bilinear", align_corners=False)
    close(head.aspp(high), ref["eval_aspp"], 1e-5)
    close(head.embeddings([low, high]), ref["eval_embeddings"], 1e-5)
    close(logits, ref["eval_pre_logits"], 1e-5)
    close(full[..., ::4, ::4], ref["eval_logits"], 1e-5)
    head.train()
    close(head([low, high]), ref["train_pre_logits"], 1e-5)
    after = head.state_dict()
    for key in (k for k in ref if k.startswith("after_train:")):
        close(after[key.removeprefix("after_train:")], ref[key], 1e-5)


def test_counts_of_becos_network() -> None:
    with torch.device("meta"):
        head = DeepLabV3Plus((256, 2048), (4, 16), 21)
    assert sum(p.numel() for p in head.parameters()) == 3_119_237
    assert len(head.state_dict()) == 710 - 636


def test_kaiming_fan_in() -> None:
    torch.manual_seed(0)
    head = DeepLabV3Plus((64, 512), (4, 16), 21)
    assert head.aspp.convs[0][0].weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.02)
    assert head.aspp.convs[1].convs[0].weight.std().item() == pytest.approx((2 / 9) ** 0.5, rel=0.05)


@pytest.mark.parametrize(("stride", "rates"), [(8, [12, 24, 36]), (16, [6, 12, 18]), (32, [3, 6, 9])])
def test_rates_keep_their_reach_in_pixels(stride: int, rates: list[int]) -> None:
    head = DeepLabV3Plus((8, 16), (4, stride), 2, width=4, low_width=2)
    assert [head.aspp.convs[i].convs[0].dilation[0] for i in (1, 2, 3)] == rates


@pytest.mark.parametrize("rates", [(1,), (2, 4), (1, 2, 3, 4)])
def test_any_number_of_rates(rates: tuple[int, ...]) -> None:
    head = DeepLabV3Plus((8, 16), (4, 16), 2, width=4, aspp_rates=rates, low_width=2)
    assert [branch.convs[0].dilation[0] for branch in list(head.aspp.convs)[1:-1]] == list(rates)
    assert head([torch.randn(2, 8, 8, 8), torch.randn(2, 16, 2, 2)]).shape == (2, 2, 8, 8)


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("size", [(64, 64), (65, 97), (17, 50)])
def test_any_size(stride: int, size: tuple[int, int]) -> None:
    net = build_segmenter(MOBILE.model_copy(update={"output_stride": stride}), 5).eval()
    with torch.no_grad():
        logits = net(torch.randn(1, 3, *size))
    assert logits.shape == (1, 5, (size[0] - 1) // 4 + 1, (size[1] - 1) // 4 + 1)


def test_one_image_trains() -> None:
    net = build_segmenter(MOBILE, 3).train()
    net(torch.randn(1, 3, 64, 64)).sum().backward()
    norm = net.head.aspp.convs[4].convs[2]
    assert norm.running_var.eq(1).all()  # a single value says nothing about the variance
    assert net.head.aspp.convs[4].convs[1].weight.grad.abs().sum() > 0
    net(torch.randn(2, 3, 64, 64))
    assert not norm.running_var.eq(1).all()


def test_pooled_norm_of_one_value_is_the_eval_norm() -> None:
    torch.manual_seed(0)
    norm, x = PooledBatchNorm(4), torch.randn(1, 4, 1, 1)
    norm(torch.randn(8, 4, 1, 1))
    assert torch.equal(norm(x), norm.eval()(x))


def test_no_level_of_stride_4() -> None:
    with pytest.raises(WsssError, match="stride 4"):
        DeepLabV3Plus((8, 16), (8, 16), 2)
