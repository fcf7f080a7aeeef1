"""The Typer app: mounts the commands, turns WsssError into one clear message and exit code 2."""

from __future__ import annotations

import os
import sys
import warnings

import typer

from wsss_cli.commands import check, datasets, evaluate, infer, methods, prepare, pseudo, report, seeds, train
from wsss_cli.errors import WsssError

VERBS = {
    "prepare": None,  # a group of its own: one command per data set plugin
    "seeds": seeds.seeds,
    "pseudo": pseudo.pseudo,
    "train": train.train,
    "infer": infer.infer,
    "evaluate": evaluate.evaluate,
    "report": report.report,
    "methods": methods.methods,
    "datasets": datasets.datasets,
    "check": check.check,
}


def build() -> typer.Typer:
    """The app with every command, in the order of the work."""
    app = typer.Typer(
        name="wsss",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_common)
    for name, function in VERBS.items():
        if function is None:
            app.add_typer(prepare.build(), name=name)
        else:
            app.command(name)(function)
    return app


def _common(
    debug: bool = typer.Option(False, "--debug", help="show Python tracebacks of errors"),
    version: bool = typer.Option(False, "--version", callback=lambda v: _version(v), is_eager=True, help="and exit"),
) -> None:
    """Weakly supervised semantic segmentation: from image tags or boxes to masks, a trained network and a score.

    prepare -> seeds -> pseudo -> train -> infer -> evaluate -> report; each command first runs what it needs.
    """


def _version(wanted: bool) -> None:
    if wanted:
        from wsss_cli import __version__

        print(f"wsss {__version__}")
        raise typer.Exit


def main() -> None:
    """The `wsss` command."""
    debug = "--debug" in sys.argv
    if debug:  # accepted anywhere on the line
        sys.argv.remove("--debug")
    from wsss_cli.console import set_up_logging, warn

    set_up_logging(int(os.environ.get("RANK", "0")))
    if not debug:
        warnings.showwarning = lambda message, category, *rest: _show(warn, message, category)
    try:
        build()()
    except WsssError as error:
        if debug:
            raise
        _complain(str(error))
    except KeyboardInterrupt:
        _complain("interrupted; the same command goes on where it was", code=130)


def _complain(text: str, code: int = 2) -> None:
    from wsss_cli.console import log

    if int(os.environ.get("RANK", "0")) == 0 or code == 2:
        log.error(text)
    sys.exit(code)


def _show(warn, message: Warning | str, category: type[Warning]) -> None:  # type: ignore[no-untyped-def]
    """Plugins' warnings are for the user; libraries' deprecations are not."""
    if issubclass(category, UserWarning) and str(message).startswith("plugin "):
        warn(str(message))
