"""A training that has lost its best state."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from wsss_ppmg.training import _forget_without_best


@pytest.mark.parametrize(
    ("looked", "best", "iteration", "kept"),
    [
        (4, True, 9, True),
        (4, False, 3, True),  # not looked yet
        (4, False, 4, False),
        (None, False, 9, True),  # the last state is asked for
    ],
)
def test_it_starts_again(tmp_path: Path, looked: int | None, best: bool, iteration: int, kept: bool) -> None:
    torch.save({"iteration": iteration}, tmp_path / "checkpoint.pt")
    if best:
        (tmp_path / "best.pt").touch()
    said: list[str] = []
    job: Any = SimpleNamespace(say=said.append, barrier=lambda: None, runtime=SimpleNamespace(main=True))
    _forget_without_best(job, tmp_path, looked)
    assert (tmp_path / "checkpoint.pt").exists() == kept and bool(said) != kept
