"""What pays where a network sees few sizes again and again, as a training sees crops: kernels chosen by trial."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def benchmarked(on: bool) -> Iterator[None]:
    """Whether cuDNN tries its kernels on each new size and keeps the fastest; afterwards as before."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = on
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
