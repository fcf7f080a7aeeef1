"""A search over settings on training images alone.

python -m bench.tune DATA METHOD STAGE --recipe FILE --try "KEY=VALUE|VALUE" ... [options of wsss]

A fifth of the training images is held out, first of those on which no reported score is made, and the rest is learnt
from: `seeds` and `pseudo` are scored on images that were learnt from, as they are in use, each trial at its best
background score, for settings move that; `evaluate` on the fifth.
One key after the other, in the order given, each of its values with the best of the keys before; what is finished is
not run again, nor what a trial has in common with the first. The table goes to runs/DATA_held/tune-METHOD-STAGE.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wsss_cli.data.prepared import Prepared, Sample, read_prepared, write_prepared

SHARE = 0.2
Settings = tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """One run of the search: what was set beside the recipe, the mIoU it reached, its minutes.

    background  score of the background at which that is: the best one, where it can be set after the stage
    """

    settings: Settings
    miou: float
    minutes: float
    background: float | None = None


def held_out(data: Prepared, share: float = SHARE) -> Prepared:
    """The data set beside it, `NAME_held`, without any image of its split "val"; written unless it is there."""
    folder = data.folder.with_name(f"{data.folder.name}_held")
    if not folder.exists():
        folder.mkdir()
        roles = {"train": "learnt", "val": "held", "seeds": "scored"}
        info = replace(data.info, name=folder.name, splits=roles, hash="", lines="")
        write_prepared(folder, info, _divided(data, share))
    return read_prepared(folder)


def _divided(data: Prepared, share: float) -> Iterable[Sample]:
    """The training images, in "held" or "learnt"; of these in "scored", too, what is in no reported score."""
    train = data.split(data.split_for("train"))
    reported = {sample.id for sample in data.split(data.split_for("seeds"))}
    with_mask = [sample for sample in train if sample.mask is not None]
    free = [sample for sample in with_mask if sample.id not in reported] or with_mask
    held = {sample.id for sample in sorted(free, key=_drawn)[: round(share * len(train))]}
    scored = {sample.id for sample in free} - held
    for sample in train:
        learnt = ("learnt", "scored") if sample.id in scored else ("learnt",)
        yield replace(sample, splits=("held",) if sample.id in held else learnt)


def _drawn(sample: Sample) -> str:
    """An order that no one chose, the same on every machine."""
    return hashlib.sha256(sample.id.encode()).hexdigest()


def search(data: Prepared, method: str, stage: str, recipe: str, keys: Sequence[str], words: Sequence[str]) -> Path:
    """Run the search; returns the table's path."""
    table = Path("runs", data.folder.name, f"tune-{method}-{stage}.md")
    best, trials = (), {}
    for key in ("", *keys):
        name, _, values = key.partition("=")
        for settings in [(*best, f"{name}={value}") for value in values.split("|")] if key else [()]:
            trials[settings] = trial(data, method, stage, recipe, settings, words, first=not trials)
            best_now = max(trials.values(), key=lambda one: one.miou).settings
            _write(table, data, (method, stage, recipe), list(trials.values()), best_now)
        best = best_now
    return table


def trial(
    data: Prepared, method: str, stage: str, recipe: str, settings: Settings, words: Sequence[str], first: bool
) -> Trial:
    """Train and score once; what is made as in the first trial is taken from there."""
    name = _name(stage, recipe, settings, words)
    donor = [] if first else ["--from", _name(stage, recipe, (), words)]
    target = [] if stage == "evaluate" else ["--stage", stage]
    sets = [word for setting in settings for word in ("--set", setting)]
    asked = [
        "evaluate",
        method,
        "--data",
        data.folder.name,
        "--name",
        name,
        "--recipe",
        recipe,
        "--train",
        *target,
        *donor,
        *words,
        *sets,
    ]
    subprocess.run([sys.executable, "-m", "wsss_cli", *asked], check=True)
    run = Path("runs", data.folder.name, method, name)
    scores = run / ("evaluate" if stage == "evaluate" else f"evaluate-{stage}") / "scores.json"
    records = [json.loads(path.read_text()) for path in run.glob("*/stage.json")]
    found = json.loads(scores.read_text())
    swept = found.get("background") or {}
    miou = swept.get("miou", found["scores"][0]["miou"])
    return Trial(settings, miou, sum(record["seconds"] for record in records) / 60, swept.get("best"))


def _name(stage: str, recipe: str, settings: Settings, words: Sequence[str]) -> str:
    return f"tune-{hashlib.sha256(repr((stage, recipe, settings, *words)).encode()).hexdigest()[:8]}"


def _write(path: Path, data: Prepared, what: Sequence[str], trials: Sequence[Trial], best: Settings) -> None:
    counts = {split: len(data.split(split)) for split in ("learnt", "scored", "held")}
    lines = [
        f"# {' '.join(what)} on {data.folder.name}",
        f"{counts['learnt']} images are learnt from; {counts['scored']} of them score seeds and pseudo-labels; "
        f"{counts['held']} others score the network. One seed.",
        "| set beside the recipe | mIoU | at background score | minutes |\n|---|---|---|---|",
    ]
    rows = [
        f"| {', '.join(t.settings) or 'nothing'} | {100 * t.miou:.1f} | {t.background or ''} | {t.minutes:.0f} |"
        for t in trials
    ]
    end = f"Chosen: {', '.join(best) or 'the recipe as it is'}."
    path.write_text("\n\n".join([*lines[:-1], "\n".join([lines[-1], *rows]), end]) + "\n", encoding="utf-8")


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tune", description=__doc__)
    for name in ("data", "method", "stage"):
        parser.add_argument(name)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--try", dest="keys", action="append", default=[], metavar="KEY=VALUE|VALUE")
    asked, passed = parser.parse_known_args(words)
    data = held_out(read_prepared(Path("data", asked.data)))
    print(search(data, asked.method, asked.stage, asked.recipe, asked.keys, passed))


if __name__ == "__main__":
    main(sys.argv[1:])
