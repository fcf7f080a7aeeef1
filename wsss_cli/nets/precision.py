"""In which numbers networks compute: TF32 or float32 products, and mixed precision.

PyTorch 1.7 to 1.11, with which most of the papers' networks were trained, multiplied float32 matrices in TF32 (10 bits
of mantissa) wherever the GPU could; since 1.12 it does so in convolutions alone, unless asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from pydantic import BaseModel, Field

from wsss_cli.config import Config
from wsss_cli.nested import nested


class Precision(Config):
    """Of a training, or of a stage's passes through networks that are trained already."""

    amp: Literal["off", "bf16", "fp16"] = Field("off", description="mixed precision of the forward passes")
    matmul: Literal["tf32", "float32"] = Field(
        "tf32",
        description="float32 matrix products and convolutions on GPUs: tf32 where they can, as PyTorch 1.7 to 1.11, or "
        "float32; no effect on CPUs",
    )


FIELDS = tuple(Precision.model_fields)
FLOAT32 = "float32"
"""What `told` says of plain float32."""


@contextmanager
def computing(precision: Precision, device: torch.device) -> Iterator[None]:
    """Passes through networks on the device are computed as the settings say."""
    with products(precision, device), autocast(precision, device):
        yield


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """The mixed precision that the settings ask for."""
    dtype = torch.float16 if precision.amp == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype, enabled=precision.amp != "off")


@contextmanager
def products(precision: Precision, device: torch.device) -> Iterator[None]:
    """float32 products on a GPU are in TF32 or in float32, as the settings say; afterwards as they were before."""
    if device.type != "cuda":
        yield
        return
    before = _tf32()
    _set_tf32(precision.matmul == "tf32", precision.matmul == "tf32")
    try:
        yield
    finally:
        _set_tf32(*before)


def precisions(config: BaseModel, device: torch.device) -> dict[str, str]:
    """What each precision among a stage's settings comes to on this device, by its key: for the run's record."""
    found = ((key, value) for key, value in nested(config) if isinstance(value, Precision))
    return {key.rstrip("."): told(value, device) for key, value in found}


def told(precision: Precision, device: torch.device) -> str:
    """ "float32", "tf32", "bf16 and tf32": the numbers that products on the device are computed in."""
    single = "tf32" if precision.matmul == "tf32" and _can_tf32(device) else FLOAT32
    return single if precision.amp == "off" else f"{precision.amp} and {single}"


def _can_tf32(device: torch.device) -> bool:
    return device.type == "cuda" and torch.version.hip is None and torch.cuda.get_device_capability(device)[0] >= 8


def _tf32() -> tuple[bool, bool]:
    """Whether matrix products and whether convolutions are in TF32 now."""
    with _as_of_2_6():
        try:
            return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        except RuntimeError:  # a program has set those that torch 2.9 has in their place, and torch reads no mixture
            places = (torch.backends.cuda, "matmul"), (torch.backends.cudnn, "conv")
            matmul, conv = (getattr(place, name).fp32_precision == "tf32" for place, name in places)
            return matmul, conv


def _set_tf32(matmul: bool, convolutions: bool) -> None:
    with _as_of_2_6():
        torch.backends.cuda.matmul.allow_tf32 = matmul
        torch.backends.cudnn.allow_tf32 = convolutions


@contextmanager
def _as_of_2_6() -> Iterator[None]:
    """Flags of torch 2.6, of which some later versions say that they have others; those, compiled code cannot read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
