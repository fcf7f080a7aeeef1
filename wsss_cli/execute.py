"""Run a plan: each stage in its folder, its record kept, rank 0 writing."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wsss_cli import console
from wsss_cli.config import as_dict, template
from wsss_cli.data.prepared import Prepared
from wsss_cli.engine.distributed import Runtime, barrier
from wsss_cli.files import write_text
from wsss_cli.job import Job
from wsss_cli.method import Method
from wsss_cli.plan import Step
from wsss_cli.runs import read_record, set_aside, write_record

VERSIONS = ("wsss", "torch", "torchvision", "timm", "numpy", "pillow", "scipy", "pycocotools", "pydantic")


def execute(steps: list[Step], data: Prepared, method: Method, runtime: Runtime) -> dict[str, Any]:
    """Run the steps that are not finished, in order; returns the last step's record."""
    folders = {step.stage.name: step.folder for step in steps}
    for step in steps:
        if step.runs:
            if runtime.main:
                _announce(step)
            inputs = {need: folders[need] for need in step.inputs}
            _run(step, Job(data, method, step.stage.name, step.config, step.folder, inputs, runtime), steps)
        elif runtime.main and step is steps[-1]:
            console.say(f"{step.key}: finished already, nothing has changed (--force redoes it): {step.folder}")
    return read_record(steps[-1].folder) or {}


def _announce(step: Step) -> None:
    console.say(f"{step.key}: {step.reason} -> {step.folder}")


def _run(step: Step, job: Job, steps: list[Step]) -> None:
    record = None
    if job.runtime.main:
        if step.status in ("stale", "forced"):
            set_aside(step.folder)
        record = _start(step, job, steps)
    barrier()
    start = time.monotonic()
    try:
        with console.logging_to(step.folder / "log.txt"):
            metrics = step.stage.function()(job)
    except BaseException as error:
        if record is not None:
            write_record(step.folder, record | {"status": "interrupted" if _is_stop(error) else "failed"})
        raise
    barrier()
    if record is not None:
        seconds = record.get("seconds", 0.0) + time.monotonic() - start
        done = {"status": "finished", "seconds": round(seconds, 1), "peak_memory_gib": round(console.peak_memory(), 2)}
        write_record(step.folder, record | done | {"metrics": metrics})
        console.say(f"{step.key}: done in {seconds:.0f} s -> {step.folder}")
    barrier()


def _start(step: Step, job: Job, steps: list[Step]) -> dict[str, Any]:
    """Write config.yaml and the record of a stage that starts or resumes."""
    before = read_record(step.folder) or {}
    marks = {s.stage.name: s.fingerprint for s in steps}
    section = step.stage.name.partition("-")[0]
    head = f"# the resolved settings of this stage; give the file to --recipe to repeat them\n{section}:\n"
    write_text(step.folder / "config.yaml", head + template(type(step.config), step.config, "  "))
    record = {
        "status": "running",
        "stage": step.key,
        "method": job.method.name,
        "data": job.data.info.name,
        "data_hash": job.data.info.hash,
        "config": as_dict(step.config),
        "inputs": {need: marks[need] for need in step.inputs},
        "input_folders": {need: os.path.relpath(path, step.folder) for need, path in job.inputs.items()},
        "fingerprint": step.fingerprint,
        "command": shlex.join(["wsss", *sys.argv[1:]]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
        "git": _git_commit(),
        "machine": {"device": str(job.runtime.device), "ranks": job.runtime.world, "platform": platform.platform()},
        "seed": step.config.seed,
        "seconds": before.get("seconds", 0.0) if step.status == "unfinished" else 0.0,
    }
    write_record(step.folder, record)
    return record


def _is_stop(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt | SystemExit)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _git_commit() -> str | None:
    """The commit of the toolkit's own checkout, if it runs from one."""
    try:
        out = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return out.stdout.strip() or None if out.returncode == 0 else None
