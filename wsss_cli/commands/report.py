"""`wsss report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from wsss_cli.commands import complete
from wsss_cli.commands.options import Words


def report(
    words: Words = None,
    data: Annotated[
        str | None, Option("--data", "-d", help="prepared data set; that of the last run", autocompletion=complete.data)
    ] = None,
    name: Annotated[
        str | None, Option("--name", "-n", help="name of the run; that of the last run", autocompletion=complete.runs)
    ] = None,
    compare: Annotated[list[str] | None, Option("--compare", help="another run to show beside: METHOD/NAME")] = None,
    output: Annotated[Path | None, Option("--output", "-o", help="the HTML file; report.html in the run")] = None,
    data_root: Annotated[Path, Option(help="folder of prepared data sets")] = Path("data"),
    runs_root: Annotated[Path, Option(help="folder of runs")] = Path("runs"),
) -> None:
    """Write one self-contained HTML file: scores, curves, pictures, settings."""
    from wsss_cli import console
    from wsss_cli.commands.options import RunOptions
    from wsss_cli.commands.stage import find_run
    from wsss_cli.data.prepared import read_prepared
    from wsss_cli.report.page import write_report
    from wsss_cli.runs import Run

    options = RunOptions(data=data, name=name, data_root=data_root, runs_root=runs_root)
    run = find_run(words[0] if words else None, options)
    others = [Run(runs_root, run.data, *method_and_name(other)) for other in compare or []]
    path = write_report(run, others, read_prepared(data_root / run.data), output or run.folder / "report.html")
    console.say(f"report: {path}")


def method_and_name(run: str) -> tuple[str, str]:
    """ "METHOD/NAME" -> ("METHOD", "NAME"). Raises WsssError if there is no '/'."""
    from wsss_cli.errors import WsssError

    method, slash, name = run.partition("/")
    if not slash:
        raise WsssError(f"--compare {run!r} is not METHOD/NAME", f"for example: --compare {method}/default")
    return method, name
