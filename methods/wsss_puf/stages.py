"""PUF's stages: train, then what the trained network gives."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from wsss_cli.engine.adamw import adamw, factor
from wsss_cli.engine.loop import Training, fit, total_iterations
from wsss_cli.engine.part import Taken, meta, train_or_take
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.single_stage.build import trained
from wsss_cli.single_stage.dump import dump_cams, make_labels
from wsss_cli.single_stage.network import Segmentation
from wsss_puf.checkpoint import load_official
from wsss_puf.config import Infer, Net, Seeds, Train, WhichWeights, check_grid
from wsss_puf.data import TwoViews, to_device
from wsss_puf.nets import SelfReinforced, build
from wsss_puf.step import SelfReinforcement
from wsss_puf.teacher import Centres, make_teacher


def train(job: Job[Train]) -> dict[str, float]:
    """Image tags -> a network and its teacher; leaves checkpoint.pt."""
    file = job.config.checkpoint
    network = job.config.net if file is None else job.config.net.official()
    return train_or_take(
        job, job.folder, meta(job, network), file, lambda file: take(job, network, file), lambda: learn(job)
    )


def take(job: Job[Train], network: Net, student: str) -> Taken:
    """The released code's weights instead of a training.  Raises WsssError if a file does not fit."""
    teacher = job.config.teacher_checkpoint
    modules = {} if teacher is None else {"teacher": _filled(job, network, teacher)}
    return Taken(_filled(job, network, student), modules)


def _filled(job: Job[Train], network: Net, file: str) -> SelfReinforced:
    net = build(network.untrained(), job.data.num_classes)
    load_official(net, file, job.runtime.trust)
    return net


def learn(job: Job[Train]) -> dict[str, float]:
    """The training itself."""
    config = job.config
    net = build(config.net, job.data.num_classes, job.runtime.trust)
    check_grid(config, net.encoder.patch)
    teacher = make_teacher(net, config.distillation.steady)
    centres = Centres(config.net.projection.outputs, config.distillation.centre_momentum)
    data = TwoViews(job.tagged(config.split), job.data.num_classes, config.views, config.masking)
    total = total_iterations(config.loop, len(data))
    step = SelfReinforcement(net, teacher, centres, config, total, job.runtime.world)
    job.say(f"train: {len(data)} images with tags, {total} iterations of {config.loop.batch} images in two views")
    training = Training(
        model=net,
        step=step,
        after=step.after,
        optimizer=adamw(net, config.optimiser),
        factor=factor(config.optimiser, total),
        data=data,
        prepare=to_device,
        meta=meta(job, config.net),
        modules={"teacher": teacher, "centres": centres},
    )
    return fit(training, config.loop, job.runtime, job.folder, title="train", seed=config.seed)


def seeds(job: Job[Seeds]) -> dict[str, int]:
    """cam/<id>.npz of the training images."""
    config = job.config
    return dump_cams(job, network(job.inputs["train"] / "checkpoint.pt", job, config.weights), relu_first=True)


def pseudo(job: Job) -> dict[str, int]:
    """labels/<id>.png, made of the CAMs."""
    return make_labels(job)


def predictor(path: Path, job: Job[Infer]) -> nn.Module:
    """The trained network's segmentation.  Raises WsssError if the checkpoint is of another method or other classes."""
    config = job.config
    return Segmentation(network(path, job, config.weights), config.gate)


def network(path: Path, job: Job, weights: WhichWeights) -> SelfReinforced:
    """Student or teacher of a checkpoint.  Raises WsssError as `trained`, and if there is no teacher in it."""
    try:
        return trained(path, job, Net, build, "model" if weights == "student" else "modules.teacher")
    except KeyError as error:
        raise WsssError(f"{path} holds no {weights}", "give train.teacher_checkpoint=teacher.pth as well") from error
