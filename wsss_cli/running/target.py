"""What is asked of a run, resolved, and carried out under its lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsss_cli import console
from wsss_cli.config import flat, merge
from wsss_cli.data.holding import using
from wsss_cli.data.prepared import Prepared, read_prepared
from wsss_cli.data.unchanged import stamp
from wsss_cli.errors import Hindrance, WsssError
from wsss_cli.keeping import has_more
from wsss_cli.method import VERBS, Method
from wsss_cli.plan import Step
from wsss_cli.plugins import method as find_method
from wsss_cli.running.pretrained import pretrained_settings, require_files
from wsss_cli.running.survey import with_choices
from wsss_cli.runs import RECORD, Run, Settings, bring_back
from wsss_cli.sharing import begin_from
from wsss_cli.space import lack

if TYPE_CHECKING:
    from wsss_cli.ranks.distributed import Runtime

SECTIONS = (*VERBS, "infer", "evaluate")


@dataclass(frozen=True)
class Target:
    """What is asked, resolved.

    settings  of this command; saved, those that later commands start from; kept, those that earlier ones gave the run
    begins    the run that it begins with
    """

    run: Run
    method: Method
    data: Prepared
    settings: Settings
    saved: Settings
    kept: Settings
    begins: Run | None = None


def resolve_target(
    run: Run,
    data_root: Path,
    recipe: str | None,
    overrides: Mapping[str, Any],
    pretrained: Sequence[str] = (),
    passing: Mapping[str, Any] | None = None,
    begins: Run | None = None,
    device: str = "auto",
) -> Target:
    """The settings of a run: those that it has, the recipe, weights and overrides {stage: {key: value}} asked for.

    passing  overrides for this command only: later ones do not start from them
    begins   another run, whose settings a new one starts from
    device   where it is to run, by which settings of own images are chosen
    Raises WsssError for an unknown method or recipe, and if the data set cannot be read.
    """
    method, data = find_method(run.method), read_prepared(data_root / run.data)
    kept = (run if begins is None or run.settings_file.exists() else begins).settings()
    begun = with_choices(kept.updated(recipe, {}), run, method, data, device, pretrained)
    saved = begun.updated(None, overrides, method.laid_over)
    if pretrained:
        begin = pretrained_settings(method, saved, data.info.kind, pretrained)
        saved = begun.updated(None, merge(begin, overrides), method.laid_over)
        require_files(pretrained)
    asked = saved.updated(None, passing or {}, method.laid_over)
    return Target(run, method, data, asked, saved, kept, begins)


def sectioned(values: dict[str, Any], verb: str) -> dict[str, Any]:
    """A key that starts with no stage's name belongs to the stage of the command."""
    return values if next(iter(values)) in SECTIONS else {verb: values}


def begin(target: Target, steps: list[Step]) -> bool:
    """Give a new run what the one that it begins with has; whether there is anything."""
    assert target.begins is not None
    with target.run.locked():
        target.run.save_settings(target.saved)
        return begin_from(steps, target.run, target.begins)


def perform(
    target: Target, steps: list[Step], runtime: Runtime, command: str = "", hint: bool = True
) -> dict[str, Any]:
    """The steps under the run's lock, which rank 0 holds; returns the last step's record.

    command  that the records are to name; that of this process, if not given
    hint     say which settings the run has from before
    """
    from wsss_cli.execute import execute

    with target.run.locked() if runtime.main else nullcontext(), using(target.data) if runtime.main else nullcontext():
        if runtime.main:
            _require_as_planned(steps)
            if hint:
                _say_kept(target)
            warn_of_space(target, steps)
        undo = target.run.ask(target.saved) if runtime.main else lambda: None
        try:
            return execute(steps, target.data, target.method, runtime, command)
        except Exception as error:
            if runtime.main and not any(step.runs and has_more(step.folder, step.kept) for step in steps):
                _bring_back(target.run, steps)
                if isinstance(error, WsssError) and not isinstance(error, Hindrance):
                    undo()  # what was asked was a mistake; else the same short command is to go on
            raise
        except SystemExit as stop:
            if runtime.main and hasattr(stop, "text"):
                console.warn(stop.text)
            raise


def _require_as_planned(steps: list[Step]) -> None:
    """Raises WsssError if another command has worked on a stage between the plan and the lock."""
    if other := [step for step in steps if stamp(step.folder / RECORD) != step.seen]:
        what = f"another command has worked on {other[0].folder} since this one looked at it"
        raise WsssError(what, "run this command again: it begins with what is there now")


def _bring_back(run: Run, steps: list[Step]) -> None:
    """The results that a command set aside by which nothing was made."""
    for step in steps:
        if step.status in ("stale", "forced") and not run.is_closed():
            bring_back(step.folder)


def warn_of_space(target: Target, steps: list[Step]) -> None:
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
