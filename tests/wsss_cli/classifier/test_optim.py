"""The optimiser against the weights that the released one leaves."""

from typing import Any

import numpy as np
import torch
from torch import nn

from reference_vectors import vectors
from wsss_cli.classifier.optim import sgd
from wsss_cli.engine.schedules import poly


@vectors("beco/irn_poly_sgd")
def test_trajectory_is_the_released_one(ref: dict[str, Any]) -> None:
    weight = nn.Parameter(torch.from_numpy(ref["w0"].copy()))
    optimizer = sgd([([weight], ref["base_lr"])], ref["weight_decay"], ref["momentum"])
    for k, grad in enumerate(ref["grads"]):
        rate = ref["base_lr"] * poly(k, ref["max_step"])
        np.testing.assert_allclose(rate, ref["lr"][k], rtol=1e-6)
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = torch.from_numpy(grad)
        optimizer.step()
        np.testing.assert_allclose(weight.detach().numpy(), ref["weights"][k], rtol=0, atol=1e-5)


def test_frozen_parameters_are_left_out() -> None:
    frozen, free = nn.Parameter(torch.ones(1), requires_grad=False), nn.Parameter(torch.ones(1))
    groups = sgd([([frozen, free], 0.1), ([free.detach().requires_grad_()], 1.0)], 1e-4, 0.5).param_groups
    assert [len(g["params"]) for g in groups] == [1, 1]
    assert [g["lr"] for g in groups] == [0.1, 1.0]
    assert all(g["momentum"] == 0.5 and g["weight_decay"] == 1e-4 for g in groups)
