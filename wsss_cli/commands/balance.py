"""The class balance as a table."""

from __future__ import annotations

import numpy as np

from wsss_cli.checks.balance import Balance, Counts

MOST = 40  # rows; of more classes those with the fewest images


def balance_table(balance: Balance) -> tuple[str, list[str], list[list[str]]]:
    """Title, columns and rows: per class the images, boxes and share of pixels in the train and the val split.

    Columns without a figure are left out; other splits are in `wsss check --json`.
    """
    info = balance.info
    splits = [s for s in dict.fromkeys(info.splits.get(role) for role in ("train", "val")) if s in balance.splits]
    names, columns = ["\nclass"], [list(info.classes)]
    for split in splits:
        for above, (name, cells) in zip((split, "", ""), _columns(balance.splits[split]).items()):
            names.append(f"{above}\n{name}")
            columns.append(cells)
    order, note = _shown(balance)
    return f"class balance{note}", names, [[cells[c] for cells in columns] for c in order]


def _columns(counts: Counts) -> dict[str, list[str]]:
    """The cells of each column, classes 1..C."""
    columns = {"images": [f"{n:,}" for n in counts.images[1:]]}
    if counts.boxes.any():
        columns["boxes"] = [f"{n:,}" for n in counts.boxes[1:]]
    if counts.masks:
        total = max(1, counts.pixels.sum())
        columns["pixels"] = [f"{100 * n / total:.2f}%" for n in counts.pixels[1:]]
    return columns


def _shown(balance: Balance) -> tuple[list[int], str]:
    """Which classes, from 0, in which order, and what the title says of the others."""
    num_classes = len(balance.info.classes)
    if num_classes <= MOST:
        return list(range(num_classes)), ""
    counts = balance.splits.get(balance.info.splits.get("train", ""))
    images = np.zeros(num_classes) if counts is None else counts.images[1:]
    note = f": the {MOST} of {num_classes} classes with the fewest train images (--json lists all)"
    return np.argsort(images, kind="stable")[:MOST].tolist(), note
