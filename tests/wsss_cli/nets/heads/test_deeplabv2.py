"""DeepLabV2's head: ASPP as a sum."""

import pytest
import torch
import torch.nn.functional as F

from wsss_cli.nets.heads.deeplabv2 import DeepLabV2


def test_sum_of_four_dilated_convolutions() -> None:
    torch.manual_seed(0)
    head, x = DeepLabV2((4, 16), (4, 8), 5), torch.randn(2, 16, 40, 33)
    state, total = head.state_dict(), torch.zeros(2, 5, 40, 33)
    for i, rate in enumerate((6, 12, 18, 24)):
        padded = F.pad(x, [rate] * 4)
        for dy in range(3):
            for dx in range(3):
                tap = state[f"classifier.convs.{i}.weight"][:, :, dy, dx]  # (K, C)
                part = padded[:, :, dy * rate : dy * rate + 40, dx * rate : dx * rate + 33]
                total += torch.einsum("kc,bchw->bkhw", tap, part)
        total += state[f"classifier.convs.{i}.bias"][:, None, None]
    assert torch.equal(head.embeddings([x[:, :4], x]), x)
    assert torch.allclose(head([x[:, :4], x]), total, atol=1e-5)


def test_initial_weights_and_number() -> None:
    torch.manual_seed(0)
    head = DeepLabV2((2048,), (8,), 21)
    assert sum(p.numel() for p in head.parameters()) == 4 * (21 * 2048 * 9 + 21)
    weights = torch.cat([conv.weight.flatten() for conv in head.classifier.convs])
    assert weights.std().item() == pytest.approx(0.01, rel=0.01)
    assert weights.mean().item() == pytest.approx(0, abs=1e-4)
    assert all(conv.bias.eq(0).all() for conv in head.classifier.convs)


@pytest.mark.parametrize(("stride", "rates"), [(8, [6, 12, 18, 24]), (16, [3, 6, 9, 12]), (32, [1, 3, 4, 6])])
def test_rates_keep_their_reach_in_pixels(stride: int, rates: list[int]) -> None:
    assert [conv.dilation[0] for conv in DeepLabV2((8,), (stride,), 2).classifier.convs] == rates
