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

    run_stage("infer", words, options, setting("infer", "crf", crf), setting("infer", "split", split))


def setting(stage: str, key: str, value: Any) -> dict[str, Any]:
    """What an option stands for; nothing if it was not given."""
    return {} if value is None else {stage: {key: value}}
