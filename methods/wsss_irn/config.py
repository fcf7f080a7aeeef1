"""The settings of IRN's stages; defaults are those of the released code (run_sample.py) unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from wsss_cli import bounds, ranges
from wsss_cli.classifier import config as classifier
from wsss_cli.classifier.config import Sgd, TagTraining
from wsss_cli.config import Config, StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import INSTANCES, Sample
from wsss_cli.engine.loop import Loop
from wsss_cli.engine.segment import PlainSegment
from wsss_cli.errors import WsssError
from wsss_cli.nets.precision import FIELDS, Precision
from wsss_cli.parts import Part
from wsss_cli.places import FILE
from wsss_cli.promises import CHECKPOINT, Promises, each
from wsss_cli.refine.crf_config import Crf
from wsss_cli.work import TIMED, Call, Work, dense_crf, passes, reading, typical_size, within

CRF = Crf(gaussian_sxy=3, gaussian_compat=3, bilateral_sxy=50, bilateral_srgb=5, bilateral_compat=10, gt_prob=0.7)
"""Of labels, with gt_prob.  [jiwoon-ahn/irn, cam_to_ir_label]"""

PARTS = (
    Part("IR labels", ("ir_label",), ("ir_label",)),
    Part("IRN", ("irn",), ("training", "seed"), of=("IR labels",)),
    Part("walk", ("walked",), ("walk", "batch", *FIELDS), of=("IRN",)),
    Part("labels", ("labels", "confidence"), ("walk.background", "confidence"), of=("walk",)),
    Part("instances", ("instances",), ("walk", "batch", "instances", *FIELDS), of=("IRN",)),
)
"""Of the stage `pseudo`."""


class IrnOptimiser(Sgd):
    """PolyOptimizer of the released code."""

    lr: float = Field(
        0.1, gt=0, le=bounds.RATE, description="learning rate of the backbone (CAM) or the boundary branch (IRN)"
    )
    head_factor: float = Field(
        10.0, gt=0, le=bounds.FACTOR, description="factor for the classifier or the displacement branch"
    )
    momentum: float = Field(
        1e-4, ge=0, lt=1, description="released quirk: the weight decay lands in SGD's momentum slot"
    )


class CamTraining(TagTraining):
    """Training of the classification network."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take this trained network instead: the authors' res50_cam.pth"
    )
    optimiser: IrnOptimiser = Field(IrnOptimiser(), description="optimiser")


class Seeds(classifier.Seeds):
    """Train a classification network on the tags and take its multi-scale class maps."""

    training: CamTraining = Field(CamTraining(), description="training of the classification network")

    def promises(self, context: Context) -> Promises:
        """The network too: the next stage asks what it is made of, and may begin with its weights."""
        return {**super().promises(context), classifier.FOLDER: CHECKPOINT[""]}


class IrLabel(Config):
    """Confident foreground and background from CAMs: what IRN's pairs are drawn from."""

    foreground: float = Field(0.30, ge=0, le=1, description="threshold of certain foreground (COCO: 0.35)")
    background: float = Field(0.05, ge=0, le=1, description="threshold of certain background (COCO: 0.10)")
    crf: Crf = Field(CRF, description="the dense CRF that refines both label maps")


