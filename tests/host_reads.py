"""Counts where a training step makes the host wait for the device: what reads a tensor's values into Python or sizes.

On a CPU nothing waits, but the same calls are made.  Of tensors that stay on the host they also count here, not on a
GPU.
"""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

READS = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "_unique2", "unique_dim", "bincount")
OURS = tuple(Path(__file__).parents[1] / name for name in ("wsss_cli", "methods", "datasets"))


class HostReads(TorchDispatchMode):
    """`with HostReads() as reads: ...`; then reads.found: {"online.py: nonzero": 3, ...}, by the file that asks."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in READS:
            self.found[f"{_asking()}: {name}"] += 1
        if name in ("index", "index_put", "index_put_") and _by_mask(args[1]) and not _one_value(name, args):
            self.found[f"{_asking()}: boolean index"] += 1
        return func(*args, **(kwargs or {}))


def counting(function: Callable[..., Any], found: Counter[str]) -> Callable[..., Any]:
    """The function, whose reads are added to `found`."""

    def counted(*args: Any) -> Any:
        with HostReads() as reads:
            result = function(*args)
        found.update(reads.found)
        return result

    return counted


def _asking() -> str:
    """The name of the file of ours that asks.

    An installation's `.venv` lies within the repository too, so the packages are named.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if any(path.is_relative_to(package) for package in OURS):
            return path.name
        frame = frame.f_back
    return "?"


def _by_mask(indices: Any) -> bool:
    return any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices)


def _one_value(name: str, args: Any) -> bool:
    """x[mask] = number, which is done without asking where the mask is set."""
    return name != "index" and args[2].numel() == 1
