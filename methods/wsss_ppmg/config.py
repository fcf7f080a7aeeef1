"""The settings of PPMG's stages; defaults are those of the released code for VOC unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from wsss_cli import bounds, ranges
from wsss_cli.batches.loader import batches_per_epoch
from wsss_cli.batches.segmentation import Augment
from wsss_cli.classifier.config import Sgd, TagTraining
from wsss_cli.config import Config, StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.engine import infer
from wsss_cli.engine.checkpoint import BEST
from wsss_cli.engine.loop import Loop, total_iterations
from wsss_cli.engine.segment import Optimiser, Segment, prefers_masks
from wsss_cli.errors import WsssError, caught
from wsss_cli.nets.config import Net
from wsss_cli.nets.normalisation import Pretrained
from wsss_cli.nets.precision import FIELDS, Precision
from wsss_cli.parts import Part
from wsss_cli.places import FILE, WEIGHTS
from wsss_cli.promises import CHECKPOINT, Promises, each
from wsss_cli.refine.crf_config import DEEPLAB, Crf
from wsss_cli.work import Pass, Work, areas, dense_crf, passes, typical_size

ROUGH_CRF = Crf(gaussian_sxy=3, gaussian_compat=3, bilateral_sxy=80, bilateral_srgb=13, bilateral_compat=10)
"""Of all classes at once.  [Eli-YiLi/PMM, rough masks]"""
CRF = ROUGH_CRF.model_copy(update={"gaussian_compat": 10.0})
"""Class by class.  [Eli-YiLi/PMM]"""


class SeamNetwork(Pretrained):
    """SEAM's classification network: a backbone, a classifier and the pixel correlation module."""

    backbone: str = Field("scalenet101", description="scalenet50, 101, 152, wideresnet38, or timm's name")
    backbone_args: dict[str, Any] = Field({}, description="further arguments of its constructor")
    pretrained: Annotated[str, WEIGHTS] = Field(
        "timm",
        description="timm: published weights, downloaded; none; or a FILE, which scalenet* and wideresnet38 need: of "
        "the backbone (authors: scalenet101.pth) or of a whole network (resnet38_SEAM.pth), whose head is taken too",
    )
    output_stride: Literal[8, 16, 32] = Field(8, description="stride of the class maps")
    dilate: bool | None = Field(
        None, description="dilate the stages that keep the resolution; null, as released: only WideResNet38's are"
    )
    levels: tuple[ranges.Level, ranges.Level] = Field(
        (-3, -2), description="levels of the backbone that the correlation module sees; -1: the last"
    )
    widths: tuple[ranges.Channels, ranges.Channels] = Field((64, 128), description="channels that it makes of them")
    dropout: float = Field(0.0, ge=0, lt=1, description="of the last level's channels, in training (WideResNet38: 0.5)")
    freeze_bn: bool = Field(True, description="batch norms keep statistics, gamma and beta of the pretraining")
    freeze: int | None = Field(
        4,
        ge=0,
        le=64,
        description="nothing up to the level of this stride learns (ScaleNet: 4, WideResNet38: 2); null: all learns",
    )


class SeamOptimiser(Sgd):
    """PolyOptimizer of the released code.

    Its groups of biases, at twice the rates, are empty: no convolution has one.
    """

    lr: float = Field(0.02, gt=0, le=bounds.RATE, description="learning rate of the backbone (COCO: 0.01)")
    head_factor: float = Field(
        10.0, gt=0, le=bounds.FACTOR, description="factor for the classifier and the correlation module"
    )
    momentum: float = Field(
        5e-4, ge=0, lt=1, description="released quirk: the weight decay lands in SGD's momentum slot"
    )
    weight_decay: float = Field(5e-4, ge=0, le=bounds.FACTOR, description="weight decay")


class Jitter(Config):
    """Changes of colour, in random order."""

    brightness: float = Field(0.3, ge=0, lt=1, description="factor from 1 - this to 1 + this")
    contrast: float = Field(0.3, ge=0, lt=1, description="the same of contrast")
    saturation: float = Field(0.3, ge=0, lt=1, description="the same of saturation")
    hue: float = Field(0.1, ge=0, le=0.5, description="largest shift, of a full circle")


