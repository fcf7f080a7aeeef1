"""The optimiser against the weights that the released one leaves."""

import copy
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from reference_vectors import vectors
from wsss_cli import console
from wsss_cli.engine.adamw import AdamW
from wsss_cli.engine.adamw import factor as adamw_factor
from wsss_cli.engine.loop import Loop, Training, fit
from wsss_cli.engine.optimiser import Optimiser, factor, fuse, optimizer
from wsss_cli.engine.schedules import poly
from wsss_cli.ranks.distributed import Runtime


@vectors("beco/irn_poly_sgd")
def test_trajectory_is_the_released_one(ref: dict[str, Any]) -> None:
    weight = nn.Parameter(torch.from_numpy(ref["w0"].copy()))
    settings = Optimiser(lr=ref["base_lr"], weight_decay=ref["weight_decay"], momentum=ref["momentum"])
    trained = optimizer([([weight], settings.lr)], settings)
    for k, grad in enumerate(ref["grads"]):
        rate = ref["base_lr"] * poly(k, ref["max_step"])
        np.testing.assert_allclose(rate, ref["lr"][k], rtol=1e-6)
        trained.param_groups[0]["lr"] = rate
        weight.grad = torch.from_numpy(grad)
        trained.step()
        np.testing.assert_allclose(weight.detach().numpy(), ref["weights"][k], rtol=0, atol=1e-5)


def test_frozen_parameters_are_left_out() -> None:
    frozen, free = nn.Parameter(torch.ones(1), requires_grad=False), nn.Parameter(torch.ones(1))
    settings = Optimiser(lr=0.1, momentum=0.5)
    groups = optimizer([([frozen, free], 0.1), ([free.detach().requires_grad_()], 1.0)], settings).param_groups
    assert [len(g["params"]) for g in groups] == [1, 1]
    assert [g["lr"] for g in groups] == [0.1, 1.0]
    assert all(g["momentum"] == 0.5 and g["weight_decay"] == 1e-4 for g in groups)


def test_adamw_takes_the_rates_of_the_groups() -> None:
    settings = Optimiser(name="adamw", lr=1e-3, weight_decay=0.02, betas=(0.8, 0.9))
    made = optimizer(
        [([nn.Parameter(torch.ones(1))], 1e-3), {"params": [nn.Parameter(torch.ones(1))], "lr": 1e-2}], settings
    )
    assert isinstance(made, torch.optim.AdamW)
    assert [(g["lr"], g["weight_decay"], g["betas"]) for g in made.param_groups] == [
        (r, 0.02, (0.8, 0.9)) for r in (1e-3, 1e-2)
    ]


@pytest.mark.parametrize(
    ("schedule", "middle"), [("poly", 0.5**0.9), ("cosine", 0.5 + 0.5 * math.cos(math.pi * 40 / 90))]
)
def test_the_rate_rises_then_falls(schedule: str, middle: float) -> None:
    settings = Optimiser(warm_up=10, schedule=schedule)
    found = factor(settings, 100, lambda k: poly(k, 100))
    assert found(0) == 0 and found(5) == pytest.approx(0.5 * (poly(5, 100) if schedule == "poly" else 1))
    assert found(50) == pytest.approx(middle) and found(100) < 1e-9


def test_without_a_wish_the_schedule_is_the_released_one() -> None:
    found = factor(Optimiser(), 100, lambda k: poly(k, 100, every=10))
    assert [found(k) for k in range(101)] == [poly(k, 100, every=10) for k in range(101)]


def steps(trained: torch.optim.Optimizer, weight: nn.Parameter, count: int) -> list[float]:
    for _ in range(count):
        weight.grad = weight.detach() * 2 - 1
        trained.step()
    return weight.tolist()


def sgd() -> tuple[nn.Parameter, torch.optim.Optimizer]:
    weight = nn.Parameter(torch.arange(4.0))
    return weight, optimizer([([weight], 0.1)], Optimiser(lr=0.1, weight_decay=0.01))


def test_sgd_is_fused_on_a_gpu_alone_whatever_a_state_comes_from() -> None:
    """torch's fused SGD works on a CPU too, but adds in another order."""
    weight, plain = sgd()
    first, state = steps(plain, weight, 2), copy.deepcopy(plain.state_dict())
    wanted = steps(plain, weight, 2)
    for device, fused in (("cuda", True), ("cpu", False)):
        weight, other = sgd()
        with torch.no_grad():
            weight.copy_(torch.tensor(first))
        fuse(other, torch.device(device))
        other.load_state_dict(copy.deepcopy(state))  # of a CPU, or of an older version
        fuse(other, torch.device(device))
        assert [group["fused"] for group in other.param_groups] == [fused]
        np.testing.assert_allclose(steps(other, weight, 2), wanted, rtol=0, atol=1e-6 if fused else 0)
        state = copy.deepcopy(other.state_dict()) | {"state": state["state"]}  # now of a GPU


def test_a_first_step_that_the_scaler_skips_leaves_no_momentum() -> None:
    """torch's fused kernel, if the scaler leaves skipping to it, leaves momentum that was never written."""
    weight, trained = sgd()
    fuse(trained, torch.device("cuda"))
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    for grad, wanted in ((float("inf"), [0, 1, 2, 3]), (1.0, [-0.1, 0.899, 1.898, 2.897])):
        weight.grad = scaler.scale(torch.full((4,), grad))
        scaler.step(trained)
        scaler.update()
        np.testing.assert_allclose(weight.detach(), wanted, atol=1e-6)


def test_adamw_is_fused_on_either() -> None:
    trained = optimizer([([nn.Parameter(torch.ones(1))], 1e-3)], Optimiser(name="adamw"))
    fuse(trained, torch.device("cpu"))
    assert trained.param_groups[0]["fused"]


class Ones:
    """Sixteen images of one pixel."""

    def __len__(self) -> int:
        return 16

    def item(self, index: int, rng: np.random.Generator) -> torch.Tensor:
        return torch.ones(1)


@pytest.mark.parametrize(
    ("settings", "reached"),
    [
        (AdamW(warm_up=1500), "0.2 %"),
        (AdamW(warm_up=8, schedule="cosine", warm_up_ratio=0.1), "44 %"),
        (Optimiser(warm_up=8), "13 %"),
        (Optimiser(warm_up=8, schedule="cosine"), "38 %"),
        (AdamW(warm_up=4), ""),
        (Optimiser(warm_up=4), ""),
        (Optimiser(), ""),
    ],
)
def test_a_training_says_that_it_ends_before_the_rate_has_risen(
    tmp_path: Path, settings: AdamW | Optimiser, reached: str
) -> None:
    """Four iterations."""
    poly_of_4 = partial(poly, total=4)
    net = nn.Linear(1, 1)
    training = Training(
        model=net,
        step=lambda model, batch, k: {"loss": model(batch).mean()},
        optimizer=torch.optim.SGD(net.parameters(), lr=0.1),
        factor=adamw_factor(settings, 4) if isinstance(settings, AdamW) else factor(settings, 4, poly_of_4),
        data=Ones(),
        prepare=lambda batch, device: batch,
        meta={},
    )
    with console.logging_to(tmp_path / "log.txt"):
        fit(training, Loop(batch=4, epochs=1), Runtime(torch.device("cpu")), tmp_path, title="train", seed=0)
    said = (tmp_path / "log.txt").read_text()
    short = f"train: warm_up {settings.warm_up} is longer than the whole training, 4 iterations: the rate only reaches "
    assert (f"{short}{reached}" in said) == bool(reached) and said.count("warm_up") == bool(reached)
