"""The settings of PUF's stages; defaults are those of the released code (train_voc.py) unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from wsss_cli import bounds, ranges
from wsss_cli.batches.views import Colours, View
from wsss_cli.config import Config
from wsss_cli.context import Context
from wsss_cli.engine.adamw import AdamW
from wsss_cli.engine.loop import Loop
from wsss_cli.errors import WsssError, caught
from wsss_cli.places import FILE
from wsss_cli.refine.par_config import Par
from wsss_cli.single_stage import config as shared
from wsss_cli.single_stage.config import Energy, Thresholds, Trained, VitNet, too_small
from wsss_cli.work import Work, areas

WhichWeights = Literal["student", "teacher"]
WEIGHTS = "student: what the losses trained; teacher: its running mean (the authors keep both and name neither)"


class Projection(Config):
    """The head whose outputs student and teacher compare, as in DINO."""

    hidden: int = Field(2048, gt=0, le=bounds.CHANNELS, description="width of its two hidden layers")
    bottleneck: int = Field(256, gt=0, le=bounds.CHANNELS, description="width of what is scaled to length 1")
    outputs: int = Field(4096, gt=1, le=bounds.CHANNELS, description="prototypes")


class Net(VitNet):
    """A transformer whose class token gathers the patches after the last block; classifiers, decoder, projection."""

    train_positions: Literal[True] = Field(True, description="the position embedding is learnt")
    input_size: int = Field(
        448, gt=0, le=bounds.SIDE, description="side of the images that the position embedding is resampled to"
    )
    drop_path: float = Field(0.1, ge=0, lt=1, description="stochastic depth of the last block; linear from 0")
    gather_depth: int = Field(
        2, ge=1, le=bounds.BATCH, description="cross-attention blocks of the class token (cls_depth)"
    )
    gather_seen: bool = Field(
        False, description="the class token looks at no masked patch (the code of Dec 2023, and the paper's words)"
    )
    decoder_init: Literal["torch", "kaiming"] = Field(
        "kaiming", description="weights of the decoder at first: kaiming, fan out, or PyTorch's default (ToCo)"
    )
    projection: Projection = Field(Projection(), description="head of the self-distillation")


class Views(Config):
    """Two crops of an image, drawn independently."""

    size: int = Field(448, gt=0, le=bounds.SIDE, description="side of the crops")
    area: ranges.Shares = Field((0.32, 1.0), description="share of the image")
    view: View = Field(
        View(grey=0.0, colours=Colours(probability=0.5)),
        description="further changes (released options, off: blur 0.1, solarise 0.2)",
    )
    local_crops: int = Field(
        0, ge=0, le=bounds.BATCH, description="further small crops, whose class tokens the student compares too"
    )
    local_size: int = Field(96, gt=0, le=bounds.SIDE, description="their side")
    local_area: ranges.Shares = Field((0.05, 0.32), description="their share of the image")
    local_view: View = Field(View(blur=0.5), description="their further changes")


class Masking(Config):
    """Which patches of the second view the student does not see."""

    ratio: float = Field(0.4, ge=0, lt=1, description="share of the blocks, rounded up; 0 masks nothing (paper: 0.4)")
    block: int = Field(
        64, gt=0, le=bounds.SIDE, description="side of the blocks, pixels; a multiple of the transformer's patch"
    )
    low: float = Field(0.2, ge=0, le=1, description="unsure are auxiliary CAMs above it")
    high: float = Field(0.7, ge=0, le=1, description="and below it")
    random_share: float = Field(0.2, ge=0, le=1, description="share of the iterations that mask at random first")


class Distillation(Config):
    """Self-distillation of the class token and of the masked patches (FSR)."""

    class_weight: float = Field(0.1, ge=0, le=bounds.FACTOR, description="weight of the class tokens' loss (cer.FSR)")
    patch_weight: float = Field(0.1, ge=0, le=bounds.FACTOR, description="weight of the masked patches' loss (unc.FSR)")
    iterations: int | None = Field(
        None, ge=0, le=bounds.STEPS, description="stop it, and the teacher, after so many; null: never"
    )
    student_temp: float = Field(0.1, gt=0, le=bounds.POWER, description="temperature of the student's scores")
    teacher_temp: tuple[ranges.Temperature, ranges.Temperature] = Field(
        (0.04, 0.07), description="the teacher's: first and last"
    )
    teacher_temp_share: float = Field(0.125, ge=0, le=1, description="share of the iterations until the last one")
    centre_momentum: float = Field(0.9, ge=0, le=1, description="of the running means of the teacher's scores")
    momentum: float = Field(0.9995, ge=0, le=1, description="of the teacher at first; cosine to 1")
    steady: bool = Field(
        False,
        description="no stochastic depth in the teacher and in the passes that make CAMs; released: there too",
    )


class Losses(Config):
    """Weights of the other losses; the classifiers' are 1."""

    patch_contrast: float = Field(0.2, ge=0, le=bounds.FACTOR, description="contrast of patch tokens (ToCo's PTC)")
    segmentation: float = Field(
        0.1, ge=0, le=bounds.FACTOR, description="cross-entropy of the segmentation with the pseudo-labels"
    )
    energy: float = Field(0.05, ge=0, le=bounds.FACTOR, description="dense energy of the segmentation")
    contrast_from: int = Field(
        0, ge=0, le=bounds.STEPS, description="iterations before the contrast begins (COCO: 12000)"
    )
    segmentation_from: int = Field(
        2000, ge=0, le=bounds.STEPS, description="iterations before the segmentation begins (COCO: 8000)"
    )


