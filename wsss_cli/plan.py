"""What must run for a command: the stage and all it needs, each finished, unfinished or stale, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from wsss_cli.choices.choice import Choice
from wsss_cli.config import (
    StageConfig,
    all_keys,
    as_dict,
    at,
    changes,
    completed,
    is_list,
    merge,
    misanswered,
    read_yaml,
    resolve,
)
from wsss_cli.context import Context
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.data.unchanged import require_unchanged, stamp
from wsss_cli.errors import WsssError, joined
from wsss_cli.keeping import Kept, kept_parts
from wsss_cli.keeping import told as told_kept
from wsss_cli.method import Artefact, Method, Stage
from wsss_cli.nearest import nearest
from wsss_cli.nets.foreseen import network_problems
from wsss_cli.parts import require_parts
from wsss_cli.places import identities
from wsss_cli.plugins import methods
from wsss_cli.promises import Promises, lacking, told
from wsss_cli.runs import RECORD, DamagedRecord, Run, Settings, fingerprint, known_record, previous_of, read_record
from wsss_cli.seals import NAME as SEAL
from wsss_cli.seals import damaged, holds_artefacts, sealed
from wsss_cli.work import Work

EVALUATE = "wsss_cli.metrics.evaluate:evaluate", "wsss_cli.metrics.evaluate:Evaluate"

Status = Literal["finished", "incomplete", "missing", "unfinished", "stale", "forced"]
"""incomplete: it was finished, but files that it promises are missing or damaged; made whole, it is the same result"""


@dataclass(frozen=True)
class Step:
    """One stage of a plan.

    key     its folder: "train", "infer-test", "evaluate-pseudo"
    inputs  the keys (folders) of the steps it needs, by stage name
    reason  why it runs, for the user; of a finished one what there is to say of it
    promises  the files that it is to leave
    files   what each file is that its settings name, as `places.identities`
    splits  the marks of those that it depends on, as `Prepared.mark`; None: on the whole data set
    kept    the parts that it need not make again
    seen    the stamp of its record when it was planned, as `unchanged.stamp`
    """

    key: str
    stage: Stage
    config: Any
    inputs: dict[str, str]
    folder: Path
    fingerprint: str
    status: Status
    reason: str = ""
    promises: Promises = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    splits: Mapping[str, str] | None = None
    kept: tuple[Kept, ...] = ()
    seen: str = ""

    @property
    def runs(self) -> bool:
        return self.status != "finished"

    @property
    def why(self) -> str:
        """Why it runs, and what of it does not."""
        kept = told_kept(self.kept, self.config)
        return "; ".join(text for text in (self.reason, kept) if text)


def stages_of(method: Method) -> dict[str, Stage]:
    """A method's stages and the host's, by name."""
    chain = {s.name: s for s in method.all_stages()}
    for source in (s for s in ("seeds", "pseudo", "infer") if method.writes(s, "labels") or method.writes(s, "cam")):
        name = "evaluate" if source == "infer" else f"evaluate-{source}"
        chain[name] = Stage(name, *EVALUATE, (source,), (Artefact("file", "scores.json"),))
    return chain


def plan(
    run: Run,
    method: Method,
    target: str,
    data: Prepared,
    settings: Settings,
    force: bool = False,
    ranks: int = 1,
    trust: bool = False,
) -> list[Step]:
    """`laid_out`.  Raises WsssError also as `require_sound`."""
    steps = laid_out(run, method, target, data, settings, force)
    require_sound(steps, data, ranks, trust)
    return steps


def laid_out(
    run: Run, method: Method, target: str, data: Prepared, settings: Settings, force: bool = False
) -> list[Step]:
    """The steps that lead to `target`, in order, the finished ones among them.

    Raises WsssError for a stage that the method does not have, and for wrong settings.
    """
    chain = stages_of(method)
    if target not in chain:
        raise _no_stage(method, target)
    recipe = recipe_of(method, settings, data.info.kind)
    check_sections(recipe, settings, chain, method)
    steps: dict[str, Step] = {}
    _visit(target, chain, steps, run, data, recipe, settings, force_key=target if force else "")
    return _settled(list(steps.values()))


def require_sound(steps: Sequence[Step], data: Prepared, ranks: int, trust: bool) -> None:
    """Raises WsssError for all that is known to go wrong in the steps that run.

    trust  weights files that can run code are read
    """
    if found := problems(steps, data, ranks, trust):
        raise joined(found)
    require_unchanged(_images(steps, data))


def _no_stage(method: Method, target: str) -> WsssError:
    source = target.removeprefix("evaluate-")
    if source != target and method.stage(source) is not None:
        what = f"stage '{source}' of method '{method.name}' leaves neither label maps nor CAMs to score"
        return WsssError(what, "a plugin declares them: Stage(..., writes=(LABELS,))")
    has = ", ".join(s.name for s in method.stages)
    return WsssError(f"method '{method.name}' has no stage '{source}'", f"it has: {has}, infer, evaluate")


def problems(steps: Sequence[Step], data: Prepared, ranks: int, trust: bool = False) -> list[WsssError]:
    """What is known to go wrong in the steps that run.  One that is only made whole has been through it."""
    by_name = {step.stage.name: step for step in steps}
    found: list[WsssError] = []
    for step in steps:
        if step.runs and step.status != "incomplete":
            context, where = _context(step.inputs, by_name, data, ranks), step.stage.name.partition("-")[0]
            found += [*step.config.problems(context, where), *network_problems(step.config, where, trust)]
    return found


def _images(steps: Sequence[Step], data: Prepared) -> list[Sample]:
    """Those that the steps that run read; all if one does not say."""
    by_name = {step.stage.name: step for step in steps}
    told = [step.config.images(_context(step.inputs, by_name, data)) for step in steps if step.runs]
    if None in told:
        return list(data.samples)
    return list({sample.id: sample for samples in told for sample in samples or ()}.values())


def _context(needs: Mapping[str, str], steps: Mapping[str, Step], data: Prepared, ranks: int = 1) -> Context:
    folders = {need: steps[need].folder for need in needs}
    configs = {need: steps[need].config for need in needs}
    return Context(data, ranks, folders, {need: steps[need].promises for need in needs}, configs=configs)


def work(steps: Sequence[Step], data: Prepared) -> dict[str, list[Work]]:
    """Of the steps that run, by key, what they have to do."""
    return {step.key: work_of(step, steps, data) for step in steps if step.runs}


def work_of(step: Step, steps: Sequence[Step], data: Prepared) -> list[Work]:
    """What one of the steps has to do, or would have to do on other data."""
    return list(step.config.work(_context(step.inputs, {s.stage.name: s for s in steps}, data)))


def _settled(steps: list[Step]) -> list[Step]:
    """Incomplete steps that nothing asks for stay as they are: somebody may have wanted the disk space."""
    wanted, settled = {steps[-1].stage.name}, []
    for step in reversed(steps):
        if step.status == "incomplete" and step.stage.name not in wanted:
            step = replace(step, status="finished", reason=f"{step.reason}, which nothing needs now")
        if step.runs:
            wanted |= step.inputs.keys()
        settled.append(step)
    return settled[::-1]


def settings_of(choices: Iterable[Choice]) -> dict[str, Any]:
    """{stage: {key: value}} of the choices that are settings."""
    return reduce(merge, (at(choice.key, choice.value) for choice in choices if "." in choice.key), {})


def recipe_of(method: Method, settings: Settings, kind: str) -> dict[str, Any]:
    """What the run's own settings are laid over: what was chosen for it, or a recipe."""
    if settings.recipe is None and settings.chosen:
        return settings_of(settings.chosen)
    if file := settings.recipe_file:
        if (said := settings.says()) is None:
            near = nearest(file.name, (p.name for p in file.parent.glob("*.y*ml")))
            raise WsssError(
                f"--recipe {file}: there is no such file{near}", "check the path, or give it anew: --recipe FILE"
            )
        return said
    return read_recipe(method, settings.recipe, kind)


