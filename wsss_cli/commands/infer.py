"""`wsss infer`."""

from __future__ import annotations

from typing import Annotated, Any

from typer import Option

from wsss_cli.commands.options import RunOptions, Words, stage_command

Split = Annotated[str | None, Option("--split", help="the split to predict; val")]
Crf = Annotated[bool | None, Option("--crf/--no-crf", help="refine the predictions with a dense CRF as well")]


@stage_command
def infer(words: Words = None, split: Split = None, crf: Crf = None, *, options: RunOptions) -> None:
    """Predict label maps with the trained network."""
    from wsss_cli.commands.stage import run_stage

    run_stage("infer", words, options, own={"infer": infer_settings(split, crf)})


def infer_settings(split: str | None, crf: bool | None) -> dict[str, Any]:
    """The settings that --split and --crf stand for."""
    given = {"split": split, "crf": crf}
    return {key: value for key, value in given.items() if value is not None}
