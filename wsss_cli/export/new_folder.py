"""The folder that an export makes: there whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_cli.files import flush_all, followed, is_taken, require_makeable
from wsss_cli.locks import locked
from wsss_cli.preparation.prepare import aside


def require_free(out: Path, option: str = "--out") -> None:
    """Raises WsssError if there is something already where the export is to be, or no folder can be made there."""
    if is_taken(out):
        raise WsssError(f"{out} exists already", f"choose another folder with {option}, or move it away")
    require_makeable(out, option)


@contextmanager
def new_folder(out: Path, option: str = "--out") -> Iterator[Path]:
    """A folder to write into, which becomes `out` at the end, or goes on any failure.

    Raises WsssError if `out` exists, or if another command is about to make it.
    """
    out = followed(out.absolute())
    lock = locked(out.with_name(f".{out.name}.lock"), f"is exporting to {out}", f"choose another folder with {option}")
    with lock, aside(out.parent, out.name) as folder:
        require_free(out, option)
        yield folder
        flush_all(folder)
        if out.exists():
            out.rmdir()  # empty
        folder.replace(out)
