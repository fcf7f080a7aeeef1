"""PUF on tiny images: a recipe that trains in seconds, and a training step taken out of it."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import default_collate

from wsss_cli.batches.loader import sample_rng
from wsss_cli.data.prepared import Sample
from wsss_puf.config import Train
from wsss_puf.data import TwoViews, to_device
from wsss_puf.nets import build
from wsss_puf.step import SelfReinforcement
from wsss_puf.teacher import Centres, make_teacher

NET: dict[str, Any] = {
    "backbone": "vit_tiny_patch16_224",
    "backbone_args": {"img_size": 64, "patch_size": 8, "embed_dim": 24, "depth": 4, "num_heads": 2},
    "pretrained": "none",
    "input_size": 64,
    "width": 8,
    "dilation": 2,
    "projection": {"hidden": 16, "bottleneck": 8, "outputs": 32},
}
TRAIN: dict[str, Any] = {
    "net": NET,
    "views": {"size": 64, "local_size": 32},
    "masking": {"block": 16, "random_share": 0.5},
    "distillation": {"momentum": 0.9},
    "losses": {"segmentation_from": 2},
    "par": {"dilations": [1, 2, 4], "iterations": 3},
    "optimiser": {"lr": 0.001, "head_factor": 1, "warm_up": 2},
    "loop": {"iterations": 6, "batch": 4, "log_every": 1},
}
RECIPE: dict[str, Any] = {"train": TRAIN, "seeds": {"resize": 64}, "infer": {"scales": [1.0]}}
CLASSES = 3


def settings(**changes: dict[str, Any]) -> Train:
    """The recipe's; without stochastic depth, which differs from pass to pass, unless it is asked for."""
    changed = {name: {**TRAIN[name], **values} for name, values in changes.items()}
    return Train(**{**TRAIN, **changed, "net": {**NET, "drop_path": 0.0, **changes.get("net", {})}})


def step_of(config: Train, total: int = 8) -> SelfReinforcement:
    """A step whose teacher is not the student, so that comparing them says something."""
    torch.manual_seed(0)
    net = build(config.net, CLASSES)
    teacher = make_teacher(net, config.distillation.steady)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in teacher.parameters():
            p.add_(0.01 * torch.randn(p.shape, generator=generator))
    return SelfReinforcement(net, teacher, Centres(config.net.projection.outputs), config, total)


def batch_of(samples: Sequence[Sample], config: Train, indices: Iterable[int] = range(4)) -> dict[str, Tensor]:
    data = TwoViews(samples, CLASSES, config.views, config.masking)
    return to_device(default_collate([data.item(i, sample_rng(7, 0, i)) for i in indices]), torch.device("cpu"))
