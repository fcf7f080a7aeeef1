"""The runs of `wsss benchmark`: checked first, each made by commands of its own, the table written after each."""

from __future__ import annotations

import shlex
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import chain
from pathlib import Path

from wsss_cli import console
from wsss_cli.choices.choice import Choice
from wsss_cli.commands.options import RunOptions
from wsss_cli.commands.side_by_side import Begin, Start, in_jobs, starter
from wsss_cli.commands.stage import device_asked
from wsss_cli.commands.variant import MASKS, Variant
from wsss_cli.config import merge, parse_set
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_cli.method import Method
from wsss_cli.plan import Step, first_of, laid_out, other_than, plan, stages_of
from wsss_cli.plugins import method as find_method
from wsss_cli.plugins import methods
from wsss_cli.ranks import launch
from wsss_cli.report.benchmark import Contender, write_benchmark
from wsss_cli.report.results import Name, Result, result_of, write_results
from wsss_cli.running.pretrained import pretrained_settings, require_files
from wsss_cli.running.survey import choosing
from wsss_cli.runs import Run, Settings
from wsss_cli.sharing import share, will_give

INTERRUPTED = 130


@dataclass(frozen=True)
class Asked:
    """What the command line asks for.

    names     of methods; None: all that can learn from the data
    full      also train on the masks
    jobs      seeds that run at a time
    output    the Markdown file
    others    what other benchmarks have reached, by method and name of the run
    variants  of methods, beside these
    """

    data: Prepared
    names: tuple[str, ...] | None
    seeds: int
    full: bool
    jobs: int
    options: RunOptions
    output: Path
    others: Mapping[Name, Result] = field(default_factory=dict)
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One run of the benchmark, and the stages that score it; full: the upper bound, which learns from the masks."""

    seed: int
    run: Run
    method: Method
    variant: Variant
    full: bool
    settings: Settings
    targets: tuple[str, ...]

    @property
    def name(self) -> Name:
        return self.run.method, self.run.name


def run_benchmark(asked: Asked, begin: Begin = starter) -> Path:
    """Make every run that is not finished and write the table; returns its path.

    The runs of one seed one after the other, for they have stages in common.
    Raises WsssError before anything runs for what is known to go wrong, and at the end if a run failed.
    """
    rounds = checked(asked)
    entries = list(chain.from_iterable(rounds))
    given = {entry.name: from_elsewhere(entry, asked) for entry in entries}
    elsewhere = {name for name, (_, finished) in given.items() if finished}

    def so_far(entry: Entry) -> Result | None:
        there = given[entry.name][0]
        return there if entry.name in elsewhere else _fuller(_reached(entry, asked), there)

    reached = {entry.name: so_far(entry) for entry in entries}
    failed: list[Entry] = []
    writing = threading.Lock()

    def make(of_seed: Sequence[Entry], start: Start, ended: threading.Event) -> None:
        for entry in of_seed:
            if ended.is_set():
                return
            if entry.name not in elsewhere and not _make(entry, entries, asked, start):
                failed.append(entry)
            reached[entry.name] = so_far(entry)
            with writing:
                _write(asked, entries, reached)

    in_jobs(make, rounds, asked.jobs, begin)
    console.say(f"benchmark: {asked.output}")
    if failed:
        names = ", ".join("/".join(e.name) for e in entries if e in failed)
        what = f"{len(failed)} of {len(entries)} runs failed: {names}"
        raise WsssError(what, "their messages stand above; the same command tries them again and keeps the rest")
    return asked.output


def show_benchmark(asked: Asked) -> None:
    """Say which stages would run, in the order of the work, and which another run will have made by then."""
    before: list[tuple[Run, Step]] = []
    for entry in chain.from_iterable(checked(asked)):
        if from_elsewhere(entry, asked)[1]:
            console.say(f"{'/'.join(entry.name)}: finished elsewhere")
            continue
        steps = _steps(entry, asked)
        taken = {step.key: whose for step in steps if (whose := _giver(step, entry.run, before))}
        keys = [step.key for step in steps if step.runs and step.key not in taken]
        texts = [f"would run {', '.join(keys)}"] if keys else []
        for whose in dict.fromkeys(taken.values()):
            texts.append(f"would take {', '.join(key for key in taken if taken[key] == whose)} of {whose}")
        console.say(f"{'/'.join(entry.name)}: {'; '.join(texts) or 'finished'}")
        before += [(entry.run, step) for step in steps]


def _giver(step: Step, run: Run, before: Sequence[tuple[Run, Step]]) -> str:
    """Which of the runs before will have made the step's stage by then; "" if none."""
    return next((f"{of.method}/{of.name}" for of, there in before if will_give(of, there, step, run)), "")


