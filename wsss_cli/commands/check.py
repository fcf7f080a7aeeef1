"""`wsss check`."""

from __future__ import annotations

from typing import Annotated

import typer
from typer import Option

from wsss_cli.commands.options import RunOptions, Words, stage_command


@stage_command
def check(
    words: Words = None,
    as_json: Annotated[bool, Option("--json", help="print the findings as JSON")] = False,
    *,
    options: RunOptions,
) -> None:
    """Check the environment, a prepared data set, a run's settings and weights; each finding with its remedy."""
    import json
    import logging
    from dataclasses import asdict

    from wsss_cli import console
    from wsss_cli.commands.findings import findings

    if as_json:
        console.log.setLevel(logging.WARNING)
    found = findings(words, options)
    if as_json:
        print(json.dumps([asdict(f) for f in found], indent=2, ensure_ascii=False))
    else:
        console.table("", ["", "what", "remedy"], [[f.level, f.what, f.remedy] for f in found])
    if any(f.level == "error" for f in found):
        raise typer.Exit(2)
