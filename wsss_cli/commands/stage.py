"""What every stage command does: find the run, plan, launch, execute, say what was made."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_cli import console, launch
from wsss_cli.commands.options import RunOptions
from wsss_cli.config import merge, parse_set
from wsss_cli.data.prepared import Prepared, read_prepared
from wsss_cli.errors import WsssError
from wsss_cli.method import VERBS, Method
from wsss_cli.plan import Step, plan
from wsss_cli.plugins import method as find_method
from wsss_cli.plugins import nearest
from wsss_cli.runs import Run, Settings, latest_run

SECTIONS = (*VERBS, "infer", "evaluate")


@dataclass(frozen=True)
class Target:
    """What the command line asks for, resolved."""

    run: Run
    method: Method
    data: Prepared
    settings: Settings


def run_stage(
    verb: str, words: list[str] | None, options: RunOptions, own: Mapping[str, Any] | None = None, stage: str = ""
) -> tuple[Target, dict[str, Any]] | None:
    """Run `stage` (named as the verb unless given) and what it needs.

    own  settings that the command's own options stand for: {stage: {key: value}}
    Returns the target and the stage's record; None after a dry run and in the process that launched ranks.
    """
    asked = launch.Launch(options.gpus, options.procs, options.nodes, options.node_rank, options.rendezvous)
    launch.check(asked)
    if asked.wanted and not options.dry_run:
        resolve_target(verb, words, options, own or {})  # mistakes are found before ranks start
        code = launch.start(asked, sys.argv[1:])
        if code:
            sys.exit(code)
        return None
    target = resolve_target(verb, words, options, own or {})
    if options.dry_run:
        show_plan(make_plan(target, stage or verb, options))
        return None
    return target, _execute(target, stage or verb, options)


def resolve_target(verb: str, words: list[str] | None, options: RunOptions, own: Mapping[str, Any]) -> Target:
    """The run and its settings. Raises WsssError for an unknown method, data set or setting."""
    names = [w for w in words or [] if "=" not in w]
    if len(names) > 1:
        raise WsssError(f"more than one method named: {', '.join(names)}", "settings are written KEY=VALUE")
    overrides: dict[str, Any] = dict(own)
    for assignment in [*(options.set or []), *(w for w in words or [] if "=" in w)]:
        overrides = merge(overrides, sectioned(parse_set(assignment), verb))
    run = find_run(names[0] if names else None, options)
    data = read_prepared(options.data_root / run.data)
    settings = run.settings().updated(options.recipe, overrides)
    return Target(run, find_method(run.method), data, settings)


def sectioned(values: dict[str, Any], verb: str) -> dict[str, Any]:
    """A key that starts with no stage's name belongs to the stage of the command."""
    return values if next(iter(values)) in SECTIONS else {verb: values}


def make_plan(target: Target, stage: str, options: RunOptions) -> list[Step]:
    return plan(target.run, target.method, stage, target.data, target.settings, options.force)


def show_plan(steps: list[Step]) -> None:
    for step in steps:
        console.say(f"{step.key}: {'finished' if not step.runs else f'would run ({step.reason})'} -> {step.folder}")


def _execute(target: Target, stage: str, options: RunOptions) -> dict[str, Any]:
    from wsss_cli.engine.distributed import broadcast, process_group
    from wsss_cli.execute import execute

    device = "cuda" if options.gpus else "cpu" if options.procs else options.device
    with process_group(device, options.workers, options.trust_checkpoint) as runtime:
        # rank 0 looks at the run folders for all, so that every rank follows the same plan
        steps = broadcast(make_plan(target, stage, options) if runtime.main else None)
        assert steps is not None
        if runtime.main:
            target.run.save_settings(target.settings)
            target.run.make_latest()
        try:
            return execute(steps, target.data, target.method, runtime)
        except SystemExit as stop:
            if runtime.main and hasattr(stop, "text"):
                console.warn(stop.text)
            raise


def find_run(method: str | None, options: RunOptions) -> Run:
    if method is None:
        run = latest_run(options.runs_root)
        data, method = options.data or run.data, run.method
        return Run(options.runs_root, data, method, options.name or run.name)
    find_method(method)
    data = options.data or _latest_data(options.data_root)
    if not (options.data_root / data).is_dir():
        known = sorted(p.parent.name for p in options.data_root.glob("*/dataset.yaml"))
        raise WsssError(f"no prepared data set '{data}'{nearest(data, known)}", "`wsss prepare` makes one")
    return Run(options.runs_root, data, method, options.name or "default")


def _latest_data(root: Path) -> str:
    path = root / "latest"
    if not path.exists():
        raise WsssError(f"there is no prepared data set in {root}", "make one, for example: wsss prepare shapes")
    return path.read_text(encoding="utf-8").strip()
