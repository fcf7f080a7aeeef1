"""`wsss infer`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Option

from wsss_cli import bounds
from wsss_cli.commands.options import RUN, RunOptions, Words, stage_command
from wsss_cli.errors import WsssError

if TYPE_CHECKING:
    from wsss_cli.running.target import Target

Split = Annotated[str | None, Option("--split", help="the split to predict; val")]
Crf = Annotated[bool | None, Option("--crf/--no-crf", help="refine the predictions with a dense CRF as well")]
Train = Annotated[
    bool, Option("--train", help="begin a run that was never trained: make all that is missing", rich_help_panel=RUN)
]
Archive = Annotated[
    Path | None, Option("--voc-submission", help="predict split test and write FILE.tgz for the VOC 2012 server")
]
Competition = Annotated[
    Literal["comp5", "comp6"] | None,
    Option("--competition", help="of --voc-submission: comp5: trained on VOC's data only; comp6, as without: on any"),
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
    float | None,
    Option("--white-level", min=0, help="of --images of more than 8 bits: the value shown as white; as in training"),
]
Black = Annotated[float | None, Option("--black-level", help="and the one shown as black")]
Pages = Annotated[
    Literal["refuse", "first"] | None,
    Option("--pages", help="of --images of several pages: take the first; as in training"),
]
Megapixels = Annotated[
    float | None, Option("--max-megapixels", min=0, help="of --images: millions of pixels one may have; as in training")
]
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


@stage_command
def infer(
    words: Words = None,
    split: Split = None,
    crf: Crf = None,
    train: Train = False,
    voc_submission: Archive = None,
    competition: Competition = None,
    images: Images = None,
    model: ModelFolder = None,
    output: Output = None,
    overlay: Overlay = False,
    probabilities: Probabilities = False,
    white_level: White = None,
    black_level: Black = None,
    pages: Pages = None,
    max_megapixels: Megapixels = None,
    long_side: LongSide = None,
    *,
    options: RunOptions,
) -> None:
    """Predict label maps with the trained network: of a split, or of photos that belong to no data set."""
    if competition is not None and voc_submission is None:
        raise WsssError("--competition is of --voc-submission", "add --voc-submission FILE")
    if images is not None:
        from wsss_cli.commands.photos import Wish, infer_photos

        if split is not None or voc_submission is not None or train:
            raise WsssError("--images stand for themselves", "leave out --split, --voc-submission and --train")
        first = None if pages is None else pages == "first"
        asked = {"white": white_level, "black": black_level, "first_page": first, "megapixels": max_megapixels}
        pixels = {key: value for key, value in asked.items() if value is not None}
        wish = Wish(images, output, overlay, probabilities, pixels, long_side)
        infer_photos(words, options, setting("infer", "crf", crf), wish, model)
        return
    of_images = {
        "--model": model,
        "--output": output,
        "--overlay": overlay or None,
        "--probabilities": probabilities or None,
        "--white-level": white_level,
        "--black-level": black_level,
        "--pages": pages,
        "--max-megapixels": max_megapixels,
        "--long-side": long_side,
    }
    if given := [option for option, value in of_images.items() if value is not None]:
        what = f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} of --images"
        raise WsssError(what, "add --images PATH...")
    from wsss_cli.commands.stage import run_stage

    if voc_submission is not None:
        from wsss_cli.export.submission import require_archive_name

        require_archive_name(voc_submission)
        split = split or "test"
    passing = setting("infer", "split", split)
    done = run_stage("infer", words, options, setting("infer", "crf", crf), passing, begins=train)
    if done is not None and voc_submission is not None:
        _submit(voc_submission, done[0], done[1], competition or "comp6")


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