class SeamTraining(TagTraining):
    """Training of a classification network."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take this trained network instead, a file of the authors' code"
    )
    resize_long: ranges.Sides = Field(
        (448, 768), description="range of the random length of the longer side, of ordinary random crops"
    )
    crop: int = Field(
        448, gt=0, le=bounds.SIDE, description="side of ordinary random crops, padded with the mean colour"
    )
    optimiser: SeamOptimiser = Field(SeamOptimiser(), description="optimiser")
    loop: Loop = Field(Loop(epochs=20, batch=16), description="length of the training (COCO: 20 epochs, batch 8)")
    raw_coco_ids: bool = Field(
        False, description="that file counts COCO's 90 raw category ids, as the authors' do: take the 80 that occur"
    )
    jitter: Jitter = Field(Jitter(), description="changes of colour")
    small: float = Field(0.3, gt=0, lt=1, description="scale of the second view that the losses compare")


class Grid(Config):
    """The cells that images are cut into at many scales."""

    scales: tuple[ranges.Scale, ...] = Field(
        (0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0), min_length=1, description="scales of the images"
    )
    crop: int = Field(
        448, gt=0, le=bounds.SIDE, description="side of the last cell of a row, and to which every cell is resized"
    )
    stride: int = Field(300, gt=0, le=bounds.SIDE, description="side of the other cells (a quirk: they do not overlap)")


class Rough(Config):
    """The network and the masks that say which tags hold in a cell."""

    net: SeamNetwork = Field(
        SeamNetwork(backbone="wideresnet38", dropout=0.5, freeze=2),
        description="classification network",
    )
    training: SeamTraining = Field(
        SeamTraining(loop=Loop(epochs=8, batch=24)), description="its training, on ordinary random crops"
    )
    scales: tuple[ranges.Scale, ...] = Field((0.5, 1.0, 1.5, 2.0), min_length=1, description="scales that are summed")
    batch: int = Field(4, gt=0, le=bounds.BATCH, description="images of equal shape per forward pass; same result")
    alpha: float = Field(24.0, gt=0, le=bounds.POWER, description="background score (1 - max CAM) ** alpha")
    crf: Crf = Field(ROUGH_CRF, description="the dense CRF over background and all classes")
    sure: float = Field(0.9, ge=0.5, lt=1, description="probability above which a pixel is of a class's region")
    overlap: float = Field(
        0.1, ge=0, lt=1, description="a tag holds in a cell that shares more than this of the region or of itself"
    )


class Seeds(Precision, StageConfig):
    """Train SEAM's network on cells of the images and take the mean class maps of all cells."""

    split: str | None = Field(None, description="the split to learn from and to make CAMs of; the data set's")
    samples: Literal["multi_crop", "random_crop"] = Field(
        "multi_crop",
        description="what is learnt from: cells with the tags that hold in them, for which rough masks are made "
        "first; or ordinary random crops with the image's tags (COCO, as released)",
    )
    rough: Rough = Field(Rough(), description="rough masks, for samples=multi_crop")
    grid: Grid = Field(Grid(), description="cells of training (multi_crop) and of the class maps")
    net: SeamNetwork = Field(SeamNetwork(), description="classification network")
    training: SeamTraining = Field(SeamTraining(), description="training of the classification network")
    batch: int = Field(
        16, gt=0, le=bounds.BATCH, description="cells per forward pass, each with its mirror image; same result"
    )
    full: bool = Field(
        True, description="keep the CAMs at the images' size, as released; false: at stride 4, 1/16 of the disk space"
    )

    def makes_rough(self) -> bool:
        """Whether rough masks are needed: the network is trained, and on cells."""
        return self.samples == "multi_crop" and self.training.checkpoint is None

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.tagged(self.split)

    def parts(self) -> Sequence[Part]:
        """Cells and the tags in them are learnt from where rough masks are made."""
        made = ("scales", "batch", "alpha", "crf", "sure")
        rough = (
            Part("rough net", ("rough_net",), ("rough.net", "rough.training", "seed")),
            Part("rough masks", ("rough",), (*(f"rough.{key}" for key in made), *FIELDS), of=("rough net",)),
        )
        cells, before = (("grid", "rough.overlap"), rough) if self.makes_rough() else ((), ())
        learnt = ("samples", "net", "training", "seed", *cells)
        return (
            *before,
            Part("CAM net", ("cam_net",), learnt, of=tuple(part.name for part in before)),
            Part("CAMs", ("cam",), ("grid", "batch", "full", *FIELDS), of=("CAM net",)),
        )

    def promises(self, context: Context) -> Promises:
        return {"cam": each(self.images(context), ".npz")}

    def work(self, context: Context) -> Iterator[Work]:
        """Images and their cells count by area; each training sees an image twice, at full and at small scale."""
        samples, classes = self.images(context), context.data.num_classes
        size, cells = typical_size(samples), len(samples) * areas(self.grid.scales)
        rough = [("rough classifier", self.rough.net, self.rough.training, len(samples))] if self.makes_rough() else []
        for what, net, training, n in [*rough, ("classifier", self.net, self.training, self._cells(samples))]:
            if training.checkpoint is None:
                seen = training.loop.crops(n) * (1 + training.small**2)
                yield Work(f"train {what}", seen, Pass(net, classes, training.crop, training.crop, learns=True))
        if rough:
            seen = len(samples) * areas(self.rough.scales, flip=True)
            yield passes("rough CAMs", seen, self.rough.net, classes, size)
            yield dense_crf("rough masks", len(samples), samples, classes + 1, self.rough.crf)
        yield passes("make CAMs", 2 * cells, self.net, classes, size)

    def _cells(self, samples: Sequence[Sample]) -> int:
        """About how many the images are cut into, a row or column at least one."""
        if self.samples != "multi_crop":
            return len(samples)
        height, width = typical_size(samples)
        each = (max(1, s * height / self.grid.stride) * max(1, s * width / self.grid.stride) for s in self.grid.scales)
        return round(len(samples) * sum(each))

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        counted = self if self.makes_rough() else self.model_copy(update={"rough": None})
        yield from super(Seeds, counted).problems(context, where)


