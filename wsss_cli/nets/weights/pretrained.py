"""Weights on their way into a backbone, a whole network or CLIP: fetched or read, renamed, checked, filled in."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.clip import ClipVisual
from wsss_cli.nets.segmenter import Segmenter
from wsss_cli.nets.weights.checking import (
    Loaded,
    auxiliary_of_one,
    compare,
    of_other_classes,
    require_no_deeper,
    require_only_classifier,
)
from wsss_cli.nets.weights.fetching import hub_file, packaged, published
from wsss_cli.nets.weights.filling import load_exactly, load_weights
from wsss_cli.nets.weights.names.backbone import backbone_names, extractor_names
from wsss_cli.nets.weights.names.clip import visual
from wsss_cli.nets.weights.names.mmseg import is_mmseg, whole_names
from wsss_cli.nets.weights.published import PUBLISHED
from wsss_cli.nets.weights.reading import read_weights

log = logging.getLogger("wsss")


class Pretrainable(Protocol):
    """A network of that name and constructor arguments without its classifier: a `Backbone` or a `ViT`."""

    name: str
    args: dict[str, Any]
    body: Any


def load_pretrained(backbone: Pretrainable, pretrained: str, trust: bool = False) -> Loaded | None:
    """Fill the backbone: "timm" (weights, installed or downloaded), "none" (random), or a file of this network.

    A file holds the whole timm model, torchvision's ResNet (same names), mmcls' ResNetV1d, a backbone of mmseg or the
    encoder of SegFormer (its own or mmseg's names); the tensors of the classifier stay unused.  Returns what became of
    each key, and logs its counts.  Raises WsssError: download failed (naming the file to fetch by hand), file
    unreadable, of another network, or with tensors that are neither the backbone's nor its classifier's.
    """
    if pretrained == "none":
        return None
    if pretrained != "timm":
        return load_backbone(backbone, read_weights(pretrained, trust), pretrained)
    installed = packaged(backbone.name)
    if installed is not None:
        return load_backbone(backbone, read_weights(installed, trust), installed.name)
    state = published(backbone.name, backbone.args, trust)
    if backbone.name in PUBLISHED:
        state = backbone_names(backbone.name, backbone.body, state)
    return _load(backbone, state, hub_file(backbone.name))


def load_backbone(backbone: Pretrainable, state: Mapping[str, Tensor], source: str) -> Loaded:
    """load_pretrained of what a file holds."""
    found = _load(backbone, backbone_names(backbone.name, backbone.body, state), source)
    require_only_classifier(backbone.name, backbone.args, found.unused, source)  # of the hub's timm sees to it
    return found


def _load(backbone: Pretrainable, state: Mapping[str, Tensor], source: str) -> Loaded:
    state = extractor_names(backbone.body, state)
    require_no_deeper(backbone.name, backbone.body, state, source)
    found = load_weights(backbone.body, state, f"backbone '{backbone.name}'", source)
    total, unused = len(found.matched), len(found.unused)
    log.info("%s: %d of %d backbone tensors loaded from %s (%d classifier tensors unused)",
             backbone.name, total, total, source, unused)  # fmt: skip
    return found


def load_segmenter(net: Segmenter, pretrained: str, trust: bool = False) -> Loaded | None:
    """Fill a whole network from a file of mmseg that has it, or else its backbone; as `load_pretrained`."""
    if pretrained in ("timm", "none"):
        return load_pretrained(net.backbone, pretrained, trust)
    state = read_weights(pretrained, trust)
    return load_whole(net, state, pretrained) if is_mmseg(state) else load_backbone(net.backbone, state, pretrained)


def load_whole(net: Segmenter, state: Mapping[str, Tensor], source: str) -> Loaded:
    """Fill a whole network from one of mmseg.

    What depends on the number of classes stays as it is where the file has another; auxiliary heads that only one of
    the two has are left out.  Returns what became of each key, and logs it.  Raises WsssError naming the tensor that is
    missing, has another shape or has no place.
    """
    ours = whole_names(net, state)
    what = f"backbone '{net.backbone.name}' with head {type(net.head).__name__}"
    theirs_alone, ours_alone = auxiliary_of_one(net, ours)
    anew = of_other_classes(net, ours)
    kept = {key: value for key, value in ours.items() if key not in anew and not key.startswith(theirs_alone)}
    strange = compare(net, kept).unused
    if strange:
        remedy = "choose net.backbone and net.head as the file has them"
        raise WsssError(f"{source} does not fit {what}: '{strange[0]}' has no place in it", remedy)
    found = load_weights(net, kept, what, source, may_miss=(*sorted(anew), *ours_alone))
    log.info("%s: %d tensors loaded from %s", what, len(found.matched), source)
    if anew:
        log.warning("%s has another number of classes: %s start anew", source, ", ".join(sorted(anew)))
    if theirs_alone or ours_alone:
        log.info("%s: auxiliary heads %s", source, "stay unused" if theirs_alone else "start anew, it has none")
    return found


def load_clip(tower: ClipVisual, pretrained: str, trust: bool = False) -> Loaded | None:
    """Fill the tower: "timm" (published weights, downloaded), "none" (leave it random), or a FILE.

    A file is OpenAI's or open_clip's, of the whole CLIP or of its visual part, or timm's.  Returns what became of each
    key.  Raises WsssError: download failed, file unreadable, or of another network.
    """
    if pretrained == "none":
        return None
    state = published(tower.name, tower.args, trust) if pretrained == "timm" else read_weights(pretrained, trust)
    return load_exactly(tower, visual(state), f"'{tower.name}'", pretrained)
