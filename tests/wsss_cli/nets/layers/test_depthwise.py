import copy

import pytest
import torch
from torch import nn

from wsss_cli.nets.layers.depthwise import Depthwise, quicken


def conv(kernel=3, dilation=2, **other):
    padding = dilation * (kernel // 2)
    return nn.Conv2d(6, 6, kernel, **({"padding": padding, "dilation": dilation, "groups": 6} | other))


def gradients(net, x):
    x = x.clone().requires_grad_()
    out = net(x)
    (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return out.detach(), x.grad, *(p.grad for p in net.parameters())


@pytest.mark.parametrize("kernel, dilation", [(3, 2), (5, 2), (3, 3), (3, 4), (5, 1), (7, 1), (7, 4)])
@pytest.mark.parametrize("size", [(9, 9), (8, 7), (1, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_the_plain_ones(kernel, dilation, size, bias):
    torch.manual_seed(0)
    plain = conv(kernel, dilation, bias=bias)
    quick = copy.deepcopy(plain)
    quicken(quick)
    x = torch.randn(2, 6, *size).to(memory_format=torch.channels_last)
    assert type(quick) is Depthwise
    for ours, theirs in zip(gradients(quick, x), gradients(plain, x), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    assert quick.state_dict().keys() == plain.state_dict().keys()


@pytest.mark.parametrize(
    "other",
    [
        {"groups": 1},
        {"groups": 2},
        {"stride": 2},
        {"padding": 0},
        {"padding": "same"},
        {"padding_mode": "reflect"},
        {"dilation": (2, 1)},
        {"dilation": 1, "padding": 1},
        {"dilation": 6, "padding": 6},
    ],
)
def test_other_convolutions_stay(other):
    module = conv(**other)
    quicken(module)
    assert type(module) is nn.Conv2d


def test_where_no_gradient_is_wanted_it_is_the_plain_convolution():
    net = nn.Sequential(conv(), conv())
    quicken(net)
    net[0].requires_grad_(False)
    x = torch.randn(1, 6, 8, 8)
    net(x).sum().backward()
    assert net[0].weight.grad is None and net[1].weight.grad is not None
    with torch.no_grad():
        assert not net(x).requires_grad
    with torch.autocast("cpu", torch.bfloat16):
        assert net(x).dtype == torch.bfloat16
