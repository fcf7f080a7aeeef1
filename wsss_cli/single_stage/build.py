"""Single-stage networks from their configuration, and back from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import nn

from wsss_cli.engine.part import trained_part
from wsss_cli.job import Job
from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.config import add_stem
from wsss_cli.nets.heads.largefov import LargeFov
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.single_stage.config import VitNet
from wsss_cli.single_stage.network import SingleStage

C = TypeVar("C", bound=VitNet)
N = TypeVar("N", bound=nn.Module)


def build_encoder(net: VitNet, trust: bool = False) -> ViT:
    """The transformer, pretrained as `net` says.  Raises WsssError as its parts do."""
    encoder = ViT(net.backbone, net.backbone_args, net.inner_block, net.train_positions, net.normalisation())
    fill(encoder, net, trust)
    return encoder


def fill(encoder: ViT, net: VitNet, trust: bool = False) -> None:
    """Load the weights that `net` names, and put its stem, if it has one, before the transformer."""
    load_pretrained(encoder, net.pretrained, trust)
    if net.stem is not None:
        add_stem(encoder, net.stem, trust)


def build_decoder(net: VitNet, dim: int, num_classes: int) -> LargeFov:
    """The decoder with num_classes + 1 logits."""
    return LargeFov(dim, num_classes + 1, net.width, net.dilation, net.decoder_init == "kaiming")


def build_single_stage(net: VitNet, num_classes: int, trust: bool = False) -> SingleStage:
    """The network for C classes.  Raises WsssError as its parts do."""
    encoder = build_encoder(net, trust)
    return SingleStage(encoder, build_decoder(net, encoder.dim, num_classes), num_classes)


def trained(path: Path, job: Job, settings: type[C], build: Callable[[C, int], N], weights: str = "model") -> N:
    """The trained network of a checkpoint.

    settings, build  the class of its net configuration, and what makes a network of one and of C
    weights          as of `trained_part`, which says what it raises
    """
    classes = job.data.num_classes
    return trained_part(job, path, lambda meta: build(settings.stored(meta).untrained(), classes), weights=weights)
