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
Against = Annotated[
    str | None, Option("--against", metavar="METHOD/NAME", help="also how far predictions agree with another run's")
]
Json = Annotated[bool, Option("--json", help="print the scores as JSON and nothing else")]


@stage_command
def evaluate(
    words: Words = None,
    stage: Stage = None,
    split: Split = None,
    crf: Crf = None,
    instances: Instances = None,
    against: Against = None,
    output: Output = None,
    train: Train = False,
    as_json: Json = False,
    *,
    options: RunOptions,
) -> None:
    """Score predictions, pseudo-labels or seeds against the masks; predictions without masks, by tags and boxes."""
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
        output = output.absolute()
        require_scores(output)
    stage = stage or ("pseudo" if instances else "infer")
    if instances and stage != "pseudo":
        raise WsssError(f"--instances: stage {stage} has no instance labels", "they are made by --stage pseudo")
    crf_wish = setting("infer", "crf", crf if stage == "infer" else None)
    split_wish = setting("infer" if stage == "infer" else "evaluate", "split", split)
    name = "evaluate" if stage == "infer" else f"evaluate-{stage}"
    other = None if against is None else predictions_of(against, options.runs_root, split)
    passing = merge(split_wish, setting("evaluate", "instances", instances))
    passing = merge(passing, setting("evaluate", "against", other))
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


def require_scores(output: Path) -> None:
    """Raises WsssError if the folder, or that in which its earlier scores are kept, holds anything but scores."""
    from wsss_cli.errors import WsssError
    from wsss_cli.files import is_taken
    from wsss_cli.runs import known_record, previous_of

    for folder in (output, previous_of(output)):
        ours = str(known_record(folder).get("stage", "")).startswith("evaluate")
        if is_taken(folder) and not ours:
            raise WsssError(f"{folder} is there, and holds no scores", "choose another folder with --output")


def predictions_of(name: str, runs_root: Path, split: str | None) -> str:
    """The folder of another run's predictions of a split.  Raises WsssError if there is no such run."""
    from wsss_cli.running.find import find_named

    run = find_named(name, runs_root)
    of_split = run.stage(f"infer-{split}" if split else "infer") / "labels"
    return str(of_split if of_split.is_dir() else run.stage("infer") / "labels")