def read_recipe(method: Method, recipe: str | None, kind: str) -> dict[str, Any]:
    """A recipe of the method by name, or by the data set's kind if there is one for it.

    Raises WsssError naming the recipes that the method has.
    """
    if recipe is None:
        path = method.recipe(kind)
        return read_yaml(path) if path.exists() else {}
    path = method.recipe(recipe)
    if not path.exists():
        has = method.recipes()
        raise WsssError(
            f"method '{method.name}' has no recipe '{recipe}'{nearest(recipe, has)}",
            f"it has: {', '.join(has)}; or give a file: --recipe my.yaml",
        )
    return read_yaml(path)


def check_sections(recipe: dict[str, Any], settings: Settings, chain: dict[str, Stage], method: Method) -> None:
    """Raises WsssError for a section of the recipe or of --set that is no stage, or holds no keys."""
    known = sorted({name.partition("-")[0] for name in chain})
    for section in [*recipe, *(settings.overrides or {})]:
        if section not in known:
            raise WsssError(
                f"unknown stage '{section}' in the settings{nearest(section, known)}",
                f"stages of '{method.name}': {', '.join(known)}",
            )
    for section, values in [*recipe.items(), *(settings.overrides or {}).items()]:
        if not isinstance(values, dict | None):
            what = f"the settings of stage '{section}' are {values!r}, not keys with values"
            raise WsssError(what, f"for example: --set {section}.seed=1; in a recipe {section}: {{seed: 1}}")
    asked = {*(recipe.get("train") or {}), *settings.of("train")}
    if "masks" in asked and not _takes_masks(method):
        able = ", ".join(name for name, other in methods().items() if _takes_masks(other))
        what = f"train.masks: method '{method.name}' makes the labels that it learns from as it trains, or changes them"
        raise WsssError(f"{what}: masks of some images cannot stand in for them", f"methods that can: {able}")


