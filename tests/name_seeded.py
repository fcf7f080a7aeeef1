"""Weights drawn from the official name of each tensor, so that two code bases can build the same network."""

import zlib
from collections.abc import Callable

import numpy as np
import torch
from torch import nn


def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The float32 values of an official parameter or buffer of that name."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    if name.endswith(".running_mean"):
        value = 0.1 * random.standard_normal(shape)
    elif name.endswith(".running_var"):
        value = 0.5 + random.random_sample(shape)
    elif len(shape) >= 2:
        value = random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    elif name.endswith(".weight"):
        value = 0.5 + 0.5 * random.random_sample(shape)
    else:
        value = 0.1 * random.standard_normal(shape)
    return value.astype(np.float32)


def seed_by_name(module: nn.Module, official: Callable[[str], str]) -> None:
    """Fill every parameter and buffer of the module from the official name that `official` gives to its own."""
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(torch.from_numpy(draw(official(name), tuple(tensor.shape))))
