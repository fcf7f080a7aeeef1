"""Seconds and memory of every stage of IRN on 100, 1,000 and 10,000 small images: linear and flat, if all is well.

python -m bench.scale [COUNT ...]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from bench.row import Row

COUNTS = (100, 1_000, 10_000)
STAGES = ("seeds", "pseudo", "train", "infer", "evaluate")
SIDE = 64
NET = {"backbone": "test_resnet", "pretrained": "none"}
ONCE = {"epochs": 1, "batch": 4}
RECIPE = {
    "seeds": {"net": NET, "training": {"resize_long": [SIDE, SIDE], "crop": SIDE, "loop": ONCE}},
    "pseudo": {"training": {"crop": SIDE, "radius": 2, "loop": ONCE}, "walk": {"pad": None, "exp_times": 2}},
    "train": {"net": NET | {"width": 16}, "augment": {"crop": SIDE}, "loop": ONCE},
}


def main(counts: tuple[int, ...] = COUNTS) -> list[Row]:
    """By stage, the milliseconds an image of the most images and of the fewest."""
    measured = [_stages(count) for count in counts]
    rows = []
    for stage in STAGES:
        most, fewest = measured[-1][stage][0], measured[0][stage][0]
        memory = ", ".join(f"{stages[stage][1]:.2f}" for stages in measured)
        note = f"{SIDE}x{SIDE}; at {counts[-1]:,} and at {counts[0]:,} images; GiB at {_listed(counts)}: {memory}"
        rows.append(Row(f"irn {stage}, ms an image", most, fewest, fewest / most, note))
    return rows


def _listed(counts: tuple[int, ...]) -> str:
    return ", ".join(f"{count:,}" for count in counts)


def _stages(count: int) -> dict[str, tuple[float, float]]:
    """By stage, milliseconds an image and the largest memory in GiB on `count` images and as many to score."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tiny.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
        sizes = ["--train", str(count), "--val", str(count), "--size", str(SIDE)]
        _wsss(folder, "prepare", "shapes", *sizes)
        _wsss(folder, "evaluate", "irn", "--train", "--recipe", "tiny.yaml", "--workers", "0")
        records = [json.loads(path.read_text()) for path in Path(folder).glob("runs/shapes/irn/default/*/stage.json")]
    return {r["stage"]: (1000 * r["seconds"] / count, r["peak_memory_gib"]) for r in records}


def _wsss(folder: str, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "wsss_cli", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    print(*main(tuple(map(int, sys.argv[1:])) or COUNTS), sep="\n")
