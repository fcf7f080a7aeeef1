"""What a state dict and a network have in common, with every key counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn


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


def is_counter(key: str) -> bool:
    """Whether the key is batch norm's count of steps, which old files lack and nothing uses."""
    return key.endswith("num_batches_tracked")
