"""Run a plan: each stage in its folder, its record kept, rank 0 writing."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from wsss_cli import console
from wsss_cli.checkout import code
from wsss_cli.config import as_dict, template
from wsss_cli.data.prepared import Prepared
from wsss_cli.engine.checkpoint import seed_all
from wsss_cli.errors import WsssError
from wsss_cli.files import append_text, flush_all, followed, sweep, write_text, writing_allowed
from wsss_cli.job import Job
from wsss_cli.keeping import gather
from wsss_cli.method import Method
from wsss_cli.nets.normalisation import normalisations
from wsss_cli.nets.precision import precisions
from wsss_cli.plan import Step
from wsss_cli.promises import lacking, told, unpromised
from wsss_cli.ranks.device_name import device_name
from wsss_cli.ranks.distributed import Runtime, barrier
from wsss_cli.runs import read_record, set_aside, write_record
from wsss_cli.seals import clear_damaged, seal

VERSIONS = ("wsss", "torch", "torchvision", "timm", "numpy", "pillow", "scipy", "pycocotools", "pydantic")


def execute(steps: list[Step], data: Prepared, method: Method, runtime: Runtime, command: str = "") -> dict[str, Any]:
    """Run the steps that are not finished, in order; returns the last step's record.

    command  that the records are to name; that of this process, if not given
    """
    folders = {step.stage.name: step.folder for step in steps}
    with _sigterm_ends_cleanly():
        for step in steps:
            if step.runs:
                inputs = {need: folders[need] for need in step.inputs}
                to_come = {s.stage.name: s.promises for s in steps if s.stage.name in inputs}
                job = Job(data, method, step.stage.name, step.config, step.folder, inputs, runtime, to_come)
                _run(step, job, steps, command or shlex.join(["wsss", *sys.argv[1:]]))
            elif runtime.main and step.key in steps[-1].inputs.values() and step.reason:
                console.say(f"{step.key}: {step.reason}: {step.folder}")
            elif runtime.main and step is steps[-1]:
                console.say(f"{step.key}: finished already, nothing has changed (--force redoes it): {step.folder}")
    return read_record(steps[-1].folder) or {}


def _run(step: Step, job: Job, steps: list[Step], command: str) -> None:
    """One stage on this rank; rank 0 keeps its record. Draws before the training are the same on every rank."""
    record = _start(step, job, steps, command) if job.runtime.main else None
    barrier()
    start = time.monotonic()
    with console.logging_to(step.folder / "log.txt"):
        job.say(f"{step.key}: {step.why} -> {step.folder}")
        try:
            seed_all(step.config.seed)
            metrics = _told_by(step, step.stage.function()(job))
            barrier()
            if record is not None:
                _require_whole(step)
                record["seal"] = seal(step.folder)
        except BaseException as error:
            if record is not None:
                _note_failure(step, record, error, time.monotonic() - start)
            raise
        if record is not None:
            flush_all(step.folder)  # what was made is on the disk before it is said to be
            _note_success(step, record, metrics, time.monotonic() - start)
    barrier()


def _require_whole(step: Step) -> None:
    """Raises WsssError if the stage has not left every file that it promises."""
    if missing := lacking(step.folder, step.promises):
        what = f"{step.key}: {told(missing, step.promises)} in {step.folder}"
        below, names = next(iter(missing.items()))
        if len(names) < len(step.promises[below]):
            raise WsssError(what, "was something removed meanwhile? run the command again")
        promised, others = f"{step.stage.config}.promises", unpromised(step.folder / below, step.promises[below])
        there = f"writes others, first {others[0]}" if others else "writes none there"
        raise WsssError(what, f"{promised} names them, and {step.stage.run} {there}: mend the plugin; or run it again")


def _note_success(step: Step, record: dict[str, Any], metrics: dict[str, Any], seconds: float) -> None:
    done = {
        "status": "finished",
        "made": record["made"] or datetime.now(UTC).isoformat(),
        "promised": {below: {"files": len(names)} for below, names in step.promises.items()},
        "seconds": round(record["seconds"] + seconds, 3),
        "peak_memory_gib": round(console.peak_memory(), 2),
        "metrics": metrics,
    }
    write_record(step.folder, record | done)
    console.say(f"{step.key}: made {_made(step)} in {seconds:.0f} s -> {step.folder}")


def _made(step: Step) -> str:
    """What the stage is said to write, or else what it promises, as far as it is there."""
    promised = [*filter(None, step.promises), *step.promises.get("", ())]
    names = [artefact.folder for artefact in step.stage.writes] or promised or ["checkpoint.pt"]
    return ", ".join(name for name in names if (step.folder / name).exists()) or "its results"


def _note_failure(step: Step, record: dict[str, Any], error: BaseException, seconds: float) -> None:
    """As far as the disk allows; the error itself is on its way to the user."""
    status = "interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else "failed"
    with suppress(WsssError, OSError):
        write_record(step.folder, record | {"status": status, "seconds": round(record["seconds"] + seconds, 3)})
        if status == "failed":
            append_text(step.folder / "log.txt", "".join(traceback.format_exception(error)))


def _told_by(step: Step, metrics: Any) -> dict[str, Any]:
    """What a stage returns, for stage.json; numpy's and torch's numbers are no JSON.

    Raises WsssError for what is no flat dict, as a plugin may return.
    """
    try:
        return {str(name): _number(value) for name, value in (metrics or {}).items()}
    except (AttributeError, TypeError, ValueError) as error:
        what = f"{step.key}: {step.stage.run} returned {metrics!r:.80}"
        raise WsssError(what, "a stage returns nothing, or a dict of numbers by name: mend the plugin") from error


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float | str | list | dict | None) else float(value)


def _machine(job: Job) -> dict[str, Any]:
    device = job.runtime.device
    ran = {"device": str(device), "name": device_name(device), "ranks": job.runtime.world}
    return ran | {"platform": platform.platform()}


def _start(step: Step, job: Job, steps: list[Step], command: str) -> dict[str, Any]:
    """Write config.yaml and the record of a stage that starts or resumes."""
    _make_room(step)
    sweep(step.folder)
    before = read_record(step.folder) or {}
    if before:
        clear_damaged(step.folder, before)
    marks = {s.stage.name: s.fingerprint for s in steps}
    section = step.stage.name.partition("-")[0]
    head = (
        f"# the settings of this stage alone: as a recipe it leaves other stages as they are by default\n{section}:\n"
    )
    write_text(step.folder / "config.yaml", head + template(type(step.config), step.config, "  "))
    record = {
        "status": "running",
        "stage": step.key,
        "method": job.method.name,
        "data": job.data.info.name,
        "data_hash": job.data.info.hash,
        "splits": None if step.splits is None else dict(step.splits),
        "about": {key: getattr(job.data.info, key) for key in ("kind", "palette", "pictures", "long_side")},
        "config": as_dict(step.config),
        "normalise": normalisations(step.config),
        "precision": precisions(step.config, job.runtime.device),
        "inputs": {need: marks[need] for need in step.inputs},
        "inputs_made": {need: (read_record(path) or {}).get("made") for need, path in job.inputs.items()},
        "input_folders": {need: os.path.relpath(path, step.folder) for need, path in job.inputs.items()},
        "fingerprint": step.fingerprint,
        "command": command,
        "files": dict(step.files),
        "made": before.get("made") if step.status == "incomplete" else None,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
        "git": code(),
        "machine": _machine(job),
        "seed": step.config.seed,
        "kept": [kept.part.name for kept in step.kept] or before.get("kept", []),
        "seconds": before.get("seconds", 0.0),
    }
    write_record(step.folder, record)
    return record


def _make_room(step: Step) -> None:
    """Set an earlier result aside, but for what is kept of it."""
    place = followed(step.folder)
    aside = place.with_name(f".{place.name}.kept")
    with writing_allowed(place):
        gather(step.kept, aside)
        if step.status in ("stale", "forced"):
            set_aside(place)
        if aside.exists():
            shutil.rmtree(place, ignore_errors=True)  # of one that was never made: at most its log
            aside.replace(place)
        if step.folder.is_symlink():
            place.mkdir(exist_ok=True)  # through a link that leads nowhere nothing can be made


@contextmanager
def _sigterm_ends_cleanly() -> Iterator[None]:
    """SIGTERM unwinds the stack as Ctrl-C does, so that records and temporary files are seen to."""

    def leave(signum: int, frame: object) -> None:
        raise SystemExit(128 + signum)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
