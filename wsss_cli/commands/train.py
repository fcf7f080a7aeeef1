"""`wsss train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from wsss_cli.commands.options import RunOptions, Words, stage_command

Pseudo = Annotated[
    Path | None,
    Option(help="learn from this folder of label maps, or from those of a run: runs/DATA/METHOD/NAME", metavar="DIR"),
]
Confidence = Annotated[Path | None, Option(help="and from this one of confidence masks (beco)", metavar="DIR")]


@stage_command
def train(words: Words = None, pseudo: Pseudo = None, confidence: Confidence = None, *, options: RunOptions) -> None:
    """Train the segmentation network."""
    from wsss_cli.commands.stage import run_stage

    given = {"labels": pseudo, "confidence": confidence}
    run_stage("train", words, options, {"train": {key: str(path) for key, path in given.items() if path is not None}})
