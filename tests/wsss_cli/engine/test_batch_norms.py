"""Statistics of batch norms taken anew: the mean over the batches given, of the norms that learn."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from processes import Forked, ended
from wsss_cli.engine import checkpoint
from wsss_cli.engine.batch_norms import renew_statistics
from wsss_cli.engine.loop import Loop, Training, fit
from wsss_cli.ranks.distributed import Runtime, process_group
from wsss_cli.testing import differences


def test_statistics_are_the_mean_over_the_batches() -> None:
    torch.manual_seed(0)
    learning, frozen = nn.BatchNorm2d(3), nn.BatchNorm2d(3).eval()
    learning(torch.randn(2, 3, 4, 4) + 5)  # what is forgotten
    batches = [torch.randn(2, 3, 4, 4) * (i + 1) + i for i in range(3)]
    renew_statistics(nn.ModuleList([learning, frozen]), batches, lambda batch: frozen(learning(batch)))
    means = torch.stack([batch.mean((0, 2, 3)) for batch in batches])
    variances = torch.stack([batch.var((0, 2, 3)) for batch in batches])
    torch.testing.assert_close(learning.running_mean, means.mean(0))
    torch.testing.assert_close(learning.running_var, variances.mean(0))
    assert learning.momentum == 0.1 and learning.weight.grad is None
    assert torch.equal(frozen.running_mean, torch.zeros(3))  # type: ignore[arg-type]


class Brightness:
    """Images of one colour each, 0 to 7."""

    def __len__(self) -> int:
        return 8

    def item(self, index: int, rng: np.random.Generator) -> dict[str, Tensor]:
        return {"image": torch.full((1, 2, 2), float(index))}


def trained(folder: Path, **loop: Any) -> dict[str, Tensor]:
    fit(training(), Loop(batch=4, epochs=1, **loop), Runtime(torch.device("cpu")), folder, title="", seed=0)
    return checkpoint.load(folder / "checkpoint.pt")["model"]


def training() -> Training:
    torch.manual_seed(0)
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 1, 1))
    return Training(
        model=net,
        step=lambda model, batch, k: {"loss": model(batch["image"]).square().mean()},
        optimizer=torch.optim.SGD(net.parameters(), lr=0.01),
        factor=lambda k: 1.0,
        data=Brightness(),
        prepare=lambda batch, device: batch,
        meta={},
    )


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_training_ends_with_them(tmp_path: Path, ema: float) -> None:
    """Two batches of four are the eight colours, whatever the order: mean 3.5; two steps of momentum 0.1 are not."""
    (plain := tmp_path / "plain").mkdir()
    (precise := tmp_path / "precise").mkdir()
    before, after = trained(plain, ema=ema), trained(precise, ema=ema, precise_bn=2)
    assert after["0.running_mean"].item() == pytest.approx(3.5) and before["0.running_mean"].item() < 1
    for name in ("0.weight", "0.bias", "1.weight", "1.bias"):
        assert torch.equal(before[name], after[name])


@pytest.mark.parametrize("loop", [{}, {"ema": 0.5}, {"accumulate": 2}, {"precise_bn": 2}])
def test_validation_sees_the_statistics_that_are_saved(tmp_path: Path, loop: dict[str, Any]) -> None:
    """Of rank 0, in each rank's share of the images; the training goes on as it would without validation."""
    watched, plain = (of_two_ranks(tmp_path / name, name == "watched", loop) for name in ("watched", "plain"))
    last = [torch.load(tmp_path / f"watched/{rank}.pt") for rank in (0, 1)]
    assert not torch.equal(last[0]["own"], last[1]["own"]) and torch.equal(last[0]["seen"], last[1]["seen"])
    if "precise_bn" not in loop:  # which comes after it
        assert torch.equal(last[1]["seen"], watched["0.running_mean"])
    assert differences(watched, plain) == []


def of_two_ranks(folder: Path, validates: bool, loop: dict[str, Any]) -> dict[str, Tensor]:
    """The weights that two epochs leave; each rank keeps the means of its last iteration and of the last validation."""
    folder.mkdir()

    def rank() -> None:
        with process_group("cpu", 0, False) as runtime:
            made, kept = training(), {}

            def after(k: int) -> None:
                kept["own"] = made.model[0].running_mean.clone()  # type: ignore[index,union-attr,operator]

            def validate(model: nn.Module) -> dict[str, float]:
                kept["seen"] = model[0].running_mean.clone()  # type: ignore[index,union-attr,operator]
                return {"mean": kept["seen"].item()}

            made.after, made.validate = after, validate if validates else None
            fit(made, Loop(batch=4, epochs=2, **loop), runtime, folder, title="", seed=0)
            torch.save(kept, folder / f"{runtime.rank}.pt")

    port = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(24000 + random.randrange(9000))}
    ranks = [Forked(rank, folder, {"RANK": str(r), "LOCAL_RANK": str(r), **port}) for r in range(2)]
    for result in ended(ranks):
        assert result.code == 0, result.text
    return checkpoint.load(folder / "checkpoint.pt")["model"]
