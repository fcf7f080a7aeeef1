"""Statistics of batch norms taken anew: the mean over the batches given, of the norms that learn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wsss_cli.engine import checkpoint
from wsss_cli.engine.batch_norms import renew_statistics
from wsss_cli.engine.loop import Loop, Training, fit
from wsss_cli.ranks.distributed import Runtime


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
    torch.manual_seed(0)
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 1, 1))
    training = Training(
        model=net,
        step=lambda model, batch, k: {"loss": model(batch["image"]).square().mean()},
        optimizer=torch.optim.SGD(net.parameters(), lr=0.01),
        factor=lambda k: 1.0,
        data=Brightness(),
        prepare=lambda batch, device: batch,
        meta={},
    )
    fit(training, Loop(batch=4, epochs=1, **loop), Runtime(torch.device("cpu"), workers=0), folder, title="", seed=0)
    return checkpoint.load(folder / "checkpoint.pt")["model"]


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_training_ends_with_them(tmp_path: Path, ema: float) -> None:
    """Two batches of four are the eight colours, whatever the order: mean 3.5; two steps of momentum 0.1 are not."""
    (plain := tmp_path / "plain").mkdir()
    (precise := tmp_path / "precise").mkdir()
    before, after = trained(plain, ema=ema), trained(precise, ema=ema, precise_bn=2)
    assert after["0.running_mean"].item() == pytest.approx(3.5) and before["0.running_mean"].item() < 1
    for name in ("0.weight", "0.bias", "1.weight", "1.bias"):
        assert torch.equal(before[name], after[name])
