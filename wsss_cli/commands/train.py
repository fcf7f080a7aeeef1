"""`wsss train`."""

from __future__ import annotations

from wsss_cli.commands.options import RunOptions, Words, stage_command


@stage_command
def train(words: Words = None, *, options: RunOptions) -> None:
    """Train the segmentation network."""
    from wsss_cli.commands.stage import run_stage

    run_stage("train", words, options)
