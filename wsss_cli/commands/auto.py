"""`wsss auto`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from wsss_cli import bounds
from wsss_cli.commands import complete
from wsss_cli.commands.options import RunOptions, stage_command

Folder = Annotated[Path, Argument(metavar="FOLDER", help="of photos, with annotations in or beside it")]
Named = Annotated[
    str | None,
    Option("--method", help="instead of the one that fits best", autocompletion=complete.methods),
]
Minutes = Annotated[
    float | None, Option(min=0.1, max=bounds.MINUTES, help="the time there is: trainings are shortened to fit it")
]

LEFT_OUT = ("recipe", "force", "gpus", "procs", "nodes", "node_rank", "rendezvous")
"""Of the options of stages: settings are chosen, by one process."""


def _auto(folder: Folder, method: Named = None, minutes: Minutes = None, *, options: RunOptions) -> None:
    """From a folder of own photos to masks: prepare, check, choose method and settings, train, overlays, report.

    The plan is shown first, each value with its reason and with the time of every stage. The same command goes on
    where it was. What --set, --method and --pretrained say comes before what is chosen.
    """
    from wsss_cli.commands.run_auto import Wish, run_auto

    run_auto(Wish(folder, method, minutes, options))


auto = stage_command(_auto, without=LEFT_OUT)
