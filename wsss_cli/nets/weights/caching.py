"""Published weights: where they come from, whether they are on this machine already, and whether they can be had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from huggingface_hub import constants, try_to_load_from_cache

from wsss_cli.downloads.network import unreachable

NAMES = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""What weights are called on the Hugging Face hub."""


def address(source: str, hub: str = "https://huggingface.co") -> str:
    """The URL of a source: of itself, or of REPOSITORY/FILE on the Hugging Face hub."""
    repository, _, file = source.rpartition("/")
    return source if source.startswith("http") else f"{hub}/{repository}/resolve/main/{file}"


def is_cached(source: str) -> bool:
    """Whether a URL's file is in torch's cache, or REPOSITORY/FILE in that of the Hugging Face hub."""
    repository, _, file = source.rpartition("/")
    if source.startswith("http"):
        return (Path(torch.hub.get_dir()) / "checkpoints" / file).exists()
    return any(isinstance(try_to_load_from_cache(repository, name), str) for name in (file, *NAMES))


@contextmanager
def from_hub(source: str) -> Iterator[None]:
    """While a library takes weights.  What is in the hub's cache is taken as it is: without a network its library asks
    for ten seconds whether it has changed.

    Raises OSError at once if they must be downloaded and nobody answers: the libraries try for a minute.
    """
    asked, here = constants.HF_HUB_OFFLINE, is_cached(source)
    if not (here or asked) and (silent := unreachable([address(source, constants.ENDPOINT)])[0]):
        raise OSError(f"{address(source, constants.ENDPOINT).split('/')[2]}: {silent}")
    constants.HF_HUB_OFFLINE = asked or here
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = asked