def _takes_masks(method: Method) -> bool:
    """Whether its training can take the masks of some images in place of its labels."""
    stage = method.stage("train")
    return stage is not None and "masks" in stage.config_class().model_fields


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
    unneeded = config.unneeded()
    if not is_list(unneeded):
        raise misanswered(config, "unneeded", unneeded, "the names of stages, such as ('pseudo',)")
    require_parts(config.parts(), set(all_keys(type(config))), stage.config)
    needs = [need for need in stage.needs if need not in unneeded]
    for need in needs:
        _visit(need, chain, steps, run, data, recipe, settings, force_key)
    inputs = {need: steps[need].key for need in needs}
    key = _key(name, config, data, steps)
    folder = run.stage(key)
    earlier = previous_of(folder)  # of every stage: it refuses a link to a disk that is not there
    seen, record = stamp(folder / RECORD), known_record(folder)
    below = {need: steps[need].fingerprint for need in needs}
    whole = [need for need in needs if steps[need].status in ("finished", "incomplete")]
    made = {need: known_record(steps[need].folder).get("made") for need in whole}
    context = _context(inputs, steps, data)
    files = {**identities(config, record.get("files", {})), **config.further(context)}
    promises = _promises(config, context)
    marks = _marks(config, context)
    status, reason = _status(folder, config, data, marks, below, made, files, promises)
    reruns = [need for need in needs if need not in whole]
    if status in ("finished", "incomplete", "unfinished") and reruns:
        status, reason = "stale", f"{' and '.join(reruns)} runs again"
    if name == force_key:
        status, reason = "forced", "--force"
    whole_record = record if status in ("finished", "incomplete") else {}
    mark = whole_record.get("fingerprint") or _fingerprint(config, data, marks, below, files)
    kept: tuple[Kept, ...] = ()
    if status in ("missing", "stale") and not reruns:
        same = partial(_same_inputs, data=data, marks=marks, below=below, made=made)
        kept = kept_parts(config, files, (folder, earlier), same)
    steps[name] = Step(key, stage, config, inputs, folder, mark, status, reason, promises, files, marks, kept, seen)


def _same_inputs(
    record: Mapping[str, Any],
    data: Prepared,
    marks: Mapping[str, str] | None,
    below: Mapping[str, str],
    made: Mapping[str, str | None],
) -> bool:
    """Whether a stage was made of the data and of the very results of other stages that there are now."""
    inputs = all(record["inputs"].get(need) == mark for need, mark in below.items())
    results = all(record.get("inputs_made", {}).get(need) == when for need, when in made.items())
    return inputs and results and not _changed_data(record, data, marks)


def _promises(config: StageConfig, context: Context) -> Promises:
    """None if the images cannot be found that it would be of: that is said where problems are."""
    try:
        found = config.promises(context)
    except WsssError:
        return {}
    if not isinstance(found, Mapping) or not all(map(is_list, found.values())):
        raise misanswered(config, "promises", found, "names of files by folder: {'labels': each(images, '.png')}")
    return found


def _marks(config: StageConfig, context: Context) -> dict[str, str] | None:
    """The marks of the splits that a stage depends on, and that of the classes; None: on the whole data set."""
    try:
        splits = config.reads(context)
    except WsssError:  # said where problems are
        return None
    if splits is not None and not is_list(splits):
        raise misanswered(config, "reads", splits, "the names of splits, such as ('train',), or None")
    return None if splits is None else {split: context.data.mark(split) for split in ("", *splits)}


def _changed_data(record: Mapping[str, Any], data: Prepared, marks: Mapping[str, str] | None) -> list[str]:
    """What has changed of the data that a stage depended on, or depends on now."""
    before = record.get("splits")
    if before is not None and (marks is None or marks.keys() - before.keys()):
        before = None  # it reads more than it did
    return data.changed(record["data_hash"], before)


