"""Train a segmentation network with cross-entropy on label maps: the plain `train` stage of a method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from wsss_cli.config import Config, StageConfig, as_dict
from wsss_cli.data.label_format import format_of, label_format
from wsss_cli.data.labels import read_labels
from wsss_cli.data.parallel import ParallelMap
from wsss_cli.data.prepared import Sample
from wsss_cli.data.segmentation import Augment, SegmentationData, to_device
from wsss_cli.engine import checkpoint
from wsss_cli.engine.distributed import mean_over_ranks
from wsss_cli.engine.loop import Loop, Training, fit, total_iterations
from wsss_cli.engine.schedules import poly
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.losses.segmentation import cross_entropy
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.multi_scale import MultiScale
from wsss_cli.nets.outputs import training_losses


class Optimiser(Config):
    """SGD with a poly schedule."""

    lr: float = Field(0.01, gt=0, description="learning rate (BECO, released code)")
    head_factor: float = Field(1.0, gt=0, description="factor on the decoder's learning rate (BECO: 1)")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum (BECO)")
    weight_decay: float = Field(1e-4, ge=0, description="weight decay of every parameter (BECO)")
    power: float = Field(0.9, gt=0, description="lr * (1 - k / total) ** power")
    min_lr: float = Field(1e-5, ge=0, description="floor of the learning rate (BECO)")


class Segment(StageConfig):
    """A segmentation network on pseudo-labels, or on the masks: the upper bound."""

    labels: str = Field(
        "pseudo",
        description="pseudo: the run's pseudo-labels; masks: the ground truth; or a folder of maps, or a run's",
    )
    split: str | None = Field(None, description="the split to learn from; the data set's training split")
    net: Net = Field(Net(), description="the network")
    multi_scale: tuple[float, ...] = Field(
        (), description="scales at which the network also sees each image; the largest logit counts (MSC: 0.5, 0.75)"
    )
    augment: Augment = Field(Augment(), description="augmentation")
    optimiser: Optimiser = Field(Optimiser(), description="optimiser")
    loop: Loop = Field(Loop(epochs=30, batch=16), description="length of the training")

    def unneeded(self) -> tuple[str, ...]:
        return () if self.labels == "pseudo" else ("pseudo",)


def train(job: Job) -> dict[str, float]:
    """Train the network that the config describes; leaves checkpoint.pt."""
    config: Segment = job.config
    samples, labels = labelled(job, config)
    net = with_scales(
        build_segmenter(config.net, job.data.num_classes + 1, trust=job.runtime.trust), config.multi_scale
    )
    data = SegmentationData(samples, labels, config.augment)
    optimizer = sgd(net, config.optimiser)
    total = total_iterations(config.loop, len(data))
    job.say(f"train: {len(samples)} images, labels: {config.labels}, {total} iterations of {config.loop.batch} images")
    training = Training(
        model=net,
        step=_step,
        optimizer=optimizer,
        factor=lambda k: poly(k, total, config.optimiser.power, config.optimiser.min_lr / config.optimiser.lr),
        data=data,
        prepare=to_device,
        meta=meta(job, config.net) | ({"multi_scale": list(config.multi_scale)} if config.multi_scale else {}),
    )
    return fit(training, config.loop, job.runtime, job.folder, title="train", seed=config.seed)


class Labels(Protocol):
    """The settings that say what is learnt from, as in `Segment`."""

    @property
    def labels(self) -> str: ...

    @property
    def split(self) -> str | None: ...


def labelled(job: Job, config: Labels) -> tuple[list[Sample], Callable[[Sample], Path]]:
    """The images to learn from and where the label map of each lies.

    Raises WsssError if a label map is missing.
    """
    split = job.data.split_for("train", config.split)
    samples = job.data.split(split)
    if config.labels == "masks":
        chosen = [s for s in samples if s.mask is not None]
        if not chosen:
            raise WsssError(f"labels=masks: split '{split}' has no masks", "use labels=pseudo")
        return chosen, lambda s: s.mask or Path()
    folder, of_run = label_folder(job, config.labels)
    samples = [s for s in samples if s.tags or not of_run]  # those without tags have no pseudo-label
    missing = [s.id for s in samples if not (folder / f"{s.id}.png").exists()]
    if config.labels in job.inputs:
        samples = [s for s in samples if s.id not in set(missing)]
    elif missing:
        raise WsssError(f"labels={config.labels}: no label map for {len(missing)} images, first {missing[0]}.png")
    else:
        require_label_maps(samples, lambda s: folder / f"{s.id}.png", job.data.num_classes)
    return samples, lambda s: folder / f"{s.id}.png"


def label_folder(job: Job, labels: str) -> tuple[Path, bool]:
    """Where label maps lie, and whether a run made them: this one (a stage is named, "pseudo" or, of a method whose
    seeds are label maps, "seeds"), another (its folder is named), or somebody else.
    """
    if labels in job.inputs:
        return job.inputs[labels] / "labels", True
    ours = Path(labels) / "pseudo" / "labels"
    return (ours, True) if ours.is_dir() else (Path(labels), False)


def require_label_maps(samples: Sequence[Sample], place: Callable[[Sample], Path], num_classes: int) -> None:
    """Raises WsssError naming the first map that has not its image's size, the right bits or known ids, or if no map
    holds a class: all of it would be learnt in silence.
    """
    seen: set[int] = set()
    for ids in ParallelMap(lambda s: _ids_of_map(place(s), s, num_classes), samples):
        seen |= ids
    if not seen & set(range(1, num_classes + 1)):
        raise WsssError(
            f"the {len(samples)} label maps in {place(samples[0]).parent} hold no class, only background or ignore",
            f"class ids are 1..{num_classes}; maps of 0 and 255 must be renumbered",
        )


def _ids_of_map(path: Path, sample: Sample, num_classes: int) -> set[int]:
    labels, form = read_labels(path), label_format(num_classes)
    height, width = labels.shape
    if (width, height) != (sample.width, sample.height):
        raise WsssError(
            f"{path} is {width} x {height}, but its image {sample.image} is {sample.width} x {sample.height}",
            "give label maps of the images' own size",
        )
    found = format_of(labels)
    if found != form:
        what = f"{path} has {found.bits} bits per pixel, but with {num_classes} classes label maps have {form.bits}"
        raise WsssError(what, f"save them as {form.bits}-bit PNGs of class ids, {form.ignore} for ignore")
    ids = set(np.unique(labels).tolist())
    wrong = sorted(id for id in ids if id > num_classes and id != form.ignore)
    if wrong:
        raise WsssError(
            f"{path} holds the id {wrong[0]}, the data set's classes are 1..{num_classes}",
            f"give label maps of this data set: 0 background, {form.ignore} ignore",
        )
    return ids


def sgd(net: nn.Module, o: Optimiser) -> torch.optim.SGD:
    """SGD with the decoder (all that is in no `backbone`) in a group of its own."""
    trained = [("backbone" in n.split("."), p) for n, p in net.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for body, p in trained if body], "lr": o.lr},
        {"params": [p for body, p in trained if not body], "lr": o.lr * o.head_factor},
    ]
    return torch.optim.SGD(groups, lr=o.lr, momentum=o.momentum, weight_decay=o.weight_decay)


def meta(job: Job, net: Net) -> dict[str, Any]:
    """What a checkpoint says of itself: enough to rebuild the network and to refuse a wrong data set."""
    return {"method": job.method.name, "stage": job.stage, "classes": list(job.data.info.classes), "net": as_dict(net)}


def predictor(path: Path, job: Job) -> nn.Module:
    """The trained network of a checkpoint. Raises WsssError if it is of another method or other classes."""
    content = checkpoint.load(path, job.runtime.trust)
    checkpoint.expect(content, path, job.method.name, job.data.info.classes)
    # its weights come from the checkpoint: nothing is downloaded
    plain = build_segmenter(Net(**content["meta"]["net"] | {"pretrained": "none"}), job.data.num_classes + 1)
    net = with_scales(plain, content["meta"].get("multi_scale", ()))
    net.load_state_dict(content["model"])
    return net


def with_scales(net: nn.Module, scales: Sequence[float]) -> nn.Module:
    """The network, or with scales the same one that sees them too."""
    return MultiScale(net, scales) if scales else net


def _step(model: nn.Module, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    losses = training_losses(model(batch["image"], outputs=True), batch["label"], _cross_entropy)
    return {"cross_entropy": losses.pop("main"), **losses}


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits, labels, mean_over_ranks)
