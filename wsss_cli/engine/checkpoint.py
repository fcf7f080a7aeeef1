"""Checkpoints: all that exact resumption needs, loadable with weights_only=True."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from wsss_cli.errors import Hindrance, WsssError
from wsss_cli.files import cannot_take, writing
from wsss_cli.ranks.distributed import Runtime, barrier, gather
from wsss_cli.sound import open_file, read_text
from wsss_cli.torchfile import damaged, read_torch

BEST = "best.pt"
"""The state that scored best, beside the last of a training that selects."""
CARD = "model.json"
"""Beside the weights of an exported model; "network" in it is what a checkpoint says of itself."""
DIGEST = "sha256"
"""Of the weights, in the card: safetensors carry no sum of their own.  Older versions wrote none."""


def save(path: Path, content: dict[str, Any], runtime: Runtime) -> None:
    """Write a checkpoint from rank 0, every rank's random state in it. Raises WsssError if the disk cannot take it."""
    states = gather(rng_state(runtime.device))
    if runtime.main:
        with writing(path) as aside, aside.open("wb") as file:
            _write(content | {"rng": states}, file, path)
    barrier()  # no rank looks for the file before it is there


def _write(content: dict[str, Any], file: IO[bytes], path: Path) -> None:
    """torch.save, which makes errors of its own of what the file says, or loses it."""
    watched = _Watched(file)
    try:
        torch.save(content, watched)  # type: ignore[arg-type]  # of a file it asks for write and flush
        file.flush()
    except (RuntimeError, OSError) as error:
        said = watched.error or error
        hindrance = cannot_take(said, path) if isinstance(said, OSError) else None
        if hindrance is None:
            raise said from error
        needed, free = _mib(tensor_bytes(content)), _mib(shutil.disk_usage(path.parent).free)
        kept = "the one from before is kept, and work goes on from there" if path.exists() else "none is there"
        what = f"{hindrance.what}: a checkpoint takes {needed}, and {free} are free"
        raise Hindrance(what, f"{kept}; {hindrance.remedy}") from error


class _Watched:
    """A file for torch.save that remembers the first error of its own."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = self.error or error
            raise

    def flush(self) -> None:
        self.file.flush()


def tensor_bytes(content: Any) -> int:
    """Of all tensors in plain data."""
    if isinstance(content, torch.Tensor):
        return content.numel() * content.element_size()
    inner = content.values() if isinstance(content, dict) else content if isinstance(content, list | tuple) else ()
    return sum(map(tensor_bytes, inner))


def _mib(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"


def load(path: Path, trust: bool = False) -> dict[str, Any]:
    """A checkpoint, its tensors on the CPU; also the weights of an exported model, with what its card says of them.

    Raises WsssError if the file is missing, damaged, or holds code and `trust` is False.
    """
    if not path.exists():
        raise WsssError(f"there is no checkpoint {path}", "train first, or name another run with --name")
    return _exported(path) if path.suffix == ".safetensors" else read_torch(path, trust)


def _exported(path: Path) -> dict[str, Any]:
    """Names before a "/" are those of further modules."""
    try:
        card = json.loads(read_text(path.with_name(CARD)))
        meta = card["network"]
        if DIGEST in card and card[DIGEST] != _sha256(path):
            raise ValueError(f"its {DIGEST} is not the one that {CARD} names")
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error
    content: dict[str, Any] = {"meta": meta, "model": {}, "modules": {}}
    for name, tensor in tensors.items():
        module, slash, inner = name.partition("/")
        state = content["modules"].setdefault(module, {}) if slash else content["model"]
        state[inner if slash else name] = tensor
    return content


def _sha256(path: Path) -> str:
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def finished(path: Path, meta: dict[str, Any], trust: bool = False) -> dict[str, float] | None:
    """The last losses of a training that has reached its end; None if it has not, or is another one's.

    For steps of a stage: what is finished needs no data and no pretrained weights again.
    """
    content = load(path, trust) if path.exists() else {}
    return content["losses"] if content.get("done") and content.get("meta") == meta else None


def used(path: Path, trust: bool = False) -> tuple[Path, dict[str, Any]]:
    """The file whose weights count, and what it says of itself: beside a last one whose training selects, best.pt.

    Raises WsssError as `load`, and if it says nothing.
    """
    meta = described(load(path, trust), path)
    best = path.with_name(BEST)
    if meta.get("selection") == "best" and best.exists():
        return best, described(load(best, trust), best)
    return path, meta


def described(content: Any, path: Path) -> dict[str, Any]:
    """What a checkpoint says of itself.  Raises WsssError if it is none of ours."""
    meta = content.get("meta") if isinstance(content, dict) else None
    if not isinstance(meta, dict) or "method" not in meta or not isinstance(meta.get("classes"), list | tuple):
        raise WsssError(f"{path} is no checkpoint of wsss", "give one that `wsss train` wrote")
    return meta


def expect(content: dict[str, Any], path: Path, method: str, classes: tuple[str, ...]) -> None:
    """Raises WsssError if the checkpoint is of another method or of other classes."""
    meta = described(content, path)
    if meta["method"] != method:
        raise WsssError(
            f"{path} is a checkpoint of method '{meta['method']}', not of '{method}'",
            f"use it with: wsss infer {meta['method']}",
        )
    if list(meta["classes"]) != list(classes):
        raise WsssError(
            f"{path} knows {len(meta['classes'])} classes, the data set has {len(classes)}, or they have other names",
            "use the data set it was trained on, or train again",
        )


def rng_state(device: torch.device) -> dict[str, Any]:
    """The state of every generator that a training step may draw from, as plain data."""
    version, keys, gauss = random.getstate()
    name, array, pos, has_gauss, cached = np.random.get_state(legacy=True)
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "python": [version, list(keys), gauss],
        "numpy": [name, torch.from_numpy(np.asarray(array).astype(np.int64)), int(pos), int(has_gauss), float(cached)],
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_rng_state(state: dict[str, Any], device: torch.device) -> None:
    torch.set_rng_state(state["torch"])
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys), gauss))
    name, array, pos, has_gauss, cached = state["numpy"]
    np.random.set_state((name, array.numpy().astype(np.uint32), pos, has_gauss, cached))
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