def from_elsewhere(entry: Entry, asked: Asked) -> tuple[Result | None, bool]:
    """What another benchmark has reached of the run with the settings and of the data that are asked for, and whether
    that is all of it.

    Warns of what is made again here: with others, or not finished there.
    """
    result = asked.others.get(entry.name)
    if result is None:
        return None, False
    steps = _steps(entry, asked)
    there = [(step, result.records[step.key]) for step in steps if step.key in result.records]
    told = (text for step, record in there for text in other_than(step, record, asked.data))
    name = "/".join(entry.name)
    if other := list(dict.fromkeys(told)):  # what was scored otherwise, of each evaluation
        console.warn(f"{name} of --with is not what is asked for and runs here: {first_of(other)}")
        return None, False
    finished = len(there) == len(steps) and "infer" in result.scored
    if result.scored and not finished:
        lacking = ", ".join(step.key for step in steps if step.key not in result.records) or "score"
        console.warn(f"{name} of --with is not finished and runs here, its scores stand until then: no {lacking}")
    return result, finished


def _steps(entry: Entry, asked: Asked) -> list[Step]:
    """Of all that scores the run, each once."""
    steps = {step.key: step for target in entry.targets for step in planned(entry, target, asked)}
    return list(steps.values())


def checked(asked: Asked) -> list[list[Entry]]:
    """The runs of each seed.  Raises WsssError if a named method cannot run; of all, those that can are taken."""
    require_files(asked.options.pretrained or ())
    _require_own_seeds(asked)
    if not asked.data.has_masks("val"):
        what = f"data set '{asked.data.info.name}' has no masks in split '{asked.data.split_for('val')}' to score on"
        raise WsssError(what, "a benchmark is of mIoU; one run is judged without masks: wsss evaluate METHOD")
    able, refused = [], []
    for name in asked.names or methods():
        try:
            _check(Variant(name), asked)
            able.append(Variant(name))
        except WsssError as error:
            if asked.names is not None:
                raise
            refused.append(error)
            console.warn(f"{name} is left out: {error.what}")
    if not able:
        raise refused[0] if refused else WsssError("no method is installed", "see `wsss methods`")
    for variant in asked.variants:
        _check(variant, asked)
    rows = [*able, *asked.variants]
    order = list(dict.fromkeys(row.method for row in rows))
    rows.sort(key=lambda row: order.index(row.method))  # each method's variants below it
    return [[e for row in rows for e in _entries(row, seed, asked)] for seed in range(asked.seeds)]


def _require_own_seeds(asked: Asked) -> None:
    """Raises WsssError for a seed among the settings: each run has its own, in all stages."""
    given = [("--set", asked.options.set or ()), *(("--variant", variant.settings) for variant in asked.variants)]
    for option, assignments in given:
        for stage, values in _overrides(assignments).items():
            if isinstance(values, Mapping) and "seed" in values:
                what = f"{option} {stage}.seed={values['seed']}: a benchmark gives its runs the seeds 0, 1, ..."
                remedy = f"say how many with --seeds; one run: wsss evaluate METHOD --train {stage}.seed=N"
                raise WsssError(what, remedy)


def _check(variant: Variant, asked: Asked) -> None:
    """Raises WsssError if it cannot run."""
    for entry in _entries(variant, 0, asked):
        for target in entry.targets:
            planned(entry, target, asked)


def planned(entry: Entry, target: str, asked: Asked) -> list[Step]:
    options = asked.options
    ranks, trust = launch.world(launch.Launch(options.gpus, options.procs)), options.trust_checkpoint
    return plan(entry.run, entry.method, target, asked.data, entry.settings, ranks=ranks, trust=trust)


def _entries(variant: Variant, seed: int, asked: Asked) -> list[Entry]:
    """The run of a method with a seed, and where there is one its upper bound; variants have none."""
    method, weak = find_method(variant.method), _entry(variant, seed, asked)
    bounded = asked.full and not variant.name and method.full and asked.data.has_masks("train")
    return [weak, _entry(variant, seed, asked, full=True)] if bounded else [weak]


