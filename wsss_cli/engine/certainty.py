"""How sure a network is of what it predicts, and how often it is right when it is: gathered while it predicts.

No scores are kept: a line per image holds a few numbers, by which `evaluate` tells how well the network is calibrated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsss_cli.data.label_format import Labels, label_format
from wsss_cli.files import append_text, write_text

NAME = "certainty.jsonl"
BINS = 15
"""Equal steps of the score that pixels are counted in.  [Guo et al. 2017]"""


def certainty(scores: Tensor, truth: Labels | None) -> dict[str, Any]:
    """Of one image: its mean largest score, and where there is a mask, how often those of each height are right.

    scores (K, H, W) softmax, fused, at the size of the image that stages see; truth (H, W) ids at that size.
    Returns {"certainty": in [0, 1], "bins": (3, BINS) pixels, sum of their scores, right ones}, no bins without a mask.
    """
    best, labels = scores.max(0)  # (H, W)
    row: dict[str, Any] = {"certainty": round(best.mean().item(), 5)}
    if truth is None:
        return row
    expected = torch.from_numpy(truth).to(scores.device).long()
    known = expected != label_format(len(scores) - 1).ignore
    best, right = best[known], (labels == expected)[known]  # (n,)
    bins = (best * BINS).long().clamp_(0, BINS - 1)
    counts = [torch.bincount(bins, weights, BINS).double() for weights in (None, best.double(), right.double())]
    return row | {"bins": [[round(n, 3) for n in column] for column in torch.stack(counts).tolist()]}


def note(folder: Path, rank: int, id: str, row: Mapping[str, Any]) -> None:
    """Add an image's line to those of its rank; of two of one image the later holds."""
    append_text(folder / f"certainty-{rank}.jsonl", json.dumps({"id": id, **row}) + "\n")


def gather_notes(folder: Path) -> None:
    """One file of all ranks' lines and those of earlier attempts, by id."""
    parts = sorted(folder.glob("certainty-*.jsonl"))
    if parts:
        rows = read_certainties(folder)
        write_text(folder / NAME, "".join(json.dumps(rows[id]) + "\n" for id in sorted(rows)))
        for part in parts:
            part.unlink()


def read_certainties(folder: Path) -> dict[str, dict[str, Any]]:
    """The line of each image, by id; none of a stage of earlier versions."""
    found = {}
    for path in (folder / NAME, *sorted(folder.glob("certainty-*.jsonl"))):
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            try:
                row = json.loads(line)
                found[row["id"]] = row
            except (ValueError, TypeError, KeyError):  # cut short by a crash
                continue
    return found
