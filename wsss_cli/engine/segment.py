"""Train a segmentation network with cross-entropy on label maps: the plain `train` stage of a method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from glob import escape
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field
from torch import Tensor, nn

from wsss_cli import bounds, ranges
from wsss_cli.batches.segmentation import Augment, SegmentationData, to_device
from wsss_cli.config import StageConfig
from wsss_cli.context import Context
from wsss_cli.data.label_format import format_of, label_format, present_ids, strange_ids
from wsss_cli.data.labels import map_path, read_labels
from wsss_cli.data.long_side import at_image_size
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.data.unchanged import stamp
from wsss_cli.engine.loop import Loop, Training, fit, total_iterations
from wsss_cli.engine.optimiser import TwoRates, body_and_head, factor
from wsss_cli.engine.part import meta, trained_part
from wsss_cli.engine.schedules import poly
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.losses.segmentation import cross_entropy, sigmoid_cross_entropy
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.heads.outputs import training_losses
from wsss_cli.nets.multi_scale import MultiScale
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.places import Place
from wsss_cli.promises import CHECKPOINT, Promises, absent, each, promised_ids
from wsss_cli.ranks.distributed import mean_over_ranks
from wsss_cli.runs import classes_mark
from wsss_cli.work import Pass, Work, areas, reading


class Optimiser(TwoRates):
    """SGD with a poly schedule; the defaults are BECO's released ones."""

    lr: float = Field(0.01, gt=0, le=bounds.RATE, description="learning rate of the backbone (BECO: 0.01)")
    head_factor: float = Field(
        1.0, gt=0, le=bounds.FACTOR, description="factor on the decoder's learning rate (BECO: 1)"
    )
    min_lr: float = Field(1e-5, ge=0, le=bounds.RATE, description="floor of poly (BECO)")

    def floor(self) -> float:
        """The share of the base rate at which poly stays."""
        return self.min_lr / self.lr


def maps_of(labels: str) -> Path:
    """The folder of label maps that is meant: that itself, or, where it is a run's, the run's pseudo-labels."""
    folder = Path(labels).expanduser()
    ours = folder / "pseudo" / "labels"
    return ours if ours.is_dir() else folder


LOOKED_AT = 200_000  # label maps that are remembered: more than COCO's

LABELS = Place("folder", ("pseudo", "seeds", "masks"), maps_of, asked=False)
"""The setting that says what is learnt from."""


class Segment(StageConfig):
    """A segmentation network on pseudo-labels, or on the masks: the upper bound."""

    labels: Annotated[str, LABELS] = Field(
        "pseudo",
        description="pseudo: the run's pseudo-labels; masks: the ground truth; or a folder of maps, or a run's",
    )
    masks: Literal["ignore", "prefer"] = Field(
        "ignore", description="prefer: of images that have a mask learn from that, of the others from `labels`"
    )
    split: str | None = Field(None, description="the split to learn from; the data set's training split")
    net: Net = Field(Net(), description="the network")
    multi_scale: tuple[ranges.Scale, ...] = Field(
        (), description="scales at which the network also sees each image; the largest logit counts (MSC: 0.5, 0.75)"
    )
    augment: Augment = Field(Augment(), description="augmentation")
    optimiser: Optimiser = Field(Optimiser(), description="optimiser")
    loop: Loop = Field(Loop(epochs=30, batch=16), description="length of the training")

    def unneeded(self) -> tuple[str, ...]:
        return () if self.labels == "pseudo" else ("pseudo",)

    def images(self, context: Context) -> Sequence[Sample] | None:
        return labelled(context, self)[0]

    def promises(self, context: Context) -> Promises:
        return CHECKPOINT

    def work(self, context: Context) -> Iterator[Work]:
        samples, side = labelled(context, self)[0], self.augment.crop
        seen = self.loop.crops(len(samples))
        one = Pass(self.net, context.data.num_classes + 1, side, side, learns=True)
        yield Work("train", seen * (1 + areas(self.multi_scale)), one)
        yield from reading(seen, samples)


class PlainSegment(Segment):
    """`Segment` whose loss is not the method's own."""

    loss: Literal["softmax", "sigmoid"] = Field(
        "softmax",
        description="cross-entropy of softmax; or of sigmoid, each class against the rest (mmseg's Fast-SCNN)",
    )


