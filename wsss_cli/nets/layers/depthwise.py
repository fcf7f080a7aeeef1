"""Depthwise convolutions with a quick gradient on CPUs, if they are dilated or wider than 3x3.

oneDNN has kernels of its own for the backward pass of neither; of EfficientNet-Lite0 at stride 16 they took a quarter
to a third of a training step (torch 2.14; AVX-512 and AVX2).  Every `dilation`-th row and column is a map of its own,
on which the convolution is not dilated.  The gradient of a wide kernel is itself a depthwise convolution, of each map
by its gradient, and forward passes are quick at any width.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NARROW = 3  # the width up to which oneDNN's gradient of the weights is quick
MOST = 4  # beyond it, the maps are so many and small that nothing is won


def quicken(module: nn.Module) -> None:
    """Give such convolutions of a network that is to be trained on a CPU their quick gradient: in place, no new state,
    the same values but for the order in which the weights' gradients are summed."""
    for conv in module.modules():
        if type(conv) is nn.Conv2d and _fits(conv):
            conv.__class__ = Depthwise


class Depthwise(nn.Conv2d):
    """A convolution that `quicken` has found; in evaluation, under autocast and on GPUs like any other."""

    def forward(self, input: Tensor) -> Tensor:
        plain = not self.training or input.device.type != "cpu" or torch.is_autocast_enabled("cpu")
        if plain or not torch.is_grad_enabled():
            return super().forward(input)
        out = _Quick.apply(input, self.weight, self.dilation[0])
        return out if self.bias is None else out + self.bias[:, None, None]


def _fits(conv: nn.Conv2d) -> bool:
    """Whether it is depthwise, dilated alike in both directions, and keeps the size."""
    depthwise = conv.groups == conv.in_channels == conv.out_channels
    (tall, wide), dilation = conv.kernel_size, conv.dilation[0]
    same = conv.stride == (1, 1) and conv.padding == (dilation * (tall // 2),) * 2 and conv.padding_mode == "zeros"
    square = tall == wide and tall % 2 == 1 and conv.dilation[1] == dilation
    return depthwise and square and same and dilation <= MOST and (dilation > 1 or tall > NARROW)


class _Quick(torch.autograd.Function):
    """x (B, C, H, W), weight (C, 1, k, k) with k odd, dilation -> (B, C, H, W), zeros around."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        return _convolved(x, weight, dilation)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (grad,), (x, weight), d = grads, ctx.saved_tensors, ctx.dilation
        to_input = _convolved(grad, weight.flip(2, 3), d) if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return to_input, None, None
        to_weight = torch.zeros_like(weight)
        for i, j in product(range(min(d, x.shape[2])), range(min(d, x.shape[3]))):
            to_weight += _to_weight(grad[..., i::d, j::d], x[..., i::d, j::d], weight)
        return to_input, to_weight, None


def _convolved(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    return F.conv2d(x, weight, None, 1, dilation * (weight.shape[-1] // 2), dilation, x.shape[1])


def _to_weight(grad: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """The weights' gradient of the convolution that is not dilated."""
    (b, c, h, w), radius = x.shape, weight.shape[-1] // 2
    if weight.shape[-1] > NARROW:
        maps = F.conv2d(x.reshape(1, b * c, h, w), grad.reshape(b * c, 1, h, w), padding=radius, groups=b * c)
        return maps.view(b, *weight.shape).sum(0)
    around = [radius, radius]
    shape = None, [1, 1], around, [1, 1], False, [0, 0], c, [False, True, False]
    return torch.ops.aten.convolution_backward(_dense(grad), _dense(x), weight, *shape)[1]


def _dense(x: Tensor) -> Tensor:
    """Values without gaps, channels last: so this kernel is quickest."""
    return x.contiguous(memory_format=torch.channels_last)
