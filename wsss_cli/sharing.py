"""Stages that another run has made already: of a run of the same method, the first ones of a method that takes those of
the other, and all of a run that another one begins from.  Nothing is copied where the disk gives a file a second name.

Of two methods only such functions of a method: their networks bear its name, whoever runs them.  Those of the host's
bear the name of the method that runs them, as every trained network does, and another one would not read them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from wsss_cli import console
from wsss_cli.files import flush_all, followed, writing_allowed
from wsss_cli.keeping import take_folder
from wsss_cli.method import Method
from wsss_cli.plan import Step
from wsss_cli.runs import Run, known_record, set_aside, write_record

FIRST = ("seeds", "pseudo")
HOST = "wsss_cli."
Donor = tuple[Run, Method]


def share(steps: Sequence[Step], run: Run, others: Iterable[Donor]) -> None:
    """Copy stages that the run lacks from runs of the same function, settings, data and inputs; no scores.

    The caller holds the run.
    """
    donors = list(others)
    for step in steps:
        if step.status in ("missing", "stale"):
            found = next((donor for donor in donors if _may_give(donor[0], step, run) and _has(donor, step, run)), None)
            if found is not None:
                whose = _copy(found[0], step, run)
                console.say(f"{step.key}: the same as in {whose}, taken from there -> {step.folder}")


def begin_from(steps: Sequence[Step], run: Run, other: Run) -> bool:
    """Give the run each stage of the plan that it lacks and another run of its method has; whether there is any.

    The next plan says which of them are what is wanted, and of the others which parts.  The caller holds the run.
    """
    lacking = [step for step in steps if step.status == "missing" and not step.folder.exists()]
    there = [step for step in lacking if _finished(other.stage(step.key))]
    for step in there:
        console.say(f"{step.key}: begins with that of {_copy(other, step, run)} -> {step.folder}")
    return bool(there)


def will_give(other: Run, there: Step, step: Step, run: Run) -> bool:
    """Whether what another run has planned before, or has, is what `share` will take for the step."""
    lacking, same = step.status in ("missing", "stale"), there.stage.run == step.stage.run
    return lacking and same and there.fingerprint == step.fingerprint and _may_give(other, step, run)


def _may_give(other: Run, step: Step, run: Run) -> bool:
    """Whether what another run has made may be of use to the run."""
    if other.method == run.method:
        return not step.key.startswith("evaluate")
    return step.stage.name in FIRST and not step.stage.run.startswith(HOST)


def _has(donor: Donor, step: Step, run: Run) -> bool:
    """Whether the donor's stage is what the step would make, to the bit where the machine allows it."""
    other, method = donor
    stage, record = method.stage(step.stage.name), _finished(other.stage(step.key))
    if stage is None or record is None or (stage.run, record["fingerprint"]) != (step.stage.run, step.fingerprint):
        return False
    made = {need: (_finished(run.stage(key)) or {}).get("made") for need, key in step.inputs.items()}
    return made == record["inputs_made"]


def _copy(other: Run, step: Step, run: Run) -> str:
    """Whose it is now as well."""
    place = followed(step.folder)
    aside = place.with_name(f".{place.name}.copy")
    whose = f"{other.method}/{other.name}"
    with writing_allowed(aside):
        shutil.rmtree(aside, ignore_errors=True)
        with other.locked():
            take_folder(other.stage(step.key), aside)
        write_record(aside, known_record(aside) | {"method": run.method, "shared": whose})
        flush_all(aside)
        set_aside(place)
        aside.replace(place)
    return whose


def _finished(folder: Path) -> dict[str, Any] | None:
    record = known_record(folder)
    return record if record.get("status") == "finished" else None