class IrnTraining(Config):
    """Training of the boundary and displacement branches."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take this trained network instead: the authors' res50_irn.pth"
    )
    init: Literal["pretrained", "cam"] = Field(
        "pretrained", description="the frozen backbone: as before the CAM training (released), or the CAM net's"
    )
    radius: int = Field(10, gt=1, le=bounds.RADIUS, description="pixel pairs nearer than this, on the map of stride 4")
    scale: ranges.Scales = Field((0.5, 1.5), description="range of the random scale")
    crop: int = Field(512, gt=0, le=bounds.SIDE, multiple_of=4, description="side of the random crop")
    optimiser: IrnOptimiser = Field(IrnOptimiser(), description="optimiser")
    loop: Loop = Field(Loop(epochs=3, batch=32), description="length of the training")

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        side = self.crop // 4  # side of the map whose pixels are paired
        if self.checkpoint is None and side < 2 * self.radius - 1:
            what = f"{where}.crop {self.crop} holds no pairs of radius {self.radius}: its map has a side of {side}"
            yield WsssError(what, f"make it {4 * (2 * self.radius - 1)} or more, or {where}.radius less")


class Walk(Config):
    """Random walk from the CAMs over the affinities between boundaries."""

    radius: int = Field(5, gt=1, le=bounds.RADIUS, description="reach of one step on the map of stride 4")
    beta: float = Field(10.0, gt=0, le=bounds.POWER, description="power of the affinities")
    exp_times: int = Field(8, ge=0, le=bounds.DOUBLINGS, description="2 ** exp_times steps")
    pad: int | None = Field(
        512, gt=0, le=bounds.SIDE, description="zero-pad images to this square first (IRN); null: BECO's later code"
    )
    background: float = Field(0.25, ge=0, le=1, description="score of the background (sem_seg_bg_thres)")


class Instances(Config):
    """Instance labels by centroid clustering."""

    enabled: bool = Field(True, description="write instances.json (COCO)")
    iterations: int = Field(300, gt=0, le=bounds.REPEATS, description="refinements of the centroids")
    threshold: float = Field(
        2.5, gt=0, le=bounds.FACTOR, description="displacements shorter than this lie at a centroid"
    )
    background: float = Field(0.25, ge=0, le=1, description="score of the background (ins_seg_bg_thres)")
    min_area: float = Field(0.01, ge=0, lt=1, description="share of the image below which a detection scores 0")


class Pseudo(Precision, StageConfig):
    """CAMs -> IR labels -> IRN -> random walk -> pseudo-labels, confidence masks, instance labels."""

    split: str | None = Field(None, description="the split to make pseudo-labels of; the data set's")
    ir_label: IrLabel = Field(IrLabel(), description="labels for training IRN")
    training: IrnTraining = Field(IrnTraining(), description="training of IRN")
    batch: int = Field(
        4, gt=0, le=bounds.BATCH, description="images of equal shape per forward pass of IRN; same result"
    )
    walk: Walk = Field(Walk(), description="random walk")
    confidence: float = Field(0.5, gt=0, le=1, description="share of each class's pixels kept as confident (BECO)")
    instances: Instances = Field(Instances(), description="instance labels")

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.tagged(self.split)

    def reads(self, context: Context) -> Sequence[str] | None:
        """Those that the mean displacement is measured on as well."""
        found = super().reads(context)
        return found and tuple(dict.fromkeys((*found, context.data.split_for("seeds"))))

    def parts(self) -> Sequence[Part]:
        return PARTS

    def promises(self, context: Context) -> Promises:
        samples = self.images(context)
        maps = {folder: each(samples, ".png") for folder in ("labels", "confidence")}
        rows = {"instances": [*each(samples, ".json"), INSTANCES]}
        return maps | (rows if self.instances.enabled else {})

    def work(self, context: Context) -> Iterator[Work]:
        """Prediction costs about what the classifier does; of a step the branches, at stride 4, cost the most."""
        samples, network = self.images(context), context.configs["seeds"].net
        n, size, side = len(samples), typical_size(samples), self.training.crop
        yield dense_crf("IR labels", 2 * n, samples, 3, self.ir_label.crf)
        if self.training.checkpoint is None:
            seen = self.training.loop.crops(n)
            step = Call("wsss_irn.relations:step_once", (network, side, self.training.radius), on_device=True)
            yield Work("train IRN", seen, step)
            yield from reading(seen, samples)
        yield passes("IRN", 2 * n, network, 1, size)
        *cells, larger = within((size[0] // 4 + 1, size[1] // 4 + 1), TIMED // 4)
        yield Work("random walk", n * larger, Call("wsss_irn.walk:walk_once", (*cells, self.walk), True, True))


class Train(PlainSegment):
    """DeepLabV3+ with cross-entropy on the pseudo-labels (IRN released no code for it; the settings are BECO's)."""
