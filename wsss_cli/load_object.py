"""Lazily imported functions and classes: what "package.module:name" means."""

from __future__ import annotations

from typing import Any

from wsss_cli.errors import WsssError


def load_object(path: str) -> Any:
    """The object that "package.module:name" names. Raises WsssError if it is not there."""
    import importlib

    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise WsssError(f"{path} cannot be loaded: {error}", "put that package right; --debug shows where") from error
