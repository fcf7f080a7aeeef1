"""Who writes and who reads a prepared data set: one command replaces it, while none reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsss_cli.data.prepared import Prepared, read_info
from wsss_cli.errors import WsssError
from wsss_cli.files import followed, is_lost, is_writable, restore
from wsss_cli.locks import locked, require_unshared, shared

WAIT = "wait for it to finish"


@contextmanager
def making(place: Path) -> Iterator[None]:
    """Be the only one who makes the data set `place`.  Raises WsssError naming the command that does."""
    with locked(_lock(place), _is_making(place), f"{WAIT}, or make another data set with --name"):
        restore(place)
        yield


def require_unused(place: Path) -> None:
    """For its maker.  Raises WsssError naming a command that reads the data set."""
    require_unshared(_lock(place), f"is using the data set {place}", f"{WAIT}, or make another data set with --name")


@contextmanager
def using(data: Prepared) -> Iterator[None]:
    """Read the data set, which nobody replaces meanwhile.

    Raises WsssError if somebody makes it now, or has replaced it since it was read.
    """
    with shared(_lock(data.folder), _is_making(data.folder), WAIT):
        if read_info(data.folder).hash != data.info.hash:
            raise WsssError(f"the data set {data.folder} was replaced just now", "run the command again")
        yield


def recover(place: Path) -> None:
    """Put back a data set whose replacement was killed halfway.  Raises WsssError if it is replaced just now."""
    if is_lost(place) and is_writable(_lock(place).parent):
        with locked(_lock(place), _is_making(place), WAIT):
            restore(place)


def _lock(place: Path) -> Path:
    place = followed(place.absolute())
    return place.with_name(f".{place.name}.lock")


def _is_making(place: Path) -> str:
    return f"is making the data set {place}"
