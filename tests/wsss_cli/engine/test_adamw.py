"""AdamW's groups, and its steps against the released code's."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from wsss_cli.engine.adamw import AdamW, adamw, factor


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"norm": nn.LayerNorm(3), "linear": nn.Linear(3, 2)})
        self.encoder.register_parameter("cls_token", nn.Parameter(torch.zeros(1, 1, 3)))
        self.encoder.register_parameter("pos_embed", nn.Parameter(torch.zeros(1, 4, 3), requires_grad=False))
        self.classifier = nn.Conv2d(2, 4, 1)


def groups(o: AdamW) -> list[tuple[float, float, int]]:
    return [(g["lr"], g["weight_decay"], len(g["params"])) for g in adamw(Net(), o).param_groups]


def test_groups() -> None:
    assert groups(AdamW()) == [(6e-5, 0.01, 5), (pytest.approx(6e-4), 0.01, 2)]
    some = groups(AdamW(decay="matrices", weight_decay=0.05))
    head = pytest.approx(6e-4)
    assert some == [(6e-5, 0.05, 1), (6e-5, 0.0, 4), (head, 0.05, 1), (head, 0.0, 1)]


def test_schedules() -> None:
    poly, cosine = factor(AdamW(), 20000), factor(AdamW(schedule="cosine", warm_up_ratio=0.1), 20000)
    assert (poly(0), cosine(0)) == (pytest.approx(1e-6), pytest.approx(0.1))
    assert poly(1500) == (1 - 1500 / 20000) ** 0.9 and cosine(1500) == 1


def test_steps_by_hand() -> None:
    net = Net()
    optimizer, weight = adamw(net, AdamW(lr=0.1, weight_decay=0.5)), net.classifier.weight
    before, gradient = weight.detach().clone(), torch.randn(weight.shape)
    weight.grad = gradient.clone()
    optimizer.step()
    expected: Any = before * (1 - 1.0 * 0.5) - 1.0 * gradient / (gradient.abs() + 1e-8)
    np.testing.assert_allclose(weight.detach(), expected, rtol=1e-5, atol=1e-6)
