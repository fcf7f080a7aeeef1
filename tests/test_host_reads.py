"""Whom a read of the device's values is put down to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from host_reads import HostReads

ROOT = Path(__file__).parents[1]


def written_in(file: str, text: str) -> dict[str, Any]:
    """What the text defines, as if it stood in that file of the repository."""
    names: dict[str, Any] = {}
    exec(compile(text, str(ROOT / file), "exec"), names)
    return names


@pytest.mark.parametrize("library", [".venv/lib/python3/site-packages/torch/eval_frame.py", "tests/test_modes.py"])
def test_the_file_of_ours_that_asks_is_named_not_the_library_between(library: str) -> None:
    """An installation's libraries lie within the repository."""
    library_call: Callable[..., Any] = written_in(library, "def call(f, *args): return f(*args)")["call"]
    ours: Callable[..., Any] = written_in("methods/wsss_x/step.py", "def step(call, f, x): return call(f, x)")["step"]
    with HostReads() as reads:
        ours(library_call, torch.nonzero, torch.tensor([0, 1]))
        library_call(torch.nonzero, torch.tensor([0, 1]))
    assert reads.found == {"step.py: nonzero": 1, "?: nonzero": 1}