class Train(Trained):
    """One network that classifies, localises and segments, and a teacher that is its running mean."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take these trained weights instead: the authors' student.pth"
    )
    teacher_checkpoint: Annotated[str | None, FILE] = Field(
        None, description="and these as the teacher's: its teacher.pth"
    )
    net: Net = Field(Net(), description="the network")
    views: Views = Field(Views(), description="the crops it sees")
    masking: Masking = Field(Masking(), description="masked patches")
    distillation: Distillation = Field(Distillation(), description="self-distillation")
    losses: Losses = Field(Losses(), description="weights of the other losses")
    scales: tuple[ranges.Scale, ...] = Field((1.0, 0.5, 1.5), min_length=1, description="image scales of the CAMs")
    thresholds: Thresholds = Field(Thresholds(), description="CAM to pseudo-label")
    par: Par = Field(Par(), description="pixel-adaptive refinement of the pseudo-label")
    energy: Energy = Field(Energy(), description="the dense energy loss")
    optimiser: AdamW = Field(
        AdamW(weight_decay=0.05, decay="matrices", warm_up_ratio=0.1, schedule="cosine"), description="AdamW"
    )
    loop: Loop = Field(Loop(iterations=20000, batch=8), description="length of the training")

    def work(self, context: Context) -> Iterator[Work]:
        """Two views of the student, two of the teacher, and CAMs at all scales."""
        learning, looking = 2.0, 2 + areas(self.scales, flip=True)
        return self.training_work(context, self.loop, self.net, self.views.size, learning, looking)

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        if self.checkpoint is None and self.teacher_checkpoint is not None:
            yield WsssError(
                "train.teacher_checkpoint alone trains nothing", "give train.checkpoint=student.pth as well"
            )
        if self.losses.segmentation > 0:
            first = self.losses.segmentation_from
            yield from self.ends_before(context, self.loop, where, f"losses.segmentation_from {first}", first)
        if self.checkpoint is None:
            yield from too_small(self.net, self.views.size, f"{where}.views.size")
            if (patch := self.net.patch()) is not None:
                yield from caught(check_grid, self, patch)


class Seeds(shared.Seeds):
    """Write the trained network's class activation maps."""

    weights: WhichWeights = Field("student", description=WEIGHTS)


class Infer(shared.Infer):
    """How the trained network is applied; defaults are those of infer_voc.py."""

    weights: WhichWeights = Field("student", description=WEIGHTS)
    scales: tuple[ranges.Scale, ...] = Field(
        (1.0, 1.25, 1.5), min_length=1, description="image scales whose predictions are fused"
    )


def check_grid(config: Train, patch: int) -> None:
    """Raises WsssError if masked blocks, patches and crops do not fit into each other."""
    size, block = config.views.size, config.masking.block
    if size % block or block % patch:
        raise WsssError(
            f"views.size {size} is no multiple of masking.block {block}, or that none of the patch {patch}",
            f"for example: views.size={7 * 4 * patch} masking.block={4 * patch}",
        )
