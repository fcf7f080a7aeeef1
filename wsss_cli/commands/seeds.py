"""`wsss seeds`."""

from __future__ import annotations

from wsss_cli.commands.options import RunOptions, Words, stage_command


@stage_command
def seeds(words: Words = None, *, options: RunOptions) -> None:
    """Make seeds: class activation maps from image tags or boxes."""
    from wsss_cli.commands.stage import run_stage

    run_stage("seeds", words, options)
