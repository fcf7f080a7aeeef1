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
from wsss_cli.method import VERBS, Method
from wsss_cli.plan import Step
from wsss_cli.plugins import method as find_method
from wsss_cli.running.pretrained import pretrained_settings
from wsss_cli.runs import Run, Settings, bring_back
from wsss_cli.seals import holds_artefacts
from wsss_cli.space import lack

if TYPE_CHECKING:
    from wsss_cli.ranks.distributed import Runtime

SECTIONS = (*VERBS, "infer", "evaluate")


@dataclass(frozen=True)
class Target:
    """What is asked, resolved.

    settings  of this command; saved, those that later commands start from; kept, those that earlier ones gave the run
    """

    run: Run
    method: Method
    data: Prepared
    settings: Settings
    saved: Settings
    kept: Settings


def resolve_target(
    run: Run,
    data_root: Path,
    recipe: str | None,
    overrides: Mapping[str, Any],
    pretrained: Sequence[str] = (),
    passing: Mapping[str, Any] | None = None,
) -> Target:
    """The settings of a run: those that it has, the recipe, weights and overrides {stage: {key: value}} asked for.

    passing  overrides for this command only: later ones do not start from them
    Raises WsssError for an unknown method or recipe, and if the data set cannot be read.
    """
    method, data = find_method(run.method), read_prepared(data_root / run.data)
    kept = run.settings()
    saved = kept.updated(recipe, dict(overrides))
    if pretrained:
        begin = pretrained_settings(method, saved, data.info.kind, pretrained)
        saved = kept.updated(recipe, merge(begin, overrides))
    return Target(run, method, data, saved.updated(None, dict(passing or {})), saved, kept)


def sectioned(values: dict[str, Any], verb: str) -> dict[str, Any]:
    """A key that starts with no stage's name belongs to the stage of the command."""
    return values if next(iter(values)) in SECTIONS else {verb: values}


def perform(target: Target, steps: list[Step], runtime: Runtime, command: str = "") -> dict[str, Any]:
    """The steps under the run's lock, which rank 0 holds; returns the last step's record.

    command  that the records are to name; that of this process, if not given
    """
    from wsss_cli.execute import execute

    with target.run.locked() if runtime.main else nullcontext(), using(target.data) if runtime.main else nullcontext():
        if runtime.main:
            _say_kept(target)
            warn_of_space(target, steps)
            if not target.run.is_closed():
                target.run.save_settings(target.saved)
                target.run.make_latest()
        try:
            return execute(steps, target.data, target.method, runtime, command)
        except Exception:
            if runtime.main and not any(step.runs and holds_artefacts(step.folder) for step in steps):
                _forget(target, steps)
            raise
        except SystemExit as stop:
            if runtime.main and hasattr(stop, "text"):
                console.warn(stop.text)
            raise


def _forget(target: Target, steps: list[Step]) -> None:
    """A command by which nothing was made was a mistake: its settings are not remembered, results stay."""
    if target.run.is_closed():
        return
    target.run.save_settings(target.kept)
    for step in steps:
        if step.status in ("stale", "forced"):
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
