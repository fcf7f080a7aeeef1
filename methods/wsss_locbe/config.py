"""The settings of LOC-BE's training; defaults are those of the released VOC script unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from wsss_cli import bounds, ranges
from wsss_cli.batches.views import View
from wsss_cli.config import Config
from wsss_cli.context import Context
from wsss_cli.engine.adamw import AdamW
from wsss_cli.engine.loop import Loop
from wsss_cli.errors import WsssError, caught
from wsss_cli.places import FILE
from wsss_cli.refine.par_config import Par
from wsss_cli.single_stage.config import Energy, Thresholds, Trained, VitNet, too_small
from wsss_cli.work import Work, areas


class Augment(Config):
    """The one view of an image that is learnt."""

    crop: int = Field(448, gt=0, le=bounds.SIDE, description="side of the random crop (COCO: 224)")
    scale: ranges.Scales = Field((0.5, 2.0), description="range of the random scale before the crop")
    flip: bool = Field(True, description="mirror half of the images before the crop")
    view: View = Field(View(blur=1.0), description="what changes the crop (ToCo's view 1)")
    mirror_again: bool = Field(
        True,
        description="released quirk: the view is mirrored once more, which the box of real pixels does not know; "
        "false: its flip is left out",
    )


class Windows(Config):
    """Local optimisation cropping."""

    number: int = Field(4, gt=0, le=bounds.BATCH, description="windows per group of images")
    side: int = Field(86, gt=1, le=bounds.SIDE, description="side of a window, pixels; cut off at the border")
    together: int = Field(
        2,
        gt=0,
        le=bounds.BATCH,
        description="images of a group, which share windows and are compared: those of one GPU, when released",
    )
    loc_loss: Literal["official", "per_image"] = Field(
        "official",
        description="official: distances across the images, channel by channel, as released; per_image: distances of "
        "class tokens, as the paper's figure shows, with stop-gradient; summed over channels, so give it less weight",
    )
    margin: float = Field(1.0, gt=0, le=bounds.FACTOR, description="distance from which tokens are far enough apart")


class Phase(Config):
    """Weights of the losses in a part of the training; the two classifications weigh 1."""

    until: int | None = Field(None, ge=0, le=bounds.STEPS, description="its last iteration, from 0; null: the end")
    boundary: float = Field(
        0.0, ge=0, le=bounds.FACTOR, description="w_be, weight of telling the classes from what is unsure alone"
    )
    local: float = Field(
        0.0, ge=0, le=bounds.FACTOR, description="w_loc, weight of the contrast with the class tokens of windows"
    )
    patch_contrast: float = Field(
        0.0, ge=0, le=bounds.FACTOR, description="w_sc, weight of the contrast of patch tokens"
    )
    segmentation: float = Field(
        0.0, ge=0, le=bounds.FACTOR, description="w_seg, weight of the cross-entropy with the pseudo-labels"
    )
    energy: float = Field(0.0, ge=0, le=bounds.FACTOR, description="w_reg, weight of the dense energy")
    labels_from: Literal["cam", "inner"] = Field(
        "cam", description="pseudo-labels come from the last block's CAMs, or from the auxiliary classifier's"
    )

    @property
    def segments(self) -> bool:
        """Whether the decoder learns."""
        return self.segmentation + self.energy > 0

    @property
    def needs_cams(self) -> bool:
        """Whether any CAMs are needed."""
        return self.segments or self.boundary + self.local + self.patch_contrast > 0


WARM_UP = Phase(until=2000, boundary=1.0, patch_contrast=0.3)
WHOLE = Phase(boundary=1.0, local=1.0, patch_contrast=0.3, segmentation=0.1, energy=0.05)


class Train(Trained):
    """One network learns the tags, and from its own CAMs to segment, to see details and to know boundaries."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take this trained network instead: the authors' model_iter_N.pth, or ToCo's"
    )
    net: VitNet = Field(VitNet(), description="the network")
    augment: Augment = Field(Augment(), description="augmentation")
    windows: Windows = Field(Windows(), description="local optimisation cropping")
    thresholds: Thresholds = Field(Thresholds(), description="of CAM scores, for regions, patch tokens, pseudo-labels")
    par: Par = Field(Par(), description="refinement of the CAMs to pseudo-labels")
    energy: Energy = Field(Energy(), description="the dense energy loss")
    token_box: Literal["unscaled", "scaled"] = Field(
        "unscaled",
        description="released quirk: the box of real pixels is laid over the patch tokens as if these were pixels; "
        "scaled: in tokens, those wholly inside",
    )
    phases: tuple[Phase, ...] = Field(
        (WARM_UP, WHOLE), min_length=1, description="weights of the losses, one part of the training after the other"
    )
    optimiser: AdamW = Field(AdamW(), description="optimiser")
    loop: Loop = Field(Loop(iterations=20000, batch=4), description="length of the training")

    @field_validator("phases")
    @classmethod
    def _in_order(cls, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        ends = [-1 if phase.until is None else phase.until for phase in phases]
        if ends[-1] != -1 or -1 in ends[:-1] or sorted(set(ends[:-1])) != ends[:-1]:
            raise ValueError("give each phase a larger `until` than the one before, and none to the last")
        return phases

    def phase(self, k: int) -> Phase:
        """The phase of iteration k, from 0."""
        return next(phase for phase in self.phases if phase.until is None or k <= phase.until)

    def work(self, context: Context) -> Iterator[Work]:
        """The view, its windows, and CAMs at three scales."""
        learning, looking = (
            1 + self.windows.number * (self.windows.side / self.augment.crop) ** 2,
            areas((1.0, 0.5, 1.5), flip=True),
        )
        return self.training_work(context, self.loop, self.net, self.augment.crop, learning, looking)

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        for i, (before, phase) in enumerate(pairwise(self.phases)):
            if phase.segmentation > 0 and before.until is not None:
                setting = f"phases.{i}.until {before.until}"
                yield from self.ends_before(context, self.loop, where, setting, before.until + 1)
        if self.checkpoint is None:
            yield from too_small(self.net, self.augment.crop, f"{where}.augment.crop")
            if (patch := self.net.patch()) is not None:
                yield from caught(check_windows, self, patch)


def check_windows(config: Train, patch: int) -> None:
    """Raises WsssError if a window at the border may hold no patch, or is larger than the crop."""
    side, crop = config.windows.side, config.augment.crop
    if side // 2 < patch:
        what = f"windows.side {side}: half of it, which is left at a border, holds no patch of {patch} pixels"
        raise WsssError(what, f"make it {2 * patch} or more")
    if side > crop:
        raise WsssError(f"windows.side {side} is larger than augment.crop {crop}", "make it about a fifth of it")
