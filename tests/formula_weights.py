"""Weights that the reference draws from a formula, for networks too large to be kept in its files."""

import numpy as np
import torch
from torch import nn


def by_formula(module: nn.Module) -> None:
    """The weights of the reference: of the parameters in their order, sin(0.37 i + k + (0.0001 i^2 mod 6.283))."""
    with torch.no_grad():
        for k, (name, p) in enumerate(module.named_parameters()):
            number = k + (1 if name.endswith("weight_v") else 0)  # weight_g counts, and stays 1
            i = np.arange(p.numel(), dtype=np.float64)
            scale = 1 / np.sqrt(np.prod(p.shape[1:])) if p.dim() > 1 else 0.1
            values = scale * np.sin(0.37 * i + number + np.mod(0.0001 * i * i, 6.283))
            p.copy_(torch.from_numpy(values.astype(np.float32)).view(p.shape))
