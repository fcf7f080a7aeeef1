"""Single-stage networks from their configuration, and back from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from wsss_cli.config import Config, as_dict
from wsss_cli.engine import checkpoint
from wsss_cli.job import Job
from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.heads.largefov import LargeFov
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.single_stage.config import VitNet
from wsss_cli.single_stage.network import SingleStage

C = TypeVar("C", bound=VitNet)
N = TypeVar("N", bound=nn.Module)


def build_encoder(net: VitNet, trust: bool = False) -> ViT:
    """The transformer, pretrained as `net` says.  Raises WsssError as its parts do."""
    encoder = ViT(net.backbone, net.backbone_args, net.inner_block, net.train_positions)
    load_pretrained(encoder, net.pretrained, trust)
    return encoder


def build_decoder(net: VitNet, dim: int, num_classes: int) -> LargeFov:
    """The decoder with num_classes + 1 logits."""
    return LargeFov(dim, num_classes + 1, net.width, net.dilation, net.decoder_init == "kaiming")


def build_single_stage(net: VitNet, num_classes: int, trust: bool = False) -> SingleStage:
    """The network for C classes.  Raises WsssError as its parts do."""
    encoder = build_encoder(net, trust)
    return SingleStage(encoder, build_decoder(net, encoder.dim, num_classes), num_classes)


def meta(job: Job, net: Config) -> dict[str, Any]:
    """What a checkpoint says of itself: enough to rebuild the network and to refuse a wrong data set."""
    return {"method": job.method.name, "stage": job.stage, "classes": list(job.data.info.classes), "net": as_dict(net)}


def trained(path: Path, job: Job, settings: type[C], build: Callable[[C, int], N], part: str = "model") -> N:
    """The trained network of a checkpoint, for which nothing is downloaded.

    settings, build  the class of its net configuration, and what makes a network of one and of C
    part             "model", or "modules.NAME": another module's weights that training kept, such as a teacher's
    Raises WsssError if the checkpoint is of another method or of other classes.
    """
    content = checkpoint.load(path, job.runtime.trust)
    checkpoint.expect(content, path, job.method.name, job.data.info.classes)
    net = build(settings(**content["meta"]["net"] | {"pretrained": "none"}), job.data.num_classes)
    state = content
    for key in part.split("."):
        state = state[key]
    net.load_state_dict(state)
    return net
