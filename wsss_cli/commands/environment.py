"""What `wsss check` finds out about the machine and what is installed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
from pathlib import Path

from wsss_cli import bounds
from wsss_cli.checks.dataset import Finding
from wsss_cli.plugins import broken
from wsss_cli.ranks.cores import cores

LITTLE_SPACE = 5.0  # GiB; a run on VOC leaves 1 to 3


def environment(runs_root: Path) -> list[Finding]:
    """Python, the libraries that must fit together, GPUs, memory, disk space, plugins."""
    found = [_machine(), _libraries(), _gpu(), _dense_crf(), _disk(runs_root)]
    remedy = "upgrade or uninstall the package that brings it"
    return found + [Finding("warning", problem, remedy) for problem in broken()]


def _machine() -> Finding:
    there = bounds.memory() / 2**30
    return Finding("ok", f"Python {platform.python_version()}, {cores()} CPU cores, {there:.0f} GiB of memory")


def _libraries() -> Finding:
    """torchvision is built against one torch, and timm imports torchvision."""
    versions = []
    for name in ("torch", "torchvision", "timm"):
        try:
            versions.append(f"{name} {importlib.import_module(name).__version__}")
        except Exception as error:  # a missing library, or one that does not fit, fails in many ways
            reason = str(error).splitlines()[0]
            fix = "install torch, torchvision and timm together: pip install --upgrade torch torchvision timm"
            return Finding("error", f"{name} cannot be imported ({', '.join(versions) or 'the first'}): {reason}", fix)
    return Finding("ok", ", ".join(versions))


def _gpu() -> Finding:
    import torch

    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if names:
        return Finding("ok", f"{len(names)} GPU: {', '.join(sorted(set(names)))}, CUDA {torch.version.cuda}")
    if shutil.which("nvidia-smi"):
        built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
        what = f"there is an NVIDIA driver, but torch, built {built}, sees no GPU"
        return Finding("warning", what, "install the torch that fits the driver: https://pytorch.org/get-started")
    return Finding("ok", "no GPU: everything runs on the CPU")


def _dense_crf() -> Finding:
    if importlib.util.find_spec("pydensecrf"):
        return Finding("ok", "pydensecrf is there as a second CRF backend")
    return Finding("ok", "pydensecrf is not installed: the CRF's native backend needs nothing", "pip install wsss[crf]")


def _disk(root: Path) -> Finding:
    there = next(p for p in (root.absolute(), *root.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free / 2**30
    if free < LITTLE_SPACE:
        return Finding("warning", f"{free:.1f} GiB free for runs in {root}", "free some space, or use --runs-root")
    if not os.access(there, os.W_OK):
        return Finding("error", f"{there} cannot be written: runs would be kept there", "choose another --runs-root")
    return Finding("ok", f"{free:.0f} GiB free for runs in {root}")
