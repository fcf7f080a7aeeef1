"""Runs: a stage run, runs found."""

from __future__ import annotations

import json
import shlex
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss_cli import ranges
from wsss_cli.api.arguments import checked, plain
from wsss_cli.config import at, flat, merge
from wsss_cli.data.prepared import Prepared
from wsss_cli.plan import plan
from wsss_cli.plugins import method as find_method
from wsss_cli.running.find import find_named, require_data
from wsss_cli.running.target import perform, resolve_target, sectioned
from wsss_cli.runs import Run, all_runs


@checked
def run_stage(
    stage: str,
    method: str,
    data: str | Prepared,
    name: str = "default",
    *,
    recipe: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    pretrained: str | Path | Sequence[str] = (),
    split: str | None = None,
    force: bool = False,
    device: str = "auto",
    workers: ranges.Workers = 0,
    trust_checkpoint: bool = False,
    data_root: str | Path = "data",
    runs_root: str | Path = "runs",
) -> Run:
    """Run a stage and what it needs, as the command does: what is finished and unchanged is kept; returns the run.

    stage       "seeds", "pseudo", "train", "infer", "evaluate" (the predictions), "evaluate-seeds", "evaluate-pseudo"
    data        the name of a prepared data set in data_root, or the data set itself
    recipe      the name of one of the method's, or a YAML file
    settings    {"loop.epochs": 5}: of this stage, or {"train.loop.epochs": 5}; the run remembers them
    pretrained  a file of weights that every network begins from, "none", or NETWORK=FILE for each
    split       that is predicted, scored or learnt from, in this call only; the usual one, if not given
    force       run the stage again
    device      "auto", "cpu", "cuda"
    workers     processes that read images; with any, a script needs `if __name__ == "__main__":`
    Raises WsssError for all that is known to go wrong before anything runs.  KeyboardInterrupt ends a training when its
    state has been saved: the same call goes on from there.
    """
    if isinstance(data, Prepared):
        folder = data.folder
        data, data_root = folder.name, folder.parent
    find_method(method)
    require_data(data, Path(data_root))
    run = Run(Path(runs_root), data, method, name)
    overrides = overrides_of(settings or {}, stage.partition("-")[0])
    weights = [str(pretrained)] if isinstance(pretrained, str | Path) else list(pretrained)
    chosen = None if recipe is None else str(recipe)
    passing = _of_split(stage, split)
    target = resolve_target(run, Path(data_root), chosen, overrides, weights, passing, device=device)
    steps = plan(run, target.method, stage, target.data, target.settings, force)
    command = _command(stage, run, {"--recipe": [chosen], "--split": [split], "--pretrained": weights}, overrides)
    from wsss_cli.ranks.distributed import alone

    try:
        perform(target, steps, alone(device, workers, trust_checkpoint), command)
    except SystemExit as stop:
        if stop.code != 128 + signal.SIGINT:
            raise
        raise KeyboardInterrupt from stop
    return run


@checked
def list_runs(*, runs_root: str | Path = "runs") -> list[Run]:
    """Every run of which something is there."""
    return all_runs(Path(runs_root))


@checked
def open_run(name: str, *, runs_root: str | Path = "runs") -> Run:
    """The run that METHOD/NAME or DATA/METHOD/NAME means.  Raises WsssError naming the nearest one if there is none."""
    return find_named(name, Path(runs_root))


def overrides_of(settings: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """{stage: {key: value}}, plain data, of settings whose keys may have dots; without a stage's name, of `stage`."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found = merge(found, sectioned(at(key, plain(value, key)), stage))
    return found


def _of_split(stage: str, split: str | None) -> dict[str, Any]:
    """Predictions are scored on the split that they are of."""
    section = "infer" if stage == "evaluate" else stage.partition("-")[0]
    return {} if split is None else {section: {"split": split}}


def _command(stage: str, run: Run, options: Mapping[str, Sequence[str | None]], overrides: Mapping[str, Any]) -> str:
    """The command that does the same."""
    verb, _, source = stage.partition("-")
    words = ["wsss", verb, run.method, "--data", run.data, "--name", run.name]
    for option, values in {"--stage": [source], **options}.items():
        words += [word for value in values if value for word in (option, value)]
    words += [f"{key}={json.dumps(value)}" for key, value in flat(overrides).items()]
    return shlex.join(words)
