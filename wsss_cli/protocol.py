"""How a score was made: one description, which is written, told, tabulated and compared as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from wsss_cli.config import Config
from wsss_cli.errors import WsssError

MeanOver = Literal["union", "ground_truth"]
"""Whose classes a mean IoU is taken over: those of ground truth or prediction, or of the ground truth alone."""

CONVENTIONS: dict[MeanOver, str] = {
    "union": "a class that is only predicted counts as 0",
    "ground_truth": "a class that is only predicted is left out",
}

NO_SELECTION = "none: the last iteration"
"""Of checkpoints; a training that does select says by what, in its metrics."""

FEW = 30
"""Images under which a mean IoU says little of others."""

FACTS = ("stage", "data", "split", "ground_truth", "images", "learnt_from")
"""The fields that stand at the head of scores.json, not under "protocol"."""

TRAINING = {"labels", "effective_batch"}
"""The fields that say how the network was trained, not how it was scored."""

TOLD = {"precision"}
"""The fields that hinder no comparison: TF32 moves a mean IoU by far less than another draw of the images."""

LATER = {"learnt_from"}
"""The fields that older versions lack and that hinder no comparison where they are 0."""

CRF = " + CRF"
"""Ends the name of a kind of label map that a dense CRF has refined."""


class Protocol(Config):
    """What two scores must have in common to be compared, and what their networks learnt from.

    A method's own settings of prediction are further fields; null where something does not apply.
    """

    model_config = ConfigDict(extra="allow")

    stage: str = Field("infer", description="whose label maps: infer, pseudo or seeds")
    data: str = Field("", description="the data set")
    split: str = Field("", description="the split that is scored")
    ground_truth: str = Field("", description="what the masks are")
    images: int = Field(0, description="images with a mask")
    learnt_from: int | None = Field(None, description="those that the predicting network learnt from; null: not known")
    mean_over: MeanOver = Field("ground_truth", description="classes of the mean IoU; older versions: ground_truth")
    data_long_side: int | None = Field(None, description="longer side that the data set's photos were made smaller to")
    thresholds: int | None = Field(None, description="background scores tried on this split, the best of which counts")
    scales: tuple[float, ...] | None = Field(None, description="image scales")
    flip: bool | None = Field(None, description="mirror images, too")
    fusion: str | None = Field(None, description="of scales and flips")
    resize: int | None = Field(None, description="side of the square that images are resized to")
    resize_by: str | None = Field(None, description="pil or torch")
    rounding: str | None = Field(None, description="of the sizes of scaled images")
    short_side: int | None = Field(None, description="length of the shorter side from which scales count")
    long_side: int | None = Field(None, description="length of the longer side")
    window: int | None = Field(None, description="side of the windows in which larger images are seen")
    window_stride: int | None = Field(None, description="their distance")
    crf: dict[str, Any] | None = Field(None, description="settings of the dense CRF")
    precision: str | None = Field(None, description="of the network's products: bf16, tf32; null: float32")
    network: dict[str, Any] | None = Field(None, description="the network and how images are normalised for it")
    selection: str = Field(NO_SELECTION, description="of checkpoints")
    labels: str | None = Field(None, description="what was learnt from")
    effective_batch: int | None = Field(None, description="images per optimiser step")

    @classmethod
    def read(cls, report: Mapping[str, Any]) -> Protocol:
        """Of scores.json, also of an older version's, which says less.  Raises WsssError if it is damaged."""
        head = {key: report[key] for key in FACTS if report.get(key) is not None}
        try:
            before = {"data_long_side": None, "thresholds": len(report["sweep"]) or None}  # of versions that had none
            return cls(**before | head | report["protocol"])
        except (KeyError, TypeError, ValidationError) as error:
            raise WsssError(f"a scores.json is damaged: {error}", "make it again: wsss evaluate --force") from error

    def written(self) -> dict[str, Any]:
        """For scores.json, whose head holds the rest."""
        return self.model_dump(mode="json", exclude=set(FACTS))

    def of(self, name: str) -> Protocol:
        """Of one kind of label map: the CRF's settings are only those of maps that it has refined."""
        return self if name.endswith(CRF) else self.model_copy(update={"crf": None})

    def comparable(self, other: Protocol) -> bool:
        """Whether two scores were made alike, whatever their networks learnt from; not of files that do not say all."""
        return self._whole() and other._whole() and self._scoring() == other._scoring()

    def _whole(self) -> bool:
        return self.model_fields_set >= type(self).model_fields.keys() - TOLD - LATER

    def _scoring(self) -> dict[str, Any]:
        unsaid = {key for key in LATER if not getattr(self, key)}
        return self.model_dump(exclude=TRAINING | TOLD | unsaid, exclude_none=True)

    def describe(self) -> str:
        """In one line."""
        return f"{self.made()}; mean over classes: {CONVENTIONS[self.mean_over]}"

    def made(self) -> str:
        """How the label maps were made, without how they are scored."""
        if self.stage == "seeds" and self.thresholds:
            return f"chosen on this split, the best of {self.thresholds} background scores"
        if self.stage != "infer":
            kind = "pseudo-labels" if self.stage == "pseudo" else "seeds"
            return f"{kind} at the images' own size{self._most()}"
        crf = "with and without CRF" if self.crf else "no CRF"
        seen = ", ".join([f"image size: {self.size()}", f"scales {self.fused_scales()}", *self.further(), crf])
        learnt = f"trained on {self.labels}, effective batch {self.effective_batch}"
        return "; ".join(filter(None, [seen, learnt, f"checkpoint selection: {self.selection}", self.seen_before()]))

    def seen_before(self) -> str:
        """How many of the scored images the network has learnt from; "" if none."""
        return f"{self.learnt_from:,} of {self.images:,} images were learnt from" if self.learnt_from else ""

    def size(self) -> str:
        """At which images are seen: "own", "own, 512 at most", "512 × 512", "short side 512, windows of 512"."""
        side = f"{self.resize} × {self.resize}" if self.resize else f"own{self._most()}"
        side = f"short side {self.short_side}" if self.short_side else side
        side = f"long side {self.long_side}" if self.long_side else side
        return side + (f", windows of {self.window}" if self.window else "")

    def _most(self) -> str:
        return f", {self.data_long_side} at most" if self.data_long_side else ""

    def fused_scales(self) -> str:
        """ "0.5, 1 + flip (mean)"."""
        scales = self.scales or ()
        fused = f" ({self.fusion})" if self.fusion and (len(scales) > 1 or self.flip) else ""
        return ", ".join(f"{s:g}" for s in scales) + (" + flip" if self.flip else "") + fused

    def further(self) -> list[str]:
        """The method's own settings, and in which numbers the network was computed if not in float32."""
        said = {"precision": self.precision, **(self.model_extra or {})}
        return [f"{key} {value}" for key, value in said.items() if value is not None]
