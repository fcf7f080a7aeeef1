"""How sure a network is of what it predicts: a row of each image beside the label maps of stage infer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from wsss_cli.files import append_text, write_text

NAME = "certainty.jsonl"


def add_certainty(folder: Path, rank: int, id: str, scores: Tensor) -> None:
    """Note a prediction, before its label map is written; scores (K, H, W), softmax, background first.

    certainty  mean over the pixels of the largest score
    peaks      of each class 1..C the largest score of any pixel
    """
    peaks = [round(value, 6) for value in scores[1:].amax((1, 2)).tolist()]
    row = {"id": id, "certainty": round(float(scores.amax(0).mean()), 6), "peaks": peaks}
    append_text(folder / f"certainty-{rank}.jsonl", json.dumps(row) + "\n")


def merge_certainty(folder: Path) -> None:
    """One file of those that the ranks have written; of an image that was predicted twice the last row."""
    parts = sorted(folder.glob("certainty-*.jsonl"))
    rows = read_certainty(folder) | {row["id"]: row for part in parts for row in _rows(part)}
    if rows:
        write_text(folder / NAME, "".join(json.dumps(rows[id]) + "\n" for id in sorted(rows)))
    for part in parts:
        part.unlink()


def read_certainty(folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of a stage infer by the images' ids; none of an older version's."""
    return {row["id"]: row for row in _rows(folder / NAME)}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Without a line that a crash cut short."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.keys() >= {"id", "certainty", "peaks"}:
            yield row
