"""The `train` stage: DeepLabV2-MSC on the seeds, then with the masking branch, then once more; and its prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wsss_bcm.checkpoint import load_official
from wsss_bcm.config import RATES, Train
from wsss_bcm.data import BoxedData, Find, to_device
from wsss_bcm.filling import measure, official_rates, read_rates
from wsss_bcm.nets import build, groups, plain_state
from wsss_bcm.step import MaskedStep, base_step
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import map_path, read_labels
from wsss_cli.data.long_side import at_image_size
from wsss_cli.data.prepared import Sample
from wsss_cli.engine import checkpoint, segment
from wsss_cli.engine.loop import Step, Training, fit, total_iterations
from wsss_cli.engine.optimiser import factor, optimizer
from wsss_cli.engine.part import Taken, meta, train_or_take, trained_part
from wsss_cli.engine.schedules import poly
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.nets.config import Net
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.promises import absent, each


def train(job: Job[Train]) -> dict[str, Any]:
    """Seeds and boxes -> `base/`, `bcm/`, `fr/`, each with its checkpoint; leaves the last one's as checkpoint.pt.

    A phase whose weights are taken from a file stands for those before it.  What is finished is not done again.
    """
    config = job.config
    phases = config.to_run()
    learnt_from = None if config.last_taken() else training_set(job, config)
    losses: dict[str, float] = {}
    below: Path | None = None
    for number, (name, phase) in enumerate(phases):
        checkpoint.seed_all(config.seed + number)  # whatever ran before in this process
        path = job.folder / name / "checkpoint.pt"
        losses = train_or_take(
            job,
            path.parent,
            _meta(job, name),
            phase.checkpoint,
            partial(_take, job, name),
            partial(_learn, job, name, below, learnt_from, config.seed + number),
        )
        below = path
    assert below is not None
    last = checkpoint.load(below)
    content = {"meta": last["meta"], "model": last["model"]}
    checkpoint.save(job.folder / "checkpoint.pt", content, job.runtime)
    taken = phases[-1][1].checkpoint is not None
    return losses if taken else losses | {"effective_batch": phases[-1][1].loop.batch}


@dataclass(frozen=True)
class TrainingSet:
    """What is learnt from: crops, and the filling rates (C,) if the labels' editing asks for them."""

    data: BoxedData
    rates: Tensor | None


def training_set(job: Job, config: Train) -> TrainingSet:
    """The training data.  Raises WsssError if there are no boxes, or files are missing."""
    samples, labels = segment.to_learn(job, config)
    boxes = _box_maps(config, samples)
    job.say(f"train: {len(samples)} images, labels: {config.labels}, fr_mode: {config.fr_mode}")
    rates = _rates(job, config, samples, labels) if config.fr_mode in ("intended", "topk") else None
    data = BoxedData(samples, labels, boxes, label_format(job.data.num_classes), config.crop)
    return TrainingSet(data, None if rates is None else rates.to(job.runtime.device))


def _box_maps(config: Train, samples: Sequence[Sample]) -> Find | None:
    """Where the box maps lie, None to paint them.  Raises WsssError if one is missing."""
    if config.boxes is None:
        return None
    folder = Path(config.boxes).expanduser()
    missing = absent(folder, each(samples, ".png"))
    if missing:
        what = f"boxes={folder}: no box map for {len(missing)} images, first {missing[0]}"
        raise WsssError(what, "give one for each image, or boxes=null to paint them from the data set's boxes")
    return partial(map_path, folder)


def _rates(job: Job, config: Train, samples: Sequence[Sample], labels: Callable[[Sample], Path]) -> Tensor:
    """The filling rates (C,): the seeds', those of other label maps, the released constants, or a file's."""
    classes = job.data.info.classes
    if config.filling_rates == "official":
        return official_rates(len(classes))
    if config.filling_rates != "measured":
        return read_rates(Path(config.filling_rates).expanduser(), classes)
    if config.labels == "seeds":
        return read_rates(job.inputs["seeds"] / RATES, classes)
    boxed = [s for s in samples if s.boxes]
    images = ParallelMap(lambda s: (at_image_size(read_labels(labels(s)), s), s.boxes), boxed)
    return torch.from_numpy(measure(images, len(classes)).per_box)


def _begin(job: Job[Train], name: str, below: Path | None, resumes: bool) -> nn.Module:
    """The network as a phase starts from it: pretrained, or with the weights of the phase before."""
    config = job.config
    net_config = config.net if below is None and not resumes else config.net.untrained()
    net = build(name, net_config, job.data.num_classes + 1, config.scales, job.runtime.trust)
    if below is not None and not resumes:
        state = plain_state(checkpoint.load(below)["model"])
        missing, unexpected = net.load_state_dict(state, strict=False)
        # only the masking branch may be new: the base network has none
        assert not unexpected and all(key.startswith("bcm.") for key in missing), (missing, unexpected)
    return net


def _learn(
    job: Job[Train], name: str, below: Path | None, learnt_from: TrainingSet | None, seed: int
) -> dict[str, float]:
    """A phase's training, from the checkpoint of the phase before."""
    assert learnt_from is not None
    net = _begin(job, name, below, resumes=(job.folder / name / "checkpoint.pt").exists())
    return _fit(job, name, net, learnt_from, seed)


def _fit(job: Job[Train], name: str, net: nn.Module, learnt_from: TrainingSet, seed: int) -> dict[str, float]:
    config = job.config
    phase = dict(config.to_run())[name]
    rates, loop = phase.rates, phase.loop
    total = total_iterations(loop, len(learnt_from.data))
    job.say(f"{name}: {total} iterations of {loop.batch} images in {loop.accumulate} pass(es)")
    parts = groups(net, rates.lr, rates.head_factor, rates.bias_factor, rates.weight_decay)
    step: Step = base_step if name == "base" else MaskedStep(config, learnt_from.rates)
    training = Training(
        model=net,
        step=step,
        optimizer=optimizer(parts, rates),
        factor=factor(rates, total, lambda k: poly(k, total, rates.power, every=rates.every)),
        data=learnt_from.data,
        prepare=to_device,
        meta=_meta(job, name),
    )
    return fit(training, loop, job.runtime, job.folder / name, title=f"train {name}", seed=seed)


def _take(job: Job[Train], name: str, file: str) -> Taken:
    """The authors' weights as this phase's.  Raises WsssError if they do not fit."""
    config = job.config
    net = build(name, config.net.untrained(), job.data.num_classes + 1, config.scales)
    load_official(net, file, job.runtime.trust)
    job.say(f"{name}: taken from {file}")
    return Taken(net)


def _meta(job: Job[Train], name: str) -> dict[str, Any]:
    config = job.config
    return meta(job, config.net) | {"phase": name, "scales": list(config.scales)}


def predictor(path: Path, job: Job) -> nn.Module:
    """The network of the last phase.  Raises WsssError if the checkpoint is of other classes or of another method."""

    def built(meta: dict[str, Any]) -> nn.Module:
        return build(meta["phase"], Net.stored(meta).untrained(), job.data.num_classes + 1, meta["scales"])

    return trained_part(job, path, built)
