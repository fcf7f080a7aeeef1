"""No number in a setting is without bounds: a slip of the pen is told before it takes the machine's memory."""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

import wsss_cli
from wsss_cli.config import Config, resolve
from wsss_cli.errors import WsssError
from wsss_cli.protocol import Protocol
from wsss_cli.ranges import in_order

UNBOUNDED = {("Network", "backbone_args")}
"""What is handed to timm, which alone knows what its numbers mean."""


def packages() -> Iterator[Any]:
    yield wsss_cli
    for group in ("wsss.methods", "wsss.datasets"):
        yield from {importlib.import_module(e.module) for e in entry_points(group=group) if e.module != "wsss_toy"}


def configs() -> list[type[BaseModel]]:
    """Each class of settings, of stages and of data sets; a Protocol is what a score says of them."""
    for package in packages():
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    options = [cls for cls in BaseModel.__subclasses__() if cls.__name__ == "Options"]
    ours = {package.__name__ for package in packages()}
    found = {cls for cls in (*_below(Config), *options) if cls.__module__.partition(".")[0] in ours} - {Protocol}
    return sorted(found, key=lambda cls: (cls.__module__, cls.__name__))


def _below(cls: type) -> Iterator[type]:
    for sub in cls.__subclasses__():
        yield from (sub, *_below(sub))


def numbers(annotation: Any, metadata: list[Any]) -> Iterator[list[Any]]:
    """The constraints on each number that a type holds."""
    if annotation in (int, float):
        yield metadata
    elif get_origin(annotation) is not None and hasattr(annotation, "__metadata__"):  # Annotated
        inner, *more = get_args(annotation)
        more = [x for m in more for x in (m.metadata if isinstance(m, FieldInfo) else [m])]
        yield from numbers(inner, [*metadata, *more])
    else:
        nested = metadata if get_origin(annotation) is not tuple else []
        for inner in get_args(annotation):
            if not isinstance(inner, str):
                yield from numbers(inner, nested)


def unbounded(cls: type[BaseModel]) -> Iterator[str]:
    for name, info in cls.model_fields.items():
        for limits in numbers(info.annotation, info.metadata):
            low = any(hasattr(m, "ge") or hasattr(m, "gt") for m in limits)
            high = any(hasattr(m, "le") or hasattr(m, "lt") for m in limits)
            if not (low and high) and (cls.__name__, name) not in UNBOUNDED:
                yield f"{cls.__module__}.{cls.__name__}.{name}"


def test_every_number_has_bounds() -> None:
    found = configs()
    assert len(found) > 60
    assert sorted({name for cls in found for name in unbounded(cls)}) == []


def test_the_test_sees_a_number_without_bounds() -> None:
    class Bad(BaseModel):
        plain: float = 1.0
        maybe: int | None = None
        many: tuple[float, ...] = ()

    assert [name.rpartition(".")[2] for name in unbounded(Bad)] == ["plain", "maybe", "many"]


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), 1e300, -1e300, 10**40, -1])
@pytest.mark.parametrize("key", ["epochs", "iterations", "batch", "save_minutes", "ema"])
def test_the_loop_refuses(key: str, number: float) -> None:
    from wsss_cli.engine.loop import Loop

    with pytest.raises(WsssError, match=rf"'train\.loop\.{key}' = "):
        resolve(Loop, "train.loop", {key: number})


def test_a_range_is_in_order() -> None:
    from wsss_cli.classifier.config import TagTraining

    assert in_order((56, 80)) == (56, 80)
    with pytest.raises(ValidationError, match="the second must not be smaller than the first"):
        TagTraining(resize_long=(80, 56))
