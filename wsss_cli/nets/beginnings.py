"""Where networks begin from: the settings that name published weights, a file or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from wsss_cli.nested import nested
from wsss_cli.nets.clip_net import ClipNet
from wsss_cli.nets.normalisation import Pretrained
from wsss_cli.places import WEIGHTS


@dataclass(frozen=True)
class Beginning:
    """A setting that says where a network begins from.

    key       "seeds.net.pretrained"
    owner     the setting that names the network: "backbone", "dino"
    network   timm's name, or another of the toolkit's
    value     as it is set
    config    the settings that both are of
    """

    key: str
    owner: str
    network: str
    value: str
    config: Pretrained

    @property
    def imagenet(self) -> bool:
        """Whether its weights are of ImageNet, not CLIP's."""
        return self.owner == "backbone" and not isinstance(self.config, ClipNet)

    @property
    def architecture(self) -> str:
        """Without the tag of its weights: a file of "resnet50.a1_in1k" fits "resnet50" too."""
        return self.network.partition(".")[0]


def beginnings(config: BaseModel, where: str) -> Iterator[Beginning]:
    """Of every network among a stage's settings, however deep."""
    networks = ((prefix, inner) for prefix, inner in nested(config, f"{where}.") if isinstance(inner, Pretrained))
    for prefix, net in networks:
        for name, info in type(net).model_fields.items():
            owner = name.removesuffix("pretrained").rstrip("_") or "backbone"
            if WEIGHTS in info.metadata and (network := getattr(net, owner)):
                yield Beginning(prefix + name, owner, network, getattr(net, name), net)
