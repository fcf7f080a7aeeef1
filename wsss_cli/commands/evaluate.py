"""`wsss evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from typer import Option

from wsss_cli.commands.infer import Crf, Split, Train, setting
from wsss_cli.commands.options import RunOptions, Words, stage_command

Which = Literal["infer", "pseudo", "seeds"]
Stage = Annotated[Which | None, Option("--stage", help="whose label maps are scored; infer, with --instances pseudo")]
Instances = Annotated[
    bool | None, Option("--instances/--no-instances", help="score the instance labels of stage pseudo as well")
]
Output = Annotated[
    Path | None, Option("--output", "-o", help="folder of the scores; in the run, unless that is closed to writing")
]
Json = Annotated[bool, Option("--json", help="print the scores as JSON and nothing else")]


@stage_command
def evaluate(
    words: Words = None,
    stage: Stage = None,
    split: Split = None,
    crf: Crf = None,
    instances: Instances = None,
    output: Output = None,
    train: Train = False,
    as_json: Json = False,
    *,
    options: RunOptions,
) -> None:
    """Score predictions, pseudo-labels or seeds against the masks."""
    import logging

    from wsss_cli.commands.stage import run_stage
    from wsss_cli.config import merge
    from wsss_cli.console import log, say
    from wsss_cli.errors import WsssError
    from wsss_cli.files import require_makeable

    if as_json:
        log.setLevel(logging.WARNING)
    if output is not None:
        require_makeable(output, "--output")
    stage = stage or ("pseudo" if instances else "infer")
    if instances and stage != "pseudo":
        raise WsssError(f"--instances: stage {stage} has no instance labels", "they are made by --stage pseudo")
    crf_wish = setting("infer", "crf", crf if stage == "infer" else None)
    split_wish = setting("infer" if stage == "infer" else "evaluate", "split", split)
    name = "evaluate" if stage == "infer" else f"evaluate-{stage}"
    passing = merge(split_wish, setting("evaluate", "instances", instances))
    done = run_stage("evaluate", words, options, crf_wish, passing, name, output=output, begins=train)
    if done is None:
        return
    from wsss_cli.metrics.evaluate import read_scores
    from wsss_cli.metrics.show import show

    target, record = done
    scores = read_scores(target.run.stage(record["stage"]))
    if as_json:
        print(json.dumps(scores, indent=2, ensure_ascii=False))
    else:
        show(scores)
        say("next: wsss report")
