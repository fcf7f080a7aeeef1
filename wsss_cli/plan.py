"""What must run for a command: the stage and all it needs, each finished, unfinished or stale, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from wsss_cli.config import as_dict, changes, read_yaml, resolve
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_cli.method import Method, Stage
from wsss_cli.nearest import nearest
from wsss_cli.runs import Run, Settings, fingerprint, read_record

INFER = Stage("infer", "wsss_cli.engine.infer:infer", "wsss_cli.engine.infer:Infer", ("train",), ("labels",))
EVALUATE = "wsss_cli.metrics.evaluate:evaluate", "wsss_cli.metrics.evaluate:Evaluate"

Status = Literal["finished", "missing", "unfinished", "stale", "forced"]


@dataclass(frozen=True)
class Step:
    """One stage of a plan.

    key     its folder: "train", "infer-test", "evaluate-pseudo"
    inputs  the keys (folders) of the steps it needs, by stage name
    reason  why it runs, for the user; empty if finished
    """

    key: str
    stage: Stage
    config: Any
    inputs: dict[str, str]
    folder: Path
    fingerprint: str
    status: Status
    reason: str = ""

    @property
    def runs(self) -> bool:
        return self.status != "finished"


def stages_of(method: Method) -> dict[str, Stage]:
    """A method's stages and the host's, by name."""
    chain = {s.name: s for s in method.stages}
    chain["infer"] = replace(INFER, config=method.infer)
    for source in ("seeds", "pseudo", "infer"):
        name = "evaluate" if source == "infer" else f"evaluate-{source}"
        if source in chain:
            chain[name] = Stage(name, *EVALUATE, needs=(source,), writes=("scores.json",))
    return chain


def plan(run: Run, method: Method, target: str, data: Prepared, settings: Settings, force: bool = False) -> list[Step]:
    """The steps that lead to `target`, in order, the finished ones among them.

    Raises WsssError for a stage that the method does not have and for wrong settings.
    """
    chain = stages_of(method)
    if target not in chain:
        has = ", ".join(s.name for s in method.stages)
        raise WsssError(f"method '{method.name}' has no stage '{target}'", f"it has: {has}, infer, evaluate")
    recipe = read_recipe(method, settings.recipe, data.info.kind)
    check_sections(recipe, settings, chain, method)
    steps: dict[str, Step] = {}
    _visit(target, chain, steps, run, data, recipe, settings, force_key=target if force else "")
    return list(steps.values())


def read_recipe(method: Method, recipe: str | None, kind: str) -> dict[str, Any]:
    """A recipe by name (of the method), by file, or by the data set's kind if there is one for it.

    Raises WsssError naming the recipes that the method has.
    """
    if recipe is None:
        path = method.recipe(kind)
        return read_yaml(path) if path.exists() else {}
    path = Path(recipe) if recipe.endswith((".yaml", ".yml")) else method.recipe(recipe)
    if not path.exists():
        has = method.recipes()
        raise WsssError(
            f"method '{method.name}' has no recipe '{recipe}'{nearest(recipe, has)}",
            f"it has: {', '.join(has)}; or give a file: --recipe my.yaml",
        )
    return read_yaml(path)


def check_sections(recipe: dict[str, Any], settings: Settings, chain: dict[str, Stage], method: Method) -> None:
    """Raises WsssError for a section of the recipe or of --set that is no stage."""
    known = sorted({name.partition("-")[0] for name in chain})
    for section in [*recipe, *(settings.overrides or {})]:
        if section not in known:
            raise WsssError(
                f"unknown stage '{section}' in the settings{nearest(section, known)}",
                f"stages of '{method.name}': {', '.join(known)}",
            )


def _visit(
    name: str,
    chain: dict[str, Stage],
    steps: dict[str, Step],
    run: Run,
    data: Prepared,
    recipe: dict[str, Any],
    settings: Settings,
    force_key: str,
) -> None:
    """Depth first: a stage's needs, then the stage."""
    if name in steps:
        return
    stage = chain[name]
    section = name.partition("-")[0]
    config = resolve(stage.config_class(), section, recipe.get(section) or {}, settings.of(section))
    needs = [need for need in stage.needs if need not in config.unneeded()]
    for need in needs:
        _visit(need, chain, steps, run, data, recipe, settings, force_key)
    inputs = {need: steps[need].key for need in needs}
    key = _key(name, config, data, steps)
    below = {need: steps[need].fingerprint for need in needs}
    made = {need: (read_record(steps[need].folder) or {}).get("made") for need in needs if not steps[need].runs}
    status, reason = _status(run.stage(key), config, data.info.hash, below, made)
    reruns = [need for need in needs if steps[need].runs]
    if status in ("finished", "unfinished") and reruns:
        status, reason = "stale", f"{' and '.join(reruns)} runs again"
    if name == force_key:
        status, reason = "forced", "--force"
    kept = (read_record(run.stage(key)) or {}) if status == "finished" else {}
    mark = kept.get("fingerprint") or fingerprint(as_dict(config), data.info.hash, below)
    steps[name] = Step(key, stage, config, inputs, run.stage(key), mark, status, reason)


def _key(name: str, config: Any, data: Prepared, steps: dict[str, Step]) -> str:
    """infer and evaluate of another split than the usual one have folders of their own."""
    if name == "infer" and data.split_for("val", config.split) != data.info.splits["val"]:
        return f"infer-{config.split}"
    if name == "evaluate":
        return steps["infer"].key.replace("infer", "evaluate")
    return name


def _with_new_defaults(old: dict[str, Any], config: BaseModel) -> dict[str, Any]:
    """A recorded config with the defaults of keys that did not exist then: a new version makes nothing stale."""
    try:
        return as_dict(type(config).model_validate(old))
    except ValidationError:  # a key that is gone, or means something else now
        return old


def _status(
    folder: Path, config: BaseModel, data_hash: str, inputs: dict[str, str], made: dict[str, str | None]
) -> tuple[Status, str]:
    """Whether a stage's folder holds what is wanted, and if not, why.

    inputs, made  of each stage it needs: the fingerprint, and when its present result was finished
    """
    record = read_record(folder)
    if record is None:
        return "missing", "not made yet"
    changed = changes(_with_new_defaults(record["config"], config), as_dict(config))
    if record["data_hash"] != data_hash:
        changed.append("the data set")
    changed += [f"stage {n}" for n, mark in inputs.items() if record["inputs"].get(n) != mark]
    if not changed:
        changed += [
            f"stage {n} was made again" for n, when in made.items() if record.get("inputs_made", {}).get(n) != when
        ]
    if changed:
        shown = "; ".join(changed[:4]) + (f"; and {len(changed) - 4} more" if len(changed) > 4 else "")
        return "stale", f"changed: {shown}"
    if record["status"] == "finished":
        return "finished", ""
    how = {"running": "was killed", "interrupted": "was interrupted", "failed": "failed"}
    return "unfinished", f"goes on: it {how.get(record['status'], 'was not finished')}"