class Pseudo(StageConfig):
    """CAMs -> smoothed by their coefficient of variation -> class by class a dense CRF -> pseudo-labels."""

    split: str | None = Field(None, description="the split to make pseudo-labels of; the data set's")
    cvs: bool = Field(True, description="coefficient of variation smoothing; false: CAMs as they are (ablation)")
    threshold: float = Field(0.05, ge=0, lt=1, description="scores below it are 0 and left out of the coefficient")
    scale: float = Field(0.3, ge=0, le=bounds.FACTOR, description="the exponent is 1 - scale * std / mean")
    overflow: bool = Field(
        False,
        description="let the float16 sum of a large object's scores overflow, as released: all above `threshold` are "
        "then sure",
    )
    ppmg: bool = Field(
        True,
        description="proportional pseudo-mask generation: each class against its own background; false: one dense CRF "
        "over background and all classes, the most probable wins (ablation)",
    )
    alpha: float = Field(11.0, gt=0, le=bounds.POWER, description="background score (1 - CAM) ** alpha")
    crf: Crf = Field(CRF, description="the dense CRF")

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.tagged(self.split)

    def promises(self, context: Context) -> Promises:
        return {"labels": each(self.images(context), ".png")}

    def work(self, context: Context) -> Iterator[Work]:
        samples = self.images(context)
        yield dense_crf("pseudo-masks", len(samples), samples, 3, self.crf)


class UnderFitting(Config):
    """The pretended under-fitting loss, of the head and of the auxiliary head each by itself."""

    kind: Literal["off", "clamp", "pow", "ignore"] = Field(
        "clamp", description="of pixels that fit badly once most fit: clamp, pow or ignore; off: plain cross-entropy"
    )
    beta: float = Field(
        0.5, ge=0, le=bounds.POWER, description="mean cross-entropy below which pixels are suppressed (COCO: 0.8)"
    )
    k: float = Field(
        0.5, gt=0, le=bounds.POWER, description="cross-entropy above which they are, or the exponent of pow (COCO: 0.8)"
    )
    gate_chunk: int | None = Field(
        2,
        gt=0,
        le=bounds.BATCH,
        description="images whose mean is compared with beta: 2, as released on GPUs of 2 images each; null: all of "
        "a rank's pass",
    )


class Infer(infer.Infer):
    """How the trained network is applied: as in the released test, unless said otherwise."""

    scales: tuple[ranges.Scale, ...] = Field(
        (0.5, 0.75, 1.0, 1.25, 1.5, 1.75), min_length=1, description="image scales whose predictions are fused"
    )
    flip: bool = Field(True, description="also predict the mirrored image")
    short_side: int | None = Field(
        512,
        gt=0,
        le=bounds.SIDE,
        description="scales count from this length of the shorter side; null: from the image's",
    )
    window: int | None = Field(
        512, gt=0, le=bounds.SIDE, description="see larger images window by window, of this side"
    )
    window_stride: int | None = Field(
        480, gt=0, le=bounds.SIDE, description="distance of the windows; null: they do not overlap"
    )
    crf_settings: Crf = Field(DEEPLAB, description="the dense CRF")


