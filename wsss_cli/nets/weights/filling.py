"""Weights files: read them without running their code, and load them with every key counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Loaded:
    """What became of each key: of the module's (matched, missing, mismatched) and of the file's (unused)."""

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    mismatched: tuple[str, ...]
    unused: tuple[str, ...]


def compare(module: nn.Module, state: Mapping[str, Tensor]) -> Loaded:
    """Match the names and shapes of a state dict with the module's.  Batch counters (no weights) are left out."""
    own = {k: v for k, v in module.state_dict().items() if not is_counter(k)}
    there = [k for k in own if k in state]
    return Loaded(
        matched=tuple(k for k in there if own[k].shape == state[k].shape),
        missing=tuple(k for k in own if k not in state),
        mismatched=tuple(k for k in there if own[k].shape != state[k].shape),
        unused=tuple(k for k in state if k not in own and not is_counter(k)),
    )


def load_weights(
    module: nn.Module, state: Mapping[str, Tensor], what: str, source: str, may_miss: tuple[str, ...] = ()
) -> Loaded:
    """Copy `state` into `module` and say what became of each key; `what` and `source` name the two in messages.

    Raises WsssError, and copies nothing, if a tensor of the module is missing or has another shape, unless its name
    begins with one of `may_miss`.  Unused keys are returned, not an error: the caller knows which it expects.
    """
    found = compare(module, state)
    lacking = [k for k in found.missing + found.mismatched if not k.startswith(may_miss)]
    if lacking:
        raise _did_not_load(module, state, found, lacking, what, source)
    taken = {k: v for k, v in state.items() if k in found.matched or is_counter(k)}
    module.load_state_dict(taken, strict=False)
    return found


def load_exactly(module: nn.Module, state: Mapping[str, Tensor], what: str, source: str) -> Loaded:
    """load_weights for a state dict that must hold the module's tensors and no others.

    Raises WsssError as load_weights does, and, naming it, for a tensor that has no place in the module.
    """
    found = compare(module, state)
    if found.unused and not found.missing + found.mismatched:
        raise WsssError(
            f"{source} does not fit {what}: '{found.unused[0]}' has no place in it",
            "pass a file of this very network, or choose the network that the file belongs to",
        )
    return load_weights(module, state, what, source)


def _did_not_load(
    module: nn.Module, state: Mapping[str, Tensor], found: Loaded, lacking: list[str], what: str, source: str
) -> WsssError:
    key, own = lacking[0], module.state_dict()
    shapes = f" has shape {tuple(state[key].shape)}, not {tuple(own[key].shape)}" if key in state else " is missing"
    total = len(found.matched) + len(found.missing) + len(found.mismatched)
    return WsssError(
        f"{source} does not fit {what}: {len(found.matched)} of {total} tensors match; '{key}'{shapes}",
        "pass a file of this very network, or choose the network that the file belongs to",
    )


def is_counter(key: str) -> bool:
    """Whether the key is batch norm's count of steps, which old files lack and nothing uses."""
    return key.endswith("num_batches_tracked")
