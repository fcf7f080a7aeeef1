"""What goes wrong with a network, known before a stage runs: a name that nobody has, arguments that its constructor
does not take, weights that do not fit it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from wsss_cli.errors import WsssError, caught
from wsss_cli.nets.beginnings import Beginning, beginnings
from wsss_cli.nets.clip_net import ClipNet
from wsss_cli.nets.config import Net, build_backbone, build_head
from wsss_cli.nets.normalisation import Pretrained
from wsss_cli.places import has_checkpoint


def network_problems(config: BaseModel, where: str, trust: bool = False) -> Iterator[WsssError]:
    """Of every network among a stage's settings.  Where a trained one is given, it begins from no other weights.

    trust  files that can run code are read
    """
    for beginning in beginnings(config, where):
        wrong = list(caught(_check_name, beginning)) or list(caught(_check_arguments, beginning))
        if not wrong and not has_checkpoint(config):
            wrong = list(caught(_check_weights, beginning, trust))
        yield from wrong


def _check_name(beginning: Beginning) -> None:
    from wsss_cli.nets.backbones.backbone import check_name  # timm, which knows them all: once something is to run

    try:
        check_name(beginning.network)
    except WsssError as error:
        key = beginning.key.rpartition(".")[0]
        raise WsssError(f"{key}.{beginning.owner}: {error.what}", error.remedy) from None


def _check_arguments(beginning: Beginning) -> None:
    """Build what is given arguments, without memory for weights: only a constructor knows those that it takes."""
    net = beginning.config
    if beginning.owner != "backbone" or not (net.backbone_args or getattr(net, "head_args", None)):
        return
    import torch

    with torch.device("meta"), _in_silence():
        bare = _bare(net)
        if isinstance(net, Net):
            build_head(net, bare, num_outputs=2)


def _check_weights(beginning: Beginning, trust: bool) -> None:
    from wsss_cli.nets.weights.fetching import packaged, require_published

    if beginning.value == "timm" and packaged(beginning.network) is None:
        require_published(beginning.network)
    elif beginning.value not in ("timm", "none") and Path(beginning.value).expanduser().is_file():
        _try(beginning, trust)


def _try(beginning: Beginning, trust: bool) -> None:
    """Fill the network with the file as its stage will, but without memory for weights, and without a word.

    A whole network of mmseg's, whose head is of its classes, and what is no backbone are only read.
    """
    import torch

    from wsss_cli.nets.weights.names.mmseg import is_mmseg
    from wsss_cli.nets.weights.pretrained import load_backbone, load_clip
    from wsss_cli.nets.weights.reading import read_weights

    state = read_weights(beginning.value, trust)
    if beginning.owner == "backbone" and not is_mmseg(state):
        with torch.device("meta"), _in_silence():
            network: Any = _bare(beginning.config)
            if isinstance(beginning.config, ClipNet):
                load_clip(network, beginning.value, trust)
            else:
                load_backbone(network, state, beginning.value)


def _bare(net: Pretrained) -> Any:
    """The backbone alone."""
    if isinstance(net, Net):
        return build_backbone(net)
    if isinstance(net, ClipNet):
        from wsss_cli.nets.backbones.clip import ClipVisual

        return ClipVisual(net.backbone, net.backbone_args)
    if net.PLAIN_VIT:
        from wsss_cli.nets.backbones.vit import ViT

        return ViT(net.backbone, net.backbone_args, getattr(net, "inner_block", -1))
    from wsss_cli.nets.backbones.backbone import Backbone

    return Backbone(net.backbone, getattr(net, "output_stride", 16), args=net.backbone_args)


@contextmanager
def _in_silence() -> Iterator[None]:
    log = logging.getLogger("wsss")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):  # that copying to no memory copies nothing
            yield
    finally:
        log.setLevel(level)
