"""Arguments of the public functions: of the types that their signatures say, or an error that a user can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import reduce, wraps
from inspect import signature
from operator import or_
from types import UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import InstanceOf, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from wsss_cli.errors import WsssError, lowered

LONGEST = 80  # characters of a value in a message
P = ParamSpec("P")
R = TypeVar("R")


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose arguments are taken as those of a command are: "2" and numpy's 2 are a number.

    It raises WsssError for one that is of another type than its annotation says.
    """
    shape, told = signature(function), f"help(wsss.{function.__name__}) says what it takes"

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = shape.bind(*args, **kwargs)
        kinds = get_type_hints(function, include_extras=True)
        given.arguments |= {name: fitting(name, kinds[name], value, told) for name, value in given.arguments.items()}
        return function(*given.args, **given.kwargs)

    return call


def fitting(name: str, kind: Any, value: Any, remedy: str) -> Any:
    """The value of an argument as that type.  Raises WsssError."""
    try:
        return TypeAdapter(_as_it_is(kind)).validate_python(value)
    except ValidationError as error:
        said = dict.fromkeys(map(_said, error.errors()))
        raise WsssError(f"{name} = {_brief(value)}: {', or '.join(said)}", remedy) from None


def _as_it_is(kind: Any) -> Any:
    """The type, by which no Run is made of a dictionary."""
    if get_origin(kind) in (Union, UnionType):
        return reduce(or_, map(_as_it_is, get_args(kind)))
    return InstanceOf[kind] if is_dataclass(kind) else kind  # type: ignore[misc]  # known only here


def plain(value: Any, name: str) -> Any:
    """Of a setting, what YAML and JSON hold: numpy's numbers and arrays as Python's, a Path as text.

    Raises WsssError for what no setting is made of.
    """
    try:
        return to_jsonable_python(value, fallback=lambda other: other.tolist())
    except (AttributeError, ValueError) as error:
        what = f"{name} = {_brief(value)} is of a type that no setting has"
        raise WsssError(what, "give numbers, text, lists and dictionaries") from error


def _said(problem: Any) -> str:
    key = f"its key {problem['input']!r}: " if "[key]" in problem["loc"] else ""
    return f"{key}{lowered(problem['msg'])}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