def train(job: Job[Segment]) -> dict[str, float]:
    """Train the network that the config describes; leaves checkpoint.pt."""
    config = job.config
    samples, labels = to_learn(job, config)
    net = with_scales(
        build_segmenter(config.net, job.data.num_classes + 1, trust=job.runtime.trust), config.multi_scale
    )
    data = SegmentationData(samples, labels, config.augment)
    total = total_iterations(config.loop, len(data))
    what = learnt_from(config, samples)
    job.say(f"train: {len(samples)} images, labels: {what}, {total} iterations of {config.loop.batch} images")
    training = Training(
        model=net,
        step=_sigmoid_step if isinstance(config, PlainSegment) and config.loss == "sigmoid" else _step,
        optimizer=body_and_head(net, config.optimiser),
        factor=rates(config.optimiser, total),
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


class Known(Protocol):
    """What a `Context` and a `Job` know of the data and of the stages before."""

    @property
    def data(self) -> Prepared: ...

    @property
    def inputs(self) -> Mapping[str, Path]: ...

    @property
    def promised(self) -> Mapping[str, Promises]: ...


def labelled(known: Known, config: Labels) -> tuple[list[Sample], Callable[[Sample], Path]]:
    """The images to learn from and where the label map of each lies.

    Of a stage of the run: those of which it promises one; of images with masks these, if they are preferred.
    Raises WsssError if there are none, or if a folder of somebody else's is not there, lacks some, or holds maps of
    another format.
    """
    samples, labels = _labelled(known, config)
    if not prefers_masks(config):
        return samples, labels
    have = {s.id for s in samples}
    split = known.data.split(known.data.split_for("train", config.split))
    return [s for s in split if s.id in have or s.mask is not None], partial(mask_or, labels)


def prefers_masks(config: Labels) -> bool:
    """Whether images with a mask are learnt from it, the others from something else."""
    return isinstance(config, Segment) and config.masks == "prefer" and config.labels != "masks"


def mask_or(labels: Callable[[Sample], Path], sample: Sample) -> Path:
    """The image's mask, or where it has none its label map."""
    return labels(sample) if sample.mask is None else sample.mask


def learnt_from(config: Labels, samples: Sequence[Sample]) -> str:
    """In words, what the labels are."""
    masked = sum(s.mask is not None for s in samples) if prefers_masks(config) else 0
    return f"{config.labels}, the masks of {masked}" if masked else config.labels


def _labelled(known: Known, config: Labels) -> tuple[list[Sample], Callable[[Sample], Path]]:
    """The same without the masks that are preferred."""
    data, split = known.data, known.data.split_for("train", config.split)
    samples = data.split(split)
    if config.labels == "masks":
        chosen = [s for s in samples if s.mask is not None]
        if not chosen:
            raise WsssError(f"labels=masks: split '{split}' has no masks", "use labels=pseudo")
        return chosen, _mask
    if config.labels in known.inputs:
        made = promised_ids(known.promised.get(config.labels, {}), "labels")
        folder, samples = known.inputs[config.labels] / "labels", [s for s in samples if s.id in made]
        if not samples:
            what = f"no image of split '{split}' gets a label map from stage {config.labels}"
            raise WsssError(what, "see its split; a method's author: `promises` of its settings names the label maps")
    else:
        folder, samples = _ready_made(config.labels, samples, data)
    return samples, partial(map_path, folder)


def _mask(sample: Sample) -> Path:
    """The ground truth, which a sample here has."""
    return sample.mask or Path()


def _ready_made(labels: str, samples: Sequence[Sample], data: Prepared) -> tuple[Path, list[Sample]]:
    """The folder of label maps of another run or of somebody else's, and the images that it is to have one of."""
    folder = maps_of(labels)
    of_run = folder != Path(labels).expanduser()  # which makes none of images without tags
    samples = [s for s in samples if s.tags or not of_run]
    if not folder.is_dir():
        raise WsssError(f"labels={labels}: there is no folder {folder}", "check the path")
    if classes_mark(folder.parent) not in (None, data.mark()):
        what = f"labels={labels}: it is of other classes than those of '{data.info.name}', or of another order"
        raise WsssError(what, "prepare again with the classes that it has: --classes NAME,NAME")
    missing = absent(folder, each(samples, ".png"))
    if missing:
        what = f"labels={labels}: no label map for {len(missing)} images, first {missing[0]}"
        raise WsssError(what, f"label maps are named <id>.png{_instead(folder / missing[0])}")
    if samples:
        require_label_maps(samples, partial(map_path, folder), data.num_classes)
    return folder, samples


def _instead(path: Path) -> str:
    """In words, what lies there by the same name with another ending."""
    others = sorted(p.name for p in path.parent.glob(f"{escape(path.stem)}.*"))
    return f"; there is {others[0]}" if others else ""


def to_learn(job: Job, config: Labels) -> tuple[list[Sample], Callable[[Sample], Path]]:
    """`labelled`, when the stages before are finished; the user is told how many images of the split are left out.

    Raises WsssError also for a map that a stage of the run has made of another size or with other ids.
    """
    samples, labels = labelled(job, config)
    split = job.data.split_for("train", config.split)
    whole = len(job.data.split(split))
    if len(samples) < whole:
        left_out = f"{whole - len(samples)} of {whole} images of split '{split}' are left out"
        job.say(f"{left_out}: labels={config.labels} has nothing for them")
    if config.labels in job.inputs:
        ids_of_maps(samples, labels, job.data.num_classes)
    return samples, labels


def require_label_maps(samples: Sequence[Sample], place: Callable[[Sample], Path], num_classes: int) -> None:
    """Raises WsssError as `ids_of_maps`, and if no map holds a class: all of it would be learnt in silence."""
    if not ids_of_maps(samples, place, num_classes) & set(range(1, num_classes + 1)):
        raise WsssError(
            f"the {len(samples)} label maps in {place(samples[0]).parent} hold no class, only background or ignore",
            f"class ids are 1..{num_classes}; maps of 0 and 255 must be renumbered",
        )


def ids_of_maps(samples: Sequence[Sample], place: Callable[[Sample], Path], num_classes: int) -> set[int]:
    """All ids.  Raises WsssError naming the first map that has not its image's size, the right bits or known ids."""
    seen = ParallelMap(lambda s: _ids_of_map(place(s), stamp(place(s)), s, num_classes), samples)
    return set().union(*seen)


@lru_cache(LOOKED_AT)
def _ids_of_map(path: Path, stamped: str, sample: Sample, num_classes: int) -> set[int]:
    """Of a map that is as its image and classes want it.  A plan and the training ask several times: while the file has
    the stamp it is not read again.
    """
    labels, form = at_image_size(read_labels(path), sample), label_format(num_classes)
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
    ids = present_ids(labels)
    if wrong := strange_ids(ids, num_classes):
        raise WsssError(
            f"{path} holds the id {wrong[0]}, the data set's classes are 1..{num_classes}",
            f"give label maps of this data set: 0 background, {form.ignore} ignore",
        )
    return set(ids)


def rates(o: Optimiser, total: int, released: Callable[..., float] = poly) -> Callable[[int], float]:
    """Iteration k to the factor on every rate: `released`, such as poly, unless the settings ask for another."""
    return factor(o, total, lambda k: released(k, total, o.power, o.floor()))


def predictor(path: Path, job: Job) -> nn.Module:
    """The trained network of a checkpoint. Raises WsssError if it is of another method or other classes."""

    def build(meta: dict[str, Any]) -> nn.Module:
        plain = build_segmenter(Net.stored(meta).untrained(), job.data.num_classes + 1)
        return with_scales(plain, meta.get("multi_scale", ()))

    return trained_part(job, path, build)


def with_scales(net: nn.Module, scales: Sequence[float]) -> nn.Module:
    """The network, or with scales the same one that sees them too."""
    return MultiScale(net, scales) if scales else net


def _step(model: nn.Module, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    losses = training_losses(model(batch["image"], outputs=True), batch["label"], _cross_entropy)
    return {"cross_entropy": losses.pop("main"), **losses}


def _sigmoid_step(model: nn.Module, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    losses = training_losses(model(batch["image"], outputs=True), batch["label"], sigmoid_cross_entropy)
    return {"cross_entropy": losses.pop("main"), **losses}


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits, labels, mean_over_ranks)
