"""The train stage: a network that under-fits on purpose, then another one on what the first sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from wsss_cli.batches.segmentation import SegmentationData, to_device
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.engine import checkpoint, segment
from wsss_cli.engine.infer import infer, outputs
from wsss_cli.engine.loop import Training, fit, total_iterations
from wsss_cli.engine.optimiser import body_and_head
from wsss_cli.engine.part import PATH, Taken, keep, meta
from wsss_cli.job import Job
from wsss_cli.nets.config import build_segmenter
from wsss_cli.nets.heads.outputs import training_losses
from wsss_ppmg.checkpoint import load_official_segmenter
from wsss_ppmg.coco_ids import read_compact
from wsss_ppmg.config import Train, UnderFitting
from wsss_ppmg.schedules import poly_to
from wsss_ppmg.selection import Best
from wsss_ppmg.under_fitting import under_fitting_loss


def train(job: Job[Train]) -> dict[str, Any]:
    """Pseudo-masks -> network -> its own labels of the training images -> another network; leaves checkpoint.pt."""
    config = job.config
    if config.checkpoint is not None:
        return keep(job, job.folder, *take_official(job, config.checkpoint))
    return rounds(job)


def rounds(job: Job[Train]) -> dict[str, Any]:
    """The trainings: one, or with the cyclic round two."""
    config = job.config
    samples, labels = segment.to_learn(job, config)
    foreign = config.raw_coco_ids and config.labels not in ("pseudo", "masks")
    data = SegmentationData(samples, labels, config.augment, read_compact if foreign else read_labels)
    if not config.cyclic.enabled:
        return learn(job, job.folder, data, config.under_fitting, "train")
    first = job.folder / "first"
    before = learn(job, first, data, config.under_fitting, "train, first round")
    again = relabel(job, first)
    again = partial(segment.mask_or, again) if segment.prefers_masks(config) else again
    data = SegmentationData(samples, again, config.augment)
    after = learn(job, job.folder, data, UnderFitting(kind="off"), "train, cyclic round")
    return {**{f"first_{name}": value for name, value in before.items() if name != "selection"}, **after}


def learn(job: Job[Train], folder: Path, data: SegmentationData, loss: UnderFitting, title: str) -> dict[str, Any]:
    """One training from pretrained weights; leaves checkpoint.pt and, if the best state is asked for, best.pt."""
    config = job.config
    about = meta(job, config.net) | {"selection": config.selection.checkpoint}
    _forget_without_best(job, folder, config.looks_from(len(data)))
    best = Best(job, folder / checkpoint.BEST, about) if config.selection.checkpoint == "best" else None
    found: dict[str, Any] | None = checkpoint.finished(folder / PATH, about)
    if found is None:
        found = dict(_fit(job, folder, data, loss, title, about, best))
    return found | ({"selection": best.describe()} if best is not None else {})


def _forget_without_best(job: Job[Train], folder: Path, looked: int | None) -> None:
    """A training that has lost its best state starts again: it would take a worse one for the best.

    looked  the iteration from which there is one
    """
    path = folder / PATH
    lost = looked is not None and not (folder / checkpoint.BEST).exists() and path.exists()
    if lost and checkpoint.load(path)["iteration"] >= (looked or 0):
        job.say(f"{folder / checkpoint.BEST} is gone: the training starts again")
        if job.runtime.main:
            path.unlink()
    job.barrier()


def _fit(
    job: Job[Train],
    folder: Path,
    data: SegmentationData,
    loss: UnderFitting,
    title: str,
    about: dict[str, Any],
    best: Best | None,
) -> dict[str, float]:
    config = job.config
    total = total_iterations(config.loop, len(data))
    job.say(f"{title}: {len(data)} images, {total} iterations of {config.loop.batch} images, loss: {loss.kind}")
    checkpoint.seed_all(config.seed)  # whatever ran before in this process
    net = build_segmenter(config.net, job.data.num_classes + 1, trust=job.runtime.trust)
    training = Training(
        model=net,
        step=lambda model, batch, k: losses(model, batch, loss),
        optimizer=body_and_head(net, config.optimiser),
        factor=segment.rates(config.optimiser, total, poly_to),
        data=data,
        prepare=to_device,
        meta=about,
        validate=best,
        validate_every=config.selection.every,
    )
    return fit(training, config.loop, job.runtime, folder, title=title, seed=config.seed)


def losses(model: nn.Module, batch: dict[str, Tensor], config: UnderFitting) -> dict[str, Tensor]:
    """The loss of each output, main and auxiliary, each with a gate of its own."""
    return training_losses(
        model(batch["image"], outputs=True), batch["label"], lambda x, y: under_fitting_loss(x, y, config)
    )


def relabel(job: Job[Train], trained: Path) -> Callable[[Sample], Path]:
    """Predict the training images with the network in `trained`; resumes per image.  Returns where the labels lie."""
    config = job.config
    split = job.data.split_for("train", config.split)
    settings = config.cyclic.infer.model_copy(update={"split": split})
    folder = job.folder / "cyclic"
    job.say(f"cyclic round: predicts split '{split}' -> {folder}")
    whole: Job[Any] = job  # the stage that it becomes has another config
    infer(replace(whole, config=settings, folder=folder, inputs={"train": trained}, stage="infer"))
    return partial(_predicted, folder, settings.crf)


def _predicted(folder: Path, crf: bool, sample: Sample) -> Path:
    return outputs(folder, sample.id, crf)[-1]


def take_official(job: Job[Train], path: str) -> tuple[dict[str, Any], Taken]:
    """The authors' network instead of a training, after what it is.  Raises WsssError if the file does not fit."""
    config = job.config
    official = config.net.official()
    net = build_segmenter(official.untrained(), job.data.num_classes + 1)
    load_official_segmenter(net, job.data.num_classes, path, job.runtime.trust, config.raw_coco_ids)
    return meta(job, official) | {"selection": "last"}, Taken(
        net, result={"selection": f"the authors', of {Path(path).name}"}
    )


def predictor(path: Path, job: Job) -> nn.Module:
    """The trained network of a checkpoint, in its last or best state.  Raises WsssError if it is of another method."""
    return segment.predictor(checkpoint.used(path, job.runtime.trust)[0], job)
