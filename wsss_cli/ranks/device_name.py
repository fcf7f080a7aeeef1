"""What a device is called."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

CPUS = Path("/proc/cpuinfo")


def device_name(device: torch.device) -> str:
    """A GPU's name, or the CPU's: the kernel's on Linux, elsewhere what the platform says."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = CPUS.read_text().splitlines() if CPUS.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
