"""By which mean and std images are normalised for a pretrained backbone.

Images have ImageNet's everywhere, also where losses and augmentation turn them back; a backbone whose weights expect
others changes to them at its entry, as the Caffe ResNets do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, ValidationError, WrapValidator
from pydantic_core import PydanticCustomError

from wsss_cli import ranges
from wsss_cli.config import Config, as_dict, resolve
from wsss_cli.errors import WsssError
from wsss_cli.nested import nested
from wsss_cli.sound import read_text


class Normalisation(Config):
    """(image - mean) / std of RGB in [0, 1]."""

    mean: tuple[ranges.Normal, ranges.Normal, ranges.Normal] = Field(description="of red, green, blue")
    std: tuple[ranges.Deviation, ranges.Deviation, ranges.Deviation] = Field(description="of red, green, blue")


UNTOLD = "give a checkpoint or model as wsss wrote it: export it again, or train again"
HALF = Normalisation(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def _known(value: Any, inner: Any) -> Any:
    try:
        return inner(value)
    except ValidationError:
        wanted = "must be auto, imagenet, half, or {mean: [R, G, B], std: [R, G, B]} of images in [0, 1]"
        raise PydanticCustomError("normalise", wanted) from None


Normalise = Annotated[Literal["auto", "imagenet", "half"] | Normalisation, WrapValidator(_known)]


class Pretrained(Config):
    """What the settings of every network with a pretrained backbone have."""

    IMAGENET: ClassVar[tuple[str, ...]] = ()
    """Backbones that a paper trains on images normalised by ImageNet's values, whatever their weights expect."""
    PLAIN_VIT: ClassVar[bool] = False
    """Whether the backbone is a plain vision transformer, not a pyramid of features."""

    backbone: str = Field("resnet50", description="timm's name")
    backbone_args: dict[str, Any] = Field({}, description="arguments of its constructor")
    pretrained: str = Field("timm", description="timm: published weights, downloaded; none: random; or a weights FILE")
    normalise: Normalise = Field(
        "auto",
        description="images, for the backbone: auto: as its weights expect (docs/nets.md), as released for "
        "a paper's own; imagenet; half: mean and std 0.5; or {mean: [R, G, B], std: [R, G, B]}",
    )

    def normalisation(self) -> Normalisation | None:
        """The values that the backbone changes to; None: it takes ImageNet's as they are."""
        if self.normalise == "half":
            return HALF
        if self.normalise == "auto":
            released = self.pretrained == "none" or self.backbone in self.IMAGENET
            return None if released else expected(self.backbone, self.pretrained)
        return self.normalise if isinstance(self.normalise, Normalisation) else None

    def settled(self) -> Self:
        """The same with "auto" replaced by what it stands for."""
        inner = {name: network.settled() for name, network in self._inner().items()}
        return self.model_copy(update={"normalise": self.normalisation() or "imagenet", **inner})

    def untrained(self) -> Self:
        """The same network, for which nothing is downloaded: its weights come from elsewhere."""
        inner = {name: network.untrained() for name, network in self._inner().items()}
        return self.settled().model_copy(update={"pretrained": "none", **inner})

    def official(self) -> Self:
        """The same for weights of a paper's authors: by ImageNet's values unless set otherwise."""
        return self.model_copy(update={"normalise": "imagenet"}) if self.normalise == "auto" else self

    def told(self) -> dict[str, Any]:
        """For a checkpoint: as versions without the setting wrote it where the values are ImageNet's."""
        values = as_dict(self.settled())
        return {key: value for key, value in values.items() if (key, value) != ("normalise", "imagenet")}

    def _inner(self) -> dict[str, Pretrained]:
        """The networks among its settings."""
        return {name: value for name, value in self if isinstance(value, Pretrained)}

    @classmethod
    def stored(cls, meta: Mapping[str, Any]) -> Self:
        """The settings that a checkpoint tells of itself.  Raises WsssError if it tells none, or others."""
        told = meta.get("net")
        if not isinstance(told, Mapping):
            raise WsssError(f"the weights do not tell their network: net = {told!r:.60}", UNTOLD)
        return resolve(cls, "net", {"normalise": "imagenet"}, told, remedy=UNTOLD)


def expected(backbone: str, pretrained: str) -> Normalisation | None:
    """What weights expect, if it is not ImageNet's: the config.json beside a file (as on the hub), or timm's record.

    The record of a name is that of the weights that timm downloads for it: a file is taken for these.
    """
    found = _beside(Path(pretrained).expanduser()) if pretrained != "timm" else None
    found = found or _timms(backbone)
    return None if found in (None, _imagenet()) else found


def normalisations(config: BaseModel) -> dict[str, Any]:
    """Of each network among a stage's settings, by its key: "imagenet", or mean and std; for the run's record."""
    networks = ((key.rstrip("."), inner) for key, inner in nested(config) if isinstance(inner, Pretrained))
    return {key: as_dict(network.settled())["normalise"] for key, network in networks}


def _imagenet() -> Normalisation:
    from wsss_cli.batches.transforms import MEAN, STD  # torch: only once a network is built

    return Normalisation(mean=MEAN, std=STD)


def _timms(backbone: str) -> Normalisation | None:
    import timm

    try:
        cfg = timm.get_pretrained_cfg(backbone)
    except RuntimeError:  # no such weights: the backbone says so when it is built
        return None
    return _read({"mean": cfg.mean, "std": cfg.std}) if cfg is not None else None


def _beside(weights: Path) -> Normalisation | None:
    """The values in config.json of a folder that was downloaded from the hub, in its newer or older form."""
    try:
        content = json.loads(read_text(weights.parent / "config.json"))
    except (WsssError, ValueError):
        return None
    return _read(content.get("pretrained_cfg", content)) if isinstance(content, dict) else None


def _read(values: Any) -> Normalisation | None:
    try:
        return Normalisation(mean=values["mean"], std=values["std"])
    except (KeyError, TypeError, ValidationError):
        return None
