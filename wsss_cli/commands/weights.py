"""`--pretrained`: where every network of a method begins from, said once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wsss_cli.config import at, merge, resolve
from wsss_cli.errors import WsssError
from wsss_cli.method import INFER, Method, Stage
from wsss_cli.nearest import nearest
from wsss_cli.nested import nested
from wsss_cli.nets.clip_net import ClipNet
from wsss_cli.nets.normalisation import Pretrained
from wsss_cli.places import WEIGHTS
from wsss_cli.plan import recipe_of
from wsss_cli.runs import Settings


@dataclass(frozen=True)
class Beginning:
    """A setting that says where a network begins from.

    key       "seeds.net.pretrained"
    network   timm's name, or another of the toolkit's
    value     as it is set
    imagenet  whether its weights are of ImageNet, not CLIP's
    """

    key: str
    network: str
    value: str
    imagenet: bool

    @property
    def architecture(self) -> str:
        """Without the tag of its weights: a file of "resnet50.a1_in1k" fits "resnet50" too."""
        return self.network.partition(".")[0]


def pretrained_settings(method: Method, settings: Settings, kind: str, asked: Sequence[str]) -> dict[str, Any]:
    """{stage: {key: ... value}} that `--pretrained FILE`, or `--pretrained NETWORK=FILE`, stand for.

    A file alone is for every network that begins from ImageNet weights; those that begin from none on purpose stay.
    Raises WsssError if these are of several kinds, which no file fits, and for a network that the method has not.
    """
    found = list(beginnings(method, settings, kind))
    overrides: dict[str, Any] = {}
    for word in asked:
        network, equals, file = word.rpartition("=")
        chosen = _named(found, network, method) if equals else _all(found, word, method)
        for beginning in chosen:
            overrides = merge(overrides, at(beginning.key, file))
    return overrides


def beginnings(method: Method, settings: Settings, kind: str) -> Iterator[Beginning]:
    """Of the networks of every stage that leads to the trained one."""
    recipe = recipe_of(method, settings, kind)
    stages = {stage.name: stage for stage in method.all_stages()}
    waiting = [INFER.name]
    for name in waiting:  # which grows
        config = _config(stages[name], recipe, settings)
        waiting += [need for need in stages[name].needs if need not in (*config.unneeded(), *waiting)]
        for prefix, network in nested(config, f"{name}."):
            if isinstance(network, Pretrained):
                yield from _of(network, prefix)


def _config(stage: Stage, recipe: Mapping[str, Any], settings: Settings) -> Any:
    return resolve(stage.config_class(), stage.name, recipe.get(stage.name) or {}, settings.of(stage.name))


def _of(config: Pretrained, prefix: str) -> Iterator[Beginning]:
    for name, info in type(config).model_fields.items():
        if WEIGHTS in info.metadata:
            owner = name.removesuffix("pretrained").rstrip("_") or "backbone"
            imagenet = owner == "backbone" and not isinstance(config, ClipNet)
            if network := getattr(config, owner):
                yield Beginning(prefix + name, network, getattr(config, name), imagenet)


def _all(found: Sequence[Beginning], value: str, method: Method) -> list[Beginning]:
    ours = [b for b in found if b.imagenet]
    chosen = [b for b in ours if b.value != "none"] or ours
    names = sorted({b.network for b in chosen})
    if not chosen:
        what = f"no network of method '{method.name}' begins from ImageNet weights"
        others = " or ".join(f"--pretrained {b.network}=FILE" for b in found)
        raise WsssError(what, f"its others: {others}" if others else "leave out --pretrained")
    if len({b.architecture for b in chosen}) > 1 and value not in WEIGHTS.words:
        where = ", ".join(f"{b.network} ({b.key.rpartition('.')[0]})" for b in chosen)
        each = " ".join(f"--pretrained {name}=FILE" for name in names)
        raise WsssError(
            f"--pretrained {value}: no file is of all these networks: {where}", f"give one for each: {each}"
        )
    return chosen


def _named(found: Sequence[Beginning], network: str, method: Method) -> list[Beginning]:
    chosen = [b for b in found if network in (b.network, b.architecture)]
    if not chosen:
        names = sorted({b.network for b in found})
        what = f"--pretrained: no network of method '{method.name}' is '{network}'{nearest(network, names)}"
        raise WsssError(what, f"its networks: {', '.join(names)}")
    return chosen
