"""BECO's own stage, the co-training of two networks, and how they predict. Seeds and pseudo-labels are IRN's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torch import nn

from wsss_beco.checkpoint import load_official
from wsss_beco.config import Infer, Train, need_confidence, pairs
from wsss_beco.data import CoTrainingData, Find, to_device
from wsss_beco.nets import Ensemble, TwoNetworks
from wsss_beco.step import CoTraining
from wsss_cli import console
from wsss_cli.batches.loader import batches_per_epoch
from wsss_cli.classifier.gate import with_gate
from wsss_cli.data.labels import map_path, read_mask01
from wsss_cli.data.long_side import at_image_size
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.loop import Loop, Training, fit, total_iterations
from wsss_cli.engine.optimiser import body_and_head
from wsss_cli.engine.part import Taken, meta, train_or_take, trained_part
from wsss_cli.engine.segment import rates, to_learn
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.nets.config import Net
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.promises import absent, each
from wsss_irn.relations import NAME


def train(job: Job[Train]) -> dict[str, float]:
    """Pseudo-labels and confidence masks -> two networks; leaves checkpoint.pt."""
    file = job.config.checkpoint
    network = job.config.net if file is None else job.config.net.official()
    return train_or_take(
        job, job.folder, meta(job, network), file, lambda file: take(job, network, file), lambda: learn(job)
    )


def take(job: Job[Train], network: Net, file: str) -> Taken:
    """The authors' networks instead of a training. Raises WsssError if the file does not fit."""
    net = untrained(network, job)
    load_official(net, file, job.runtime.trust)
    return Taken(net)


def learn(job: Job[Train]) -> dict[str, float]:
    """The training itself."""
    config = job.config
    loop = config.loop
    samples, labels = to_learn(job, config)
    masks = confidence(job, config, samples)
    batch, warning = effective_batch(loop, job.runtime.world, config.rated_batch)
    job.say(batch)
    if warning and job.runtime.main:
        console.warn(warning)
    net = TwoNetworks(config.net, job.data.num_classes + 1, job.runtime.trust)
    data = CoTrainingData(samples, labels, masks, job.data.num_classes + 1, config)
    total, warm_up = total_iterations(loop, len(data)), config.mixing.warm_up * batches_per_epoch(len(data), loop.batch)
    job.say(f"train: {len(data)} images, labels: {config.labels}, {total} iterations, the first {warm_up} mix offline")
    training = Training(
        model=net,
        step=CoTraining(net, config, warm_up),
        optimizer=body_and_head(net, config.optimiser),
        factor=rates(config.optimiser, total),
        data=data,
        prepare=to_device,
        meta=meta(job, config.net),
    )
    return fit(training, loop, job.runtime, job.folder, title="train", seed=config.seed)


def untrained(net: Net, job: Job) -> TwoNetworks:
    """Both networks with random weights, for which nothing is downloaded."""
    return TwoNetworks(net.untrained(), job.data.num_classes + 1)


def predictor(path: Path, job: Job[Infer]) -> nn.Module:
    """The trained networks of a checkpoint, or one of them. Raises WsssError if it is of other classes or methods."""
    net = trained_part(job, path, lambda meta: untrained(Net.stored(meta), job))
    return with_gate(Ensemble(net, job.config.member), job, NAME)


def confidence(job: Job, config: Train, samples: Sequence[Sample]) -> Find | None:
    """Where the confidence mask of an image lies; None if every label is trusted.

    Raises WsssError if a mask is missing, or if it is not said which masks belong to a folder of labels.
    """
    chosen = config.confidence
    need_confidence(config)
    if chosen == "all" or (chosen is None and config.labels == "masks"):
        return None
    folder = job.inputs["pseudo"] / "confidence" if chosen is None else Path(chosen).expanduser()
    missing = absent(folder, each(samples, ".png"))
    if missing:
        raise WsssError(
            f"{folder} holds no confidence mask for {len(missing)} images, first {missing[0]}",
            "give one for each image, or --set train.confidence=all",
        )
    if chosen is not None:
        require_masks(samples, folder)
    return partial(map_path, folder)


def require_masks(samples: Sequence[Sample], folder: Path) -> None:
    """Raises WsssError naming the first mask that has not its image's size, or other values than 0 and 1 or 255."""
    for sample, mask in zip(samples, ParallelMap(lambda s: read_mask01(folder / f"{s.id}.png"), samples)):
        if at_image_size(mask, sample).shape != (sample.height, sample.width):
            raise WsssError(
                f"{folder / sample.id}.png is {mask.shape[1]} x {mask.shape[0]}, but its image {sample.image} is "
                f"{sample.width} x {sample.height}",
                "give confidence masks of the images' own size",
            )


def effective_batch(loop: Loop, world: int, rated: int) -> tuple[str, str]:
    """What the batch is made of, in words, and a warning if it is not the one that the learning rate is meant for.

    Raises WsssError if a rank's share cannot be paired.
    """
    each = pairs(loop, world)
    text = f"effective batch {loop.batch}: ranks {world} x accumulated passes {loop.accumulate} x images {each}"
    if loop.batch == rated:
        return text, ""
    how = f"keep loop.batch={rated}"
    if loop.batch < rated:
        how += f" and accumulate, where memory is short: loop.accumulate={max(2, rated // (each * world))}"
    return text, f"effective batch {loop.batch}, but the learning rate is meant for {rated}: {how}"
