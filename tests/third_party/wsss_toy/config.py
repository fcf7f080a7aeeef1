"""The settings of the toy method."""

from typing import Annotated

from pydantic import Field

from wsss_cli.config import Config, StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.loop import Loop
from wsss_cli.places import FILE, FOLDER
from wsss_cli.promises import CHECKPOINT, Promises, each


class Seeds(StageConfig):
    gain: float = Field(1.0, gt=0, description="factor on the evidence")
    notes: Annotated[str | None, FILE] = Field(None, description="a file that only has to be there")
    pictures: Annotated[str | None, FOLDER] = Field(None, description="a folder that only has to be there")

    def images(self, context: Context) -> list[Sample]:
        return context.data.split("train")

    def promises(self, context: Context) -> Promises:
        return {"cam": each(self.images(context), ".npy")}


class Pseudo(StageConfig):
    threshold: float = Field(0.5, ge=0, le=1, description="evidence above it is foreground")

    def promises(self, context: Context) -> Promises:
        return {"labels": each(context.data.split("train"), ".png")}


class Net(Config):
    width: int = Field(4, gt=0, description="channels")
    dropout: float = Field(0.0, ge=0, lt=1, description="drawn from torch's generator")
    centre: bool = Field(False, description="keep a running centre of the features beside the network")


class Train(StageConfig):
    labels: str = Field("pseudo", description="pseudo or masks")
    lr: float = Field(0.1, gt=0, description="learning rate")
    net: Net = Field(Net(), description="the network")
    loop: Loop = Field(Loop(epochs=2, batch=4, log_every=1), description="length of the training")
    pause: float = Field(0.0, ge=0, description="seconds that every iteration takes longer")
    poison: int = Field(-1, description="the iteration whose loss is made NaN")
    rank_fails: int = Field(-1, description="the rank that raises an error of its own")

    def unneeded(self) -> tuple[str, ...]:
        return ("pseudo",) if self.labels == "masks" else ()

    def images(self, context: Context) -> list[Sample]:
        return context.data.split("train")

    def promises(self, context: Context) -> Promises:
        return CHECKPOINT
