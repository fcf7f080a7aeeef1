"""Tiny CLIPs of the reference: `weights_<case>.npz` beside a vector, in OpenAI's names after "sd."."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reference_vectors import load
from wsss_cli.nets.backbones.clip import ClipVisual
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.names.clip import visual

NAME = "vit_base_patch16_clip_quickgelu_224"


def weights_beside(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The arrays of the weights file of the vector that a test is run with."""
    path = request.node.callspec.params["ref"]
    return load(path.with_name(f"weights_{path.stem.rpartition('_')[2]}.npz"))


def state_of(weights: dict[str, Any], prefix: str = "sd.") -> dict[str, Tensor]:
    """The tensors after `prefix`, without it."""
    return {k.removeprefix(prefix): torch.from_numpy(v) for k, v in weights.items() if k.startswith(prefix)}


def tower_of(state: dict[str, Tensor], heads: int) -> ClipVisual:
    """The tower of OpenAI's state dict, without "visual."."""
    patch, cells = state["conv1.weight"].shape[-1], len(state["positional_embedding"]) - 1
    dim, joint = state["proj"].shape
    depth = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("transformer."))
    args = {
        "img_size": patch * int(cells**0.5),
        "patch_size": patch,
        "embed_dim": dim,
        "depth": depth,
        "num_heads": heads,
    }
    tower = ClipVisual(NAME, args, joint)
    load_exactly(tower, visual(state), "the tower", "the reference")
    return tower.eval()


def program(state: dict[str, Tensor]) -> torch.jit.ScriptModule:
    """A TorchScript module of these tensors, as OpenAI publishes them."""
    root = nn.Module()
    for key, value in state.items():
        *path, name = key.split(".")
        part = root
        for step in path:
            if not hasattr(part, step):
                part.add_module(step, nn.Module())
            part = part.get_submodule(step)
        part.register_buffer(name, value)
    return torch.jit.script(root)
