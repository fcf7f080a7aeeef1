"""What every stage command does: find the run, plan, launch, execute, say what comes next."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsss_cli import console
from wsss_cli.commands.declared import declared_settings
from wsss_cli.commands.options import RunOptions
from wsss_cli.commands.survey import with_choices
from wsss_cli.commands.weights import pretrained_settings
from wsss_cli.config import flat, merge, parse_set
from wsss_cli.data.holding import recover
from wsss_cli.data.prepared import Prepared, read_latest, read_prepared
from wsss_cli.errors import WsssError
from wsss_cli.method import VERBS, Method
from wsss_cli.nearest import nearest
from wsss_cli.plan import Step, plan
from wsss_cli.plugins import method as find_method
from wsss_cli.ranks import launch
from wsss_cli.runs import Run, Settings, all_runs, bring_back, latest_run
from wsss_cli.seals import holds_artefacts

if TYPE_CHECKING:
    from wsss_cli.ranks.distributed import Runtime

SECTIONS = (*VERBS, "infer", "evaluate")


@dataclass(frozen=True)
class Target:
    """What the command line asks for, resolved.

    settings  of this command; saved, those that later commands start from; kept, those that earlier ones gave the run
    """

    run: Run
    method: Method
    data: Prepared
    settings: Settings
    saved: Settings
    kept: Settings


def run_stage(
    verb: str,
    words: list[str] | None,
    options: RunOptions,
    own: Mapping[str, Any] | None = None,
    passing: Mapping[str, Any] | None = None,
    stage: str = "",
    hint: bool = True,
    output: Path | None = None,
) -> tuple[Target, dict[str, Any]] | None:
    """Run `stage` (named as the verb unless given) and what it needs.

    own      settings that the command's own options stand for: {stage: {key: value}}
    passing  the same, but for this command only: later ones do not start from them
    hint     say which settings the run has from before, and which command comes next
    output   the folder of stage evaluate, if not in the run
    Returns the target and the stage's record to the process that is to show them: None after a dry run, in the
    process that launched ranks, and in ranks other than 0.
    """
    asked = asked_launch(options)
    launch.follow_launcher()

    def resolve() -> tuple[Target, list[Step]]:
        target = resolve_target(verb, words, options, own or {}, passing or {}, stage, output)
        return target, make_plan(target, stage or verb, options, launch.world(asked))

    if options.dry_run:
        target, steps = resolve()
        show_plan(steps)
        _warn_of_space(target, steps)
        return None
    if not launch.in_launched_process():
        launch.check(asked)
    if asked.wanted:
        _, steps = resolve()  # mistakes are found before ranks start
        if asked.nodes > 1 or any(step.runs for step in steps):
            code = launch.start(asked, sys.argv[1:])
            if code:
                sys.exit(code)
            return None
    from wsss_cli.ranks.distributed import agreed, process_group

    device = "cuda" if options.gpus else "cpu" if options.procs else options.device
    with process_group(device, options.workers, options.trust_checkpoint) as runtime:
        # rank 0 looks at the run folders for all, so that every rank follows the same plan
        target, steps = agreed(resolve, runtime)
        record = _execute(target, steps, runtime, hint and steps[-1].key.partition("-")[0] != "evaluate")
        return (target, record) if runtime.main else None


def resolve_target(
    verb: str,
    words: list[str] | None,
    options: RunOptions,
    own: Mapping[str, Any],
    passing: Mapping[str, Any],
    stage: str = "",
    output: Path | None = None,
) -> Target:
    """The run and its settings. Raises WsssError for an unknown method, data set or setting."""
    run = replace(find_run(method_named(words), options), evaluation=output)
    method = find_method(run.method)
    own = merge(own, declared_settings(method, stage or verb, options.declared))
    overrides = asked_settings(verb, words, options, own)
    data = read_prepared(options.data_root / run.data)
    kept = run.settings()
    begun = with_choices(kept.updated(options.recipe, {}), run, method, data, options)
    saved = begun.updated(None, overrides)
    if options.pretrained:
        begin = pretrained_settings(method, saved, data.info.kind, options.pretrained)
        saved = begun.updated(None, merge(begin, overrides))
    return Target(run, method, data, saved.updated(None, dict(passing)), saved, kept)


def asked_launch(options: RunOptions) -> launch.Launch:
    """The ranks that the command line asks for."""
    return launch.Launch(options.gpus, options.procs, options.nodes, options.node_rank, options.rendezvous)


def method_named(words: list[str] | None) -> str | None:
    """The method among the words of a command line.  Raises WsssError for more than one."""
    names = [w for w in words or [] if "=" not in w]
    if len(names) > 1:
        raise WsssError(f"more than one method named: {', '.join(names)}", "settings are written KEY=VALUE")
    return names[0] if names else None


def asked_settings(verb: str, words: list[str] | None, options: RunOptions, own: Mapping[str, Any]) -> dict[str, Any]:
    """{stage: {key: value}} of `own`, what options stand for, and of what is set on the command line."""
    overrides: dict[str, Any] = {section: values for section, values in own.items() if values}
    for assignment in [*(options.set or []), *(w for w in words or [] if "=" in w)]:
        overrides = merge(overrides, sectioned(parse_set(assignment), verb))
    return overrides


def sectioned(values: dict[str, Any], verb: str) -> dict[str, Any]:
    """A key that starts with no stage's name belongs to the stage of the command."""
    return values if next(iter(values)) in SECTIONS else {verb: values}


def make_plan(target: Target, stage: str, options: RunOptions, ranks: int) -> list[Step]:
    return plan(target.run, target.method, stage, target.data, target.settings, options.force, ranks)


