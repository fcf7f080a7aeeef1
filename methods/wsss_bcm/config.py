"""The settings of BCM's stages; defaults are those of the released code (voc12_bcm.yaml, voc12_fr.yaml) unless said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from wsss_bcm.boxes import no_boxes
from wsss_bcm.grabcut import require_opencv
from wsss_cli import bounds, ranges
from wsss_cli.config import Config, StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import INSTANCES, Prepared, Sample
from wsss_cli.engine import infer
from wsss_cli.engine.loop import Loop
from wsss_cli.engine.optimiser import Optimiser
from wsss_cli.engine.segment import LABELS, labelled
from wsss_cli.errors import WsssError, caught
from wsss_cli.nets.config import Net
from wsss_cli.nets.precision import Precision
from wsss_cli.parts import Part
from wsss_cli.places import FILE, FOLDER, Place
from wsss_cli.promises import CHECKPOINT, Promises, absent, each
from wsss_cli.refine.crf_config import DEEPLAB, Crf
from wsss_cli.work import Pass, Work, areas, dense_crf, reading

RATES = "filling_rates.json"
"""What the stage `seeds` leaves beside the label maps."""


class Seeds(StageConfig):
    """Label maps from boxes; neither they nor code for them was released."""

    model_config = ConfigDict(populate_by_name=True)  # "from" is no name for Python

    split: str | None = Field(None, description="the split to make seeds of; the data set's training split")
    origin: Literal["crf", "grabcut", "import"] = Field(
        "crf",
        alias="from",
        description="crf: dense CRF within the boxes [after WSSL's Bbox-Seg]; grabcut: where it agrees with GrabCut "
        "[after M&G+; extra `grabcut`]; import: ready-made label maps",
    )
    folder: Annotated[str | None, FOLDER] = Field(
        None, description="from=import: the folder, one ID.png each (SegmentationClassAug_MG)"
    )
    centre: float = Field(0.2, gt=0, le=1, description="middle share of a box's area that is surely object [WSSL]")
    certainty: float = Field(0.9, gt=0.5, lt=1, description="probability of the class in that middle")
    fallback: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of its box below which a segment is given up: the middle is object, the rest of the box "
        "ignored [after Khoreva et al. 2017]; 0 never",
    )
    crf: Crf = Field(DEEPLAB, description="the dense CRF")
    iterations: int = Field(5, gt=0, le=bounds.REPEATS, description="of GrabCut")

    def images(self, context: Context) -> Sequence[Sample]:
        return boxed(context.data, self.split)

    def promises(self, context: Context) -> Promises:
        return {"labels": each(self.images(context), ".png"), "": (RATES,)}

    def work(self, context: Context) -> Iterator[Work]:
        samples = self.images(context)
        if self.origin == "crf":
            yield dense_crf("seeds", len(samples), samples, 1 + min(3, context.data.num_classes), self.crf)

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        if self.origin == "grabcut":
            yield from caught(require_opencv)
        if self.origin == "import" and (self.folder is None or FOLDER.exists(self.folder)):
            yield from caught(lambda: ready_made(self, self.images(context)))


def boxed(data: Prepared, asked: str | None) -> list[Sample]:
    """The samples of the training split, or of the one asked for, that have boxes.  Raises WsssError if none has."""
    split = data.split_for("train", asked)
    samples = [s for s in data.split(split) if s.boxes]
    if not samples:
        raise no_boxes(data.info.name, split)
    return samples


def ready_made(config: Seeds, samples: Sequence[Sample]) -> Path:
    """The folder of label maps to import.  Raises WsssError if it is not said, or lacks some."""
    if config.folder is None:
        raise WsssError("seeds.from=import needs the folder of label maps", "give --set seeds.folder=DIR")
    folder = FOLDER.find(config.folder)
    missing = absent(folder, each(samples, ".png"))
    if missing:
        what = f"{folder} holds no label map for {len(missing)} images, first {missing[0]}"
        raise WsssError(what, "give one for each image that has a box")
    return folder


class Crop(Config):
    """Scale, crop and mirror of the training images."""

    scales: tuple[ranges.Scale, ...] = Field((0.5, 0.75, 1.0, 1.25, 1.5), min_length=1, description="one is drawn")
    size: int = Field(321, gt=0, le=bounds.SIDE, description="side of the crop; smaller images are padded")
    longer_side: int | None = Field(
        None, gt=0, le=bounds.SIDE, description="length that the longer side gets first; null: its own"
    )
    flip: bool = Field(True, description="mirror half of the samples")


class Rates(Optimiser):
    """SGD's learning rates: deeplab-pytorch's three groups."""

    lr: float = Field(2.5e-4, gt=0, le=bounds.RATE, description="of the backbone")
    head_factor: float = Field(
        10.0, gt=0, le=bounds.FACTOR, description="factor for the weights of ASPP and of the masking branch"
    )
    bias_factor: float = Field(
        20.0, gt=0, le=bounds.FACTOR, description="factor for their biases, which have no weight decay"
    )
    weight_decay: float = Field(5e-4, ge=0, le=bounds.FACTOR, description="weight decay")
    every: int = Field(10, gt=0, le=bounds.STEPS, description="iterations between updates of the learning rate")


class Phase(Config):
    """One of the three trainings, each of which starts from the one before."""

    enabled: bool = Field(True, description="false: leave it out")
    checkpoint: Annotated[str | None, FILE] = Field(
        None,
        description="take these weights instead of this training and those before: deeplab-pytorch's or BCM's file",
    )
    rates: Rates = Field(Rates(), description="optimiser")
    loop: Loop = Field(Loop(epochs=11.3507, batch=12, accumulate=3), description="length; VOC: 10,000 iterations")

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        """None of a phase that is left out."""
        if self.enabled:
            yield from super().problems(context, where)


class Shift(Config):
    """How filling rates edit the labels."""

    strength: float = Field(
        0.3, ge=0, le=bounds.FACTOR, description="how far the variances of the scores shift a filling rate"
    )
    low: float = Field(0.05, ge=0, le=1, description="score up to which a label may be dropped")
    high: float = Field(0.98, ge=0, le=1, description="score above which an ignored pixel may get a label")
    most: float = Field(0.05, ge=0, le=1, description="share of an image's pixels above which nothing is edited")


class Train(StageConfig):
    """DeepLabV2-MSC on the seeds (base), with the masking branch (bcm), and once more (fr)."""

    labels: Annotated[str, LABELS] = Field(
        "seeds", description="seeds: the run's; masks: the ground truth; or a folder of label maps"
    )
    boxes: Annotated[str | None, FOLDER] = Field(
        None, description="a folder of painted box maps (SegmentationClassAug_Box); null: painted from the data's boxes"
    )
    split: str | None = Field(None, description="the split to learn from; the data set's training split")
    net: Net = Field(
        Net(backbone="resnet101_caffe", head="deeplabv2", freeze_bn=True),
        description="the network; VOC is published from the COCO weights of deeplab-pytorch, net.pretrained=FILE",
    )
    scales: tuple[ranges.Scale, ...] = Field(
        (0.5, 0.75), description="at which the network sees each image as well (MSC)"
    )
    crop: Crop = Field(Crop(), description="augmentation")
    base: Phase = Field(
        Phase(loop=Loop(epochs=18.9036, batch=10, accumulate=2)),
        description="DeepLabV2-MSC without masks, deeplab-pytorch's settings; VOC: 20,000 iterations",
    )
    bcm: Phase = Field(Phase(), description="box-driven class-wise masking")
    fr: Phase = Field(Phase(), description="filling-rate shifting: released as the same objective, begun again")
    mask_weight: float = Field(0.1, ge=0, le=bounds.FACTOR, description="weight of the masking branch's loss")
    fr_mode: Literal["official", "intended", "topk", "off"] = Field(
        "official",
        description="labels in bcm and fr: official, background outside boxes, as the released code comes out; "
        "intended: its slips repaired; topk: the CVPR paper's best share of each class; off: as they are",
    )
    shift: Shift = Field(Shift(), description="fr_mode official and intended")
    filling_rates: Annotated[str, Place(words=("measured", "official"))] = Field(
        "measured",
        description="fr_mode intended and topk: measured, on the labels; official, VOC's constants; or a FILE",
    )
    label_resize: Literal["double", "single"] = Field(
        "double",
        description="labels of the smaller scales: double, from those at the logits' size, as released; single, from "
        "the whole map, as deeplab-pytorch; base is always single",
    )

    def unneeded(self) -> tuple[str, ...]:
        return () if self.labels == "seeds" and self.last_taken() is None else ("seeds",)

    def phases(self) -> list[tuple[str, Phase]]:
        """Those that are not left out, in order."""
        return [(n, p) for n, p in (("base", self.base), ("bcm", self.bcm), ("fr", self.fr)) if p.enabled]

    def last_taken(self) -> str | None:
        """The last phase, if its weights are taken from a file: then nothing is trained."""
        phases = self.phases()
        return phases[-1][0] if phases and phases[-1][1].checkpoint is not None else None

    def to_run(self) -> list[tuple[str, Phase]]:
        """The phases that are run: one whose weights are taken from a file stands for those before it.

        Raises WsssError if there are none.
        """
        phases = self.phases()
        if not phases:
            raise WsssError("base, bcm and fr are all disabled", "enable one: --set train.bcm.enabled=true")
        taken = [i for i, (_, phase) in enumerate(phases) if phase.checkpoint is not None]
        return phases[taken[-1] if taken else 0 :]

    def images(self, context: Context) -> Sequence[Sample] | None:
        """Of those that are learnt from one at least has a box, unless box maps are given."""
        if self.last_taken() is not None:
            return None
        samples = labelled(context, self)[0]
        if self.boxes is None and not any(s.boxes for s in samples):
            raise no_boxes(context.data.info.name, context.data.split_for("train", self.split))
        return samples

    def parts(self) -> Sequence[Part]:
        """The phases, each with all that it begins from; how labels are edited `base` does not ask."""
        edits = ("mask_weight", "fr_mode", "shift", "filling_rates", "label_resize")
        names = [name for name, _ in self.to_run()] if self.phases() else []
        run = [
            Part(name, (name,), (name,) if name == "base" else (name, *edits), of=tuple(names[:i]))
            for i, name in enumerate(names)
        ]
        return [*run, *(Part(name, (), (name,)) for name in ("base", "bcm", "fr") if name not in names)]

    def promises(self, context: Context) -> Promises:
        return CHECKPOINT

    def work(self, context: Context) -> Iterator[Work]:
        samples, side = self.images(context) or (), self.crop.size
        one = Pass(self.net, context.data.num_classes + 1, side, side, learns=True)
        for name, phase in self.to_run() if samples else ():
            if phase.checkpoint is None:
                seen = phase.loop.crops(len(samples))
                yield Work(name, seen * (1 + areas(self.scales)), one)
                yield from reading(seen, samples)

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        """Of the phases that are run."""
        yield from caught(self.to_run)
        counted = [] if not self.phases() else [name for name, _ in self.to_run()]
        left_out = {n: p.model_copy(update={"enabled": False}) for n, p in self.phases() if n not in counted}
        yield from super(Train, self.model_copy(update=left_out)).problems(context, where)


class Instances(Config):
    """One mask for each box."""

    enabled: bool = Field(True, description="write instances.json (COCO)")
    shape: Literal["polygon", "rle"] = Field("polygon", description="polygon, as released; rle: run-length masks")
    tolerance: float = Field(2.0, ge=0, le=bounds.FACTOR, description="pixels that polygons may be off")
    overlap: Literal["share", "smaller"] = Field(
        "share", description="pixels under several boxes of a class: all of them (released), or the smallest"
    )
    area: Literal["box", "mask"] = Field("box", description="the field `area`: the box's, as released, or the mask's")


class Pseudo(Precision, StageConfig):
    """Pseudo-labels of the trained network, and instance labels."""

    split: str | None = Field(None, description="the split to make pseudo-labels of; the data set's training split")
    batch: int = Field(1, gt=0, le=bounds.BATCH, description="images of equal shape per forward pass")
    confident: float | None = Field(
        0.95,
        gt=0,
        lt=1,
        description="also labels_prob/: the seed, but the network's class where it is surer; null: not",
    )
    clip: bool = Field(False, description="background where a pixel's class has no box over it")
    instances: Instances = Field(Instances(), description="instance labels")

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.split(context.data.split_for("train", self.split))

    def promises(self, context: Context) -> Promises:
        """Label maps of every image; those with the seed, and instances, of those that have a seed and a box."""
        samples, promises = self.images(context), {}
        promises["labels"] = each(samples, ".png")
        if self.confident is not None:
            seeded = set(context.promised["seeds"].get("labels", ()))
            promises["labels_prob"] = [name for name in promises["labels"] if name in seeded]
        if self.instances.enabled:
            promises["instances"] = [*each((s for s in samples if s.boxes), ".json"), INSTANCES]
        return promises

    def unneeded(self) -> tuple[str, ...]:
        return () if self.confident is not None else ("seeds",)


class Infer(infer.Infer):
    """How the trained network is applied."""

    crf_settings: Crf = Field(DEEPLAB, description="the dense CRF (official_image=true: with its quirk)")
