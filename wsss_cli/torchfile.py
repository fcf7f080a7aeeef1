"""Reading files that torch wrote, checkpoints and weights alike, without running their code."""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from wsss_cli.errors import WsssError
from wsss_cli.sound import require_file, zip_fault
from wsss_cli.torchscript import is_script, read_script

REFUSED = re.compile(
    r"Unsupported global: GLOBAL (\w+(?:\.\w+)+) was|[Uu]nrecognized function (\S+)|but got (<class .*?>)"
)
"""What torch says of a class or function that it will not call; other errors mean that the bytes are no pickle."""


def read_torch(path: Path, trust: bool = False) -> Any:
    """What torch.save wrote, its tensors on the CPU; of what torch.jit.save wrote the state dict.

    trust  also read pickles that run code; programs are never run
    Raises WsssError: damaged, asks for code and is not trusted, asks for code that is not installed.
    """
    try:
        require_file(path)  # zipfile and torch open it themselves: a pipe would never answer
        if zipfile.is_zipfile(path) and (wrong := zip_fault(path)):
            raise damaged(path, ValueError(wrong))
        if is_script(path):
            return read_script(path)
        with warnings.catch_warnings(action="ignore"):  # of pickles that it goes on to refuse
            return torch.load(path, map_location="cpu", weights_only=not trust)
    except WsssError:
        raise
    except PermissionError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the file's rights") from error
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        refused = REFUSED.search(str(error))
        if refused and not trust:
            raise WsssError(
                f"{path} is a pickle that runs code when it is read: it asks for {refused[refused.lastindex or 0]}",
                "if you trust where it comes from, pass --trust-checkpoint",
            ) from error
        if trust and isinstance(error, ImportError | AttributeError):
            raise WsssError(f"{path} needs code that is not installed: {error}", "install that package") from error
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> WsssError:
    """The error of a file that is cut short or is no file of tensors."""
    text = str(error).rpartition("WeightsUnpickler error: ")[2].strip() or type(error).__name__
    size = path.stat().st_size
    return WsssError(
        f"{path} ({size} bytes) is damaged or holds no tensors: {text.splitlines()[0][:200]}",
        "copy or fetch it again; if it is a run's, delete it: the next command trains again",
    )
