"""What `wsss check` looks at: the environment, a prepared data set, a run's settings and its weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from wsss_cli import console
from wsss_cli.checks.dataset import Examined, examine
from wsss_cli.checks.finding import Finding, some
from wsss_cli.commands.environment import environment
from wsss_cli.commands.options import RunOptions
from wsss_cli.commands.stage import Target, asked_launch, make_plan, require_data, resolve_target
from wsss_cli.config import resolve
from wsss_cli.data.holding import using
from wsss_cli.data.prepared import Prepared, read_latest, read_prepared
from wsss_cli.errors import WsssError
from wsss_cli.plan import Step, check_sections, read_recipe, stages_of
from wsss_cli.promises import absent
from wsss_cli.ranks import launch
from wsss_cli.runs import read_record
from wsss_cli.seals import NAME as SEAL
from wsss_cli.seals import damaged, sums_of
from wsss_cli.space import lack


@dataclass(frozen=True)
class Data:
    """What was found in a data set; prepared and examined are None if it cannot be read at all."""

    found: list[Finding]
    prepared: Prepared | None = None
    examined: Examined | None = None


def look(words: list[str] | None, options: RunOptions) -> tuple[list[Finding], Data, list[Finding]]:
    """Everything that can be said without running a stage, each problem with its remedy: environment, data, settings.

    The data set is the named one or the last; settings and weights are those of the named method or the last run.
    """
    surroundings = environment(options.runs_root)
    try:
        name = options.data or read_latest(options.data_root)
        require_data(name, options.data_root)
    except WsssError as error:  # without data there is no run to look at
        return surroundings, Data([Finding("error" if options.data else "warning", error.what, error.remedy)]), []
    data = look_at_data(name, options.data_root)
    if words or (options.runs_root / "latest").exists():
        return surroundings, data, _settings(words, options)
    return surroundings, data, [Finding("ok", "no run yet: name a method to have its settings and weights checked")]


def look_at_data(name: str, root: Path) -> Data:
    """The findings about one prepared data set, which name it."""
    try:
        prepared = read_prepared(root / name)
        with using(prepared), console.counter(f"check {name}") as count:
            examined = examine(prepared, progress=count)
    except WsssError as error:
        return Data([Finding("error", error.what, error.remedy)])
    return Data([replace(f, what=f"data set {name}: {f.what}") for f in examined.findings], prepared, examined)


def _settings(words: list[str] | None, options: RunOptions) -> list[Finding]:
    """Whether every stage's settings resolve, and then where its weights come from."""
    try:
        target = resolve_target("train", words, options, {}, {})
        recipe = read_recipe(target.method, target.settings.recipe, target.data.info.kind)
        check_sections(recipe, target.settings, stages_of(target.method), target.method)
    except WsssError as error:
        return [Finding("error", error.what, error.remedy)]
    configs, found = [], []
    for name, stage in stages_of(target.method).items():
        if "-" in name:  # a variant of another, with its settings
            continue
        try:
            configs.append(resolve(stage.config_class(), name, recipe.get(name) or {}, target.settings.of(name)))
        except WsssError as error:
            found.append(Finding("error", error.what, error.remedy))
    if not found:
        found += [Finding("ok", f"settings of {_run(target)}: every stage's resolve"), *_to_come(target, options)]
    weights = {pair for config in configs for pair in pretrained(config)}
    return found + [_weights(*pair, options.trust_checkpoint) for pair in sorted(weights)]


def _to_come(target: Target, options: RunOptions) -> list[Finding]:
    """What a plan refuses, on as many ranks as asked for; whether the disk has room; what is damaged of the rest."""
    try:
        steps = make_plan(target, "evaluate", options, launch.world(asked_launch(options)))
    except WsssError as error:
        return [Finding("error", error.what, error.remedy)]
    what = lack(steps, target.data, target.run.root)
    room = (
        Finding("warning", what, "free some, or choose another with --runs-root")
        if what
        else Finding("ok", f"disk of {target.run.root}: room for the {sum(step.runs for step in steps)} stages to come")
    )
    return [room, *(finding for step in steps for finding in _damage(step))]


def _damage(step: Step) -> Iterator[Finding]:
    """The files of a finished stage that are not what it left, each read to its end, and those that are gone."""
    record = read_record(step.folder) if step.status in ("finished", "incomplete") else None
    again = f"`wsss {step.stage.name.partition('-')[0]} --force` makes them again"
    if not record or "seal" not in record:
        return
    sums = sums_of(step.folder, record)
    if not sums:
        what = f"stage {step.key}: {step.folder / SEAL} is missing or damaged: nothing else tells of all its files"
        yield Finding("warning", what, again, "damaged")
    if wrong := damaged(step.folder, sums, sums, every=True):
        what = f"stage {step.key}: {len(wrong)} files are damaged in {step.folder}: {some(wrong)}"
        yield Finding("error", what, again, "damaged")
    if gone := absent(step.folder, sums):
        what = f"stage {step.key}: {len(gone)} files are gone from {step.folder}: {some(gone)}"
        yield Finding("warning", what, f"{again}, if they are wanted", "gone")


def _run(target: Target) -> str:
    recipe = target.settings.recipe or target.data.info.kind
    return f"{target.run.method}/{target.run.name} on {target.run.data} (recipe {recipe})"


def pretrained(config: BaseModel) -> Iterator[tuple[str, str]]:
    """(backbone, pretrained) of every network in a config, however deep."""
    values = {name: getattr(config, name) for name in type(config).model_fields}
    if isinstance(values.get("pretrained"), str):
        yield str(values.get("backbone", "network")), values["pretrained"]
    for value in values.values():
        if isinstance(value, BaseModel):
            yield from pretrained(value)


def _weights(backbone: str, source: str, trust: bool) -> Finding:
    if source == "none":
        return Finding("ok", f"weights of {backbone}: random, as asked (pretrained=none)")
    if source == "timm":
        return _hub(backbone)
    from wsss_cli.nets.weights.reading import read_weights

    try:
        tensors = read_weights(Path(source).expanduser(), trust)
    except WsssError as error:
        return Finding("error", f"weights of {backbone}: {error.what}", error.remedy)
    return Finding("ok", f"weights of {backbone}: {source}, {len(tensors)} tensors")


def _hub(backbone: str) -> Finding:
    """Whether timm's weights are on this machine already."""
    from wsss_cli.nets.weights.caching import is_cached
    from wsss_cli.nets.weights.pretrained import hub_file

    by_hand = "or fetch it by hand and pass pretrained=FILE; pretrained=none starts from random weights"
    source = hub_file(backbone)
    if not source:
        return Finding("error", f"timm has no weights for '{backbone}'", "pass pretrained=FILE or pretrained=none")
    if is_cached(source):
        return Finding("ok", f"weights of {backbone}: {source}, downloaded already")
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return Finding("error", f"weights of {backbone}: {source} is not here, and HF_HUB_OFFLINE is set", by_hand[3:])
    return Finding("ok", f"weights of {backbone}: {source} will be downloaded", f"needs the network; {by_hand}")
