"""`--pretrained`: where every network of a method begins from, said once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wsss_cli.config import at, merge, resolve
from wsss_cli.errors import WsssError
from wsss_cli.method import INFER, Method, Stage
from wsss_cli.nearest import nearest
from wsss_cli.nets.beginnings import Beginning, beginnings
from wsss_cli.places import WEIGHTS
from wsss_cli.plan import recipe_of
from wsss_cli.runs import Settings


def require_files(asked: Sequence[str]) -> None:
    """Raises WsssError for a `--pretrained` whose file is not there: once, for however many networks it is."""
    for word in asked:
        file = word.rpartition("=")[2]
        if file not in WEIGHTS.words and not WEIGHTS.exists(file):
            raise WsssError(f"--pretrained {word}: there is no file {WEIGHTS.find(file)}", "check the path")


def pretrained_settings(method: Method, settings: Settings, kind: str, asked: Sequence[str]) -> dict[str, Any]:
    """{stage: {key: ... value}} that `--pretrained FILE`, or `--pretrained NETWORK=FILE`, stand for.

    A file alone is for every network that begins from ImageNet weights; those that begin from none on purpose stay.
    Raises WsssError if these are of several kinds, which no file fits, and for a network that the method has not.
    """
    found = list(beginnings_of(method, settings, kind))
    overrides: dict[str, Any] = {}
    for word in asked:
        network, equals, file = word.rpartition("=")
        chosen = _named(found, network, method) if equals else _all(found, word, method)
        for beginning in chosen:
            overrides = merge(overrides, at(beginning.key, file))
    return overrides


def beginnings_of(method: Method, settings: Settings, kind: str) -> Iterator[Beginning]:
    """Of the networks of every stage that leads to the trained one."""
    recipe = recipe_of(method, settings, kind)
    stages = {stage.name: stage for stage in method.all_stages()}
    waiting = [INFER.name]
    for name in waiting:  # which grows
        config = _config(stages[name], recipe, settings)
        waiting += [need for need in stages[name].needs if need not in (*config.unneeded(), *waiting)]
        yield from beginnings(config, name)


def _config(stage: Stage, recipe: Mapping[str, Any], settings: Settings) -> Any:
    return resolve(stage.config_class(), stage.name, recipe.get(stage.name) or {}, settings.of(stage.name))


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