class Cyclic(Config):
    """The cyclic pseudo-mask round: the network labels the training images, and another one learns that."""

    enabled: bool = Field(True, description="whether there is this round (COCO: no)")
    infer: Infer = Field(Infer(crf=True), description="how the new labels are predicted; the split is the training's")


class Selection(Config):
    """Which state of a training is used afterwards."""

    checkpoint: Literal["last", "best"] = Field(
        "last", description="last; best: the highest mIoU on the validation split, as released; scores then say so"
    )
    every: int = Field(
        3,
        gt=0,
        le=bounds.STEPS,
        description="epochs between looks at the validation split (released: 2,000 iterations)",
    )


class Train(Segment):
    """PSPNet on the pseudo-masks, then, from pretrained weights again, on what it makes of them."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take this trained network instead, a file of the authors' code"
    )
    raw_coco_ids: bool = Field(
        False, description="that file, or the folder of labels, counts COCO's 90 raw ids, as the authors' do"
    )
    net: Net = Field(Net(backbone="res2net101d", head="pspnet"), description="the network")
    augment: Augment = Field(
        Augment(short_side=512, largest_share=0.75, photometric=True), description="augmentation (mmseg)"
    )
    optimiser: Optimiser = Field(Optimiser(lr=0.005, weight_decay=5e-4, min_lr=1e-4), description="optimiser")
    loop: Loop = Field(
        Loop(epochs=30.2573, batch=16, sync_bn=True), description="length of each training; 20,000 iterations on VOC"
    )
    under_fitting: UnderFitting = Field(UnderFitting(), description="pretended under-fitting loss, first training")
    selection: Selection = Field(Selection(), description="which state is used afterwards")
    cyclic: Cyclic = Field(Cyclic(), description="cyclic pseudo-mask round")

    def unneeded(self) -> tuple[str, ...]:
        return ("pseudo",) if self.checkpoint is not None else super().unneeded()

    def images(self, context: Context) -> Sequence[Sample] | None:
        return None if self.checkpoint is not None else super().images(context)

    def reads(self, context: Context) -> Sequence[str] | None:
        """Those that a state is selected on as well."""
        found = super().reads(context)
        if not found or self.selection.checkpoint != "best":
            return found
        return tuple(dict.fromkeys((*found, context.data.split_for("val"))))

    def parts(self) -> Sequence[Part]:
        """With the cyclic round; the last training is done again whatever changes."""
        if not self.cyclic.enabled or self.checkpoint is not None:
            return ()
        selects = ("cyclic.infer",) if self.selection.checkpoint == "best" else ()
        return (
            Part("first round", ("first",), ("under_fitting", *selects)),
            Part("its labels", ("cyclic",), ("cyclic.infer",), of=("first round",)),
            Part("cyclic round", ("checkpoint.pt", BEST, "metrics.jsonl"), of=("its labels",)),
        )

    def promises(self, context: Context) -> Promises:
        images = self.images(context)
        return {"": (*CHECKPOINT[""], BEST)} if images and self.looks_from(len(images)) else CHECKPOINT

    def work(self, context: Context) -> Iterator[Work]:
        """The training, and with the cyclic round its labels and the training once more."""
        if self.checkpoint is not None:
            return
        once = list(super().work(context))
        yield from once
        if self.cyclic.enabled:
            yield from self.cyclic.infer.work(replace(context, configs={"train": self}))
            yield from once

    def looks_from(self, n: int) -> int | None:
        """The iteration, of a training on n images, after which there is a best state; None if there is none."""
        first = self.selection.every * batches_per_epoch(n, self.loop.batch)
        asked = self.selection.checkpoint == "best" and self.checkpoint is None
        return first if asked and first <= total_iterations(self.loop, n) else None

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        if self.raw_coco_ids and prefers_masks(self):
            what = f"{where}.raw_coco_ids is of every label map, and masks do not count COCO's raw ids"
            yield WsssError(what, f"leave out {where}.masks=prefer")
        if self.selection.checkpoint == "best" and self.checkpoint is None:
            yield from caught(to_select_on, context.data)


def to_select_on(data: Prepared) -> list[Sample]:
    """The images of the validation split that have masks. Raises WsssError if none has."""
    split = data.split_for("val")
    masked = [s for s in data.split(split) if s.mask is not None]
    if not masked:
        raise WsssError(f"selection.checkpoint=best: split '{split}' has no masks", "use last")
    return masked
