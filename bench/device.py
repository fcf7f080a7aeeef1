"""What a bench runs on, in words; and the command line that all of them have."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable

import torch

from bench.row import Row, table
from wsss_cli.ranks.device_name import device_name
from wsss_cli.ranks.distributed import choose_device

DEVICES = ("auto", "cpu", "cuda")


def command(main: Callable[[torch.device], list[Row]], part: Callable[..., None] | None = None) -> None:
    """`python -m bench.NAME [--device D]` prints the rows of main(device); with words after it, part(device, *words).

    The latter is one measurement in a process of its own, as `measure.alone` asks for it.
    """
    doc = sys.modules[main.__module__].__doc__
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("words", nargs="*", help="what a process of its own measures")
    given = parser.parse_args()
    device = choose_device(given.device)
    if given.words and part is not None:
        part(device, *given.words)
    else:
        print(described(device), table(main(device)), sep="\n")


def described(device: torch.device) -> str:
    """The device's name, and the torch that runs on it."""
    name = device_name(device) + (f", CUDA {torch.version.cuda}" if device.type == "cuda" else "")
    return f"{name}, Python {platform.python_version()}, torch {torch.__version__}"


def where(device: torch.device) -> str:
    """The same in short, beside a row: a CPU works with one thread, and its name stands above."""
    return "1 thread" if device.type == "cpu" else device_name(device)
