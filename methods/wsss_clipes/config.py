"""The settings of CLIP-ES' stages; defaults are those of the released code on PASCAL VOC unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field

from wsss_cli import bounds
from wsss_cli.config import StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import Sample
from wsss_cli.nets.clip_names import Names
from wsss_cli.nets.clip_net import ClipNet
from wsss_cli.nets.precision import FIELDS, Precision
from wsss_cli.parts import Part
from wsss_cli.promises import Promises, each, label_of_each_cam
from wsss_cli.refine.crf_config import DEEPLAB, Crf
from wsss_cli.work import Work, dense_crf, passes, typical_size


class Seeds(Names, Precision, StageConfig):
    """Class activation maps of a frozen CLIP, from the names of the classes; nothing is trained."""

    split: str | None = Field(None, description="the split to make CAMs of; the data set's training split")
    net: ClipNet = Field(ClipNet(), description="CLIP's visual transformer")
    box_threshold: float = Field(
        0.4,
        gt=0,
        lt=1,
        description="CAMs spread from the boxes of what is above this share of their maximum (COCO: 0.7)",
    )
    maps: int = Field(8, gt=0, le=bounds.REPEATS, description="last attention maps whose mean spreads the CAMs")
    batch: int = Field(4, gt=0, le=bounds.BATCH, description="images of equal shape per forward pass; same result")

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.tagged(self.split)

    def parts(self) -> Sequence[Part]:
        return (
            Part("text", ("text.npz",), tuple(Names.model_fields)),
            Part("CAMs", ("cam",), ("net", "box_threshold", "maps", "batch", *FIELDS), of=("text",)),
        )

    def promises(self, context: Context) -> Promises:
        return {"": ("text.npz",), "cam": each(self.images(context), ".npz")}

    def work(self, context: Context) -> Iterator[Work]:
        samples = self.images(context)
        yield passes("make CAMs", len(samples), self.net, 1, typical_size(samples))


class Pseudo(StageConfig):
    """Refine the CAMs by the dense CRF; pixels that stay unsure are ignored."""

    crf: Crf = Field(DEEPLAB.model_copy(update={"official_image": True}), description="the dense CRF")
    bgr: bool = Field(True, description="released quirk: the CRF is given the image's colours as blue, green, red")
    half: bool = Field(True, description="released quirk: logarithms of scores in float16")
    sure: float = Field(0.95, ge=0, le=1, description="score after the CRF below which a pixel is ignored (mu)")

    def promises(self, context: Context) -> Promises:
        return label_of_each_cam(context.promised["seeds"])

    def work(self, context: Context) -> Iterator[Work]:
        samples = context.configs["seeds"].images(context)
        yield dense_crf("labels", len(samples), samples, 3, self.crf)
