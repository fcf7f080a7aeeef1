"""Seconds and memory of every stage of IRN on 100, 1,000 and 10,000 small images: linear and flat, if all is well.

Each stage is a command, in a process of its own with one thread. A stage that would take longer than `--minutes`, by
what an image of the last size more took, ends the count there: what follows needs it.
python -m bench.scale [--minutes M] [COUNT ...]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.row import Row
from wsss_cli.data.prepared import Prepared, read_prepared

COUNTS = (100, 1_000, 10_000)
MINUTES = 8.0
SIDE = 64
NET = {"backbone": "test_resnet", "pretrained": "none"}
ONCE = {"epochs": 1, "batch": 4}
RECIPE = {
    "seeds": {"net": NET, "training": {"resize_long": [SIDE, SIDE], "crop": SIDE, "loop": ONCE}},
    "pseudo": {"training": {"crop": SIDE, "radius": 2, "loop": ONCE}, "walk": {"pad": None, "exp_times": 2}},
    "train": {"net": NET | {"width": 16}, "augment": {"crop": SIDE}, "loop": ONCE},
}
RUN = ("irn", "--data", "own", "--workers", "0")
STAGES = {
    "prepare": (
        "folder",
        "--images",
        "drawn/shapes/images",
        "--masks",
        "drawn/shapes/masks",
        "--tags",
        "tags.csv",
        "--name",
        "own",
    ),
    "check": ("--data", "own"),
    "seeds": (*RUN, "--recipe", "tiny.yaml"),
    "pseudo": RUN,
    "train": RUN,
    "infer": RUN,
    "evaluate": RUN,
}
"""The words of each command; a tenth of the images is not learnt from, but scored."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a stage, and the most memory of its process."""

    seconds: float
    mb: float


def main(counts: Sequence[int] = COUNTS, minutes: float = MINUTES) -> list[Row]:
    """By stage, the milliseconds that an image more takes between the last two counts, and between the first two.

    None of a stage that was run at one count alone: what each took is told as it goes.
    """
    measured: dict[int, dict[str, Cost]] = {}
    for count in counts:
        measured[count] = _stages(count, measured, 60 * minutes)
    by_stage = {stage: {n: costs[stage] for n, costs in measured.items() if stage in costs} for stage in STAGES}
    return [_row(stage, costs) for stage, costs in by_stage.items() if len(costs) > 1]


def _row(stage: str, costs: dict[int, Cost]) -> Row:
    counts = list(costs)
    last, first = (_each(costs, *pair) for pair in ((counts[-2:]), (counts[:2])))
    note = "; ".join(f"{n:,} images: {cost.seconds:.1f} s, {cost.mb:.0f} MB" for n, cost in costs.items())
    return Row(f"irn {stage}, ms for an image more", last, first, first / last, note)


def _each(costs: dict[int, Cost], fewer: int, more: int) -> float:
    """Milliseconds that one of the images takes by which two runs differ: without the start of the process."""
    return 1000 * (costs[more].seconds - costs[fewer].seconds) / (more - fewer)


def _stages(count: int, before: dict[int, dict[str, Cost]], limit: float) -> dict[str, Cost]:
    """The cost of each stage on `count` images, up to the first that would take more than `limit` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tiny.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
        sizes = ("--train", str(count), "--val", "6", "--size", str(SIDE), "--data-root", "drawn")
        _wsss(folder, "prepare", "shapes", *sizes)
        _write_tags(read_prepared(Path(folder, "drawn", "shapes")), Path(folder, "tags.csv"))
        found: dict[str, Cost] = {}
        for stage, words in STAGES.items():
            if _forecast(stage, count, before) > limit:
                break
            cost = found[stage] = _wsss(folder, stage, *words)
            print(f"{count:,} images, {stage}: {cost.seconds:.1f} s, {cost.mb:.0f} MB", file=sys.stderr, flush=True)
        return found


def _write_tags(data: Prepared, path: Path) -> None:
    names = data.info.classes
    rows = (f"{sample.image.name},{';'.join(names[t - 1] for t in sample.tags)}\n" for sample in data.samples)
    path.write_text("image,tags\n" + "".join(rows), encoding="utf-8")


def _forecast(stage: str, count: int, before: dict[int, dict[str, Cost]]) -> float:
    """Seconds by what the images of the last two runs took; nothing is known before."""
    known = {n: costs[stage] for n, costs in before.items() if stage in costs}
    if len(known) < 2:
        return 0.0
    return count * _each(known, *list(known)[-2:]) / 1000


def _wsss(folder: str, *words: str) -> Cost:
    """Run a command. Raises RuntimeError with what it said if it fails."""
    with tempfile.TemporaryFile("w+") as said:
        one = os.environ | {"OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "wsss_cli", *words], cwd=folder, env=one, stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"wsss {' '.join(words)}: {said.read()}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="CPU minutes of a stage at most")
    parser.add_argument("counts", nargs="*", type=int, default=COUNTS)
    given = parser.parse_args()
    print(*main(given.counts, given.minutes), sep="\n")
