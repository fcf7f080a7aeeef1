"""`wsss infer`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Option

from wsss_cli.commands.options import RunOptions, Words, stage_command

if TYPE_CHECKING:
    from wsss_cli.commands.stage import Target

Split = Annotated[str | None, Option("--split", help="the split to predict; val")]
Crf = Annotated[bool | None, Option("--crf/--no-crf", help="refine the predictions with a dense CRF as well")]
Archive = Annotated[
    Path | None, Option("--voc-submission", help="predict split test and write FILE.tgz for the VOC 2012 server")
]
Competition = Annotated[
    Literal["comp5", "comp6"], Option("--competition", help="comp5: trained on VOC's data only; comp6: on any")
]


@stage_command
def infer(
    words: Words = None,
    split: Split = None,
    crf: Crf = None,
    voc_submission: Archive = None,
    competition: Competition = "comp6",
    *,
    options: RunOptions,
) -> None:
    """Predict label maps with the trained network."""
    from wsss_cli.commands.stage import run_stage

    if voc_submission is not None:
        from wsss_cli.export.submission import require_archive_name

        require_archive_name(voc_submission)
        split = split or "test"
    done = run_stage("infer", words, options, setting("infer", "crf", crf), setting("infer", "split", split))
    if done is not None and voc_submission is not None:
        _submit(voc_submission, done[0], done[1], competition)


def setting(stage: str, key: str, value: Any) -> dict[str, Any]:
    """What an option stands for; nothing if it was not given."""
    return {} if value is None else {stage: {key: value}}


def _submit(path: Path, target: Target, record: dict[str, Any], competition: Literal["comp5", "comp6"]) -> None:
    """Pack the predictions; those with CRF if the stage made them."""
    from wsss_cli import console
    from wsss_cli.export.submission import TEST_IMAGES, write_submission

    crf = record["config"]["crf"]
    folder = target.run.stage(record["stage"]) / ("labels_crf" if crf else "labels")
    samples = target.data.split(record["metrics"]["split"])
    with console.track("pack", len(samples)) as tick:
        write_submission(path, samples, folder, competition, tick)
    kind = "predictions with CRF" if crf else "predictions"
    console.say(f"{len(samples)} {kind} of split '{record['metrics']['split']}' for {competition} -> {path}")
    if len(samples) != TEST_IMAGES:
        console.warn(f"VOC 2012's test set has {TEST_IMAGES:,} images, not {len(samples)}: the server takes it whole")