def show_plan(steps: list[Step]) -> None:
    for step in steps:
        note = f" ({step.reason})" if step.reason else ""
        console.say(f"{step.key}: {'would run' if step.runs else 'finished'}{note} -> {step.folder}")


def find_run(method: str | None, options: RunOptions) -> Run:
    """The run that is meant: what is not named is that of the last run. Raises WsssError for unknown names."""
    if method is None:
        run = latest_run(options.runs_root)
        data, method, name = options.data or run.data, run.method, options.name or run.name
        find_method(method)
    else:
        find_method(method)
        data, name = options.data or read_latest(options.data_root), options.name or "default"
    require_data(data, options.data_root)
    return Run(options.runs_root, data, method, name)


def find_trained(method: str | None, options: RunOptions) -> Run:
    """The run whose network is meant: as `find_run`, but the data set that it learnt from need not be there.

    Raises WsssError naming the nearest one if there is no such run.
    """
    if method is None:
        run = latest_run(options.runs_root)
        options = replace(options, data=options.data or run.data, name=options.name or run.name)
        method = run.method
    find_method(method)
    name, data = options.name or "default", options.data
    known = [run for run in all_runs(options.runs_root) if (run.stage("train") / "stage.json").exists()]
    fitting = [run for run in known if (run.method, run.name) == (method, name) and data in (None, run.data)]
    if not fitting:
        names = sorted({f"{run.method}/{run.name}" for run in known})
        where = f"on data set '{data}' " if data else ""
        what = f"there is no trained run {method}/{name} {where}in {options.runs_root}"
        raise WsssError(f"{what}{nearest(f'{method}/{name}', names)}", f"train it first: wsss train {method}")
    if len(fitting) > 1:
        what = f"run {method}/{name} is trained on several data sets: {', '.join(run.data for run in fitting)}"
        raise WsssError(what, "say which one with --data")
    return fitting[0]


def find_named(name: str, root: Path) -> Run:
    """The run that METHOD/NAME or DATA/METHOD/NAME means.

    Raises WsssError with the nearest one if there is none, and if there are several.
    """
    there = {f"{run.data}/{run.method}/{run.name}": run for run in all_runs(root)}
    fitting = [run for full, run in there.items() if full == name or full.partition("/")[2] == name]
    if not fitting:
        short = [full.partition("/")[2] for full in there]
        what = f"there is no run '{name}' in {root}{nearest(name, [*there, *short])}"
        raise WsssError(what, "`wsss runs` lists them; they are called METHOD/NAME")
    if len(fitting) > 1:
        raise WsssError(f"run {name} is there for several data sets", f"say which one: {fitting[0].data}/{name}")
    return fitting[0]


def require_data(name: str, root: Path) -> None:
    """Raises WsssError naming the nearest ones if there is no prepared data set of that name."""
    recover(root / name)
    if not (root / name / "dataset.yaml").is_file():
        known = sorted(p.parent.name for p in root.glob("*/dataset.yaml"))
        raise WsssError(f"no prepared data set '{name}' in {root}{nearest(name, known)}", "`wsss prepare` makes one")


def _execute(target: Target, steps: list[Step], runtime: Runtime, hint: bool) -> dict[str, Any]:
    """The steps under the run's lock, which rank 0 holds; returns the last step's record."""
    from contextlib import nullcontext

    from wsss_cli.data.holding import using
    from wsss_cli.execute import execute

    with target.run.locked() if runtime.main else nullcontext(), using(target.data) if runtime.main else nullcontext():
        if runtime.main:
            if hint:
                _say_kept(target)
            _warn_of_space(target, steps)
            if not target.run.is_closed():
                target.run.save_settings(target.saved)
                target.run.make_latest()
        try:
            record = execute(steps, target.data, target.method, runtime)
        except Exception:
            if runtime.main and not any(step.runs and holds_artefacts(step.folder) for step in steps):
                _forget(target, steps)
            raise
        except SystemExit as stop:
            if runtime.main and hasattr(stop, "text"):
                console.warn(stop.text)
            raise
        if runtime.main and hint:
            console.say(f"next: wsss {_next(steps[-1].stage.name, target.method)}")
        return record


def _forget(target: Target, steps: list[Step]) -> None:
    """A command by which nothing was made was a mistake: its settings are not remembered, results stay."""
    if target.run.is_closed():
        return
    target.run.save_settings(target.kept)
    for step in steps:
        if step.status in ("stale", "forced"):
            bring_back(step.folder)


def _warn_of_space(target: Target, steps: list[Step]) -> None:
    from wsss_cli.space import lack

    if what := lack(steps, target.data, target.run.root):
        console.warn(f"{what} (`--runs-root` names another)")


def _say_kept(target: Target) -> None:
    """Settings that an earlier command gave the run still hold: nobody should have to guess why."""
    kept = flat(target.kept.overrides or {})
    if target.kept.recipe:
        kept = {"--recipe": target.kept.recipe, **kept}
    if kept:
        shown = " ".join(f"{key}={value}" for key, value in kept.items())
        console.say(f"settings kept from before: {shown} ({target.run.settings_file})")
    if target.saved.chosen and not target.kept.chosen:
        why = f"`wsss runs show {target.run.data}/{target.run.method}/{target.run.name}` says why"
        console.say(f"{len(target.saved.chosen)} settings are chosen by data and machine: {why}")


def _next(stage: str, method: Method) -> str:
    """The command that follows a stage."""
    chain = [s.name for s in method.stages]
    if stage in chain[:-1]:
        return chain[chain.index(stage) + 1]
    return "evaluate"
