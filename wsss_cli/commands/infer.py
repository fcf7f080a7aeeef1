"""`wsss infer`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Option

from wsss_cli import bounds
from wsss_cli.commands.options import RunOptions, Words, stage_command
from wsss_cli.errors import WsssError

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
Images = Annotated[
    list[str] | None,
    Option("--images", metavar="PATH...", help="predict these files, folders or patterns instead; nothing is trained"),
]
ModelFolder = Annotated[
    str | None,
    Option("--model", metavar="DIR|hf://OWNER/NAME", help="of --images: a network that `wsss export model` wrote"),
]
Output = Annotated[Path | None, Option("--output", "-o", help="of --images: the folder of results; below predictions/")]
Overlay = Annotated[bool, Option("--overlay", help="of --images: also each photo with its classes laid over it")]
Probabilities = Annotated[bool, Option("--probabilities", help="of --images: also npz files of class probabilities")]
White = Annotated[
    float | None, Option("--white-level", min=0, help="of --images of more than 8 bits: the value shown as white")
]
Black = Annotated[float, Option("--black-level", help="and the one shown as black")]
Pages = Annotated[Literal["refuse", "first"], Option("--pages", help="of --images of several pages: take the first")]
LongSide = Annotated[
    int | None,
    Option(
        "--long-side",
        min=0,
        max=bounds.SIDE,
        metavar="N",
        help="of --images: the network sees N pixels of their longer side at most, 0: all; as many as in training",
    ),
]
Megapixels = Annotated[float, Option("--max-megapixels", min=0, help="of --images: millions of pixels one may have")]


@stage_command
def infer(
    words: Words = None,
    split: Split = None,
    crf: Crf = None,
    voc_submission: Archive = None,
    competition: Competition = "comp6",
    images: Images = None,
    model: ModelFolder = None,
    output: Output = None,
    overlay: Overlay = False,
    probabilities: Probabilities = False,
    white_level: White = None,
    black_level: Black = 0.0,
    pages: Pages = "refuse",
    max_megapixels: Megapixels = bounds.MEGAPIXELS,
    long_side: LongSide = None,
    *,
    options: RunOptions,
) -> None:
    """Predict label maps with the trained network: of a split, or of photos that belong to no data set."""
    if images is not None:
        from wsss_cli.commands.photos import Wish, infer_photos
        from wsss_cli.data.picture import Reading

        if split is not None or voc_submission is not None:
            raise WsssError("--images stand for themselves", "leave out --split and --voc-submission")
        reading = Reading(white_level, black_level, pages == "first", megapixels=max_megapixels)
        wish = Wish(images, output, overlay, probabilities, reading, long_side)
        infer_photos(words, options, setting("infer", "crf", crf), wish, model)
        return
    if model is not None or output is not None or overlay or probabilities or long_side is not None:
        what = "--model, --output, --overlay, --probabilities and --long-side are of --images"
        raise WsssError(what, "add --images PATH...")
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
