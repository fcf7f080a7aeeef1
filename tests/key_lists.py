"""Official lists of state dict keys, `tests/reference/<folder>/<name>_keys.txt`: key, shape and dtype per line."""

import ast
from collections.abc import Mapping

import torch
from torch import Tensor

from reference_vectors import COMMITTED


def keys(what: str) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of `what` ("beco/beco_state_dict") by its official name, in the official order."""
    return {key: shape for section in sections(what).values() for key, shape in section.items()}


def sections(what: str) -> dict[str, dict[str, tuple[int, ...]]]:
    """The same of a list of several networks: those after each "# name ..." by its name."""
    lines = (COMMITTED / f"{what}_keys.txt").read_text(encoding="utf-8").splitlines()
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    section = found.setdefault("", {})
    for line in lines:
        if line.startswith("# "):
            section = found.setdefault(line.split()[1], {})
        elif not line.startswith("#"):
            key, shape, *_ = line.split("\t")
            section[key] = ast.literal_eval(shape)
    return found


def constant(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """A state dict in which each tensor holds a number of its own: a file of it is small."""
    values = torch.rand(len(shapes), generator=torch.Generator().manual_seed(seed))
    state = {key: value.expand(shape) for (key, shape), value in zip(shapes.items(), values)}
    return {k: torch.tensor(7) if k.endswith("num_batches_tracked") else v for k, v in state.items()}
