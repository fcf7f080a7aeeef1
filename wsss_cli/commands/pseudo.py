"""`wsss pseudo`."""

from __future__ import annotations

from wsss_cli.commands.options import RunOptions, Words, stage_command


@stage_command
def pseudo(words: Words = None, *, options: RunOptions) -> None:
    """Make pseudo-labels: the label maps that a segmentation network is trained on."""
    from wsss_cli.commands.stage import run_stage

    run_stage("pseudo", words, options)
