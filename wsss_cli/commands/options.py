"""The options that the stage commands share, declared once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from typer import Argument, Option

from wsss_cli import bounds
from wsss_cli.commands import complete

RUN, HOW, WHERE = "What to run", "How to run it", "Where"
RECIPE = "settings: one of the method's recipes, or a YAML file; the data set's kind"


@dataclass(frozen=True)
class RunOptions:
    """Which run, with which settings, on which machine."""

    data: Annotated[
        str | None,
        Option(
            "--data", "-d", help="prepared data set; the last one", rich_help_panel=RUN, autocompletion=complete.data
        ),
    ] = None
    name: Annotated[
        str | None,
        Option("--name", "-n", help="name of the run; 'default'", rich_help_panel=RUN, autocompletion=complete.runs),
    ] = None
    begin: Annotated[
        str | None,
        Option(
            "--from",
            help="begin the run with settings and stages of another one of its method: NAME, METHOD/NAME",
            metavar="RUN",
            rich_help_panel=RUN,
            autocompletion=complete.runs,
        ),
    ] = None
    recipe: Annotated[
        str | None, Option(help=RECIPE, metavar="NAME|FILE", rich_help_panel=RUN, autocompletion=complete.recipes)
    ] = None
    set: Annotated[
        list[str] | None,
        Option("--set", help="of this stage, or STAGE.KEY=VALUE", metavar="KEY=VALUE", rich_help_panel=RUN),
    ] = None
    pretrained: Annotated[
        list[str] | None,
        Option(
            help="weights that every network begins from, a FILE instead of a download, or none; NETWORK=FILE: of one",
            metavar="FILE|NETWORK=FILE",
            rich_help_panel=RUN,
        ),
    ] = None
    force: Annotated[bool, Option("--force", help="run the stage again", rich_help_panel=RUN)] = False
    dry_run: Annotated[bool, Option("--dry-run", help="only say what would run and why", rich_help_panel=RUN)] = False
    gpus: Annotated[int, Option(min=0, max=256, help="ranks on this machine, one per GPU", rich_help_panel=HOW)] = 0
    procs: Annotated[int, Option(min=0, max=256, help="ranks on this machine, on CPU", rich_help_panel=HOW)] = 0
    nodes: Annotated[int, Option(min=1, max=10000, help="machines, each running this command", rich_help_panel=HOW)] = 1
    node_rank: Annotated[int, Option(min=0, max=9999, help="which machine this is, from 0", rich_help_panel=HOW)] = 0
    rendezvous: Annotated[str, Option(help="HOST:PORT of the first machine", rich_help_panel=HOW)] = ""
    device: Annotated[str, Option(help="auto, cpu, cuda", rich_help_panel=HOW)] = "auto"
    workers: Annotated[
        int | None, Option(min=0, max=bounds.WORKERS, help="reader processes per rank", rich_help_panel=HOW)
    ] = None
    trust_checkpoint: Annotated[
        bool, Option("--trust-checkpoint", help="load files that can run code", rich_help_panel=HOW)
    ] = False
    data_root: Annotated[Path, Option(help="folder of prepared data sets", rich_help_panel=WHERE)] = Path("data")
    runs_root: Annotated[Path, Option(help="folder of runs", rich_help_panel=WHERE)] = Path("runs")
    declared: Mapping[str, str] = field(default_factory=dict)
    """Those that the installed methods declare, by name, as far as they are given."""


Words = Annotated[
    list[str] | None,
    Argument(
        metavar="[METHOD] [KEY=VALUE]...",
        help="the method (default: that of the last run) and settings",
        autocompletion=complete.methods,
    ),
]


def stage_command(function: Callable[..., None], without: Collection[str] = ()) -> Callable[..., None]:
    """Give a command `f(words, ..., options: RunOptions)` the fields of RunOptions as options, but for some."""
    hints = get_type_hints(RunOptions, include_extras=True)
    own = [
        p.replace(annotation=get_type_hints(function, include_extras=True)[name])
        for name, p in inspect.signature(function).parameters.items()
        if name != "options"
    ]
    shared = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
        for f in fields(RunOptions)
        if f.name not in ("declared", *without)
    ]

    @wraps(function)
    def command(declared: Mapping[str, str] | None = None, **values: Any) -> None:
        options = RunOptions(**{p.name: values.pop(p.name) for p in shared}, declared=declared or {})
        function(**values, options=options)

    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + shared
    )
    command.__annotations__ = {p.name: p.annotation for p in [*own, *shared]}
    del command.__wrapped__
    return command
