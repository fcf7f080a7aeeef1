"""The Typer app: mounts the commands, turns WsssError into one clear message and exit code 2."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from typing import Annotated, Any

import typer
from typer.completion import (  # type: ignore[attr-defined]  # of which typer exports two
    Shells,
    completion_init,
    install_callback,
    show_callback,
)
from typer.core import TyperGroup

from wsss_cli.commands import (
    auto,
    benchmark,
    check,
    datasets,
    evaluate,
    export,
    infer,
    methods,
    nets,
    prepare,
    pseudo,
    report,
    runs,
    seeds,
    train,
)
from wsss_cli.commands.declared import with_declared
from wsss_cli.commands.photos import ManyImages
from wsss_cli.errors import WsssError
from wsss_cli.files import cannot_take
from wsss_cli.names import shown

GROUPS = {"prepare": prepare.build, "export": export.build, "runs": runs.build}
VERBS = {
    "auto": auto.auto,
    "prepare": None,  # a group: one command per data set plugin
    "seeds": seeds.seeds,
    "pseudo": pseudo.pseudo,
    "train": train.train,
    "infer": infer.infer,
    "evaluate": evaluate.evaluate,
    "report": report.report,
    "benchmark": benchmark.benchmark,
    "export": None,
    "runs": None,
    "methods": methods.methods,
    "nets": nets.nets,
    "datasets": datasets.datasets,
    "check": check.check,
}
CLASSES = {"infer": ManyImages}


class _InOrder(TyperGroup):
    """Lists the commands in the order of the work."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)


def build() -> typer.Typer:
    """The app with every command."""
    completion_init()
    app = typer.Typer(
        name="wsss",
        cls=_InOrder,
        no_args_is_help=True,
        add_completion=False,  # its own options guess the shell; ours are told
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_common)
    for name, function in VERBS.items():
        if function is None:
            app.add_typer(GROUPS[name](), name=name)
        else:
            app.command(name, cls=CLASSES.get(name))(with_declared(name, function))
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from wsss_cli.version import __version__

        print(f"wsss {__version__}")
        raise typer.Exit


Debug = Annotated[bool, typer.Option("--debug", help="show Python tracebacks of errors")]
Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="and exit")]
Install = Annotated[
    Shells | None,
    typer.Option("--install-completion", callback=install_callback, is_eager=True, help="of commands, for a shell"),
]
Show = Annotated[
    Shells | None,
    typer.Option("--show-completion", callback=show_callback, is_eager=True, help="print it instead"),
]


TOLD = {
    errno.ENAMETOOLONG: ("is too long for a path", "give a shorter one"),
    errno.EACCES: ("may not be looked at: permission denied", "check its rights and those of its folder"),
    errno.EPERM: ("may not be looked at: not permitted", "check its rights and those of its folder"),
}
"""What looking for any path may raise, wherever that is done."""


def _common(
    debug: Debug = False, version: Version = False, install_completion: Install = None, show_completion: Show = None
) -> None:
    """Weakly supervised semantic segmentation: from image tags or boxes to masks, a trained network and a score.

    prepare -> seeds -> pseudo -> train -> infer -> evaluate -> report; each command first runs what it needs;
    those from infer on begin no run unless --train says so.
    """


def main() -> None:
    """The `wsss` command."""
    if "--debug" in sys.argv:  # accepted anywhere on the line, and by the ranks that it starts
        sys.argv.remove("--debug")
        os.environ["WSSS_DEBUG"] = "1"
    else:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # before torch is imported
    rank = int(os.environ.get("RANK", "0"))
    from wsss_cli.console import log, set_up_logging, warn

    set_up_logging(rank)
    if "_WSSS_COMPLETE" in os.environ:  # the shell waits for names only
        warnings.simplefilter("ignore")
    elif "WSSS_DEBUG" not in os.environ:
        warnings.showwarning = lambda message, category, *rest: _show(warn, message, category)
    try:
        build()(prog_name="wsss")
    except (WsssError, OSError) as error:
        told = _told(error) if isinstance(error, OSError) else error
        if told is None or "WSSS_DEBUG" in os.environ:
            raise
        if rank == 0:  # where ranks differ, the one that fails first speaks: ranks/distributed.py
            log.error(str(told))
        sys.exit(2)
    except (KeyboardInterrupt, SystemExit) as stop:  # typer makes the one into the other, and says nothing
        if not _interrupted(stop):  # a training that has saved its state has said so
            raise
        if rank == 0:
            log.error("interrupted; the same command goes on where it was")
        sys.exit(130)


def _told(error: OSError) -> WsssError | None:
    """What the user can act on, whatever the path; None: it is a mistake in the code."""
    name = "a file" if error.filename is None else shown(str(error.filename))
    if error.errno in TOLD:
        what, remedy = TOLD[error.errno]
        return WsssError(f"{name} {what}", remedy)
    return cannot_take(error, name)


def _interrupted(error: BaseException | None) -> bool:
    """Whether it comes of Ctrl-C, and nobody has told."""
    return error is not None and (isinstance(error, KeyboardInterrupt) or _interrupted(error.__context__))


def _show(warn: Any, message: Warning | str, category: type[Warning]) -> None:
    """Plugins' warnings are for the user; libraries' deprecations are not."""
    if issubclass(category, UserWarning) and str(message).startswith("plugin "):
        warn(str(message))
