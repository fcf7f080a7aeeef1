"""How sure a network is of what it predicts: a row of each image beside the label maps of stage infer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_cli.files import append_text, write_text

NAME = "certainty.jsonl"


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
