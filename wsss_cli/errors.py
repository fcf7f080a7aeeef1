"""The one kind of error that a user is meant to read."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

LONGEST = 200  # characters of another's message


class WsssError(Exception):
    """Something the user can put right: what happened (naming the file or key), then what to do.

    The app prints it as one message without a traceback and exits with code 2.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}\n  {remedy}" if remedy else what)
        self.what = what
        self.remedy = remedy


class Hindrance(WsssError):
    """Of the machine or the network, not of what was asked: once it is out of the way the same command goes on."""


def brief(error: Exception) -> str:
    """What happened, of whatever a plugin raised."""
    return error.what if isinstance(error, WsssError) else repr(error)


def lowered(text: str) -> str:
    """A library's sentence as a part of one of ours."""
    return f"{text[:1].lower()}{text[1:]}"


def joined(errors: Sequence[WsssError]) -> WsssError:
    """One error that tells of several, each but once."""
    unique = list({str(error): error for error in errors}.values())
    return unique[0] if len(unique) == 1 else WsssError("\n".join(str(error) for error in unique))


def caught(check: Callable[..., object], *args: Any) -> Iterator[WsssError]:
    """What `check(*args)` raises, to be told together with others."""
    try:
        check(*args)
    except WsssError as error:
        yield error


@contextmanager
def in_one_line(what: str, remedy: str) -> Iterator[None]:
    """Whatever a library raises, which may be long: WsssError of `what` and its first line."""
    try:
        yield
    except WsssError:
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise WsssError(f"{what}: {lines[0][:LONGEST] if lines else type(error).__name__}", remedy) from error
