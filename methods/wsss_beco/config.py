"""The settings of BECO's stages; defaults are those of the released code (main.py) unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from wsss_cli import bounds, ranges
from wsss_cli.classifier import gate
from wsss_cli.config import Config, StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.loop import Loop
from wsss_cli.engine.segment import LABELS, Optimiser, labelled
from wsss_cli.errors import WsssError, caught
from wsss_cli.nets.config import Net
from wsss_cli.places import FILE, Place
from wsss_cli.promises import CHECKPOINT, Promises
from wsss_cli.refine.crf_config import DEEPLAB, Crf
from wsss_cli.work import Pass, Work, reading
from wsss_irn import config as irn


class Pseudo(irn.Pseudo):
    """IRN's pseudo-labels and confidence masks; BECO has no use for instances."""

    instances: irn.Instances = Field(irn.Instances(enabled=False), description="instance labels")


class Crop(Config):
    """The weak augmentation: a window of random area and shape, resized to a square."""

    size: int = Field(512, gt=0, le=bounds.SIDE, description="side of the square")
    area: ranges.Shares = Field((0.5, 0.75), description="share of the image (a quirk: meant as scales 0.5 to 2)")
    aspect: ranges.Aspects = Field((3 / 4, 4 / 3), description="width / height, log-uniform")
    flip: bool = Field(True, description="mirror half of the samples")


class Strong(Config):
    """The strong colour augmentation of the images that the loss sees."""

    enabled: bool = Field(True, description="off: the loss sees the weakly augmented images")
    colour: float = Field(0.8, ge=0, le=1, description="probability of brightness, contrast, hue, saturation, value")
    brightness: float = Field(0.2, ge=0, le=bounds.FACTOR, description="largest shift, share of 255")
    contrast: float = Field(0.2, ge=0, lt=1, description="largest deviation of the factor from 1")
    hue: float = Field(20, ge=0, le=bounds.FACTOR, description="largest shift, of 180")
    saturation: float = Field(30, ge=0, le=bounds.FACTOR, description="largest shift, of 255")
    value: float = Field(20, ge=0, le=bounds.FACTOR, description="largest shift, of 255")
    grey: float = Field(0.2, ge=0, le=1, description="probability of grey")
    blur: float = Field(0.5, ge=0, le=1, description="probability of Gaussian blur, 3 x 3 (1/3) or 5 x 5 (2/3)")


class Mixing(Config):
    """Pasting classes of one image onto another."""

    probability: float = Field(0.5, ge=0, le=1, description="share of the samples that are mixed")
    warm_up: int = Field(
        1, ge=0, le=bounds.STEPS, description="epochs that mix by the given labels; then by the networks' own"
    )
    threshold: float = Field(0.95, ge=0, lt=1, description="score from which the networks' own labels are confident")
    band: int = Field(
        1, gt=0, le=bounds.SHARES, description="pixels on each side of a pasted boundary that count as boundary"
    )
    boundary_weight: float = Field(
        0.2, ge=0, le=bounds.FACTOR, description="further weight of boundary pixels that are confident"
    )
    boundary_weight_unsure: float = Field(0.0, ge=0, le=bounds.FACTOR, description="the same of pixels that are not")


class Train(StageConfig):
    """Two networks, each learning the confident pixels' labels and, elsewhere, what the other one sees."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take these trained networks instead: the authors' best_ckpt.pth"
    )
    labels: Annotated[str, LABELS] = Field(
        "pseudo", description="pseudo: the run's pseudo-labels; masks: the ground truth; or a folder"
    )
    confidence: Annotated[str | None, Place("folder", ("all",))] = Field(
        None,
        description="pixels whose labels are trusted: a folder of masks; all; null: what belongs to the labels, the "
        "run's masks or, with labels=masks, all",
    )
    split: str | None = Field(None, description="the split to learn from; the data set's training split")
    net: Net = Field(Net(), description="each of the two networks")
    crop: Crop = Field(Crop(), description="weak augmentation")
    strong: Strong = Field(Strong(), description="strong augmentation")
    mixing: Mixing = Field(Mixing(), description="mixing of images and boundary weights")
    optimiser: Optimiser = Field(Optimiser(), description="optimiser of both networks")
    loop: Loop = Field(Loop(epochs=80, batch=16), description="length of the training")
    rated_batch: int = Field(
        16, gt=0, le=bounds.BATCH, description="the batch that the learning rate is meant for; others are warned of"
    )

    def unneeded(self) -> tuple[str, ...]:
        return () if self.labels == "pseudo" and self.checkpoint is None else ("pseudo",)

    def images(self, context: Context) -> Sequence[Sample] | None:
        return None if self.checkpoint is not None else labelled(context, self)[0]

    def promises(self, context: Context) -> Promises:
        return CHECKPOINT

    def work(self, context: Context) -> Iterator[Work]:
        """Each image goes through both networks, and once more to be labelled."""
        samples, side = self.images(context) or (), self.crop.size
        seen, outputs = self.loop.crops(len(samples)) if samples else 0, context.data.num_classes + 1
        yield Work("train", 2 * seen, Pass(self.net, outputs, side, side, learns=True))
        yield Work("labels of the networks", 2 * seen, Pass(self.net, outputs, side, side))
        yield from reading(seen, samples) if samples else ()

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        if self.checkpoint is None:
            yield from caught(pairs, self.loop, context.ranks)
            yield from caught(need_confidence, self)


PROTOCOLS: dict[str, dict[str, Any]] = {
    "native": {},
    "512": {"resize": 512},
    "512_multi_scale": {"resize": 512, "scales": (0.5, 0.75, 1.0, 1.25, 1.5), "fusion": "coarse_max"},
}
"""By name, the host's settings that make up a protocol."""


class Infer(gate.Infer):
    """How the two trained networks are applied."""

    protocol: Literal["native", "512", "512_multi_scale"] = Field(
        "native",
        description="sets resize, scales and fusion where they are not given: native, every image as it is; 512, "
        "resized to 512 x 512 (released); 512_multi_scale, also five scales (released test_msc)",
    )
    member: Literal["both", "1", "2"] = Field("both", description="the mean of both networks' logits, or one alone")
    crf_settings: Crf = Field(DEEPLAB, description="the dense CRF (official_image=true: with its quirk)")

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, given: Any) -> Any:
        """Names may come as numbers, for 512 is one to YAML."""
        if not isinstance(given, dict):
            return given
        named = {key: str(given[key]) for key in ("protocol", "member") if key in given}
        return {**PROTOCOLS.get(named.get("protocol", "native"), {}), **given, **named}


def pairs(loop: Loop, ranks: int) -> int:
    """Images of a rank's forward pass. Raises WsssError if they cannot be paired."""
    each, rest = divmod(loop.batch, ranks * loop.accumulate)
    if rest or each % 2:
        raise WsssError(
            f"loop.batch {loop.batch} gives {ranks} ranks x accumulate {loop.accumulate} no pairs of images to mix",
            f"make it a multiple of {2 * ranks * loop.accumulate}",
        )
    return each


def need_confidence(config: Train) -> None:
    """Raises WsssError if it is not said which confidence masks belong to a folder of labels."""
    if config.confidence is None and config.labels not in ("pseudo", "masks"):
        raise WsssError(
            f"labels={config.labels} needs the confidence masks that belong to it",
            "give --confidence DIR, or --set train.confidence=all to trust every pixel",
        )
