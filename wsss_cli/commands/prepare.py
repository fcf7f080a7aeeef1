"""`wsss prepare NAME`: one command per data set plugin, its options made from the plugin's config class."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from wsss_cli import bounds

if TYPE_CHECKING:
    from pydantic import BaseModel

    from wsss_cli.choices.fingerprint import Fingerprint
    from wsss_cli.dataset import Dataset
    from wsss_cli.method import Method


def build() -> typer.Typer:
    """The group. Its commands are only looked up when they are wanted, so that `wsss --help` stays quick."""
    group = typer.Typer(help="Prepare a data set: everything else reads what this writes.", no_args_is_help=True)
    group.callback()(_help)
    if "prepare" in sys.argv or any(name.endswith("_COMPLETE") for name in os.environ):
        from wsss_cli.console import warn
        from wsss_cli.errors import brief
        from wsss_cli.plugins import datasets

        for dataset in datasets().values():
            try:
                group.command(dataset.name, help=dataset.title)(command(dataset))
            except Exception as error:  # whatever is wrong with a plugin, the others work
                warn(f"plugin '{dataset.name}' ({dataset.config}) cannot be used: {brief(error)}")
    return group


def command(dataset: Dataset) -> Callable[..., None]:
    """A function whose parameters are the plugin's options and the host's."""
    host = list(inspect.signature(_host_options, eval_str=True).parameters.values())
    own = _own(dataset, {"help", *(p.name for p in host)})

    def run(**values: Any) -> None:
        given = {p.name: values.pop(p.name) for p in own}
        _prepare(dataset, {k: v for k, v in given.items() if v is not None}, **values)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in [*own, *host]]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def _own(dataset: Dataset, taken: set[str]) -> list[inspect.Parameter]:
    """The plugin's options, without those that every `wsss prepare` has, which a warning names."""
    from wsss_cli.console import warn

    fields = dataset.config_class().model_fields
    for name in sorted(taken & fields.keys()):
        option = f"--{name.replace('_', '-')}"
        warn(f"plugin '{dataset.name}' declares {option}, which is the toolkit's own: it is left out")
    return [_parameter(name, info) for name, info in fields.items() if name not in taken]


def _help() -> None:
    """Prepare a data set: everything else reads what this writes."""


def _parameter(name: str, info: Any) -> inspect.Parameter:
    """A pydantic field as a command-line option; required fields stay required."""
    default = inspect.Parameter.empty if info.is_required() else info.get_default(call_default_factory=True)
    if isinstance(default, tuple):
        default = list(default)
    kind = info.annotation
    if getattr(kind, "__origin__", None) is tuple:
        kind = list[kind.__args__[0]]  # type: ignore[name-defined]
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, Option(help=info.description)],
    )


NAME = Annotated[str | None, Option("--name", "-n", help="name of the prepared data set; the source's")]
FORCE = Annotated[bool, Option("--force", help="replace a data set of that name")]
SKIP = Annotated[bool, Option("--skip-bad", help="leave out images that cannot be used, and list them")]
LONG = Annotated[
    int | None,
    Option(
        min=bounds.SMALLEST,
        max=bounds.SIDE,
        metavar="N",
        help="every stage sees photos at N pixels of their longer side at most; results come at the photo's own size",
    ),
]
ROOT = Annotated[Path, Option(help="folder of prepared data sets")]


def _host_options(
    name: NAME = None,
    force: FORCE = False,
    skip_bad: SKIP = False,
    long_side: LONG = None,
    data_root: ROOT = Path("data"),
) -> None: ...


def _prepare(
    dataset: Dataset,
    given: dict[str, Any],
    name: str | None,
    force: bool,
    skip_bad: bool,
    long_side: int | None,
    data_root: Path,
) -> None:
    from wsss_cli.config import resolve

    options = resolve(dataset.config_class(), dataset.name, given, remedy=f"see: wsss prepare {dataset.name} --help")
    name = name or dataset.name
    _recommend(prepare_and_tell(dataset, options, name, data_root, force, skip_bad, long_side))


def prepare_and_tell(
    dataset: Dataset,
    options: BaseModel,
    name: str,
    data_root: Path,
    force: bool = False,
    skip_bad: bool = False,
    long_side: int | None = None,
) -> Fingerprint:
    """Prepare a data set and say what it holds; returns what there is to learn from."""
    from wsss_cli import console
    from wsss_cli.api.data import made
    from wsss_cli.data.prepared import read_info, read_samples
    from wsss_cli.running.survey import Census

    folder = made(dataset, options, name, data_root, force, skip_bad, long_side)
    counts: dict[str, list[int]] = {}  # images, with mask, boxes
    info = read_info(folder)
    census = Census(info)
    for sample in read_samples(folder):
        census.add(sample)
        for split in sample.splits:
            row = counts.setdefault(split, [0, 0, 0])
            row[:] = row[0] + 1, row[1] + (sample.mask is not None), row[2] + len(sample.boxes)
    rows = [[split, *map(str, row)] for split, row in counts.items()]
    console.table("", ["split", "images", "with mask", "boxes"], rows)
    console.say(f"{info.name}: {len(info.classes)} classes -> {folder}")
    return census.fingerprint()


def _recommend(counts: Fingerprint) -> None:
    """Say which method fits best what there is to learn from, why, and which others can learn from it."""
    from wsss_cli import console
    from wsss_cli.choices.choice import best, refusals
    from wsss_cli.plugins import methods
    from wsss_cli.running.survey import proposals_for

    proposals = proposals_for(counts)
    name = best(proposals, full=False)
    others = [method.name for method in methods().values() if method.name != name and _can_learn(method, counts)]
    also = f"; others: {', '.join(others)}" if others else ""
    if name is not None:
        console.say(f"next: wsss train {name} ({proposals[name].reason}){also}")
    elif others:
        console.say(f"next: wsss train METHOD; none is recommended: {'; '.join(refusals(proposals))}{also}")


def _can_learn(method: Method, counts: Fingerprint) -> bool:
    return bool(counts.boxed if method.supervision == "boxes" else counts.tagged)
