"""`wsss report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from wsss_cli import bounds
from wsss_cli.commands import complete
from wsss_cli.commands.options import Words


def report(
    words: Words = None,
    data: Annotated[
        str | None,
        Option(
            "--data",
            "-d",
            help="prepared data set; that of the last run, of a method that is named the last one",
            autocompletion=complete.data,
        ),
    ] = None,
    name: Annotated[
        str | None,
        Option(
            "--name",
            "-n",
            help="name of the run; that of the last run, of a method that is named 'default'",
            autocompletion=complete.runs,
        ),
    ] = None,
    compare: Annotated[list[str] | None, Option("--compare", help="another run to show beside: METHOD/NAME")] = None,
    pictures: Annotated[
        int, Option("--pictures", min=0, max=bounds.COUNT, help="images that the browser shows as pictures")
    ] = 300,
    output: Annotated[Path | None, Option("--output", "-o", help="the HTML file; report.html in the run")] = None,
    data_root: Annotated[Path, Option(help="folder of prepared data sets")] = Path("data"),
    runs_root: Annotated[Path, Option(help="folder of runs")] = Path("runs"),
) -> None:
    """Write one self-contained HTML file: scores, curves, pictures, settings."""
    from wsss_cli import console
    from wsss_cli.data.prepared import read_prepared
    from wsss_cli.files import require_makeable
    from wsss_cli.report.page import write_report
    from wsss_cli.running.find import find_named, find_run

    run = find_run(words[0] if words else None, data, name, data_root, runs_root)
    named = [find_named(f"{run.data}/{other}", runs_root) for other in compare or []]
    others = [other for other in dict.fromkeys(named) if other != run]  # each once
    path = output or run.folder / "report.html"
    require_makeable(path, "--output", folder=False)
    write_report(run, others, read_prepared(data_root / run.data), path, pictures)
    console.say(f"report: {path}")
