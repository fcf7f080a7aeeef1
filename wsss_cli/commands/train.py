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


@stage_command
def train(words: Words = None, pseudo: Pseudo = None, *, options: RunOptions) -> None:
    """Train the segmentation network."""
    from wsss_cli.commands.stage import run_stage

    run_stage("train", words, options, {"train": {"labels": str(pseudo)}} if pseudo is not None else {})
