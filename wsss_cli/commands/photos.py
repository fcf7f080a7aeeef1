"""`wsss infer --images`: a trained network on photos that belong to no data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from wsss_cli.commands.options import RunOptions

if TYPE_CHECKING:
    from wsss_cli.method import Method
    from wsss_cli.models.model import Model
    from wsss_cli.photos.find import Photos
    from wsss_cli.photos.predict import Failure
    from wsss_cli.runs import Run

UNREADABLE = 3
"""Exit code: some photos could not be read, the others are done."""


class ManyImages(TyperCommand):
    """A command whose --images takes all words up to the next option, as a shell's `photos/*.jpg` makes them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread(args))


def spread(args: Sequence[str], option: str = "--images") -> list[str]:
    """`--images a b` as `--images a --images b`; settings KEY=VALUE are no images, unless a file is called so."""
    out: list[str] = []
    taking = False
    for before, word in zip(["", *args], args):
        if word.startswith("-"):
            taking = word == option
        elif taking and before != option and (word.count("=") == 0 or Path(word).exists()):
            out.append(option)
        out.append(word)
    return out


@dataclass(frozen=True)
class Wish:
    """What is to be made of which photos, and where.

    reading    fields of `Reading` that are not as in training
    long_side  as `with_long_side` takes it
    root       as `find_photos` takes it
    """

    images: Sequence[str]
    output: Path | None
    overlay: bool
    probabilities: bool
    reading: Mapping[str, Any]
    long_side: int | None = None
    root: Path | None = None


def infer_photos(
    words: list[str] | None,
    options: RunOptions,
    overrides: Mapping[str, Any],
    wish: Wish,
    model: str | None = None,
) -> None:
    """Predict, and exit with code 3 if there are photos that could not be read; nothing is ever trained.

    overrides  settings of stage infer that options stand for: {"infer": {...}}
    model      the folder, or hf://OWNER/NAME, of an exported network, instead of a run's
    Raises WsssError: nothing to predict, no trained network, more than one process.
    """
    from wsss_cli import console
    from wsss_cli.errors import WsssError
    from wsss_cli.files import require_makeable
    from wsss_cli.models.model import with_long_side
    from wsss_cli.photos.find import find_photos
    from wsss_cli.ranks.distributed import process_group

    if max(options.gpus, options.procs, options.nodes) > 1:
        raise WsssError("--images is predicted by one process", "leave out --gpus, --procs and --nodes")
    found = model_of_run(words, options, overrides)[1] if model is None else _exported(model, words, options, overrides)
    found = with_long_side(found, wish.long_side)
    if found.config.among:
        console.warn(
            f"infer.among={found.config.among} does nothing here: these photos belong to no data set that tells"
        )
    photos = find_photos(wish.images, [options.runs_root], wish.root)
    output = wish.output or Path("predictions", found.name, photos.root.name or "photos")
    require_makeable(output, "--output")
    if options.dry_run:
        console.say(f"would predict {len(photos.found)} photos of {photos.root} with {found.name} -> {output}")
        return
    device = "cuda" if options.gpus else "cpu" if options.procs else options.device
    with process_group(device, options.workers, options.trust_checkpoint) as runtime:
        if runtime.world > 1:
            raise WsssError("--images is predicted by one process", "start it without torchrun or srun")
        failures = _predict(found, photos, output, wish, runtime, options.force)
    if failures:
        raise typer.Exit(UNREADABLE)


def model_of_run(words: list[str] | None, options: RunOptions, overrides: Mapping[str, Any]) -> tuple[Run, Model]:
    """The run that is meant, and its network, applied as asked.  Raises WsssError if it is not trained."""
    from wsss_cli.commands.stage import method_named
    from wsss_cli.errors import WsssError
    from wsss_cli.models.model import of_run
    from wsss_cli.plugins import method as find_method
    from wsss_cli.running.find import find_trained

    if options.begin is not None:
        raise WsssError("--from begins a run, and only a trained one has a network", "leave it out")
    run = find_trained(method_named(words), options.data, options.name, options.runs_root)
    method = find_method(run.method)
    asked = _asked(method, words, options, overrides)
    settings = run.settings().updated(options.recipe, asked, method.laid_over)
    return run, of_run(run, method, settings, options.data_root, options.trust_checkpoint)


def _exported(place: str, words: list[str] | None, options: RunOptions, overrides: Mapping[str, Any]) -> Model:
    from wsss_cli.commands.stage import method_named
    from wsss_cli.errors import WsssError
    from wsss_cli.models.exported import read_exported
    from wsss_cli.models.model import with_settings

    model = read_exported(place)
    other = [option for option in ("data", "name", "recipe") if getattr(options, option) is not None]
    if other or method_named(words) not in (None, model.method.name):
        what = f"{place} is a model of {model.method.name}, whatever is in the runs here"
        raise WsssError(what, f"leave out {f'--{other[0]}' if other else method_named(words)}")
    return with_settings(model, _asked(model.method, words, options, overrides).get("infer") or {})


def _asked(
    method: Method, words: list[str] | None, options: RunOptions, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """{"infer": {key: value}} of the command line.  Raises WsssError for another stage, which nothing runs here."""
    from wsss_cli.commands.declared import declared_settings
    from wsss_cli.commands.stage import asked_settings
    from wsss_cli.config import merge
    from wsss_cli.errors import WsssError

    own = merge(overrides, declared_settings(method, "infer", options.declared))
    asked = asked_settings("infer", words, options, own)
    if strange := asked.keys() - {"infer"}:
        raise WsssError(
            f"'{min(strange)}' is set, but a trained network is applied as it is", "set keys of infer alone"
        )
    return asked


def _predict(model: Model, photos: Photos, output: Path, wish: Wish, runtime: Any, anew: bool) -> list[Failure]:
    from wsss_cli import console
    from wsss_cli.data.prepared import reading_as
    from wsss_cli.locks import locked
    from wsss_cli.photos.predict import predict_photos

    wanted = {"labels_crf": model.config.crf, "overlay": wish.overlay, "probabilities": wish.probabilities}
    kinds = ["labels", *(kind for kind, asked in wanted.items() if asked)]
    lock = output.absolute().with_name(f".{output.absolute().name}.lock")
    with locked(lock, f"is writing to {output}", "wait for it, or choose another folder with --output"):
        how = replace(reading_as(model.pictures), **wish.reading)
        results, failures = predict_photos(model, photos, output, kinds, how, runtime, anew)
    for failure in failures:
        console.log.error(f"not predicted: {failure.error}")
    made = len(photos.found) - len(failures)
    console.say(f"{made} of {len(photos.found)} photos: {', '.join([*results.kinds, 'areas.csv'])} -> {output}")
    return failures