def _fingerprint(
    config: BaseModel,
    data: Prepared,
    marks: Mapping[str, str] | None,
    below: dict[str, str],
    files: Mapping[str, Any],
) -> str:
    contents = {key: seen["digest"] for key, seen in files.items()}
    settings = as_dict(config) | ({"files": contents} if contents else {})
    return fingerprint(settings, data.info.hash if marks is None else json.dumps(marks), below)


def _key(name: str, config: Any, data: Prepared, steps: dict[str, Step]) -> str:
    """infer and evaluate of another split than the usual one have folders of their own."""
    if name == "infer" and data.split_for("val", config.split) != data.split_for("val"):
        return f"infer-{config.split}"
    if name == "evaluate":
        return steps["infer"].key.replace("infer", "evaluate")
    return name


def _status(
    folder: Path,
    config: StageConfig,
    data: Prepared,
    marks: Mapping[str, str] | None,
    inputs: dict[str, str],
    made: dict[str, str | None],
    files: Mapping[str, Any],
    promises: Promises,
) -> tuple[Status, str]:
    """Whether a stage's folder holds what is wanted, and if not, why.

    marks         of the splits that it reads
    inputs, made  of each stage it needs: the fingerprint, and when its present result was finished
    files         what the files are that its settings name
    """
    try:
        record = read_record(folder)
    except DamagedRecord:
        return "stale", "its stage.json is damaged"
    if record is None:
        return ("stale", "its stage.json is gone") if holds_artefacts(folder) else ("missing", "not made yet")
    whole = record.get("made") is not None
    changed = _changes(record, config, files) + _changed_data(record, data, marks)
    changed += [f"stage {n}" for n, mark in inputs.items() if record["inputs"].get(n) != mark]
    if not changed:
        changed += [
            f"stage {n} was made again" for n, when in made.items() if record.get("inputs_made", {}).get(n) != when
        ]
    if changed:
        return "stale", f"changed: {first_of(changed)}"
    if whole and (wrong := _unfulfilled(folder, record, promises)):
        return "incomplete", wrong
    if record["status"] == "finished":
        return "finished", ""
    how = {"running": "was killed", "interrupted": "was interrupted", "failed": "failed"}
    return "incomplete" if whole else "unfinished", f"goes on: it {how.get(record['status'], 'was not finished')}"


def first_of(changed: Sequence[str]) -> str:
    """In one line."""
    return "; ".join(changed[:4]) + (f"; and {len(changed) - 4} more" if len(changed) > 4 else "")


def other_than(step: Step, record: Mapping[str, Any], data: Prepared) -> list[str]:
    """What the settings, files and data are of which a stage was made elsewhere, where the step would take others:
    "train.loop.epochs: 1 -> 2"."""
    section = step.stage.name.partition("-")[0]
    changed = [f"{section}.{text}" for text in _changes(record, step.config, step.files)]
    return changed + _changed_data(record, data, step.splits)


def _unfulfilled(folder: Path, record: Mapping[str, Any], promises: Promises) -> str:
    """Which promised files are missing, or are not what the stage made; "" if none."""
    parts = [told(missing, promises)] if (missing := lacking(folder, promises)) else []
    if "seal" in record:
        sums = sealed(folder, record["seal"])
        names = [f"{below}/{name}".lstrip("/") for below, files in promises.items() for name in files]
        if sums is None:
            parts.append(f"{SEAL}, which tells whether its files are sound, is missing or damaged")
        elif wrong := damaged(folder, sums, names):
            parts.append(f"{len(wrong)} of {len(names)} files are damaged, first {wrong[0]}")
    return "; ".join(parts)


def _changes(record: Mapping[str, Any], config: StageConfig, files: Mapping[str, Any]) -> list[str]:
    """Of the settings, and of the files that they name.

    Once a stage was finished, another path to the very same file is no change; before, its checkpoints know the path.
    """
    before = record.get("files", {})
    both = files.keys() & before.keys()
    same = {key for key in both if files[key]["digest"] == before[key]["digest"]}
    moved = same if record.get("made") is not None else set()
    changed = changes(completed(type(config), record["config"]), as_dict(config))
    replaced = [key for key in sorted(both - same) if files[key]["path"] == before[key]["path"]]
    return [text for text in changed if text.partition(":")[0] not in moved] + [
        f"{key}: {files[key]['path']} is not what it was" for key in replaced
    ]
