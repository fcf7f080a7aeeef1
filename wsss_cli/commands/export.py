"""`wsss export labels`, pseudo-labels and predictions for other programs; `wsss export model`, the network."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer import Option

from wsss_cli import bounds
from wsss_cli.commands.infer import Train, setting
from wsss_cli.commands.options import RunOptions, Words, stage_command
from wsss_cli.errors import WsssError

if TYPE_CHECKING:
    from wsss_cli.models.model import Model
    from wsss_cli.running.target import Target

Which = Literal["pseudo", "infer", "infer_crf"]
FormatName = Annotated[
    Literal["png", "coco", "yolo", "yolo-semantic", "cvat", "labelme", "label-studio", "geojson"],
    Option(
        "--format", help="label maps, COCO JSON, YOLO text or masks, CVAT XML, labelme or Label Studio JSON, GeoJSON"
    ),
]
Out = Annotated[Path, Option("--out", "-o", help="the folder to write; must not exist yet")]
Stage = Annotated[Which, Option("--stage", help="whose label maps; infer_crf: predictions refined by the dense CRF")]
Split = Annotated[str | None, Option("--split", help="of these images; train for pseudo-labels, val for predictions")]
ShapeName = Annotated[
    Literal["rle", "polygon", "box"] | None,
    Option(
        "--shape",
        help="of a piece: coco rle, polygon; yolo polygon, box; geojson polygon; others rle, polygon, box; the first",
    ),
]
MinArea = Annotated[
    int | None, Option("--min-area", min=1, max=bounds.COUNT, help="leave out pieces of fewer pixels; 1")
]
Tolerance = Annotated[
    float | None,
    Option("--tolerance", min=0, max=bounds.SHARES, help="pixels that polygons may be off, to have fewer corners; 0"),
]
LeastCertain = Annotated[
    int | None,
    Option(
        "--least-certain",
        min=1,
        max=bounds.COUNT,
        metavar="N",
        help="only the N images of which the network is least certain",
    ),
]
ImagesHow = Annotated[
    Literal["none", "link", "copy"] | None,
    Option("--images", help="put them into images/; link for yolo, yolo-semantic, labelme, else none"),
]


def build() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="Hand results to other programs.", no_args_is_help=True)
    group.callback()(_help)
    group.command("labels")(labels)
    group.command("model")(model)
    return group


def _help() -> None:
    """Hand results to other programs."""


@stage_command
def labels(
    format: FormatName,
    out: Out,
    words: Words = None,
    stage: Stage = "pseudo",
    split: Split = None,
    shape: ShapeName = None,
    min_area: MinArea = None,
    tolerance: Tolerance = None,
    images: ImagesHow = None,
    train: Train = False,
    least_certain: LeastCertain = None,
    *,
    options: RunOptions,
) -> None:
    """Write pseudo-labels or predictions for another trainer or an annotation tool."""
    from wsss_cli.commands.stage import run_stage
    from wsss_cli.export.labels import form_of
    from wsss_cli.export.new_folder import require_free

    form = form_of(format, shape, min_area, tolerance)
    if least_certain is not None and max(options.gpus, options.procs, options.nodes) > 1:
        raise WsssError("--least-certain is for one process", "leave out --gpus, --procs and --nodes")
    require_free(out)  # before hours of training, not after
    name = stage.removesuffix("_crf")
    crf: Any = setting("infer", "crf", True if stage == "infer_crf" else None)
    of_split = setting("infer", "split", split if name == "infer" else None)
    done = run_stage(name, words, options, crf, of_split, hint=False, begins=train)
    if done is None:
        return
    from wsss_cli import console
    from wsss_cli.data.holding import using
    from wsss_cli.export.labels import export
    from wsss_cli.export.source import most_doubtful

    target = done[0]
    source, lacking = _source(target, done[1], stage, split)
    if lacking:
        console.warn(f"{lacking} image(s) of split '{source.split}' have no label map (no tags?) and are left out")
    if least_certain is not None:
        predicted = done[1] if name == "infer" else _predicted(target, source.split, options)
        source = most_doubtful(source, target.run.stage(predicted["stage"]), least_certain)
    with target.run.locked(), using(target.data), console.track(f"export {format}", len(source.samples)) as tick:
        export(source, out, format, form, images, tick)
    console.say(f"{source.title}, {len(source.samples)} images of split '{source.split}' -> {out}")
    if format in ("coco", "cvat", "label-studio"):
        console.say(f"file names are relative to {source.image_root}")


def _source(target: Target, record: dict[str, Any], stage: Which, split: str | None) -> Any:
    """The label maps that a finished stage left, and how many images lack one."""
    from wsss_cli.export.source import find_source

    run = target.run
    chosen = target.data.split_for("train", split) if stage == "pseudo" else record["metrics"]["split"]
    folder = run.stage(record["stage"]) / ("labels_crf" if stage == "infer_crf" else "labels")
    what = {"pseudo": "pseudo-labels", "infer": "predictions", "infer_crf": "predictions with CRF"}[stage]
    return find_source(target.data, chosen, folder, f"{what} of {run.method}/{run.name} on {run.data}")


def _predicted(target: Target, split: str, options: RunOptions) -> dict[str, Any]:
    """The record of the predictions of a split, which are made unless they are there."""
    from wsss_cli.commands.stage import run_stage

    run = target.run
    plain = replace(options, data=run.data, name=run.name, recipe=None, set=None, pretrained=None, force=False)
    done = run_stage("infer", [run.method], plain, {}, setting("infer", "split", split), hint=False)
    assert done is not None  # several ranks have been refused
    return done[1]


To = Annotated[
    str, Option("--to", metavar="DIR|hf://OWNER/NAME", help="the folder to write, which must not exist yet, or the hub")
]
ModelFormat = Annotated[
    Literal["safetensors", "onnx"],
    Option("--format", help="safetensors, for wsss; onnx: also one file for onnxruntime, of any batch and size"),
]
Licence = Annotated[str, Option("--licence", "--license", help="of the weights, for who gets them: an SPDX name")]


@stage_command
def model(
    to: To,
    words: Words = None,
    format: ModelFormat = "safetensors",
    licence: Licence = "not stated",
    *,
    options: RunOptions,
) -> None:
    """Write the trained network of a run as a folder that needs nothing else: `wsss infer --model DIR`."""
    from wsss_cli import console
    from wsss_cli.commands.photos import model_of_run
    from wsss_cli.models.folder import card_of, write_model

    place = _hub(to) if to.startswith("hf://") else _folder(Path(to).expanduser())  # refused before anything is read
    if format == "onnx":
        from wsss_cli.models.onnx import require_packages

        require_packages()
    run, found = model_of_run(words, options, {})
    card = card_of(run, found, licence, options.trust_checkpoint)
    with run.locked(), place as folder:
        write_model(folder, found, card, options.trust_checkpoint)
        if format == "onnx":
            _write_onnx(folder, found)
    console.say(f"{found.name}: {len(found.classes)} classes, {len(card['scores'])} scores -> {to}")
    console.say(f"next: wsss infer --model {to} --images PATH...")


def _hub(address: str) -> AbstractContextManager[Path]:
    from wsss_cli.models.hub import pushed, repository

    repository(address)
    return pushed(address)


def _folder(out: Path) -> AbstractContextManager[Path]:
    from wsss_cli.export.new_folder import new_folder, require_free

    require_free(out, "--to")
    return new_folder(out, "--to")


def _write_onnx(folder: Path, model: Model) -> None:
    """model.onnx, and on the terminal how it agrees with the network."""
    import torch

    from wsss_cli import console
    from wsss_cli.models.onnx import OPSET, left_out, write_onnx
    from wsss_cli.ranks.distributed import Runtime

    console.say("export to ONNX: traced, then compared with the network at several sizes")
    found = write_onnx(folder / "model.onnx", model.network(Runtime(torch.device("cpu"))))
    rows = [[" x ".join(map(str, a.shape)), f"{a.scores:.1e}", f"{100 * a.labels:.3f}%"] for a in found]
    console.table("onnxruntime and torch", ["batch x height x width", "largest difference", "other class"], rows)
    console.say(
        f"model.onnx: opset {OPSET}, images (B, 3, H, W) RGB in 0..255 -> scores (B, K, H, W), background first"
    )
    if more := left_out(model.config, model.long_side):
        console.warn(f"model.onnx sees each image once, as it is: without {', '.join(more)} of the settings")