def _entry(variant: Variant, seed: int, asked: Asked, full: bool = False) -> Entry:
    method = find_method(variant.method)
    seeded = {stage.name: {"seed": seed} for stage in method.stages}
    own = {"train": _overrides(method.full)} if full else _overrides(variant.settings)
    name = "-".join(filter(None, (f"seed{seed}", MASKS if full else variant.name)))
    run = Run(asked.options.runs_root, asked.data.folder.name, method.name, name)
    overrides = merge(method.laid_over(_overrides(asked.options.set or ()), own), seeded)
    weights = asked.options.pretrained or ()
    settings = choosing(
        Settings(asked.options.recipe, overrides, _choices(run, asked)),
        method,
        asked.data,
        device_asked(asked.options),
        weights,
    )
    begin = pretrained_settings(method, settings, asked.data.info.kind, weights)
    settings = replace(settings, overrides=merge(begin, overrides))
    return Entry(seed, run, method, variant, full, settings, ("evaluate",) if full else _targets(method, asked.data))


def _choices(run: Run, asked: Asked) -> tuple[Choice, ...]:
    """What was chosen for the run when it began, or else for the same method with another seed.

    Chosen anew, by what the machine has now, one half of the seeds would be of other settings than the other.
    """
    if asked.options.recipe is not None:
        return ()
    others = (replace(run, name=f"seed{seed}") for seed in range(asked.seeds))
    return next((chosen for one in (run, *others) if (chosen := one.settings().chosen)), ())


def _overrides(assignments: Sequence[str]) -> dict[str, object]:
    return reduce(merge, map(parse_set, assignments), {})


def _targets(method: Method, data: Prepared) -> tuple[str, ...]:
    """The stages that score a run; seeds and pseudo-labels only where there are masks to do it."""
    scored = [key for key in stages_of(method) if key.partition("-")[0] == "evaluate"]
    return tuple(key for key in scored if key == "evaluate" or data.has_masks("seeds"))


def _make(entry: Entry, entries: Sequence[Entry], asked: Asked, start: Start) -> bool:
    """Whether the run is finished now.  Raises KeyboardInterrupt if it was interrupted."""
    donors = [(other.run, other.method) for other in entries if other.run != entry.run]
    for target in entry.targets:
        steps = planned(entry, target, asked)
        if any(step.runs for step in steps):
            with entry.run.locked():
                entry.run.save_settings(entry.settings)
                share(steps, entry.run, donors)
            words = _words(entry, target, asked.options)
            console.say(f"$ wsss {shlex.join(words)}")
            code = start(words)
            if code == INTERRUPTED:
                raise KeyboardInterrupt
            if code:
                return False
    return True


def _words(entry: Entry, target: str, o: RunOptions) -> list[str]:
    """The command that makes what is missing; the run knows its settings."""
    source = target.partition("-")[2]
    given = {
        "--data": entry.run.data,
        "--name": entry.run.name,
        "--stage": source,
        "--gpus": o.gpus or "",
        "--procs": o.procs or "",
        "--device": o.device,
        "--workers": "" if o.workers is None else o.workers,
        "--data-root": o.data_root,
        "--runs-root": o.runs_root,
    }
    words = [str(word) for option, value in given.items() if value != "" for word in (option, value)]
    return ["evaluate", entry.method.name, "--train", *words, *(["--trust-checkpoint"] if o.trust_checkpoint else [])]


def _reached(entry: Entry, asked: Asked) -> Result | None:
    """What the run has of what is asked for: of one that waits or failed nothing that other settings have left."""
    try:
        plans = [laid_out(entry.run, entry.method, key, asked.data, entry.settings) for key in entry.targets]
        return result_of(entry.run, asked.data, {step.key for steps in plans for step in steps if not step.runs})
    except WsssError:  # of damaged files: the run makes them again when its turn comes, or has said what is wrong
        return None


def _fuller(here: Result | None, there: Result | None) -> Result | None:
    """The run's own result, as soon as all is scored that the unfinished one from elsewhere has."""
    return here if there is None or (here and here.scored.keys() >= there.scored.keys()) else there


def _write(asked: Asked, entries: Sequence[Entry], reached: Mapping[Name, Result | None]) -> None:
    """The table, and the results from which it can be made again."""
    found = {name: result for name, result in reached.items() if result}
    by_variant: dict[Variant, list[Entry]] = {}
    for entry in entries:
        by_variant.setdefault(entry.variant, []).append(entry)
    contenders = [
        Contender(
            variant.title,
            own[0].method.supervision,
            {entry.seed: found[entry.name] for entry in own if not entry.full and entry.name in found},
            {entry.seed: found[entry.name] for entry in own if entry.full and entry.name in found},
            asked.seeds,
            shlex.join(variant.settings),
        )
        for variant, own in by_variant.items()
    ]
    write_benchmark(asked.output, asked.data, contenders, shlex.join(["wsss", *sys.argv[1:]]))
    write_results(asked.output.with_suffix(".json"), asked.data, found)
