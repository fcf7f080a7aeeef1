"""LOC-BE's stages: train, then seeds and pseudo-labels of the trained network; and how it predicts."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from wsss_cli import console
from wsss_cli.engine.adamw import adamw, factor
from wsss_cli.engine.loop import Training, fit, total_iterations
from wsss_cli.engine.part import meta
from wsss_cli.job import Job
from wsss_cli.single_stage.build import build_decoder, build_encoder, trained
from wsss_cli.single_stage.config import Infer, VitNet
from wsss_cli.single_stage.dump import dump_cams
from wsss_cli.single_stage.network import Segmentation
from wsss_cli.single_stage.official import train_or_take_official
from wsss_locbe.checkpoint import load_official
from wsss_locbe.config import Train, check_windows
from wsss_locbe.data import LocBeData, to_device
from wsss_locbe.nets import LocBe
from wsss_locbe.step import LocBeStep


def train(job: Job[Train]) -> dict[str, float]:
    """Tags -> a network that segments; leaves checkpoint.pt."""
    return train_or_take_official(job, build, load_official, lambda: learn(job))


def learn(job: Job[Train]) -> dict[str, float]:
    """The training itself."""
    config = job.config
    net = build(config.net, job.data.num_classes, job.runtime.trust)
    check_windows(config, net.encoder.patch)
    data = LocBeData(job.tagged(config.split), job.data.num_classes, config.augment, config.windows.number)
    total = total_iterations(config.loop, len(data))
    job.say(f"train: {len(data)} images with tags, {total} iterations of {config.loop.batch} images")
    for warning in doubts(config, job.runtime.world, total):
        if job.runtime.main:
            console.warn(warning)
    training = Training(
        model=net,
        step=LocBeStep(net, config, job.runtime.world),
        optimizer=adamw(net, config.optimiser),
        factor=factor(config.optimiser, total),
        data=data,
        prepare=to_device,
        meta=meta(job, config.net),
    )
    return fit(training, config.loop, job.runtime, job.folder, title="train", seed=config.seed)


def doubts(config: Train, ranks: int, total: int) -> list[str]:
    """What of the settings is possible, but hardly meant."""
    found = []
    each, together = config.loop.batch // (ranks * config.loop.accumulate), config.windows.together
    if each % together and any(phase.local for phase in config.phases):
        found.append(
            f"windows.together {together}, but {each} images in a pass: groups of {each % together} are compared, too"
        )
    if not config.phase(total - 1).segments:
        found.append("the segmentation is not trained at the end, where its phase gives it no weight")
    return found


def build(net: VitNet, num_classes: int, trust: bool = False) -> LocBe:
    """The network for C classes, its transformer pretrained as `net` says."""
    encoder = build_encoder(net, trust)
    return LocBe(encoder, build_decoder(net, encoder.dim, num_classes), num_classes)


def seeds(job: Job) -> dict[str, int]:
    """The trained network's CAMs, cam/<id>.npz."""
    return dump_cams(job, network(job.inputs["train"] / "checkpoint.pt", job))


def network(path: Path, job: Job) -> LocBe:
    """The trained network of a checkpoint."""
    return trained(path, job, VitNet, build)


def predictor(path: Path, job: Job[Infer]) -> nn.Module:
    """The segmentation of the trained network of a checkpoint."""
    return Segmentation(network(path, job), job.config.gate)
