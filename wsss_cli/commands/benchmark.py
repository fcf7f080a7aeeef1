"""`wsss benchmark`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from wsss_cli.commands import complete
from wsss_cli.commands.options import RUN, RunOptions, stage_command

Data = Annotated[
    str | None, Argument(metavar="DATA", help="prepared data set; the last one", autocompletion=complete.data)
]
Names = Annotated[str, Option("--methods", metavar="NAME,NAME", help="all: those that can learn from the data")]
Seeds = Annotated[int, Option("--seeds", min=1, max=1000, help="runs of each method, with the seeds 0, 1, ...")]
Full = Annotated[bool, Option("--full/--no-full", help="train each network on the masks, too: the upper bound")]
Jobs = Annotated[int, Option("--jobs", min=1, max=1000, help="seeds at a time, each on its part of the cores and GPUs")]
Set = Annotated[
    list[str] | None,
    Option("--set", help="STAGE.KEY=VALUE, of every method", metavar="KEY=VALUE", rich_help_panel=RUN),
]
Output = Annotated[
    Path | None,
    Option("--output", "-o", help="the Markdown file, .html and .json beside it; benchmark.md among the runs"),
]
With = Annotated[
    list[Path] | None,
    Option("--with", metavar="FILE.json", help="results of a benchmark elsewhere: what it has made does not run here"),
]
Variants = Annotated[
    list[str] | None,
    Option(
        "--variant",
        metavar="'NAME METHOD KEY=VALUE ...'",
        help="a further row: METHOD with other settings, called NAME",
    ),
]
NOT_SHARED = ("data", "name", "begin", "set", "force", "nodes", "node_rank", "rendezvous")


@partial(stage_command, without=NOT_SHARED)
def benchmark(
    data: Data = None,
    methods: Names = "all",
    seeds: Seeds = 3,
    full: Full = True,
    jobs: Jobs = 1,
    set: Set = None,
    variants: Variants = None,
    output: Output = None,
    others: With = None,
    *,
    options: RunOptions,
) -> None:
    """Run methods on a data set, each with several seeds, and write one table of their scores.

    What is finished is not run again, stages that methods have in common run once, and a failed run stops no other.
    Several machines share the work: each takes the .json of the others with --with.
    """
    from dataclasses import replace
    from itertools import chain

    from wsss_cli.commands.run_benchmark import Asked, run_benchmark, show_benchmark
    from wsss_cli.commands.variant import parse_variants
    from wsss_cli.data.prepared import read_latest, read_prepared
    from wsss_cli.files import require_makeable
    from wsss_cli.report.results import read_results
    from wsss_cli.running.find import require_data

    name = data or read_latest(options.data_root)
    require_data(name, options.data_root)
    asked = Asked(
        read_prepared(options.data_root / name),
        None if methods == "all" else tuple(dict.fromkeys(methods.split(","))),
        seeds,
        full,
        min(jobs, seeds),
        replace(options, data=name, set=set),
        output or options.runs_root / name / "benchmark.md",
        dict(chain.from_iterable(read_results(path).items() for path in others or ())),
        parse_variants(variants or ()),
    )
    require_makeable(asked.output, "--output", folder=False)
    if options.dry_run:
        show_benchmark(asked)
    else:
        run_benchmark(asked)
