"""A trained network that needs no training: classes by colour, so that what it predicts of a picture is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wsss_cli.batches.transforms import MEAN, STD
from wsss_cli.engine import checkpoint
from wsss_cli.engine.infer import Infer
from wsss_cli.engine.part import trained_part
from wsss_cli.job import Job
from wsss_cli.method import Method, Stage
from wsss_cli.models.model import Model
from wsss_cli.ranks.distributed import Runtime

CLASSES = ("red", "blue")
PALETTE = ((0, 0, 0), (250, 0, 0), (0, 0, 250))
METHOD = Method(
    name="colours",
    title="Colours",
    paper="none",
    supervision="tags",
    stages=(Stage("train", "colour_model:none", "wsss_cli.config:StageConfig"),),
    predictor="colour_model:predictor",
    package="colour_model",
)
CPU = Runtime(torch.device("cpu"))


class Colours(nn.Module):
    """Red where red prevails, blue where blue does, else background: logits (B, 3, H, W)."""

    def __init__(self, gain: float = 20.0) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(STD)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        rgb = images * self.std + self.mean
        more = rgb[:, :1] - rgb[:, 2:]
        return self.gain * torch.cat([torch.full_like(more, 0.3), more, -more], 1)


def predictor(path: Path, job: Job[Any]) -> nn.Module:
    return trained_part(job, path, lambda meta: Colours())


def write_checkpoint(path: Path, classes: Sequence[str] = CLASSES, gain: float = 20.0) -> None:
    meta = {"method": METHOD.name, "classes": list(classes)}
    checkpoint.save_network(path, meta, Colours(gain), CPU)


def colour_model(folder: Path, config: Infer | None = None, gain: float = 20.0) -> Model:
    """The model, its checkpoint in the folder."""
    write_checkpoint(folder / "checkpoint.pt", gain=gain)
    return Model("set/colours/default", METHOD, CLASSES, PALETTE, config or Infer(), folder / "checkpoint.pt")
