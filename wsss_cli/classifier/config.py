"""The settings of the plain way from tags to seeds: a classifier, its training, its CAMs, their label maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from wsss_cli import bounds, ranges
from wsss_cli.config import Config, StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.loop import Loop
from wsss_cli.engine.optimiser import TwoRates
from wsss_cli.nets.normalisation import Pretrained
from wsss_cli.nets.precision import FIELDS, Precision
from wsss_cli.parts import Part
from wsss_cli.places import FILE, WEIGHTS
from wsss_cli.promises import Promises, each
from wsss_cli.work import Pass, Work, areas, passes, reading, typical_size

FOLDER = "cam_net"
"""Of the network in the stage's folder."""


class Network(Pretrained):
    """The classification network whose class maps are the seeds."""

    backbone: str = Field("resnet50.tv_in1k", description="timm name; the paper's is torchvision's ResNet-50 V1")
    backbone_args: dict[str, str | int | float | bool] = Field({}, description="further arguments of timm's model")
    pretrained: Annotated[str, WEIGHTS] = Field(
        "timm", description="timm: download its weights; none; or a file (safetensors, torch)"
    )
    detach: bool = Field(True, description="stop the gradient before layer3 (IRN); False trains all layers (ReCAM)")
    freeze_bn: bool = Field(True, description="batch norms keep the pretrained statistics; False to train from nothing")
    dilate: bool = Field(
        False,
        description="dilate the stage that keeps its resolution: pretrained filters see what they learnt on; false: "
        "as released (IRN)",
    )


class Sgd(TwoRates):
    """SGD with a polynomial schedule."""

    lr: float = Field(0.1, gt=0, le=bounds.RATE, description="learning rate of the backbone")
    head_factor: float = Field(10.0, gt=0, le=bounds.FACTOR, description="factor for the classifier")


class TagTraining(Config):
    """Training of the classification network."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take this trained network instead: a weights file"
    )
    resize_long: ranges.Sides = Field((320, 640), description="range of the random length of the longer side")
    crop: int = Field(512, gt=0, le=bounds.SIDE, description="side of the random crop, padded with the mean colour")
    optimiser: Sgd = Field(Sgd(lr=0.01), description="optimiser")
    loop: Loop = Field(Loop(epochs=5, batch=16), description="length of the training")


class Seeds(Precision, StageConfig):
    """Train a classification network on the tags and take its multi-scale class maps."""

    split: str | None = Field(None, description="the split to learn from and to make CAMs of; the data set's")
    net: Network = Field(Network(), description="classification network")
    training: TagTraining = Field(TagTraining(), description="training of the classification network")
    scales: tuple[ranges.Scale, ...] = Field(
        (1.0, 0.5, 1.5, 2.0), min_length=1, description="image scales that are summed"
    )
    batch: int = Field(
        4, gt=0, le=bounds.BATCH, description="images of equal shape per forward pass when CAMs are made; same result"
    )

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.tagged(self.split)

    def promises(self, context: Context) -> Promises:
        return {"cam": each(self.images(context), ".npz")}

    def parts(self) -> Sequence[Part]:
        return (
            Part("CAM net", (FOLDER,), ("net", "training", "seed")),
            Part("CAMs", ("cam",), ("scales", "batch", *FIELDS), of=("CAM net",)),
        )

    def work(self, context: Context) -> Iterator[Work]:
        samples, classes = self.images(context), context.data.num_classes
        if self.training.checkpoint is None:
            seen, side = self.training.loop.crops(len(samples)), self.training.crop
            yield Work("train classifier", seen, Pass(self.net, classes, side, side, learns=True))
            yield from reading(seen, samples)
        looks = len(samples) * areas(self.scales, flip=True)
        yield passes("make CAMs", looks, self.net, classes, typical_size(samples))


class Pseudo(StageConfig):
    """Label maps of the CAMs: the strongest class, or background where it is weak."""

    background: float = Field(0.15, ge=0, le=1, description="score of the background")

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.tagged(None)

    def promises(self, context: Context) -> Promises:
        return {"labels": each(self.images(context), ".png")}
