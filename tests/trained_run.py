"""What a training left in its folder: metrics and checkpoint, and whether two of them are the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def load(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def tensors(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a checkpoint."""
    if isinstance(content, dict | list | tuple):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from tensors(value, f"{name}.{key}")
    else:
        yield name, content


def differences(a: Any, b: Any) -> list[str]:
    """The names of the leaves that are not the same to the last bit; times are left out."""
    left, right = dict(tensors(a)), dict(tensors(b))
    assert left.keys() == right.keys()
    same = {n: torch.equal(v, right[n]) if isinstance(v, torch.Tensor) else v == right[n] for n, v in left.items()}
    return [name for name, equal in same.items() if not equal and not name.endswith(".seconds")]
