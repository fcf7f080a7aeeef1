"""Weights files, read without running their code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.torchfile import damaged, read_torch

CONTAINERS = ("state_dict", "model_state_dict", "net_state_dict", "model", "net", "teacher_state_dict")
"""Entries under which training code keeps the network in a checkpoint."""


def read_weights(path: Path | str, trust: bool = False) -> dict[str, Tensor]:
    """Every tensor of a safetensors or torch file by name, on the CPU.

    Unwraps common containers ({"state_dict": ...}), joins the names of nested ones by dots and drops DataParallel's
    "module.".  `trust`: also read pickles that run code.  Raises WsssError: no file, corrupt, needs trust, no tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise WsssError(f"no weights file {path}", "check the path")
    content = _safetensors(path) if path.suffix == ".safetensors" else read_torch(path, trust)
    if isinstance(content, nn.Module):
        content = content.state_dict()
    state = _tensors(_unwrap(content))
    if not state:
        raise WsssError(f"{path} holds no tensors", "pass a state dict saved by torch or safetensors")
    return _without_prefix(state, "module.")


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise damaged(path, error) from error


def _unwrap(content: Any) -> Any:
    while isinstance(content, Mapping):
        # BECO's ckpt_epoch_N.pth has an empty model_state_dict beside its networks
        inner = next((content[k] for k in CONTAINERS if isinstance(content.get(k), Mapping) and content[k]), None)
        if inner is None:
            return content
        content = inner
    return content


def _tensors(content: Any, prefix: str = "") -> dict[str, Tensor]:
    """The tensors of nested dictionaries under their joined names, without whatever else they hold."""
    if isinstance(content, Tensor):
        return {prefix: content}
    if not isinstance(content, Mapping):
        return {}
    found: dict[str, Tensor] = {}
    for key, value in content.items():
        found |= _tensors(value, f"{prefix}.{key}" if prefix else str(key))
    return found


def _without_prefix(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    if all(k.startswith(prefix) for k in state):
        return {k.removeprefix(prefix): v for k, v in state.items()}
    return state
