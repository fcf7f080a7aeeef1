"""The tensors of a TorchScript archive, as OpenAI publishes CLIP, without the program that they come with.

torch.jit.load compiles the archive's code; here nothing but data.pkl and the bytes of tensors is opened, and in the
place of every class of the program stands one without methods.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsss_cli.errors import WsssError

SIGN = "/constants.pkl"
"""The end of a file's name that torch.jit.save alone writes."""


class Module:
    """What an object of the program keeps, by name."""

    held: dict[str, Any] = {}  # noqa: RUF012

    def __setstate__(self, state: Any) -> None:
        self.held = state if isinstance(state, dict) else {}


def is_script(path: Path) -> bool:
    """Whether a file is such an archive; a name without a file is none."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(SIGN) for name in archive.namelist())


def read_script(path: Path) -> dict[str, Tensor]:
    """Every parameter and buffer by its name in the state dict, on the CPU.

    Raises WsssError if the archive asks for anything but modules, tensors and numbers; what its bytes lead to if it is
    damaged.
    """
    with zipfile.ZipFile(path) as archive:
        root = next(name.removesuffix(SIGN) for name in archive.namelist() if name.endswith(SIGN))
        return dict(_named(_Reader(archive, root, path).load()))


def _named(value: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, inner in value.held.items() if isinstance(value, Module) else ():
        if isinstance(inner, Tensor):
            yield f"{prefix}{name}", inner
        else:
            yield from _named(inner, f"{prefix}{name}.")


def _tensor(storage: Tensor, offset: int, size: Sequence[int], stride: Sequence[int], *_: Any) -> Tensor:
    return storage.as_strided(size, stride, offset)


def _as_given(value: Any, *_: Any) -> Any:
    return value


DTYPES = {
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Float": torch.float32,
    "Double": torch.float64,
    "Bool": torch.bool,
    "Byte": torch.uint8,
    "Char": torch.int8,
    "Short": torch.int16,
    "Int": torch.int32,
    "Long": torch.int64,
}
LISTS = ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist", "restore_type_tag")
KNOWN: dict[str, Any] = {
    "torch._utils._rebuild_tensor_v2": _tensor,
    "collections.OrderedDict": OrderedDict,
    **{f"torch.{name}Storage": dtype for name, dtype in DTYPES.items()},
    **{f"torch.jit._pickle.{name}": _as_given for name in LISTS},
}
"""All that data.pkl may ask for beside the program's own classes, and what it gets."""


class _Reader(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, root: str, path: Path) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self.archive, self.root, self.path = archive, root, path

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "__torch__":
            return Module
        if f"{module}.{name}" not in KNOWN:
            what = f"{self.path} is a TorchScript archive of more than tensors: it asks for {module}.{name}"
            raise WsssError(what, "give the state dict of its network instead, saved by torch or safetensors")
        return KNOWN[f"{module}.{name}"]

    def persistent_load(self, storage: Any) -> Tensor:
        _, dtype, key, _, count = storage
        data = self.archive.read(f"{self.root}/data/{key}")
        return torch.frombuffer(bytearray(data), dtype=dtype, count=count) if count else torch.empty(0, dtype=dtype)
