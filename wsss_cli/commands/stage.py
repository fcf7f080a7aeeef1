"""What every stage command does: find the run, plan, launch, execute, say what comes next."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsss_cli import console
from wsss_cli.commands.begun import require_begun
from wsss_cli.commands.declared import declared_settings
from wsss_cli.commands.options import RunOptions
from wsss_cli.config import merge, parse_set
from wsss_cli.data.prepared import Prepared, read_info
from wsss_cli.errors import WsssError
from wsss_cli.method import INFER, Method
from wsss_cli.plan import Step, laid_out, require_sound
from wsss_cli.plugins import method as find_method
from wsss_cli.ranks import launch
from wsss_cli.running import target as running
from wsss_cli.running.find import find_donor, find_run
from wsss_cli.running.target import Target, begin, perform, sectioned, warn_of_space


def run_stage(
    verb: str,
    words: list[str] | None,
    options: RunOptions,
    own: Mapping[str, Any] | None = None,
    passing: Mapping[str, Any] | None = None,
    stage: str = "",
    hint: bool = True,
    output: Path | None = None,
    begins: bool = True,
) -> tuple[Target, dict[str, Any]] | None:
    """Run `stage` (named as the verb unless given) and what it needs.

    own      settings that the command's own options stand for: {stage: {key: value}}
    passing  the same, but for this command only: later ones do not start from them
    hint     say which settings the run has from before, and which command comes next
    output   the folder of stage evaluate, if not in the run
    begins   whether the command may begin a run: see `require_begun`
    Returns the target and the stage's record to the process that is to show them: None after a dry run, in the
    process that launched ranks, and in ranks other than 0.
    """
    asked = asked_launch(options)
    launch.follow_launcher()

    def resolve() -> tuple[Target, list[Step]]:
        target = resolve_target(verb, words, options, own or {}, passing or {}, stage, output)
        steps = make_plan(target, stage or verb, options, launch.world(asked), begins or target.begins is not None)
        if target.begins is None or options.dry_run or not begin(target, steps):
            return target, steps
        return target, make_plan(target, stage or verb, options, launch.world(asked), begins)

    if options.dry_run:
        target, steps = resolve()
        show_plan(steps)
        if target.begins is not None:
            console.say(f"what of it is the same in {target.begins.folder}, and parts that are, are taken from there")
        warn_of_space(target, steps)
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
    from wsss_cli.ranks.distributed import agreed, gather, process_group

    with process_group(device_asked(options), options.workers, options.trust_checkpoint) as runtime:
        # rank 0 looks at the run folders for all, so that every rank follows the same plan
        target, steps = agreed(resolve, runtime)
        if runtime.world > 1:
            hashes, given = zip(*gather((read_info(target.data.folder).hash, _given(words, options))), strict=True)
            _require_same_data(target.data, hashes)
            if runtime.main:
                _warn_of_other_settings(given)
        record = perform(target, steps, runtime, hint=hint)
        if runtime.main and hint and steps[-1].key.partition("-")[0] != "evaluate":
            console.say(f"next: wsss {next_command(steps[-1].stage.name, target.method, target.data)}")
        return (target, record) if runtime.main else None


def _require_same_data(data: Prepared, hashes: Sequence[str]) -> None:
    """Each rank reads the files of its own machine.  Raises WsssError if the hash of one is not that of rank 0."""
    if (rank := _first_unlike(hashes)) is not None:
        what = f"rank {rank} has another data set in {data.folder} on its machine than rank 0"
        raise WsssError(what, "copy rank 0's to every machine, or give a folder that they share")


def _given(words: list[str] | None, options: RunOptions) -> list[str]:
    """What settings come from on this machine's command line."""
    recipe = [f"--recipe {options.recipe}"] if options.recipe else []
    weights = [f"--pretrained {name}" for name in options.pretrained or []]
    return [*(words or []), *(options.set or []), *recipe, *weights]


def _warn_of_other_settings(given: Sequence[Sequence[str]]) -> None:
    """Of the first rank whose command line says otherwise than rank 0's, which alone counts."""
    if (rank := _first_unlike(given)) is not None:
        here, there = (_only_in(given[a], given[b]) for a, b in ((rank, 0), (0, rank)))
        console.warn(f"rank {rank} was given other settings ({here}) than rank 0 ({there}), whose count")


def _first_unlike(values: Sequence[Any]) -> int | None:
    """The first rank whose value is not that of rank 0."""
    return next((rank for rank, value in enumerate(values) if value != values[0]), None)


def _only_in(words: Sequence[str], others: Sequence[str]) -> str:
    return ", ".join(word for word in words if word not in others) or "none"


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
    named, data = method_named(words), options.data
    donor = None
    if options.begin is not None:
        donor = find_donor(options.begin, named, data, options.name, options.runs_root)
        named, data = donor.method, data or donor.data
    run = replace(find_run(named, data, options.name, options.data_root, options.runs_root), evaluation=output)
    method = find_method(run.method)
    own = merge(own, declared_settings(method, stage or verb, options.declared))
    overrides = asked_settings(verb, words, options, own)
    begins = options.pretrained or ()
    device = device_asked(options)
    return running.resolve_target(run, options.data_root, options.recipe, overrides, begins, passing, donor, device)


def device_asked(options: RunOptions) -> str:
    """The device that the command line asks for: "auto", "cpu" or "cuda"."""
    return "cuda" if options.gpus else "cpu" if options.procs else options.device


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


def make_plan(target: Target, stage: str, options: RunOptions, ranks: int, begins: bool = True) -> list[Step]:
    steps = laid_out(target.run, target.method, stage, target.data, target.settings, options.force)
    if not begins:
        require_begun(target.run, steps)
    require_sound(steps, target.data, ranks, options.trust_checkpoint)
    return steps


def show_plan(steps: list[Step]) -> None:
    for step in steps:
        note = f" ({step.why})" if step.why else ""
        console.say(f"{step.key}: {'would run' if step.runs else 'finished'}{note} -> {step.folder}")


def next_command(stage: str, method: Method, data: Prepared) -> str:
    """The command that follows a stage; without masks nothing is scored."""
    chain = [s.name for s in method.stages]
    if stage in chain[:-1]:
        return chain[chain.index(stage) + 1]
    if data.has_masks("val"):
        return "evaluate"
    return "report" if stage == INFER.name else INFER.name
