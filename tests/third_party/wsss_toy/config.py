"""The settings of the toy method."""

from pydantic import Field

from wsss_cli.config import Config, StageConfig
from wsss_cli.engine.loop import Loop


class Seeds(StageConfig):
    gain: float = Field(1.0, gt=0, description="factor on the evidence")


class Pseudo(StageConfig):
    threshold: float = Field(0.5, ge=0, le=1, description="evidence above it is foreground")


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
