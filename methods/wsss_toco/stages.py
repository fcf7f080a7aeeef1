"""ToCo's stages: train, then seeds and pseudo-labels of the trained network; and how it predicts."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from wsss_cli.engine.adamw import adamw, factor
from wsss_cli.engine.loop import Training, fit, total_iterations
from wsss_cli.engine.part import meta
from wsss_cli.job import Job
from wsss_cli.single_stage.build import trained
from wsss_cli.single_stage.config import Infer
from wsss_cli.single_stage.dump import dump_cams
from wsss_cli.single_stage.dump import make_labels as pseudo
from wsss_cli.single_stage.network import Segmentation
from wsss_cli.single_stage.official import train_or_take_official
from wsss_toco.checkpoint import load_official
from wsss_toco.config import Net, Train
from wsss_toco.data import ToCoData, to_device
from wsss_toco.nets import ToCo, build, make_teacher
from wsss_toco.step import ToCoStep

__all__ = ["predictor", "pseudo", "seeds", "train"]


def train(job: Job[Train]) -> dict[str, float]:
    """Tags -> a network that segments; leaves checkpoint.pt."""
    return train_or_take_official(job, build, load_official, lambda: learn(job))


def learn(job: Job[Train]) -> dict[str, float]:
    """The training itself."""
    config = job.config
    net = build(config.net, job.data.num_classes, job.runtime.trust)
    teacher = make_teacher(net)
    data = ToCoData(job.tagged(config.split), job.data.num_classes, config.views)
    total, starts = total_iterations(config.loop, len(data)), config.losses
    job.say(f"train: {len(data)} images with tags, {total} iterations of {config.loop.batch} images; contrast from "
            f"iteration {starts.contrast_from}, segmentation from {starts.segmentation_from}")  # fmt: skip
    training = Training(
        model=net,
        step=ToCoStep(net, teacher, config, job.runtime.world),
        optimizer=adamw(net, config.optimiser),
        factor=factor(config.optimiser, total),
        data=data,
        prepare=to_device,
        meta=meta(job, config.net),
        modules={"teacher": teacher},
    )
    return fit(training, config.loop, job.runtime, job.folder, title="train", seed=config.seed)


def seeds(job: Job) -> dict[str, int]:
    """The trained network's CAMs, cam/<id>.npz."""
    return dump_cams(job, network(job.inputs["train"] / "checkpoint.pt", job))


def network(path: Path, job: Job) -> ToCo:
    """The trained network of a checkpoint."""
    return trained(path, job, Net, build)


def predictor(path: Path, job: Job[Infer]) -> nn.Module:
    """The segmentation of the trained network of a checkpoint."""
    return Segmentation(network(path, job), job.config.gate)
