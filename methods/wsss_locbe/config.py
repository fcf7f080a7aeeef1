"""The settings of LOC-BE's stages; defaults are those of the released VOC script unless said otherwise."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from wsss_cli.config import Config, StageConfig
from wsss_cli.engine.adamw import AdamW
from wsss_cli.engine.loop import Loop
from wsss_cli.refine.par_config import Par
from wsss_cli.single_stage.config import Energy, Thresholds, VitNet


class Phase(Config):
    """The weights of the losses in a part of the training; the two classification losses always have 1."""

    until: int | None = Field(None, ge=0, description="the last iteration of the phase, from 0; null: to the end")
    labels: Literal["cam", "inner"] = Field(
        "cam", description="the maps that pseudo-labels are made of: the last block's, or the inner block's"
    )
    segmentation: float = Field(0.0, ge=0, description="L_seg, cross-entropy with the pseudo-labels")
    energy: float = Field(0.0, ge=0, description="L_reg, dense energy of the segmentation")
    erased: float = Field(0.0, ge=0, description="L_BE, classes told from the boundary region alone")
    local: float = Field(0.0, ge=0, description="L_LOC, class tokens of windows against those of whole images")
    contrast: float = Field(0.0, ge=0, description="L_sc, patch tokens of one class alike, of others not")

    @property
    def needs_labels(self) -> bool:
        return self.segmentation > 0 or self.energy > 0

    @property
    def needs_last_maps(self) -> bool:
        return self.needs_labels and self.labels == "cam"

    @property
    def needs_maps(self) -> bool:
        return self.needs_labels or max(self.erased, self.local, self.contrast) > 0


WARM_UP = Phase(until=2000, erased=1.0, contrast=0.3)
FULL = Phase(segmentation=0.1, energy=0.05, erased=1.0, local=1.0, contrast=0.3)


class Windows(Config):
    """Local optimisation cropping."""

    number: int = Field(4, gt=0, description="windows of each group of images")
    side: int = Field(86, gt=1, description="side of a window, pixels; cut off at the border")
    together: int = Field(
        2, gt=0, description="images of a group, which share windows and are compared: those of a GPU, when released"
    )
    margin: float = Field(1.0, gt=0, description="distance from which tokens are far enough apart")


class Train(StageConfig):
    """One network that learns from tags, from its own pseudo-labels, and from pictures made of its own maps."""

    split: str | None = Field(None, description="the split to learn from; the data set's training split")
    net: VitNet = Field(VitNet(), description="the network")
    thresholds: Thresholds = Field(Thresholds(), description="what is sure, and what background")
    phases: tuple[Phase, ...] = Field(
        (WARM_UP, FULL), min_length=1, description="weights of the losses, phase by phase (released: two; COCO: three)"
    )
    loc_loss: Literal["official", "per_image"] = Field(
        "official",
        description="official: distances across the batch, channel by channel, as released; per_image: distances of "
        "tokens, as the paper's figure shows, with stop-gradient (a loss of another size: see windows.margin)",
    )
    windows: Windows = Field(Windows(), description="local optimisation cropping")
    par: Par = Field(Par(), description="pixel-adaptive refinement of the pseudo-labels")
    energy: Energy = Field(Energy(), description="dense energy loss")
    optimiser: AdamW = Field(AdamW(), description="optimiser")
    loop: Loop = Field(Loop(iterations=20_000, batch=4), description="length of the training")

    @field_validator("phases")
    @classmethod
    def _in_order(cls, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        ends = [phase.until for phase in phases]
        if ends[-1] is not None or None in ends[:-1] or sorted(set(ends[:-1])) != ends[:-1]:  # type: ignore[type-var]
            raise ValueError("each phase must end after the one before it (until), and the last must have no end")
        return phases

    def phase(self, k: int) -> Phase:
        """The phase of iteration k, from 0."""
        return next(phase for phase in self.phases if phase.until is None or k <= phase.until)
