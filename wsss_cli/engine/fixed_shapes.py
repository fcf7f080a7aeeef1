"""What pays where a network sees few sizes again and again, as a training sees crops: trials and compiled parts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from wsss_cli import console
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.backbones.vit import ViT

BACKEND = "inductor"
SIZES = 64
"""Versions of one part that are compiled at most: sizes times with and without gradient; torch's own limit is 8."""
NEEDS = "install one, such as g++ (CXX names another), or leave loop.compile at false"


@contextmanager
def benchmarked(on: bool) -> Iterator[None]:
    """Whether cuDNN tries its kernels on each new size and keeps the fastest; afterwards as before."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = on
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def compile_parts(net: nn.Module, device: torch.device) -> None:
    """Have `static_parts` compiled for each size when they first see it; names in the state dict stay as they are.

    Raises WsssError if torch cannot compile on this machine.
    """
    from torch._dynamo import config  # which takes seconds: not for who compiles nothing

    _try(device)
    limit = "recompile_limit" if hasattr(config, "recompile_limit") else "cache_size_limit"  # as torch 2.6 calls it
    setattr(config, limit, max(SIZES, getattr(config, limit)))
    parts = static_parts(net)
    if not parts:
        console.warn("loop.compile: nothing of this network is compiled, as it has no backbone that sees crops alone")
    for part in parts:
        part.compile(backend=BACKEND, dynamic=False)


def static_parts(net: nn.Module) -> list[nn.Module]:
    """The bodies of convolutional backbones and the blocks of transformers: what asks no tensor for its values."""
    bodies = [m.body for m in net.modules() if isinstance(m, Backbone)]
    return bodies + [block for m in net.modules() if isinstance(m, ViT) for block in m.body.blocks]


@contextmanager
def uncompiled(compiled: bool) -> Iterator[None]:
    """For images of many sizes: what is compiled runs as it was written."""
    if not compiled:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def no_compiler() -> WsssError | None:
    """Why nothing can be compiled here, as far as the search path tells."""
    asked = os.environ.get("CXX")
    if any(map(shutil.which, (asked,) if asked else ("g++", "clang++", "c++", "cl"))):
        return None
    return WsssError("loop.compile needs a C++ compiler, and there is none", NEEDS)


def _try(device: torch.device) -> None:
    """Compile a sum. Raises WsssError if that fails: the compiler, Python's headers or Triton may be missing."""
    if problem := no_compiler():
        raise problem
    try:
        torch.compile(lambda x: x + 1, backend=BACKEND)(torch.ones(2, device=device))
    except Exception as error:  # of many kinds, by version and by what is missing
        first = str(error).strip().partition("\n")[0]
        raise WsssError(f"loop.compile: torch {torch.__version__} cannot compile here: {first}", NEEDS) from error
