"""Code that would mix two devices on a GPU, found on a CPU: it makes tensors without saying where."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

import bench.released

RELEASED = Path(bench.released.__file__).parent
"""The released orders of work."""
NAMES = (
    "arange",
    "empty",
    "eye",
    "full",
    "linspace",
    "ones",
    "rand",
    "randint",
    "randn",
    "randperm",
    "tensor",
    "zeros",
)
MAKERS = frozenset(getattr(torch, name) for name in NAMES)


class OnOneDevice(TorchFunctionMode):
    """While it is entered, a call in a file of `folder` that makes a tensor must name the device."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, caller = kwargs or {}, sys._getframe(1)
        if func in MAKERS and kwargs.get("device") is None and caller.f_code.co_filename.startswith(self.folder):
            raise AssertionError(f"{caller.f_code.co_filename}:{caller.f_lineno}: {func.__name__} without a device")
        return func(*args, **kwargs)
