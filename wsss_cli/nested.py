"""Settings within settings."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel


def nested(config: BaseModel, prefix: str = "") -> Iterator[tuple[str, BaseModel]]:
    """The settings themselves and those within, however deep, each with what its keys begin with: "", "net.", ..."""
    yield prefix, config
    for name, info in type(config).model_fields.items():
        if isinstance(value := getattr(config, name), BaseModel):
            yield from nested(value, f"{prefix}{info.alias or name}.")
